/* SPDX-License-Identifier: Apache-2.0 */
/* Every cell with the command that measured it and each round's figures. */
#include <math.h>
#include <stdio.h>

#include "report.h"

static void heads(struct kw_html *page, const struct kw_results *r)
{
    kw_html_raw(page, "<thead><tr><th scope=\"col\">figure</th>");
    for (size_t n = 0; n < r->rounds; n++) {
        kw_html_raw(page, r->disturbed[n] ? "<th scope=\"col\" class=\"noise\">"
                                          : "<th scope=\"col\">");
        kw_html_textf(page, r->disturbed[n] ? "%zu, disturbed" : "%zu", n);
        kw_html_raw(page, "</th>");
    }
    kw_html_raw(page, "</tr></thead>\n");
}

static void figure(struct kw_html *page, const struct kw_results *r,
                   const struct kw_results_cell *c, size_t k)
{
    bool known = false;
    for (size_t n = 0; n < r->rounds; n++)
        known = known || !isnan(c->figure[k][n]);
    if (!known)
        return;
    kw_html_raw(page, "<tr><th scope=\"row\">");
    kw_html_text(page, r->figure[k]);
    kw_html_raw(page, "</th>");
    for (size_t n = 0; n < r->rounds; n++)
        kw_cell_plain(page, c->figure[k][n], kw_figure_unit(r->figure[k]));
    kw_html_raw(page, "</tr>\n");
}

static void one(struct kw_html *page, const struct kw_results *r,
                const struct kw_results_cell *c)
{
    kw_html_raw(page, "<details><summary>");
    kw_html_text(page, c->name);
    if (c->failures > 0)
        kw_html_textf(page, ": failed in %llu rounds", (unsigned long long)c->failures);
    kw_html_raw(page, "</summary>\n<pre>keyward-bench ");
    kw_html_text(page, c->command);
    kw_html_raw(page, "</pre>\n");
    if (c->failures > 0) {
        kw_html_raw(page, "<p><strong>Failed:</strong> ");
        kw_html_text(page, c->failure);
        kw_html_raw(page, "</p>\n");
    }
    kw_html_raw(page, "<div class=\"wide\"><table><caption>");
    kw_html_textf(page, "%s, round by round", c->name);
    kw_html_raw(page, "</caption>\n");
    heads(page, r);
    kw_html_raw(page, "<tbody>\n");
    for (size_t k = 0; k < r->figure_count; k++)
        figure(page, r, c, k);
    kw_html_raw(page, "</tbody></table></div>\n</details>\n");
}

kw_err kw_section_cells(struct kw_report *r, bool *ret_there)
{
    *ret_there = true;
    kw_html_raw(&r->page, "<p>The whole run:</p>\n<pre>");
    kw_html_text(&r->page, r->results->command);
    kw_html_raw(&r->page, "</pre>\n");
    for (size_t i = 0; i < r->results->cell_count; i++)
        one(&r->page, r->results, &r->results->cell[i]);
    return KW_OK;
}
