/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <math.h>

#include <keyward/alloc.h>

#include "check.h"
#include "environment.h"

#define SET(field, text) CHECK(kw_copy_str(field, sizeof(field), kw_span_str(text)))

static void put_cell(struct kw_results *r, const char *name, const char *subject,
                     double cpu_0, double cpu_1, double cpu_2)
{
    const size_t at = r->cell_count++;
    struct kw_results_cell *c = &r->cell[at];
    SET(c->name, name);
    SET(c->tool, "keyward-bench load");
    SET(c->axes.subject, subject);
    SET(c->axes.method, "decrypt");
    c->axes.in_flight = 64;
    c->command = kw_strdup(kw_span_str("load /run/a.sock"));
    CHECK(c->command != NULL);
    size_t figure = kw_results_figure_add(r, "cpu_us");
    c->figure[figure][0] = cpu_0;
    c->figure[figure][1] = cpu_1;
    c->figure[figure][2] = cpu_2;
    for (size_t n = 0; n < 3; n++)
        r->pulse_ns[n][at] = n == 1 ? 2e7 : 1e7;
}

static void put_histogram(struct kw_results_cell *c)
{
    static struct kw_count buckets[] = {{1000, 900}, {2000, 100}, {4000, 1}};
    const struct kw_counts counts = {buckets, 3};
    CHECK_OK(kw_counts_add(&c->histogram, &counts));
}

struct kw_results *sample_new(void)
{
    struct kw_results *r = kw_results_new();
    CHECK(r != NULL);
    SET(r->version, "0.1.0");
    SET(r->session, "00112233445566ff");
    SET(r->began, "2026-01-31T12:00:00Z");
    SET(r->base, "echo-64");
    SET(r->control, "echo-64");
    SET(r->layout.name, "same");
    SET(r->layout.words, "all on CPU 0");
    SET(r->quiet, "restless");
    SET(r->quiet_words, "one round of three was disturbed");
    kw_environment_read("/nonexistent", &r->environment);
    kw_environment_fingerprint(&r->environment, r->fingerprint);
    r->elapsed_s = 12.5;
    r->rounds = 3;
    r->disturbed[1] = true;
    SET(r->why[1], "pulse 2.00 of the median");
    r->command = kw_strdup(kw_span_str("keyward-bench rounds \"a\""));
    CHECK(r->command != NULL);
    put_cell(r, "echo-64", "echo", 10, 20, 11);
    put_cell(r, "wall-64", "wall", 20, 90, 33);
    put_cell(r, "control", "echo", 10, 20, NAN);
    r->cell[1].primary = true;
    r->cell[2].control = true;
    r->cell[2].failures = 1;
    SET(r->cell[2].failure, "round 2: exit status 3");
    put_histogram(&r->cell[1]);
    r->noise[0] = kw_results_ratio(r, &r->cell[2], &r->cell[0], 0);
    return r;
}
