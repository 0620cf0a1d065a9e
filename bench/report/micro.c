/* SPDX-License-Identifier: Apache-2.0 */
/* Single operations, as Google Benchmark counted them. */
#include <math.h>
#include <string.h>

#include "report.h"

/* Its times are in the unit that each entry names. */
static double in_us(const json_t *entry, const char *member)
{
    const char *unit = kw_json_text(entry, "time_unit");
    double v = kw_json_number(entry, member);
    return strcmp(unit, "ns") == 0   ? v / 1e3
           : strcmp(unit, "ms") == 0 ? v * 1e3
           : strcmp(unit, "s") == 0  ? v * 1e6
                                     : v;
}

/* A deviation or a coefficient is no time of the operation. */
static bool is_time(const json_t *entry)
{
    const char *aggregate = kw_json_text(entry, "aggregate_name");
    return aggregate[0] == '\0' || strcmp(aggregate, "median") == 0 ||
           strcmp(aggregate, "mean") == 0;
}

static void row(struct kw_html *page, const json_t *entry)
{
    kw_html_raw(page, "<tr><th scope=\"row\">");
    kw_html_text(page, kw_json_text(entry, "name"));
    kw_html_raw(page, "</th>");
    if (json_is_true(json_object_get(entry, "error_occurred"))) {
        kw_html_raw(page, "<td class=\"words\" colspan=\"3\">");
        kw_html_text(page, kw_json_text(entry, "error_message"));
        kw_html_raw(page, "</td></tr>\n");
        return;
    }
    kw_cell_plain(page, in_us(entry, "cpu_time"), KW_UNIT_US);
    kw_cell_plain(page, in_us(entry, "real_time"), KW_UNIT_US);
    kw_cell_plain(page, kw_json_number(entry, "iterations"), KW_UNIT_COUNT);
    kw_html_raw(page, "</tr>\n");
}

kw_err kw_section_micro(struct kw_report *r, bool *ret_there)
{
    for (size_t i = 0; i < r->document_count; i++) {
        const struct kw_report_document *d = &r->document[i];
        const json_t *all = json_object_get(d->json, "benchmarks");
        if (d->kind != KW_DOCUMENT_MICRO)
            continue;
        *ret_there = true;
        kw_html_raw(&r->page, "<div class=\"wide\"><table><caption>");
        kw_html_textf(&r->page, "%s: one operation of one part", d->name);
        kw_html_raw(&r->page,
                    "</caption>\n<thead><tr><th scope=\"col\">case</th><th "
                    "scope=\"col\">CPU</th><th scope=\"col\">wall clock</th><th "
                    "scope=\"col\">iterations</th></tr></thead>\n<tbody>\n");
        for (size_t k = 0; k < json_array_size(all); k++)
            if (is_time(json_array_get(all, k)))
                row(&r->page, json_array_get(all, k));
        kw_html_raw(&r->page, "</tbody></table></div>\n");
    }
    return KW_OK;
}
