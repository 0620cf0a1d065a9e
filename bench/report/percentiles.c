/* SPDX-License-Identifier: Apache-2.0 */
/* Latency by percentile, from the merged histograms of the primary cells. */
#include <stdio.h>

#include "curves.h"
#include "report.h"

static bool has_primary(const struct kw_results *r)
{
    for (size_t i = 0; i < r->cell_count; i++)
        if (r->cell[i].primary && r->cell[i].histogram.count > 0)
            return true;
    return false;
}

kw_err kw_section_percentiles(struct kw_report *r, bool *ret_there)
{
    const struct kw_results *all = r->results;
    bool primary = has_primary(all);
    struct kw_plot *p = kw_report_plot(r, "percentiles", 0);
    p->x = (struct kw_axis){.label = "share of the calls that took at most so long",
                            .scale = KW_SCALE_PERCENTILE,
                            .unit = KW_UNIT_COUNT};
    p->y =
        (struct kw_axis){.label = "latency", .scale = KW_SCALE_LOG10, .unit = KW_UNIT_US};
    for (size_t i = 0; i < all->cell_count && p->series_count < KW_SERIES_MAX; i++) {
        const struct kw_results_cell *c = &all->cell[i];
        if (c->control || c->histogram.count == 0 || (primary && !c->primary))
            continue;
        struct kw_series *s = kw_report_series(r, p, c->name, c->axes.subject);
        s->dots = false;
        kw_curve_percentiles(&c->histogram, p, s);
        if (s->count == 0)
            p->series_count--;
    }
    if (kw_plot_points(p) == 0)
        return KW_OK;
    *ret_there = true;
    snprintf(p->title, sizeof p->title, "Latency by percentile");
    snprintf(p->description, sizeof p->description,
             "The latency that a growing share of the calls does not exceed, for %zu "
             "cells; the medians table has p50, p90, p99 and p99.9 as numbers",
             p->series_count);
    return kw_plot_draw(
        p,
        "All good calls of the undisturbed rounds. A line ends where fewer "
        "than 100 calls lie beyond: from there on nobody knows.",
        &r->page, &r->note);
}
