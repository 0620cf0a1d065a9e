/* SPDX-License-Identifier: Apache-2.0 */
/* curves - what a plot shows of what was counted
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_CURVES_H
#define KEYWARD_BENCH_CURVES_H

#include "counts.h"
#include "plot.h"

/* Latency in µs over 1 / (1 - share): y is the value that the share of all calls does not
 * exceed.  Ends where fewer than KW_HISTOGRAM_BEYOND calls lie beyond, for from there on
 * nobody knows, and is thinned to at most KW_POINTS_MAX points. */
void kw_curve_percentiles(const struct kw_counts *counts, const struct kw_plot *p,
                          struct kw_series *ret_series);

/* One offered rate and what became of it; a figure that is not known is NAN. */
struct kw_offer {
    double rate, goodput, p99_us;
};

enum kw_knee {
    KW_KNEE_FOUND,   /* at *ret_rate: the last rate that was served     */
    KW_KNEE_ABOVE,   /* every rate was served                           */
    KW_KNEE_BELOW,   /* not even the lowest                             */
    KW_KNEE_UNKNOWN, /* fewer than two rates, or no goodput             */
};

/* A rate is served when at least KW_SERVED of it came back good in time, and p99 is at
 * most KW_SLOWER times that of the lowest rate (where it is known).  The knee is the last
 * served rate before the first that is not.  Sorts the offers by rate. */
#define KW_SERVED 0.95
#define KW_SLOWER 10.0
enum kw_knee kw_curve_knee(struct kw_offer *offers, size_t count, double *ret_rate);

#endif
