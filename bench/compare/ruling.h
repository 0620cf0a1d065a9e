/* SPDX-License-Identifier: Apache-2.0 */
/* ruling - is it slower?  What may be said of several log ratios NEW / OLD at once
 *
 * Each ratio comes as a centre (centre.h): mean, error and freedom of its logarithm.  Its
 * interval has ends that the truth lies beyond with at most 5 % each.  Of the verdicts
 *
 *   slower       the whole interval lies above the threshold, and that there is a
 *                difference at all stands after Holm's correction (Scandinavian Journal
 *                of Statistics 6, 1979) for the number of ratios judged together
 *   faster       the same downwards
 *   same         the whole interval lies within the threshold (two one-sided tests)
 *   cannot tell  anything else: the interval is too wide, or lies across the threshold
 *
 * "slower" is said of any of them with at most 5 % when none differs, and of a single one
 * that differs by less than the threshold with at most 5 %.  What that costs is held by
 * the seeded simulations in tests/unit/bench/compare/test_error_rate.c: rounds whose log
 * ratio has a standard deviation of 5 to 8 % and of which one in twenty is thrown 30 %
 * off; 8 ratios at once.  There a ratio of 1.20 is found in 95 % from 8 rounds on at 5
 * and 6.5 %, from 10 rounds on at 8 % (88 % with 8).
 *
 * A ratio may be known in two ways, to two yardsticks that need not agree.  Then only
 * what both ways say is said: the intervals are united, the larger p counts.
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_RULING_H
#define KEYWARD_BENCH_RULING_H

#include "centre.h"

enum { KW_RULED_MAX = 8, KW_WAYS_MAX = 2 };

enum kw_ruling {
    KW_RULING_CANNOT_TELL,
    KW_RULING_SAME,
    KW_RULING_SLOWER,
    KW_RULING_FASTER,
    KW_RULINGS
};
extern const char *const kw_ruling_words[KW_RULINGS];

struct kw_ruled {
    struct kw_centre way[KW_WAYS_MAX]; /* of the log ratio; given */
    size_t way_count;                  /* at least 1; given       */
    double mid, low, high;             /* the ratio; of the first way, united interval */
    double slower_p, faster_p;         /* corrected, up to 1 */
    enum kw_ruling verdict;
};

/* mid, low and high; no p and no verdict. */
void kw_rule_interval(struct kw_ruled *j);

/* Everything, of at most KW_RULED_MAX together.  threshold 0.05 is five per cent; it is
 * above 0. */
void kw_rule(struct kw_ruled *const *judged, size_t count, double threshold);

#endif
