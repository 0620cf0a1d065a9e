/* SPDX-License-Identifier: Apache-2.0 */
/* What the sections share: numbers in cells, names of figures, colours of subjects. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

struct kw_plot *kw_report_plot(struct kw_report *r, const char *id, unsigned number)
{
    struct kw_plot *p = r->plot;
    p->id = id;
    p->number = number;
    p->series_count = p->mark_count = 0;
    p->title[0] = p->description[0] = '\0';
    p->x = p->y = (struct kw_axis){.label = ""};
    return p;
}

/* Its place among the subjects of the run, in the order in which they first appear. */
static unsigned place_of(const struct kw_report *r, const char *subject)
{
    unsigned before = 0;
    for (size_t i = 0; i < r->results->cell_count; i++) {
        const char *name = r->results->cell[i].axes.subject;
        bool seen = r->results->cell[i].control;
        if (strcmp(name, subject) == 0 && !seen)
            return before;
        for (size_t k = 0; k < i && !seen; k++)
            seen = strcmp(r->results->cell[k].axes.subject, name) == 0;
        before += seen ? 0 : 1;
    }
    return before;
}

struct kw_series *kw_report_series(const struct kw_report *r, struct kw_plot *p,
                                   const char *name, const char *subject)
{
    bool taken[KW_SERIES_MAX] = {false};
    for (size_t i = 0; i < p->series_count; i++)
        taken[p->series[i].color] = true;
    struct kw_series *s = kw_plot_series(p, name);
    if (s == NULL)
        return NULL;
    s->color = place_of(r, subject) % KW_SERIES_MAX;
    while (taken[s->color])
        s->color = (s->color + 1) % KW_SERIES_MAX;
    return s;
}

void kw_report_point(const struct kw_report *r, const struct kw_plot *p,
                     struct kw_series *s, double x, const struct kw_results_cell *c,
                     const char *figure)
{
    struct kw_ratio m = kw_report_median(r, c, figure);
    if (m.mid > 0)
        kw_plot_point(p, s, (struct kw_point){x, m.mid, m.low, m.high});
}

/* ---- cells of tables ------------------------------------------------------------------
 */

void kw_cell_plain(struct kw_html *page, double value, enum kw_unit unit)
{
    char text[KW_NUMBER_MAX];
    kw_number_text(text, value, unit);
    kw_html_in(page, "td", text);
}

void kw_cell_number(struct kw_html *page, struct kw_ratio value, enum kw_unit unit)
{
    kw_html_raw(page, "<td>");
    kw_number_in(page, value, unit);
    kw_html_raw(page, "</td>");
}

void kw_number_in(struct kw_html *page, struct kw_ratio value, enum kw_unit unit)
{
    char mid[KW_NUMBER_MAX], low[KW_NUMBER_MAX], high[KW_NUMBER_MAX];
    if (!(value.mid > 0)) {
        kw_html_raw(page, "–");
        return;
    }
    kw_number_text(mid, value.mid, unit);
    kw_number_text(low, value.low, unit);
    kw_number_text(high, value.high, unit);
    kw_html_text(page, mid);
    if (value.high > value.low) {
        kw_html_raw(page, "<small>");
        kw_html_textf(page, "%s – %s", low, high);
        kw_html_raw(page, "</small>");
    }
}

void kw_row_words(struct kw_html *page, const char *name, const char *words)
{
    kw_html_raw(page, "<tr><th scope=\"row\">");
    kw_html_text(page, name);
    kw_html_raw(page, "</th><td class=\"words\">");
    kw_html_text(page, words);
    kw_html_raw(page, "</td></tr>\n");
}

/* ---- figures
 * --------------------------------------------------------------------------- */

static const struct {
    const char *figure, *words;
} names[] = {
    {"calls_per_s", "calls a second"},
    {"goodput_per_s", "good in time, a second"},
    {"late_per_s", "due and not made, a second"},
    {"cpu_us", "CPU a call, server and workers"},
    {"server_us", "CPU a call, server"},
    {"workers_us", "CPU a call, workers"},
    {"client_us", "CPU a call, client"},
    {"switches", "context switches a call"},
    {"p50_us", "latency p50"},
    {"p90_us", "latency p90"},
    {"p99_us", "latency p99"},
    {"p99.9_us", "latency p99.9"},
    {"ready_ms", "time to readiness"},
    {"ops_per_s", "operations a second"},
    {"stop_ms", "SIGTERM to the end"},
    {"start_status_ms", "start to a good Status"},
    {"start_decrypt_ms", "start to a good Decrypt"},
    {"gap_ms", "without a good Decrypt"},
};

