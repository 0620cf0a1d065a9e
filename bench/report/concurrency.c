/* SPDX-License-Identifier: Apache-2.0 */
/* Throughput over calls in flight: one plot a method, one line a subject. */
#include <stdio.h>
#include <string.h>

#include "report.h"

/* A closed loop against a token as it is: other cells have plots of their own. */
static bool fits(const struct kw_results_cell *c)
{
    const struct kw_results_axes *a = &c->axes;
    return !c->control && a->in_flight > 0 && !(a->rate > 0) &&
           !(a->token_delay_us > 0) && a->method[0] != '\0';
}

static bool same_line(const struct kw_results_cell *a, const struct kw_results_cell *b)
{
    return fits(a) && fits(b) && strcmp(a->axes.method, b->axes.method) == 0 &&
           strcmp(a->axes.subject, b->axes.subject) == 0;
}

/* Is it the first of its line (or, `method`, of its method)? */
static bool is_first(const struct kw_results *r, size_t at, bool method)
{
    for (size_t i = 0; i < at; i++)
        if (method ? fits(&r->cell[i]) &&
                         strcmp(r->cell[i].axes.method, r->cell[at].axes.method) == 0
                   : same_line(&r->cell[i], &r->cell[at]))
            return false;
    return fits(&r->cell[at]);
}

/* Its cells by rising concurrency: they may stand in any order in the run. */
static void line(const struct kw_report *r, struct kw_plot *p, size_t first)
{
    const struct kw_results *all = r->results;
    const struct kw_results_cell *head = &all->cell[first];
    struct kw_series *s = kw_report_series(r, p, head->axes.subject, head->axes.subject);
    double done = 0;
    for (;;) {
        const struct kw_results_cell *next = NULL;
        for (size_t i = first; i < all->cell_count; i++)
            if (same_line(&all->cell[i], head) && all->cell[i].axes.in_flight > done &&
                (next == NULL || all->cell[i].axes.in_flight < next->axes.in_flight))
                next = &all->cell[i];
        if (next == NULL)
            break;
        done = next->axes.in_flight;
        kw_report_point(r, p, s, done, next, "calls_per_s");
    }
    if (s->count == 0)
        p->series_count--; /* every round of it failed */
}

static bool any_line(const struct kw_plot *p)
{
    for (size_t i = 0; i < p->series_count; i++)
        if (p->series[i].count > 1)
            return true;
    return false;
}

static void describe(struct kw_plot *p, const char *method, bool more)
{
    size_t used = 0;
    snprintf(p->title, sizeof p->title, "Throughput over concurrency: %.40s%s", method,
             more ? ", further subjects" : "");
    for (size_t i = 0; i < p->series_count && used < sizeof p->description; i++) {
        const struct kw_series *s = &p->series[i];
        const struct kw_point *last = &s->point[s->count - 1];
        int n = snprintf(p->description + used, sizeof p->description - used,
                         "%s%.40s reaches %.0f calls a second at %.0f in flight",
                         used > 0 ? "; " : "", s->name, last->y, last->x);
        used += n > 0 ? (size_t)n : 0;
    }
}

static struct kw_plot *fresh(struct kw_report *r, unsigned number)
{
    struct kw_plot *p = kw_report_plot(r, "concurrency", number);
    p->x = (struct kw_axis){
        .label = "calls in flight", .scale = KW_SCALE_LOG2, .unit = KW_UNIT_COUNT};
    p->y = (struct kw_axis){
        .label = "calls a second", .scale = KW_SCALE_LINEAR, .unit = KW_UNIT_COUNT};
    return p;
}

static kw_err draw(struct kw_report *r, struct kw_plot *p, const char *method, bool more,
                   unsigned *number, bool *ret_there)
{
    if (!any_line(p))
        return KW_OK;
    describe(p, method, more);
    *ret_there = true;
    ++*number;
    return kw_plot_draw(
        p,
        "Closed loop; medians over the undisturbed rounds, the bars their "
        "95\u00a0% intervals.",
        &r->page, &r->note);
}

/* A method with more subjects than colours gets more than one plot. */
static kw_err one_method(struct kw_report *r, size_t first, unsigned *number,
                         bool *ret_there)
{
    const struct kw_results *all = r->results;
    const char *method = all->cell[first].axes.method;
    struct kw_plot *p = fresh(r, *number);
    bool more = false;
    for (size_t i = first; i < all->cell_count; i++) {
        if (!is_first(all, i, false) || strcmp(all->cell[i].axes.method, method) != 0)
            continue;
        if (p->series_count == KW_SERIES_MAX) {
            kw_err e = draw(r, p, method, more, number, ret_there);
            if (kw_failed(e))
                return e;
            more = true;
            p = fresh(r, *number);
        }
        line(r, p, i);
    }
    return draw(r, p, method, more, number, ret_there);
}

kw_err kw_section_concurrency(struct kw_report *r, bool *ret_there)
{
    unsigned number = 0;
    for (size_t i = 0; i < r->results->cell_count; i++) {
        if (!is_first(r->results, i, true))
            continue;
        kw_err e = one_method(r, i, &number, ret_there);
        if (kw_failed(e))
            return e;
    }
    return KW_OK;
}
