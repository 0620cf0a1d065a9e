/* SPDX-License-Identifier: Apache-2.0 */
/* The page: verdict, sections in their order, and what was not measured. */
#include <stdio.h>
#include <string.h>

#include "report.h"

static const struct {
    const char *id, *heading;
    kw_section *run;
    const char *wants; /* what the run would have needed; NULL: always there */
} sections[] = {
    {"primary", "In short", kw_section_primary,
     "cells named primary (NAME*=… of rounds) in an undisturbed round"},
    {"noise", "How quiet the machine was", kw_section_noise, "a whole round"},
    {"concurrency", "Throughput over concurrency", kw_section_concurrency,
     "cells of one subject at several numbers in flight"},
    {"percentiles", "Latency by percentile", kw_section_percentiles,
     "cells with more than 100 good calls"},
    {"offered", "Latency and goodput over offered rate", kw_section_offered,
     "open-loop cells (load --rate)"},
    {"delay", "What the cache buys", kw_section_delay,
     "cells against a token that is slowed"},
    {"peer", "Beside another plugin", kw_section_peer,
     "cells of the Go plugin (peer-…) and keyward’s of the same shape"},
    {"client", "Is it the client?", kw_section_client,
     "closed-loop cells of echo with the client’s CPU"},
    {"storm", "Restarts of API servers", kw_section_storm,
     "documents of keyward-bench storm (storm-….json)"},
    {"plan", "What a token carries", kw_section_plan,
     "documents of keyward-bench plan (plan-….json)"},
    {"token", "The token alone", kw_section_token,
     "documents of keyward-bench token (token-….json)"},
    {"micro", "Single operations", kw_section_micro,
     "the document of keyward-bench micro (micro.json)"},
    {"medians", "Medians", kw_section_medians, "an undisturbed round"},
    {"ratios", "Ratios to the base", kw_section_ratios,
     "two cells in an undisturbed round"},
    {"environment", "Environment", kw_section_environment, NULL},
    {"cells", "Every figure and its command", kw_section_cells, NULL},
};
enum { SECTIONS = sizeof sections / sizeof sections[0] };

/* The page may load nothing and run nothing, and says so to the browser. */
static void head(struct kw_report *r)
{
    struct kw_html *page = &r->page;
    kw_html_raw(page,
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
                "'none'; style-src 'unsafe-inline'\">\n<meta name=\"viewport\" "
                "content=\"width=device-width, initial-scale=1\">\n<meta "
                "name=\"color-scheme\" content=\"light dark\">\n<title>");
    kw_html_textf(page, "%s – keyward-bench", r->name);
    kw_html_raw(page, "</title>\n<style>\n");
    kw_report_style(page);
    kw_html_raw(page, "</style>\n</head>\n<body>\n");
}

static void verdict(struct kw_report *r)
{
    const struct kw_results *all = r->results;
    bool known = strcmp(all->quiet, "quiet") == 0 || strcmp(all->quiet, "restless") == 0;
    struct kw_html *page = &r->page;
    kw_html_rawf(page, "<p class=\"verdict %s\"><b>The machine was ",
                 known ? all->quiet : "unusable");
    kw_html_text(page, all->quiet[0] != '\0' ? all->quiet : "not judged");
    kw_html_raw(page, ".</b> ");
    kw_html_text(page, all->quiet_words);
    kw_html_raw(page, "</p>\n");
}

static void title(struct kw_report *r)
{
    const struct kw_results *all = r->results;
    struct kw_html *page = &r->page;
    char took[KW_NUMBER_MAX];
    kw_number_text(took, all->elapsed_s, KW_UNIT_COUNT);
    kw_html_raw(page, "<h1>");
    kw_html_text(page, r->name);
    kw_html_raw(page, "</h1>\n<p class=\"lead\">");
    kw_html_textf(page,
                  "keyward-bench %s · %s · %zu cells, %zu rounds, %zu undisturbed · "
                  "%s seconds · %s, %u CPUs",
                  all->version, all->began, all->cell_count, all->rounds,
                  kw_results_calm(all), took, all->environment.cpu,
                  all->environment.cpus);
    kw_html_raw(page, "</p>\n<p class=\"lead\">");
    kw_html_text(page, all->layout.words);
    kw_html_raw(page, "</p>\n");
    if (all->partial || all->fault[0] != '\0') {
        kw_html_raw(page, "<p class=\"verdict unusable\"><b>");
        kw_html_raw(page, all->partial ? "Partial." : "With a fault.");
        kw_html_raw(page, "</b> ");
        kw_html_text(page, all->fault[0] != '\0' ? all->fault
                                                 : "The run ended before its time.");
        kw_html_raw(page, "</p>\n");
    }
}

