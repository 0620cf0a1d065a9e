/* SPDX-License-Identifier: Apache-2.0 */
#include "runs.h"

#include <math.h>
#include <stdio.h>

#include <keyward/alloc.h>

#include "check.h"

#define SET(field, text) CHECK(kw_copy_str(field, sizeof(field), kw_span_str(text)))

enum { ROUNDS = 12 };

struct kw_comparison *compared;
struct kw_note compared_note;
static struct kw_profile *profiles[2];

/* The machine's mood, the same for every cell of a round. */
static double mood(size_t round)
{
    return 1 + (double)round / (ROUNDS - 1);
}

/* About one per cent up and down, another for each session, cell and round. */
static double noise(char session, size_t cell, size_t round)
{
    return 1 + 0.01 * sin((double)session + 7.3 * (double)cell + 2.1 * (double)round);
}

static void put_cell(struct kw_results *r, const char *subject, double cpu_us)
{
    const size_t at = r->cell_count++;
    struct kw_results_cell *c = &r->cell[at];
    snprintf(c->name, sizeof c->name, "%s-64", subject);
    SET(c->tool, "keyward-bench load");
    SET(c->axes.subject, subject);
    SET(c->axes.method, "decrypt");
    c->axes.in_flight = 64;
    c->command = kw_strdup(kw_span_str("load /run/a.sock"));
    CHECK(c->command != NULL);
    size_t cpu = kw_results_figure_add(r, "cpu_us");
    size_t rate = kw_results_figure_add(r, "calls_per_s");
    size_t p99 = kw_results_figure_add(r, "p99_us");
    for (size_t n = 0; n < ROUNDS; n++) {
        c->figure[cpu][n] = cpu_us * mood(n) * noise(r->session[0], at, n);
        c->figure[rate][n] = 1e6 / c->figure[cpu][n];
        c->figure[p99][n] = 64 * c->figure[cpu][n];
        r->pulse_ns[n][at] = 1e7;
    }
}

struct kw_results *run_new(char session, char machine)
{
    struct kw_results *r = kw_results_new();
    CHECK(r != NULL);
    snprintf(r->session, sizeof r->session, "%c", session);
    snprintf(r->fingerprint, sizeof r->fingerprint, "%c", machine);
    SET(r->version, "0.1.0");
    SET(r->began, "2026-01-31T12:00:00Z");
    SET(r->base, "echo-64");
    SET(r->control, "echo-64");
    SET(r->layout.name, "same");
    SET(r->layout.words, "all on CPU 0");
    SET(r->quiet, "quiet");
    SET(r->quiet_words, "the machine kept its pace");
    SET(r->environment.cpu, "made up");
    SET(r->environment.kernel, "Linux");
    SET(r->environment.governor, "unknown");
    SET(r->environment.virtualisation, "none");
    SET(r->environment.distribution, "unknown");
    SET(r->environment.commit, "unknown");
    SET(r->environment.build, "RelWithDebInfo");
    r->environment.cpus = 2;
    r->rounds = ROUNDS;
    r->command = kw_strdup(kw_span_str("keyward-bench rounds"));
    CHECK(r->command != NULL);
    put_cell(r, "echo", 10);
    put_cell(r, "reference", 30);
    put_cell(r, "hit", 20);
    put_cell(r, "miss", 100);
    put_cell(r, "status", 15);
    put_cell(r, "echo", 10);
    run_cell(r, "hit-64")->primary = true;
    run_cell(r, "miss-64")->primary = true;
    SET(r->cell[5].name, "control");
    r->cell[5].control = true;
    return r;
}

struct kw_results_cell *run_cell(struct kw_results *r, const char *cell)
{
    for (size_t i = 0; i < r->cell_count; i++)
        if (strcmp(r->cell[i].name, cell) == 0)
            return &r->cell[i];
    fail_msg("no cell %s", cell);
    abort(); /* never reached; analyzers do not know that */
}

double *run_cpu(struct kw_results *r, const char *cell, size_t round)
{
    return &run_cell(r, cell)->figure[kw_results_figure(r, "cpu_us")][round];
}

void run_scale(struct kw_results *r, const char *cell, double factor)
{
    for (size_t n = 0; n < r->rounds; n++)
        *run_cpu(r, cell, n) *= factor;
}

void compared_free(void)
{
    kw_comparison_free(compared);
    compared = NULL;
    for (int i = 0; i < 2; i++) {
        kw_profile_free(profiles[i]);
        profiles[i] = NULL;
    }
}

kw_err compare_runs(const struct kw_results *old, const struct kw_results *new)
{
    compared_free();
    CHECK_OK(kw_profile_new(old, "old.json", NULL, &profiles[0]));
    CHECK_OK(kw_profile_new(new, "new.json", NULL, &profiles[1]));
    return kw_compare(profiles[0], profiles[1], 0.05, &compared, &compared_note);
}

const struct kw_compared *compared_cell(const char *name)
{
    for (size_t i = 0; i < compared->count; i++)
        if (strcmp(compared->cell[i].name, name) == 0)
            return &compared->cell[i];
    fail_msg("no cell %s was compared", name);
    abort();
}

enum kw_ruling verdict_of(const char *cell)
{
    return compared_cell(cell)->figure[KW_WEIGHED_CPU].verdict;
}
