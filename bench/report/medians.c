/* SPDX-License-Identifier: Apache-2.0 */
/* Every cell's figures as medians with intervals; and the primary ones in short. */
#include <string.h>

#include "report.h"

/* What people look for first stands first; other figures follow as the run has them. */
static const char *const first[] = {
    "calls_per_s", "goodput_per_s", "p50_us",     "p90_us",    "p99_us",   "p99.9_us",
    "cpu_us",      "server_us",     "workers_us", "client_us", "switches", "late_per_s"};
enum { FIRST = sizeof first / sizeof first[0], COLUMNS = 6 };

static size_t order(const struct kw_results *r, size_t column[KW_RESULTS_FIGURES])
{
    size_t n = 0;
    for (size_t i = 0; i < FIRST; i++) {
        size_t at = kw_results_figure(r, first[i]);
        if (at < KW_RESULTS_FIGURES)
            column[n++] = at;
    }
    for (size_t i = 0; i < r->figure_count; i++) {
        bool done = false;
        for (size_t k = 0; k < FIRST; k++)
            done = done || strcmp(r->figure[i], first[k]) == 0;
        if (!done)
            column[n++] = i;
    }
    return n;
}

static void name_cell(struct kw_html *page, const struct kw_results_cell *c)
{
    kw_html_raw(page, c->primary   ? "<tr class=\"primary\"><th scope=\"row\">"
                      : c->control ? "<tr class=\"control\"><th scope=\"row\">"
                                   : "<tr><th scope=\"row\">");
    kw_html_text(page, c->name);
    kw_html_raw(page, "</th>");
}

/* Some of the columns: a table that is wider than the page is read by nobody. */
static void table(struct kw_report *r, const size_t *column, size_t columns,
                  const char *caption)
{
    const struct kw_results *all = r->results;
    struct kw_html *page = &r->page;
    kw_html_raw(page, "<div class=\"wide\"><table><caption>");
    kw_html_text(page, caption);
    kw_html_raw(page, "</caption>\n<thead><tr><th scope=\"col\">cell</th>");
    for (size_t k = 0; k < columns; k++) {
        kw_html_raw(page, "<th scope=\"col\">");
        kw_html_text(page, kw_figure_words(all->figure[column[k]]));
        kw_html_raw(page, "</th>");
    }
    kw_html_raw(page, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < all->cell_count; i++) {
        name_cell(page, &all->cell[i]);
        for (size_t k = 0; k < columns; k++)
            kw_cell_number(page, kw_results_median(all, &all->cell[i], column[k]),
                           kw_figure_unit(all->figure[column[k]]));
        kw_html_raw(page, "</tr>\n");
    }
    kw_html_raw(page, "</tbody></table></div>\n");
}

kw_err kw_section_medians(struct kw_report *r, bool *ret_there)
{
    size_t column[KW_RESULTS_FIGURES], columns = order(r->results, column);
    *ret_there = columns > 0 && kw_results_calm(r->results) > 0;
    for (size_t at = 0; *ret_there && at < columns; at += COLUMNS)
        table(r, column + at, columns - at < COLUMNS ? columns - at : COLUMNS,
              at == 0 ? "Medians over the undisturbed rounds, with 95\u00a0% intervals"
                      : "Further figures of the same cells");
    return KW_OK;
}

static void short_row(struct kw_report *r, const struct kw_results_cell *c,
                      const struct kw_results_cell *base)
{
    static const char *const figures[] = {"calls_per_s", "p50_us", "p99_us", "cpu_us"};
    kw_html_raw(&r->page, "<tr><th scope=\"row\">");
    kw_html_text(&r->page, c->name);
    kw_html_raw(&r->page, "</th>");
    for (size_t k = 0; k < sizeof figures / sizeof figures[0]; k++)
        kw_cell_number(&r->page, kw_report_median(r, c, figures[k]),
                       kw_figure_unit(figures[k]));
    if (c == base)
        kw_html_raw(&r->page, "<td>1</td>");
    else
        kw_cell_number(&r->page,
                       base != NULL ? kw_report_ratio(r, c, base, "cpu_us")
                                    : (struct kw_ratio){0},
                       KW_UNIT_RATIO);
    kw_html_raw(&r->page, "</tr>\n");
}

kw_err kw_section_primary(struct kw_report *r, bool *ret_there)
{
    const struct kw_results *all = r->results;
    const struct kw_results_cell *base = kw_results_cell(all, all->base);
    for (size_t i = 0; i < all->cell_count; i++)
        *ret_there = *ret_there || (all->cell[i].primary && !all->cell[i].control);
    *ret_there = *ret_there && kw_results_calm(all) > 0;
    if (!*ret_there)
        return KW_OK;
    kw_html_raw(
        &r->page,
        "<div class=\"wide\"><table><caption>The cells that were named primary "
        "before the run: medians with 95\u00a0% intervals</caption>\n<thead><tr><th "
        "scope=\"col\">cell</th><th scope=\"col\">calls a second</th><th "
        "scope=\"col\">latency p50</th><th scope=\"col\">latency p99</th><th "
        "scope=\"col\">CPU a call</th><th scope=\"col\">CPU, to ");
    kw_html_text(&r->page, all->base);
    kw_html_raw(&r->page, "</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < all->cell_count; i++)
        if (all->cell[i].primary && !all->cell[i].control)
            short_row(r, &all->cell[i], base);
    kw_html_raw(
        &r->page,
        "</tbody></table></div>\n<p class=\"note\">CPU a call is the server’s and "
        "its children’s, for each good call. The number below a median is its 95\u00a0% "
        "interval, from drawing the rounds again.</p>\n");
    return KW_OK;
}
