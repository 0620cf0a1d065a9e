/* SPDX-License-Identifier: Apache-2.0 */
/* What it ran on, and how the processes were placed. */
#include <stdio.h>

#include "report.h"

static void notes(struct kw_html *page, const struct kw_results_note *n, size_t count)
{
    for (size_t i = 0; i < count; i++)
        kw_row_words(page, n[i].key, n[i].value);
}

static void machine(struct kw_html *page, const struct kw_environment *e)
{
    char text[160], number[KW_NUMBER_MAX];
    kw_html_raw(page, "<table class=\"facts\"><caption>Machine</caption><tbody>\n");
    kw_row_words(page, "CPU", e->cpu);
    snprintf(text, sizeof text, "%u", e->cpus);
    kw_row_words(page, "CPUs", text);
    kw_row_words(page, "governor", e->governor);
    kw_row_words(page, "virtualisation", e->virtualisation);
    snprintf(text, sizeof text, "%.1f GiB", (double)e->memory_kib / (1 << 20));
    kw_row_words(page, "memory", text);
    kw_row_words(page, "kernel", e->kernel);
    kw_row_words(page, "distribution", e->distribution);
    kw_number_text(number, e->load_1m, KW_UNIT_COUNT);
    kw_row_words(page, "load before the run", number);
    kw_html_raw(page, "</tbody></table>\n");
}

static void software(struct kw_html *page, const struct kw_results *r)
{
    const struct kw_environment *e = &r->environment;
    kw_html_raw(page, "<table class=\"facts\"><caption>Software</caption><tbody>\n");
    kw_row_words(page, "keyward-bench", r->version);
    kw_row_words(page, "commit", e->commit);
    kw_row_words(page, "build", e->build);
    notes(page, e->library, e->library_count);
    notes(page, e->note, e->note_count);
    kw_html_raw(page, "</tbody></table>\n");
}

static void layout(struct kw_html *page, const struct kw_results_layout *l)
{
    kw_html_raw(page, "<table class=\"facts\"><caption>Layout</caption><tbody>\n");
    kw_row_words(page, "name", l->name);
    kw_row_words(page, "client on CPUs", l->client);
    kw_row_words(page, "servers on CPUs", l->server);
    kw_row_words(page, "which means", l->words);
    kw_html_raw(page, "</tbody></table>\n");
}

static void run(struct kw_html *page, const struct kw_results *r)
{
    char text[KW_NUMBER_MAX];
    kw_html_raw(page, "<table class=\"facts\"><caption>Run</caption><tbody>\n");
    kw_row_words(page, "began", r->began);
    kw_number_text(text, r->elapsed_s, KW_UNIT_COUNT);
    kw_row_words(page, "took, seconds", text);
    snprintf(text, sizeof text, "%zu, undisturbed %zu", r->rounds, kw_results_calm(r));
    kw_row_words(page, "rounds", text);
    kw_row_words(page, "session", r->session);
    kw_row_words(page, "machine’s fingerprint", r->fingerprint);
    kw_html_raw(page, "</tbody></table>\n");
}

kw_err kw_section_environment(struct kw_report *r, bool *ret_there)
{
    *ret_there = true;
    kw_html_raw(&r->page, "<div class=\"row\">\n");
    machine(&r->page, &r->results->environment);
    software(&r->page, r->results);
    layout(&r->page, &r->results->layout);
    run(&r->page, r->results);
    kw_html_raw(&r->page, "</div>\n");
    return KW_OK;
}
