/* SPDX-License-Identifier: Apache-2.0 */
/* What the cache buys by how slow the token is: the same way at several token delays.
 *
 * The cells of a way are called alike but for a part such as slow2ms, which says the
 * delay: slow2ms-hit and hit are both "hit".  One that says nothing else is uncached. */
#include <stdio.h>
#include <string.h>

#include "report.h"

struct way {
    char name[KW_RESULTS_NAME];
    double in_flight;
};

/* slow2ms, delay500us, 10ms */
static bool says_delay(kw_span part)
{
    static const char *const words[] = {"slow", "delay"};
    size_t at = 0, digits = 0;
    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(words[i]);
        if (at == 0 && part.len > len &&
            kw_span_equal_str(kw_span_of(part.ptr, len), words[i]))
            at = len;
    }
    for (; at + digits < part.len; digits++) {
        uint8_t c = part.ptr[at + digits];
        if ((c < '0' || c > '9') && c != '.' && c != '_')
            break;
    }
    kw_span unit = kw_span_of(part.ptr + at + digits, part.len - at - digits);
    return digits > 0 && (kw_span_equal_str(unit, "ms") || kw_span_equal_str(unit, "us"));
}

static struct way way_of(const struct kw_results_cell *c)
{
    struct way w = {.in_flight = c->axes.in_flight};
    const char *rest = c->axes.subject;
    size_t used = 0;
    while (*rest != '\0') {
        size_t len = strcspn(rest, "-");
        if (!says_delay(kw_span_of(rest, len))) {
            int n = snprintf(w.name + used, sizeof w.name - used, "%s%.*s",
                             used > 0 ? "-" : "", (int)len, rest);
            used += n > 0 ? (size_t)n : 0;
        }
        rest += len + (rest[len] == '-' ? 1 : 0);
    }
    if (used == 0)
        snprintf(w.name, sizeof w.name, "uncached");
    return w;
}

static bool same(const struct way *a, const struct way *b)
{
    return strcmp(a->name, b->name) == 0 && a->in_flight == b->in_flight;
}

static bool fits(const struct kw_results_cell *c)
{
    return !c->control && !(c->axes.rate > 0);
}

/* A line for each way that has a slowed cell; which, told at its first slowed cell. */
static bool is_first(const struct kw_results *r, size_t at)
{
    if (!fits(&r->cell[at]) || !(r->cell[at].axes.token_delay_us > 0))
        return false;
    struct way mine = way_of(&r->cell[at]);
    for (size_t i = 0; i < at; i++) {
        struct way other = way_of(&r->cell[i]);
        if (fits(&r->cell[i]) && r->cell[i].axes.token_delay_us > 0 &&
            same(&mine, &other))
            return false;
    }
    return true;
}

static const struct kw_results_cell *next_slower(const struct kw_results *r,
                                                 const struct way *w, double than_us)
{
    const struct kw_results_cell *found = NULL;
    for (size_t i = 0; i < r->cell_count; i++) {
        const struct kw_results_cell *c = &r->cell[i];
        struct way other = way_of(c);
        if (fits(c) && same(w, &other) && c->axes.token_delay_us > than_us &&
            (found == NULL || c->axes.token_delay_us < found->axes.token_delay_us))
            found = c;
    }
    return found;
}

static void line(const struct kw_report *r, struct kw_plot *p, size_t first,
                 const char *figure)
{
    struct way w = way_of(&r->results->cell[first]);
    char name[KW_NAME_MAX];
    if (w.in_flight > 0)
        snprintf(name, sizeof name, "%.40s, %.0f in flight", w.name, w.in_flight);
    else
        snprintf(name, sizeof name, "%.40s", w.name);
    struct kw_series *s = kw_report_series(r, p, name, w.name);
    if (s == NULL)
        return;
    const struct kw_results_cell *c = next_slower(r->results, &w, -1);
    for (; c != NULL; c = next_slower(r->results, &w, c->axes.token_delay_us))
        kw_report_point(r, p, s, c->axes.token_delay_us / 1000, c, figure);
    if (s->count == 0)
        p->series_count--;
}

static kw_err one(struct kw_report *r, const char *id, const char *figure,
                  const char *label, const char *title, const char *caption)
{
    struct kw_plot *p = kw_report_plot(r, id, 0);
    p->x = (struct kw_axis){.label = "what the token takes for an operation besides, ms",
                            .scale = KW_SCALE_LINEAR,
                            .unit = KW_UNIT_COUNT};
    p->y = (struct kw_axis){
        .label = label, .scale = KW_SCALE_LOG10, .unit = kw_figure_unit(figure)};
    for (size_t i = 0; i < r->results->cell_count; i++)
        if (is_first(r->results, i))
            line(r, p, i, figure);
    if (kw_plot_points(p) == 0)
        return KW_OK;
    snprintf(p->title, sizeof p->title, "%s", title);
    snprintf(p->description, sizeof p->description,
             "%s against the delay of the token, for %zu ways; the values are in the "
             "medians table",
             kw_figure_words(figure), p->series_count);
    return kw_plot_draw(p, caption, &r->page, &r->note);
}

kw_err kw_section_delay(struct kw_report *r, bool *ret_there)
{
    size_t before = r->page.len;
    kw_err e = one(r, "delay-latency", "p50_us", "latency, p50",
                   "What the cache buys: latency by the token’s delay",
                   "A call that the cache answers does not meet the token.");
    if (!kw_failed(e))
        e = one(r, "delay-calls", "calls_per_s", "calls a second",
                "What the cache buys: throughput by the token’s delay",
                "The same cells; at 0 the token is as it is.");
    *ret_there = r->page.len > before;
    return e;
}