/* Each in a heading of its own, and in the contents; false leaves it out. */
static kw_err write_section(struct kw_report *r, size_t i, bool *ret_there)
{
    size_t before = r->page.len;
    kw_html_rawf(&r->page, "<section id=\"%s\">\n<h2>", sections[i].id);
    kw_html_text(&r->page, sections[i].heading);
    kw_html_raw(&r->page, "</h2>\n");
    *ret_there = false;
    kw_err e = sections[i].run(r, ret_there);
    kw_html_raw(&r->page, "</section>\n");
    if (!*ret_there)
        kw_html_cut(&r->page, before);
    return e;
}

static void contents(struct kw_html *page, const bool there[SECTIONS])
{
    kw_html_raw(page, "<nav aria-label=\"Contents\"><ul>\n");
    for (size_t i = 0; i < SECTIONS; i++)
        if (there[i]) {
            kw_html_rawf(page, "<li><a href=\"#%s\">", sections[i].id);
            kw_html_text(page, sections[i].heading);
            kw_html_raw(page, "</a></li>\n");
        }
    kw_html_raw(page, "<li><a href=\"#missing\">Not measured</a></li>\n</ul></nav>\n");
}

static void missing(struct kw_report *r, const bool there[SECTIONS])
{
    struct kw_html *page = &r->page;
    bool any = false;
    kw_html_raw(page,
                "<section id=\"missing\">\n<h2>Not measured in this run</h2>\n<ul>\n");
    for (size_t i = 0; i < SECTIONS; i++)
        if (!there[i]) {
            kw_html_raw(page, "<li><b>");
            kw_html_text(page, sections[i].heading);
            kw_html_raw(page, "</b>: it wants ");
            kw_html_text(page, sections[i].wants);
            kw_html_raw(page, "</li>\n");
            any = true;
        }
    for (size_t i = 0; i < r->document_count; i++)
        if (r->document[i].kind == KW_DOCUMENT_UNKNOWN) {
            kw_html_raw(page, "<li>The folder has <code>");
            kw_html_textf(page, "%s.json", r->document[i].name);
            kw_html_raw(page, "</code>, which this report does not know how to "
                              "show</li>\n");
            any = true;
        }
    kw_html_raw(page, any ? "</ul>\n" : "</ul>\n<p>Nothing is missing.</p>\n");
    kw_html_raw(page, "</section>\n");
}

/* The sections are made first, so that the contents name those that are there. */
kw_err kw_report_write(struct kw_report *r)
{
    bool there[SECTIONS] = {false};
    kw_err e = KW_OK;
    for (size_t i = 0; i < SECTIONS && !kw_failed(e); i++)
        e = write_section(r, i, &there[i]);
    if (kw_failed(e))
        return e;
    struct kw_html body = r->page;
    r->page = (struct kw_html){0};
    head(r);
    verdict(r);
    title(r);
    contents(&r->page, there);
    kw_html_raw(&r->page, "<main>\n");
    kw_html_raw_span(&r->page, kw_span_of(body.text, body.len));
    missing(r, there);
    kw_html_raw(&r->page, "</main>\n<footer><p class=\"note\">");
    kw_html_textf(&r->page, "Made by keyward-bench report %s", KW_VERSION);
    kw_html_raw(&r->page, "</p></footer>\n</body>\n</html>\n");
    bool failed = body.failed || r->page.failed;
    kw_html_wipe(&body);
    return failed ? kw_err_at(KW_CODE_NO_MEMORY, "page") : KW_OK;
}