const char *kw_figure_words(const char *figure)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].figure, figure) == 0)
            return names[i].words;
    return figure;
}

/* What the end of a name says of its number, and how that end reads. */
static const struct {
    const char *end, *words;
    enum kw_unit unit;
} ends[] = {{"_us", "", KW_UNIT_US},
            {"_ms", "", KW_UNIT_MS},
            {"_per_s", " a second", KW_UNIT_COUNT},
            {"_percent", ", %", KW_UNIT_COUNT},
            {"utilisation", "utilisation", KW_UNIT_PERCENT},
            {"goodput", "goodput", KW_UNIT_PERCENT}};
enum { ENDS = sizeof ends / sizeof ends[0] };

static size_t end_of(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < ENDS; i++) {
        size_t n = strlen(ends[i].end);
        if (len >= n && strcmp(name + len - n, ends[i].end) == 0)
            return i;
    }
    return ENDS;
}

enum kw_unit kw_figure_unit(const char *figure)
{
    size_t i = end_of(figure);
    return i < ENDS ? ends[i].unit : KW_UNIT_COUNT;
}

void kw_member_words(char *dst, size_t cap, const char *member)
{
    size_t i = end_of(member), len = strlen(member);
    len -= i < ENDS ? strlen(ends[i].end) : 0;
    snprintf(dst, cap, "%.*s%s", (int)len, member, i < ENDS ? ends[i].words : "");
    for (char *c = dst; *c != '\0'; c++)
        if (*c == '_')
            *c = ' ';
}

/* ---- what documents say of themselves
 * --------------------------------------------------- */

static void member_row(struct kw_html *page, const char *key, const json_t *v)
{
    char name[KW_NAME_MAX], number[KW_NUMBER_MAX] = "–";
    kw_member_words(name, sizeof name, key);
    if (json_is_number(v))
        kw_number_text(number, json_number_value(v), kw_figure_unit(key));
    kw_row_words(page, name,
                 json_is_string(v)    ? json_string_value(v)
                 : json_is_boolean(v) ? (json_is_true(v) ? "yes" : "no")
                                      : number);
}

void kw_member_table(struct kw_html *page, const json_t *json, const char *member,
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
        if (!json_is_object(v) && !json_is_array(v))
            member_row(page, key, v);
    }
    kw_html_raw(page, "</tbody></table>\n");
}

void kw_document_head(struct kw_html *page, const struct kw_report_document *d)
{
    kw_html_in(page, "h3", d->name);
    kw_html_raw(page, "\n");
    const char *fault = kw_json_text(d->json, "fault");
    bool partial = json_is_true(json_object_get(d->json, "partial"));
    if (!partial && fault[0] == '\0')
        return;
    kw_html_raw(page, "<p class=\"verdict unusable\"><b>");
    kw_html_raw(page, partial ? "Partial." : "With a fault.");
    kw_html_raw(page, "</b> ");
    kw_html_text(page, fault[0] != '\0' ? fault : "The run ended before its time.");
    kw_html_raw(page, "</p>\n");
}

struct kw_ratio kw_report_median(const struct kw_report *r,
                                 const struct kw_results_cell *c, const char *figure)
{
    size_t at = kw_results_figure(r->results, figure);
    return at < KW_RESULTS_FIGURES ? kw_results_median(r->results, c, at)
                                   : (struct kw_ratio){0};
}

struct kw_ratio kw_report_ratio(const struct kw_report *r,
                                const struct kw_results_cell *upper,
                                const struct kw_results_cell *lower, const char *figure)
{
    size_t at = kw_results_figure(r->results, figure);
    return at < KW_RESULTS_FIGURES ? kw_results_ratio(r->results, upper, lower, at)
                                   : (struct kw_ratio){0};
}

/* ---- JSON
 * ------------------------------------------------------------------------------ */

double kw_json_number(const json_t *object, const char *member)
{
    const json_t *v = json_object_get(object, member);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

const char *kw_json_text(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text != NULL ? text : "";
}
