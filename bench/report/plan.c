/* SPDX-License-Identifier: Apache-2.0 */
/* What a token carries, as reckoned: expectations with their assumptions, and curves. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

/* Names as the plan gives them: an underscore is a blank, a last part the unit. */
static void readable(char *text, size_t cap, const char *member)
{
    (void)kw_copy_str(text, cap, kw_span_str(member));
    for (char *c = text; *c != '\0'; c++)
        if (*c == '_')
            *c = ' ';
}

static void value_text(char *text, size_t cap, const json_t *v)
{
    char number[KW_NUMBER_MAX] = "–";
    if (json_is_number(v))
        kw_number_text(number, json_number_value(v), KW_UNIT_COUNT);
    const char *words = json_is_string(v)    ? json_string_value(v)
                        : json_is_boolean(v) ? (json_is_true(v) ? "yes" : "no")
                                             : number;
    (void)kw_copy_str(text, cap, kw_span_str(words));
}

static void group(struct kw_html *page, const json_t *json, const char *member,
                  const char *caption)
{
    json_t *o = json_object_get(json, member);
    const char *key = NULL;
    json_t *v = NULL;
    if (json_object_size(o) == 0)
        return;
    kw_html_raw(page, "<table class=\"facts\"><caption>");
    kw_html_text(page, caption);
    kw_html_raw(page, "</caption><tbody>\n");
    json_object_foreach(o, key, v)
    {
        char name[KW_NAME_MAX], text[200];
        readable(name, sizeof name, key);
        value_text(text, sizeof text, v);
        if (!json_is_object(v) && !json_is_array(v))
            kw_row_words(page, name, text);
    }
    kw_html_raw(page, "</tbody></table>\n");
}

/* One a line: text, or an object with its words in the first members. */
static void assumptions(struct kw_html *page, const json_t *json)
{
    const json_t *all = json_object_get(json, "assumptions");
    if (json_array_size(all) == 0)
        return;
    kw_html_raw(page, "<details><summary>Assumptions</summary><ul>\n");
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *one = json_array_get(all, i);
        const char *key = NULL, *glue = "";
        json_t *v = NULL;
        kw_html_raw(page, "<li>");
        kw_html_text(page, json_string_value(one));
        json_object_foreach((json_t *)(uintptr_t)one, key, v)
        {
            char text[300];
            value_text(text, sizeof text, v);
            kw_html_textf(page, "%s%s", glue, text);
            glue = " · ";
        }
        kw_html_raw(page, "</li>\n");
    }
    kw_html_raw(page, "</ul></details>\n");
}

static const char *stored_label(char *dst, size_t cap, const json_t *curve,
                                const char *member)
{
    readable(dst, cap, kw_json_text(curve, member));
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
                            .unit = KW_UNIT_COUNT};
    p->y = (struct kw_axis){.label = stored_label(y, sizeof y, curve, "y"),
                            .scale = KW_SCALE_LINEAR,
                            .unit = KW_UNIT_COUNT};
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
    char name[KW_NAME_MAX];
    readable(name, sizeof name, kw_json_text(curve, "name"));
    snprintf(p->title, sizeof p->title, "%s: %s", d->name, name);
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
    kw_html_in(&r->page, "h3", d->name);
    kw_html_raw(&r->page, "\n<div class=\"row\">");
    group(&r->page, d->json, "inputs", "Given");
    group(&r->page, d->json, "needs", "Needed");
    group(&r->page, d->json, "expected", "Expected");
    group(&r->page, d->json, "limits", "Limits");
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
