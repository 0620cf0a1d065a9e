/* SPDX-License-Identifier: Apache-2.0 */
/* centre - where the rounds lie, and how sure that is, though some were thrown off
 *
 * The trimmed mean: of n values sorted, floor(0.15 n) at either end are left out of the
 * mean.  Its error comes from the Winsorized variance (the ends are pulled in instead of
 * left out), and mean / error follows Student's t with h - 1 degrees of freedom, h values
 * being left: Tukey and McLaughlin, Sankhya A 25 (1963); for two samples with unequal
 * variances Yuen, Biometrika 61 (1974); both in Wilcox, "Introduction to Robust
 * Estimation and Hypothesis Testing".
 *
 * Why not Wilcoxon's signed ranks: with 8 rounds their smallest one-sided p is 1/256, and
 * one single round that was thrown the other way lifts it to 2/256, above the 5 % / 8
 * that the first of 8 corrected comparisons must reach.  Why 15 %: it takes out one round
 * on each side from 7 on and two from 14 on, which is what a noisy machine spoils.
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_CENTRE_H
#define KEYWARD_BENCH_CENTRE_H

#include <stdbool.h>
#include <stddef.h>

enum { KW_CENTRE_LEAST = 5 }; /* fewer values say nothing of their own spread */

struct kw_centre {
    double mean, error; /* error: the standard error of the mean; 0 when all agree */
    double freedom;     /* degrees of freedom, at least 1 */
};

/* Of v[0..count), count at most KW_ROUNDS_MAX (spread.h).  false, and nothing written,
 * for fewer than KW_CENTRE_LEAST values or one that is not finite. */
bool kw_centre_of(const double *v, size_t count, struct kw_centre *ret_centre);

/* to - from, of two samples that know nothing of each other (Welch, Satterthwaite). */
struct kw_centre kw_centre_between(struct kw_centre from, struct kw_centre to);

/* How likely chance alone is to show a mean this far above `bound` or farther, were the
 * truth at the bound. */
double kw_centre_above(const struct kw_centre *c, double bound);

/* Half the interval: the truth lies more than this above the mean with chance p, and as
 * much below it with chance p.  p as in kw_student_at. */
double kw_centre_reach(const struct kw_centre *c, double p);

#endif
