/* SPDX-License-Identifier: Apache-2.0 */
#include "curves.h"

#include <math.h>
#include <stdlib.h>

#include "histogram.h"

enum { STEPS = KW_POINTS_MAX - 16 };

void kw_curve_percentiles(const struct kw_counts *counts, const struct kw_plot *p,
                          struct kw_series *ret_series)
{
    double total = 0, below = 0, last = 0;
    for (size_t i = 0; i < counts->count; i++)
        total += (double)counts->bucket[i].count;
    if (total <= KW_HISTOGRAM_BEYOND)
        return;
    double most = total / KW_HISTOGRAM_BEYOND, step = log(most) / STEPS;
    for (size_t i = 0; i < counts->count; i++) {
        double us = (double)counts->bucket[i].upper_ns / 1000;
        if (i == 0)
            kw_plot_point(p, ret_series, (struct kw_point){.x = 1, .y = us});
        below += (double)counts->bucket[i].count;
        double x = total / fmax(total - below, 1);
        if (x > most)
            break;
        if (log(x) - last < step)
            continue;
        last = log(x);
        kw_plot_point(p, ret_series, (struct kw_point){.x = x, .y = us});
    }
}

static int by_rate(const void *a, const void *b)
{
    double x = ((const struct kw_offer *)a)->rate, y = ((const struct kw_offer *)b)->rate;
    return (x > y) - (x < y);
}

static bool served(const struct kw_offer *o, double calm_us)
{
    if (!(o->goodput >= KW_SERVED * o->rate))
        return false;
    return !(o->p99_us > KW_SLOWER * calm_us); /* NAN: not known, so it does not speak */
}

enum kw_knee kw_curve_knee(struct kw_offer *offers, size_t count, double *ret_rate)
{
    size_t good = 0;
    if (count < 2)
        return KW_KNEE_UNKNOWN;
    qsort(offers, count, sizeof offers[0], by_rate);
    for (size_t i = 0; i < count; i++)
        if (isnan(offers[i].goodput))
            return KW_KNEE_UNKNOWN;
    while (good < count && served(&offers[good], offers[0].p99_us))
        good++;
    if (good == 0)
        return KW_KNEE_BELOW;
    *ret_rate = offers[good - 1].rate;
    return good == count ? KW_KNEE_ABOVE : KW_KNEE_FOUND;
}
