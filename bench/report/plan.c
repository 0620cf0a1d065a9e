/* SPDX-License-Identifier: Apache-2.0 */
/* What a token carries, as reckoned: expectations with their assumptions, and curves. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

static void words_of(struct kw_html *page, const json_t *one)
{
    const char *key = NULL, *glue = "";
    json_t *v = NULL;
    kw_html_raw(page, "<li>");
    kw_html_text(page, json_string_value(one));
    json_object_foreach((json_t *)(uintptr_t)one, key, v)
    {
        if (!json_is_string(v))
            continue;
        kw_html_textf(page, "%s%s", glue, json_string_value(v));
        glue = " · ";
    }
    kw_html_raw(page, "</li>\n");
}

/* One a line: text, or an object of texts. */
static void list(struct kw_html *page, const json_t *json, const char *member)
{
    const json_t *all = json_object_get(json, member);
    kw_html_raw(page, "<ul>\n");
    for (size_t i = 0; i < json_array_size(all); i++)
        words_of(page, json_array_get(all, i));
    kw_html_raw(page, "</ul>\n");
}

/* Whether the token carries the cluster, and if not, why not. */
static void findings(struct kw_html *page, const json_t *json)
{
    const json_t *carried = json_object_get(json, "carried");
    if (json_is_true(carried))
        kw_html_raw(page, "<p>As reckoned, the token carries the cluster.</p>\n");
    else if (json_is_false(carried))
        kw_html_raw(page, "<p><strong>As reckoned, the token does not carry the "
                          "cluster:</strong></p>\n");
    if (json_array_size(json_object_get(json, "findings")) > 0)
        list(page, json, "findings");
}

static void assumptions(struct kw_html *page, const json_t *json)
{
    if (json_array_size(json_object_get(json, "assumptions")) == 0)
        return;
    kw_html_raw(page, "<details><summary>Assumptions</summary>\n");
    list(page, json, "assumptions");
    kw_html_raw(page, "</details>\n");
}

static const char *stored_label(char *dst, size_t cap, const json_t *curve,
                                const char *member)
{
    kw_member_words(dst, cap, kw_json_text(curve, member));
    return dst;
}

static kw_err curve(struct kw_report *r, const struct kw_report_document *d,
                    const json_t *curve, unsigned number)
{
    char x[KW_NAME_MAX], y[KW_NAME_MAX]; /* the axes borrow them until it is drawn */
    const json_t *points = json_object_get(curve, "points");
    struct kw_plot *p = kw_report_plot(r, "plan", number);
    p->x = (struct kw_axis){.label = stored_label(x, sizeof x, curve, "x"),
                            .scale = KW_SCALE_LINEAR,
                            .unit = kw_figure_unit(kw_json_text(curve, "x"))};
    p->y = (struct kw_axis){.label = stored_label(y, sizeof y, curve, "y"),
                            .scale = KW_SCALE_LINEAR,
                            .unit = kw_figure_unit(kw_json_text(curve, "y"))};
    struct kw_series *s = kw_plot_series(p, y);
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *at = json_array_get(points, i);
        const json_t *px = json_array_get(at, 0), *py = json_array_get(at, 1);
        if (json_is_number(px) && json_is_number(py))
            kw_plot_point(p, s,
                          (struct kw_point){.x = json_number_value(px),
                                            .y = json_number_value(py)});
    }
    if (s->count == 0)
        return KW_OK;
    snprintf(p->title, sizeof p->title, "%s: %s over %s", d->name, y, x);
    snprintf(p->description, sizeof p->description,
             "%zu points, from %.4g at %.4g to %.4g at %.4g", s->count, s->point[0].y,
             s->point[0].x, s->point[s->count - 1].y, s->point[s->count - 1].x);
    return kw_plot_draw(p, "Reckoned, not measured: see the assumptions.", &r->page,
                        &r->note);
}

static kw_err one(struct kw_report *r, const struct kw_report_document *d,
                  unsigned *number)
{
    const json_t *curves = json_object_get(d->json, "curves");
    kw_document_head(&r->page, d);
    findings(&r->page, d->json);
    kw_html_raw(&r->page, "<div class=\"row\">");
    kw_member_table(&r->page, d->json, "inputs", "Given");
    kw_member_table(&r->page, d->json, "needs", "Needed");
    kw_member_table(&r->page, d->json, "expected", "Expected");
    kw_member_table(&r->page, d->json, "limits", "The most that it carries");
    kw_member_table(&r->page, d->json, "bounds", "By arithmetic alone");
    kw_html_raw(&r->page, "</div>\n");
    for (size_t i = 0; i < json_array_size(curves); i++) {
        kw_err e = curve(r, d, json_array_get(curves, i), (*number)++);
        if (kw_failed(e))
            return e;
    }
    assumptions(&r->page, d->json);
    return KW_OK;
}

kw_err kw_section_plan(struct kw_report *r, bool *ret_there)
{
    unsigned number = 0;
    for (size_t i = 0; i < r->document_count; i++) {
        if (r->document[i].kind != KW_DOCUMENT_PLAN)
            continue;
        *ret_there = true;
        kw_err e = one(r, &r->document[i], &number);
        if (kw_failed(e))
            return e;
    }
    return KW_OK;
}
