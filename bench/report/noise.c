/* SPDX-License-Identifier: Apache-2.0 */
/* How far the machine can be believed: the control, the pulse, the disturbed rounds. */
#include <math.h>
#include <stdio.h>

#include "report.h"

static void floor_table(struct kw_report *r)
{
    const struct kw_results *all = r->results;
    struct kw_html *page = &r->page;
    bool any = false;
    for (size_t k = 0; k < all->figure_count; k++)
        any = any || all->noise[k].mid > 0;
    if (!any) {
        kw_html_raw(page,
                    "<p>The noise floor is not known: no undisturbed round has both "
                    "the control and what it repeats.</p>\n");
        return;
    }
    kw_html_raw(page, "<table><caption>");
    kw_html_textf(page, "The noise floor: %s once more, to itself", all->control);
    kw_html_raw(page, "</caption>\n<thead><tr><th scope=\"col\">figure</th><th "
                      "scope=\"col\">control to base</th></tr></thead>\n<tbody>\n");
    for (size_t k = 0; k < all->figure_count; k++) {
        if (!(all->noise[k].mid > 0))
            continue;
        kw_html_raw(page, "<tr><th scope=\"row\">");
        kw_html_text(page, kw_figure_words(all->figure[k]));
        kw_html_raw(page, "</th>");
        kw_html_raw(page, "<td class=\"inline\">");
        kw_number_in(page, all->noise[k], KW_UNIT_RATIO);
        kw_html_raw(page, "</td></tr>\n");
    }
    kw_html_raw(page, "</tbody></table>\n");
}

static void disturbed(struct kw_report *r)
{
    const struct kw_results *all = r->results;
    size_t calm = kw_results_calm(all);
    if (calm == all->rounds) {
        kw_html_raw(&r->page, "<p>No round was disturbed.</p>\n");
        return;
    }
    kw_html_raw(&r->page, "<table><caption>");
    kw_html_textf(
        &r->page,
        "Disturbed rounds: %zu of %zu; kept, and left out of medians and ratios",
        all->rounds - calm, all->rounds);
    kw_html_raw(&r->page, "</caption>\n<thead><tr><th scope=\"col\">round</th><th "
                          "scope=\"col\" class=\"words\">why</th></tr></thead><tbody>\n");
    for (size_t n = 0; n < all->rounds; n++)
        if (all->disturbed[n]) {
            char number[KW_NUMBER_MAX];
            snprintf(number, sizeof number, "%zu", n);
            kw_row_words(&r->page, number, all->why[n]);
        }
    kw_html_raw(&r->page, "</tbody></table>\n");
}

static size_t pulses(const struct kw_results *r, size_t round,
                     double ret_ns[KW_RESULTS_CELLS])
{
    size_t n = 0;
    for (size_t i = 0; i < r->cell_count; i++)
        if (r->pulse_ns[round][i] > 0)
            ret_ns[n++] = r->pulse_ns[round][i];
    return n;
}

/* The middle of at most KW_ROUNDS_MAX values is kw_median's; a round may have more. */
static double middle(const double *v, size_t count)
{
    double thinned[KW_ROUNDS_MAX];
    size_t step = count / KW_ROUNDS_MAX + 1, n = 0;
    for (size_t i = 0; i < count && n < KW_ROUNDS_MAX; i += step)
        thinned[n++] = v[i];
    return kw_median(thinned, n);
}

/* The first one says what all of them are. */
static void mark(struct kw_plot *p, double round)
{
    struct kw_mark *m = &p->mark[p->mark_count];
    *m = (struct kw_mark){.x = round, .color = 1};
    if (p->mark_count++ == 0)
        (void)kw_copy_str(m->label, sizeof m->label, kw_span_str("disturbed"));
}

static kw_err pulse_plot(struct kw_report *r)
{
    const struct kw_results *all = r->results;
    double ns[KW_RESULTS_CELLS], middles[KW_ROUNDS_MAX] = {0};
    size_t known = 0;
    for (size_t n = 0; n < all->rounds; n++) {
        size_t count = pulses(all, n, ns);
        if (count > 0)
            middles[known++] = middle(ns, count);
    }
    double usual = kw_median(middles, known);
    if (known < 2 || !(usual > 0))
        return KW_OK;
    struct kw_plot *p = kw_report_plot(r, "pulse", 0);
    p->x = (struct kw_axis){
        .label = "round", .scale = KW_SCALE_LINEAR, .unit = KW_UNIT_COUNT};
    p->y = (struct kw_axis){.label = "pulse, to the run’s usual",
                            .scale = KW_SCALE_LINEAR,
                            .unit = KW_UNIT_RATIO};
    struct kw_series *s = kw_plot_series(p, "pulse");
    for (size_t n = 0; n < all->rounds; n++) {
        size_t count = pulses(all, n, ns);
        struct kw_point at = {(double)n, middle(ns, count) / usual, HUGE_VAL, 0};
        for (size_t i = 0; i < count; i++) {
            at.low = fmin(at.low, ns[i] / usual);
            at.high = fmax(at.high, ns[i] / usual);
        }
        if (count > 0)
            kw_plot_point(p, s, at);
        if (all->disturbed[n] && p->mark_count < KW_MARKS_MAX)
            mark(p, (double)n);
    }
    snprintf(p->title, sizeof p->title, "The pulse of the machine by round");
    snprintf(p->description, sizeof p->description,
             "A fixed piece of work before each cell, over %zu rounds; %zu of them are "
             "disturbed",
             all->rounds, all->rounds - kw_results_calm(all));
    return kw_plot_draw(p,
                        "How long a fixed piece of work takes before each cell: medians, "
                        "the bars from the least to the most of the round.",
                        &r->page, &r->note);
}

kw_err kw_section_noise(struct kw_report *r, bool *ret_there)
{
    if (r->results->rounds == 0)
        return KW_OK;
    *ret_there = true;
    kw_html_raw(&r->page,
                "<p>The first cell runs twice in every round, as itself and as the "
                "control. What the two differ by is the machine’s noise: a difference no "
                "larger than that is none.</p>\n<div class=\"row\">\n");
    floor_table(r);
    disturbed(r);
    kw_html_raw(&r->page, "</div>\n");
    return pulse_plot(r);
}
