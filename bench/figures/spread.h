/* SPDX-License-Identifier: Apache-2.0 */
/* spread - medians, and how sure a ratio of two configurations is
 *
 * The unit is the pair of one round: both configurations met the machine in the same
 * mood.  A ratio is the median of the pairs' ratios; its interval comes from drawing the
 * rounds again with replacement (percentile bootstrap, 95 %), from a generator with a
 * fixed seed: the same figures give the same interval.
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_SPREAD_H
#define KEYWARD_BENCH_SPREAD_H

#include <stddef.h>
#include <stdint.h>

enum { KW_ROUNDS_MAX = 64 };

struct kw_ratio {
    double mid, low, high; /* all 0 when there is no pair to look at */
};

/* How far the interval reaches away from the middle, as a part of it: 0.05 is ±5 %.
 * HUGE_VAL when the middle is not positive. */
double kw_ratio_reach(struct kw_ratio x);

/* Smallest first; none of them is a NaN. */
void kw_sort(double *v, size_t count);

/* The middle of v[0..count), or the mean of the two middle ones; 0 for none. */
double kw_median(const double *v, size_t count);

/* The median of v[0..count) and its interval, drawn in the same way; what is NAN is left
 * out.  count is at most KW_ROUNDS_MAX. */
struct kw_ratio kw_median_of(const double *v, size_t count);

/* upper[i] / lower[i] over the rounds i; a pair with a value that is not positive (or
 * NAN) is left out.  count is at most KW_ROUNDS_MAX. */
struct kw_ratio kw_ratio_of(const double *upper, const double *lower, size_t count);

#endif
