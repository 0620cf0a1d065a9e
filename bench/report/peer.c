/* SPDX-License-Identifier: Apache-2.0 */
/* keyward beside another plugin: its cells against those of the Go plugin, pairwise. */
#include <string.h>

#include "report.h"

/* What a user would run; in-process references and bare transports are no plugins. */
static bool is_keyward(const char *subject)
{
    static const char *const ways[] = {"wall",   "uncached", "hit",
                                       "repeat", "encrypt",  "status"};
    static const char *const not [] = {"noverify", "inproc", "copy"};
    for (size_t i = 0; i < sizeof not / sizeof not [0]; i++)
        if (strstr(subject, not [i]) != NULL)
            return false;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (strncmp(subject, ways[i], strlen(ways[i])) == 0)
            return true;
    return false;
}

static bool is_peer(const struct kw_results_cell *c)
{
    return !c->control && strncmp(c->axes.subject, "peer", 4) == 0;
}

static bool comparable(const struct kw_results_cell *ours,
                       const struct kw_results_cell *peer)
{
    const struct kw_results_axes *a = &ours->axes, *b = &peer->axes;
    return !ours->control && is_keyward(a->subject) &&
           strcmp(a->method, b->method) == 0 && a->in_flight == b->in_flight &&
           a->rate == b->rate && a->token_delay_us == b->token_delay_us;
}

static bool known(const struct kw_report *r, const struct kw_results_cell *ours,
                  const struct kw_results_cell *peer)
{
    return kw_report_ratio(r, ours, peer, "calls_per_s").mid > 0 ||
           kw_report_ratio(r, ours, peer, "cpu_us").mid > 0;
}

static void row(struct kw_report *r, const struct kw_results_cell *ours,
                const struct kw_results_cell *peer)
{
    static const char *const figures[] = {"calls_per_s", "p99_us", "cpu_us"};
    kw_html_raw(&r->page, "<tr><th scope=\"row\">");
    kw_html_text(&r->page, ours->name);
    kw_html_raw(&r->page, " <span>to</span> ");
    kw_html_text(&r->page, peer->name);
    kw_html_raw(&r->page, "</th>");
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        kw_cell_number(&r->page, kw_report_ratio(r, ours, peer, figures[i]),
                       KW_UNIT_RATIO);
    kw_html_raw(&r->page, "</tr>\n");
}

kw_err kw_section_peer(struct kw_report *r, bool *ret_there)
{
    const struct kw_results *all = r->results;
    size_t before = r->page.len;
    kw_html_raw(
        &r->page,
        "<p>Each ratio is keyward’s figure through the other plugin’s, of the same "
        "round: above 1 is good for throughput, below 1 for latency and CPU. The "
        "other plugin is one written for this comparison on the Kubernetes "
        "project’s own server library, with its key in the same kind of "
        "token. It has no cache and does not verify what it wrapped; keyward’s rows "
        "named hit and repeat are answered wholly or mostly from its cache, and its "
        "Encrypt unwraps and compares.</p>\n<div class=\"wide\"><table><caption>keyward "
        "through the Go "
        "plugin, with 95\u00a0% intervals</caption>\n<thead><tr><th "
        "scope=\"col\">cells</th><th scope=\"col\">calls a second</th><th "
        "scope=\"col\">latency p99</th><th scope=\"col\">CPU a "
        "call</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < all->cell_count; i++)
        for (size_t k = 0; k < all->cell_count && is_peer(&all->cell[i]); k++)
            if (comparable(&all->cell[k], &all->cell[i]) &&
                known(r, &all->cell[k], &all->cell[i])) {
                row(r, &all->cell[k], &all->cell[i]);
                *ret_there = true;
            }
    kw_html_raw(&r->page, "</tbody></table></div>\n");
    if (!*ret_there)
        kw_html_cut(&r->page, before);
    return KW_OK;
}
