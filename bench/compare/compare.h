/* SPDX-License-Identifier: Apache-2.0 */
/* compare - two runs against each other, or one against a baseline
 *
 * What may be compared depends on where both were measured:
 *
 *   paired    one interleaved run (the same session): NEW / OLD of each round that is
 *             disturbed in neither; both met the machine in the same mood
 *   machine   two runs on one machine (the same fingerprint): each figure is divided by
 *             the base cell's of its own round, then the two runs are two samples; what
 *             the runs themselves differ by cannot be told from the programs
 *   foreign   two machines: the same, and only what the ratios to the base and to the
 *             reference both say; figures of two machines are never compared
 *
 * CPU per call of the primary cells decides (ruling.h), calls per second and p99 are
 * shown.
 *
 * Threads:  plain values; one thread at a time.
 */
#ifndef KEYWARD_BENCH_COMPARE_H
#define KEYWARD_BENCH_COMPARE_H

#include "ruling.h"
#include "profile.h"
#include "tool.h"

enum kw_footing {
    KW_FOOTING_PAIRED,
    KW_FOOTING_MACHINE,
    KW_FOOTING_FOREIGN,
    KW_FOOTINGS
};
extern const char *const kw_footing_names[KW_FOOTINGS];
extern const char *const kw_footing_words[KW_FOOTINGS]; /* a sentence for people */

struct kw_compared {
    char name[KW_RESULTS_NAME];
    bool primary;
    char why[KW_RESULTS_WORDS]; /* it is not compared; "" when it is */
    bool known[KW_WEIGHED_COUNT];
    struct kw_ruled figure[KW_WEIGHED_COUNT]; /* verdict: of a primary cell's CPU only */
};

enum { KW_REMARKS_MAX = 16 };

struct kw_comparison {
    enum kw_footing footing;
    double threshold;
    bool unusable; /* one of the runs says so of itself: no verdicts */
    const struct kw_profile *old, *new; /* borrowed */
    size_t count, remark_count;
    struct kw_compared cell[2 * KW_RESULTS_CELLS]; /* those of NEW, then OLD's alone */
    char remark[KW_REMARKS_MAX][KW_RESULTS_WORDS + 64];
};

/* Borrows both until kw_comparison_free.  threshold 0.05 is five per cent.
 * BAD_INPUT  they cannot be compared: other layout, other base, no primary cell or more
 *            than KW_RULED_MAX; the note says which and what to do
 * NO_MEMORY */
KW_MUST_USE kw_err kw_compare(const struct kw_profile *old, const struct kw_profile *new,
                              double threshold, struct kw_comparison **ret_comparison,
                              struct kw_note *note);
void kw_comparison_free(struct kw_comparison *c); /* NULL does nothing */

/* WRONG: a primary cell is slower.  UNABLE: none is, and one could not be looked at.
 * GOOD: neither ("cannot tell" included: no difference above the threshold was shown). */
enum kw_exit kw_comparison_exit(const struct kw_comparison *c);

/* remarks.c: what a reader should know about the runs themselves. */
void kw_comparison_remark(struct kw_comparison *c);

/* say.c */
void kw_comparison_table(const struct kw_comparison *c);
json_t *kw_comparison_document(const struct kw_comparison *c); /* NULL: no memory */

#endif
