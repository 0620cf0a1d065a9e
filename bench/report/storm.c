/* SPDX-License-Identifier: Apache-2.0 */
/* Restarts of API servers together: what came of each, and its time line. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

static void option(struct kw_html *page, const json_t *options, const char *name,
                   const char *words)
{
    char text[KW_NUMBER_MAX];
    double v = kw_json_number(options, name);
    if (isnan(v))
        return;
    kw_number_text(text, v, KW_UNIT_COUNT);
    kw_html_textf(page, "%s: %s; ", words, text);
}

static void head(struct kw_html *page, const struct kw_report_document *d)
{
    const json_t *options = json_object_get(d->json, "options");
    char text[KW_NUMBER_MAX];
    kw_document_head(page, d);
    kw_html_raw(page, "<p>");
    option(page, options, "servers", "API servers");
    option(page, options, "seeds", "distinct seeds");
    option(page, options, "readers", "readers of each seed");
    option(page, options, "parallel", "lists of a server with seeds of their own");
    kw_number_text(text, kw_json_number(options, "timeout_ns") / 1000, KW_UNIT_US);
    kw_html_textf(page, "timeout: %s.", text);
    kw_html_raw(page, "</p>\n");
}

static void fact(struct kw_html *page, const json_t *json, const char *member,
                 const char *words, enum kw_unit unit)
{
    char text[KW_NUMBER_MAX];
    double v = kw_json_number(json, member);
    kw_number_text(text, v, unit);
    kw_row_words(page, words, isnan(v) ? "not known" : text);
}

/* How often, by gRPC code; what the plugin said, in words, where that was kept. */
static void failures(struct kw_html *page, const json_t *json)
{
    json_t *all = json_object_get(json, "failures");
    const char *code = NULL;
    json_t *v = NULL;
    if (json_object_size(all) == 0)
        kw_row_words(page, "failed calls", "none");
    json_object_foreach(all, code, v)
    {
        const json_t *count = json_is_object(v) ? json_object_get(v, "count") : v;
        char text[200], number[KW_NUMBER_MAX];
        const char *message = kw_json_text(v, "message");
        kw_number_text(number, json_number_value(count), KW_UNIT_COUNT);
        snprintf(text, sizeof text, "%s%s%.120s", number, message[0] != '\0' ? ": " : "",
                 message);
        kw_row_words(page, code, text);
    }
}

static void facts(struct kw_html *page, const json_t *json)
{
    kw_html_raw(page,
                "<table class=\"facts\"><caption>What came of it</caption><tbody>\n");
    const char *cache = kw_json_text(json, "cache");
    kw_row_words(page, "the plugin’s cache", cache[0] != '\0' ? cache : "unknown");
    fact(page, json, "ready_ms", "every seed read on every server after", KW_UNIT_MS);
    fact(page, json, "requests", "Decrypts asked for", KW_UNIT_COUNT);
    fact(page, json, "hsm_operations", "operations of the token", KW_UNIT_COUNT);
    fact(page, json, "duplicates", "asked for while an equal one was under way",
         KW_UNIT_COUNT);
    fact(page, json, "deadline_misses", "missed the deadline", KW_UNIT_COUNT);
    failures(page, json);
    kw_html_raw(page, "</tbody></table>\n");
}

/* A day: who asked in which hour, and what failed of it. */
static void hours(struct kw_html *page, const json_t *json)
{
    static const char *const methods[] = {"status", "encrypt", "decrypt"};
    const json_t *all = json_object_get(json, "hours");
    if (json_array_size(all) == 0)
        return;
    kw_html_raw(page, "<table><caption>By hour of the day: calls, and how many of them "
                      "failed</caption>\n<thead><tr><th scope=\"col\">hour</th><th "
                      "scope=\"col\">Status</th><th scope=\"col\">failed</th><th "
                      "scope=\"col\">Encrypt</th><th scope=\"col\">failed</th><th "
                      "scope=\"col\">Decrypt</th><th scope=\"col\">failed</th></tr>"
                      "</thead>\n<tbody>\n");
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *hour = json_array_get(all, i);
        kw_html_rawf(page, "<tr><th scope=\"row\">%zu</th>", i);
        for (size_t k = 0; k < 3; k++) {
            kw_cell_plain(page,
                          kw_json_number(json_object_get(hour, "calls"), methods[k]),
                          KW_UNIT_COUNT);
            kw_cell_plain(page,
                          kw_json_number(json_object_get(hour, "failed"), methods[k]),
                          KW_UNIT_COUNT);
        }
        kw_html_raw(page, "</tr>\n");
    }
    kw_html_raw(page, "</tbody></table>\n");
}

static bool add_line(struct kw_plot *p, const json_t *timeline, const char *member,
                     const char *name, unsigned color)
{
    struct kw_series *s = kw_plot_series(p, name);
    double most = 0;
    s->dots = false;
    s->color = color;
    for (size_t i = 0; i < json_array_size(timeline); i++) {
        const json_t *at = json_array_get(timeline, i);
        double y = kw_json_number(at, member);
        most = y > most ? y : most;
        kw_plot_point(p, s,
                      (struct kw_point){.x = kw_json_number(at, "t_ms") / 1000, .y = y});
    }
    if (s->count < 2 || !(most > 0))
        p->series_count--;
    return most > 0;
}

static struct kw_plot *fresh(struct kw_report *r, const char *id, unsigned number,
                             const char *label)
{
    struct kw_plot *p = kw_report_plot(r, id, number);
    p->x = (struct kw_axis){.label = "seconds since the restart",
                            .scale = KW_SCALE_LINEAR,
                            .unit = KW_UNIT_COUNT};
    p->y =
        (struct kw_axis){.label = label, .scale = KW_SCALE_LINEAR, .unit = KW_UNIT_COUNT};
    return p;
}

static kw_err draw(struct kw_report *r, struct kw_plot *p, const char *what,
                   const char *name, const char *caption)
{
    if (kw_plot_points(p) == 0)
        return KW_OK;
    snprintf(p->title, sizeof p->title, "%s: %.60s", what, name);
    snprintf(p->description, sizeof p->description,
             "Over %.3g seconds; the table above has the sums",
             p->series[0].point[p->series[0].count - 1].x);
    return kw_plot_draw(p, caption, &r->page, &r->note);
}

static kw_err one(struct kw_report *r, const struct kw_report_document *d,
                  unsigned number)
{
    const json_t *timeline = json_object_get(d->json, "timeline");
    head(&r->page, d);
    facts(&r->page, d->json);
    hours(&r->page, d->json);
    struct kw_plot *p = fresh(r, "storm", number, "seeds, all servers");
    bool failed = false;
    (void)add_line(p, timeline, "unwrapped", "unwrapped", 0);
    failed = add_line(p, timeline, "failed", "failed calls", 1);
    kw_err e = draw(r, p, "Seeds unwrapped", d->name,
                    failed ? "Added up from the restart on, failed calls too."
                           : "Added up from the restart on; no call failed.");
    if (kw_failed(e))
        return e;
    p = fresh(r, "storm-calls", number, "calls");
    (void)add_line(p, timeline, "in_flight", "in flight", 2);
    return draw(r, p, "Calls in flight", d->name, "Wanted by a server and not ended.");
}

kw_err kw_section_storm(struct kw_report *r, bool *ret_there)
{
    unsigned number = 0;
    for (size_t i = 0; i < r->document_count; i++) {
        if (r->document[i].kind != KW_DOCUMENT_STORM)
            continue;
        *ret_there = true;
        kw_err e = one(r, &r->document[i], number++);
        if (kw_failed(e))
            return e;
    }
    return KW_OK;
}
