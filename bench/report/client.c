/* SPDX-License-Identifier: Apache-2.0 */
/* Is it the client that was measured?  Its own CPU, and how far below the bare transport
 * each cell stays. */
#include <math.h>
#include <string.h>

#include "report.h"

/* A client that is busier than this may be what limits the figure. */
#define BUSY 0.8

static bool closed_loop(const struct kw_results_cell *c)
{
    return !c->control && c->axes.in_flight > 0 && !(c->axes.rate > 0);
}

static bool is_echo(const struct kw_results_cell *c)
{
    return closed_loop(c) && strcmp(c->axes.subject, "echo") == 0;
}

static const struct kw_results_cell *ceiling_of(const struct kw_results *r,
                                                const struct kw_results_cell *c)
{
    for (size_t i = 0; i < r->cell_count; i++)
        if (is_echo(&r->cell[i]) && r->cell[i].axes.in_flight == c->axes.in_flight)
            return &r->cell[i];
    return NULL;
}

/* The primary cells, when there are any, and every echo. */
static bool shown(const struct kw_results *r, const struct kw_results_cell *c)
{
    bool any = false;
    for (size_t i = 0; i < r->cell_count; i++)
        any = any || (r->cell[i].primary && closed_loop(&r->cell[i]));
    return closed_loop(c) && (c->primary || !any || is_echo(c));
}

struct finding {
    double busy;
    const char *name; /* of the busiest; NULL: nobody's client CPU is known */
};

/* How much of one CPU the client uses in a cell; 0 when that is not known. */
static double busy_in(const struct kw_report *r, const struct kw_results_cell *c)
{
    return kw_report_median(r, c, "client_us").mid *
           kw_report_median(r, c, "calls_per_s").mid / 1e6;
}

static struct finding busiest(const struct kw_report *r)
{
    struct finding f = {0};
    for (size_t i = 0; i < r->results->cell_count; i++) {
        const struct kw_results_cell *c = &r->results->cell[i];
        double busy = closed_loop(c) && !is_echo(c) ? busy_in(r, c) : 0;
        if (busy > f.busy)
            f = (struct finding){busy, c->name};
    }
    return f;
}

static void sentence(struct kw_report *r, const struct finding *f)
{
    char text[KW_NUMBER_MAX];
    if (f->name == NULL)
        return;
    kw_number_text(text, f->busy, KW_UNIT_PERCENT);
    kw_html_raw(&r->page, "<p>");
    kw_html_textf(
        &r->page,
        f->busy < BUSY
            ? "The client is not the bottleneck: in %s, where it is busiest but "
              "for echo itself, it uses %s of one CPU."
            : "In %s the client uses %s of one CPU: that figure may be the "
              "client’s limit and not the plugin’s.",
        f->name, text);
    kw_html_raw(&r->page, "</p>\n");
}

static void echoes(struct kw_report *r)
{
    kw_html_raw(&r->page, "<p>Echo is the same transport with no work behind it, and so "
                          "the ceiling of every cell.");
    for (size_t i = 0; i < r->results->cell_count; i++) {
        const struct kw_results_cell *c = &r->results->cell[i];
        double client = kw_report_median(r, c, "client_us").mid;
        double server = kw_report_median(r, c, "server_us").mid;
        if (is_echo(c) && client > 0 && server > 0)
            kw_html_textf(&r->page, " In %s the client uses %.2f times the server’s CPU.",
                          c->name, client / server);
    }
    kw_html_raw(&r->page, "</p>\n");
}

static void row(struct kw_report *r, const struct kw_results_cell *c)
{
    const struct kw_results_cell *echo = ceiling_of(r->results, c);
    double busy = busy_in(r, c);
    kw_html_raw(&r->page, "<tr><th scope=\"row\">");
    kw_html_text(&r->page, c->name);
    kw_html_raw(&r->page, "</th>");
    kw_cell_number(&r->page, kw_report_median(r, c, "client_us"), KW_UNIT_US);
    kw_cell_number(&r->page, kw_report_median(r, c, "server_us"), KW_UNIT_US);
    kw_cell_plain(&r->page, busy > 0 ? busy : (double)NAN, KW_UNIT_PERCENT);
    kw_cell_number(&r->page,
                   echo != NULL && echo != c ? kw_report_ratio(r, c, echo, "calls_per_s")
                                             : (struct kw_ratio){0},
                   KW_UNIT_PERCENT);
    kw_html_raw(&r->page, "</tr>\n");
}

kw_err kw_section_client(struct kw_report *r, bool *ret_there)
{
    const struct kw_results *all = r->results;
    struct kw_html *page = &r->page;
    for (size_t i = 0; i < all->cell_count; i++)
        *ret_there =
            *ret_there || (is_echo(&all->cell[i]) &&
                           kw_report_median(r, &all->cell[i], "client_us").mid > 0);
    if (!*ret_there)
        return KW_OK;
    struct finding f = busiest(r);
    sentence(r, &f);
    echoes(r);
    kw_html_raw(page,
                "<div class=\"wide\"><table><caption>The client’s part</caption>\n"
                "<thead><tr><th scope=\"col\">cell</th><th scope=\"col\">client CPU a "
                "call</th><th scope=\"col\">server CPU a call</th><th "
                "scope=\"col\">client busy, of one CPU</th><th scope=\"col\">of echo’s "
                "calls a second</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < all->cell_count; i++)
        if (shown(all, &all->cell[i]))
            row(r, &all->cell[i]);
    kw_html_raw(page, "</tbody></table></div>\n");
    return KW_OK;
}
