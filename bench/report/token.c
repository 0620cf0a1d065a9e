/* SPDX-License-Identifier: Apache-2.0 */
/* The token without a server before it: operations a second over sessions, where the run
 * went through several, else its figures. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

/* The same names as a server's figures, but here a call is one operation. */
static const char *words_of(const char *figure)
{
    static const char *const own[][2] = {{"calls_per_s", "operations a second"},
                                         {"cpu_us", "CPU an operation"},
                                         {"switches", "context switches an operation"}};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (strcmp(own[i][0], figure) == 0)
            return own[i][1];
    return kw_figure_words(figure);
}

static void figures(struct kw_html *page, const json_t *json)
{
    json_t *o = json_object_get(json, "figures");
    const char *key = NULL;
    json_t *v = NULL;
    if (json_object_size(o) == 0)
        return;
    kw_html_raw(page, "<table class=\"facts\"><caption>Figures, at their best"
                      "</caption><tbody>\n");
    json_object_foreach(o, key, v)
    {
        char text[KW_NUMBER_MAX];
        kw_number_text(text, json_is_number(v) ? json_number_value(v) : (double)NAN,
                       kw_figure_unit(key));
        kw_row_words(page, words_of(key), text);
    }
    kw_html_raw(page, "</tbody></table>\n");
}

static void add_line(struct kw_plot *p, const json_t *curve, const char *member,
                     const char *name)
{
    struct kw_series *s = kw_plot_series(p, name);
    for (size_t i = 0; i < json_array_size(curve); i++) {
        const json_t *at = json_array_get(curve, i);
        kw_plot_point(p, s,
                      (struct kw_point){.x = kw_json_number(at, "sessions"),
                                        .y = kw_json_number(at, member)});
    }
}

static kw_err draw(struct kw_report *r, struct kw_plot *p, const char *what,
                   const char *name)
{
    if (kw_plot_points(p) == 0)
        return KW_OK;
    snprintf(p->title, sizeof p->title, "%s: %.60s", what, name);
    snprintf(p->description, sizeof p->description, "%s over the number of sessions",
             what);
    return kw_plot_draw(p, "No server and no wall stand before the token here.", &r->page,
                        &r->note);
}

static kw_err plots(struct kw_report *r, const struct kw_report_document *d,
                    unsigned number)
{
    const json_t *curve = json_object_get(d->json, "curve");
    const struct kw_axis sessions = {
        .label = "sessions", .scale = KW_SCALE_LOG2, .unit = KW_UNIT_COUNT};
    struct kw_plot *p = kw_report_plot(r, "token", number);
    p->x = sessions;
    p->y = (struct kw_axis){
        .label = "operations a second", .scale = KW_SCALE_LINEAR, .unit = KW_UNIT_COUNT};
    add_line(p, curve, "ops_per_s", "operations");
    kw_err e = draw(r, p, "The token’s throughput", d->name);
    if (kw_failed(e))
        return e;
    p = kw_report_plot(r, "token-latency", number);
    p->x = sessions;
    p->y =
        (struct kw_axis){.label = "latency", .scale = KW_SCALE_LOG10, .unit = KW_UNIT_US};
    add_line(p, curve, "p50_us", "p50");
    add_line(p, curve, "p99_us", "p99");
    return draw(r, p, "The token’s latency", d->name);
}

kw_err kw_section_token(struct kw_report *r, bool *ret_there)
{
    unsigned number = 0;
    for (size_t i = 0; i < r->document_count; i++) {
        const struct kw_report_document *d = &r->document[i];
        if (d->kind != KW_DOCUMENT_TOKEN)
            continue;
        *ret_there = true;
        kw_document_head(&r->page, d);
        kw_html_raw(&r->page, "<div class=\"row\">");
        kw_member_table(&r->page, d->json, "token", "The token");
        kw_member_table(&r->page, d->json, "options", "How it was measured");
        figures(&r->page, d->json);
        kw_html_raw(&r->page, "</div>\n");
        kw_err e = plots(r, d, number++);
        if (kw_failed(e))
            return e;
    }
    return KW_OK;
}
