/* SPDX-License-Identifier: Apache-2.0 */
/* Every cell against the base, of the same round: as a plot of CPU and as a table. */
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "whisker.h"

static const char *const figures[] = {"calls_per_s", "p50_us", "p99_us", "cpu_us",
                                      "server_us"};
enum { FIGURES = sizeof figures / sizeof figures[0] };

/* No difference from the base that the control does not show as well. */
static bool is_noise(struct kw_ratio x, struct kw_ratio noise)
{
    return x.mid > 0 && noise.mid > 0 && x.low <= noise.high && x.high >= noise.low;
}

static struct kw_ratio noise_of(const struct kw_results *r, const char *figure)
{
    size_t at = kw_results_figure(r, figure);
    return at < KW_RESULTS_FIGURES ? r->noise[at] : (struct kw_ratio){0};
}

static kw_err plot(struct kw_report *r, const struct kw_results_cell *base)
{
    static struct kw_whisker rows[KW_WHISKERS_MAX];
    static char label[KW_NAME_MAX + 32];
    const struct kw_results *all = r->results;
    size_t count = 0;
    for (size_t i = 0; i < all->cell_count; i++) {
        const struct kw_results_cell *c = &all->cell[i];
        struct kw_ratio x = kw_report_ratio(r, c, base, "cpu_us");
        if (c != base && x.mid > 0)
            rows[count++] = (struct kw_whisker){c->name, x, c->control ? 7 : 0};
    }
    if (count == 0)
        return KW_OK;
    struct kw_plot *p = kw_report_plot(r, "ratios", 0);
    snprintf(label, sizeof label, "CPU a call, to %s", base->name);
    p->x.label = label;
    snprintf(p->title, sizeof p->title, "CPU a call, to %s", base->name);
    snprintf(p->description, sizeof p->description,
             "%zu cells, each with its ratio and 95\u00a0%% interval; the table below "
             "has them "
             "as numbers",
             count);
    return kw_whiskers_draw(
        p, rows, count, noise_of(all, "cpu_us"),
        "Dots are medians of the rounds’ ratios, bars their 95\u00a0% "
        "intervals; the band is what the control differs from the base.",
        &r->page, &r->note);
}

static void cell(struct kw_html *page, struct kw_ratio x, struct kw_ratio noise)
{
    kw_html_raw(page, is_noise(x, noise) ? "<td class=\"noise\">" : "<td>");
    kw_number_in(page, x, KW_UNIT_RATIO);
    kw_html_raw(page, "</td>");
}

static void table(struct kw_report *r, const struct kw_results_cell *base)
{
    const struct kw_results *all = r->results;
    struct kw_html *page = &r->page;
    kw_html_raw(page, "<div class=\"wide\"><table><caption>");
    kw_html_textf(page, "Ratios to %s, of the same round, with 95\u00a0%% intervals",
                  base->name);
    kw_html_raw(page, "</caption>\n<thead><tr><th scope=\"col\">cell</th>");
    for (size_t k = 0; k < FIGURES; k++) {
        kw_html_raw(page, "<th scope=\"col\">");
        kw_html_text(page, kw_figure_words(figures[k]));
        kw_html_raw(page, "</th>");
    }
    kw_html_raw(page, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < all->cell_count; i++) {
        const struct kw_results_cell *c = &all->cell[i];
        if (c == base)
            continue;
        kw_html_raw(page, c->control   ? "<tr class=\"control\"><th scope=\"row\">"
                          : c->primary ? "<tr class=\"primary\"><th scope=\"row\">"
                                       : "<tr><th scope=\"row\">");
        kw_html_text(page, c->name);
        kw_html_raw(page, "</th>");
        for (size_t k = 0; k < FIGURES; k++)
            cell(page, kw_report_ratio(r, c, base, figures[k]),
                 c->control ? (struct kw_ratio){0} : noise_of(all, figures[k]));
        kw_html_raw(page, "</tr>\n");
    }
    kw_html_raw(page, "</tbody></table></div>\n<p class=\"note\">In grey: no difference "
                      "from the base that the control does not show as well.</p>\n");
}

kw_err kw_section_ratios(struct kw_report *r, bool *ret_there)
{
    const struct kw_results_cell *base = kw_results_cell(r->results, r->results->base);
    if (base == NULL || r->results->cell_count < 2 || kw_results_calm(r->results) == 0)
        return KW_OK;
    *ret_there = true;
    kw_err e = plot(r, base);
    if (!kw_failed(e))
        table(r, base);
    return e;
}
