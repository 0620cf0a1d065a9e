/* SPDX-License-Identifier: Apache-2.0 */
/* results.json as a tree. */
#include "results.h"

#include <math.h>

#include <keyward/alloc.h>

static json_t *number(double v)
{
    return isnan(v) ? json_null() : json_real(v);
}

/* 64 and not 64.0, where it is a whole number that a double holds exactly. */
static json_t *whole(double v)
{
    return fabs(v) < 9e15 && floor(v) >= v ? json_integer((json_int_t)v) : json_real(v);
}

static json_t *notes(const struct kw_results_note *n, size_t count)
{
    json_t *o = json_object();
    for (size_t i = 0; i < count; i++)
        json_object_set_new(o, n[i].key, json_string(n[i].value));
    return o;
}

static json_t *environment(const struct kw_environment *e)
{
    return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:I, s:f, s:s, s:s, s:o, s:o}",
                     "cpu", e->cpu, "cpus", (int)e->cpus, "kernel", e->kernel, "governor",
                     e->governor, "virtualisation", e->virtualisation, "distribution",
                     e->distribution, "memory_kib", (json_int_t)e->memory_kib, "load_1m",
                     e->load_1m, "commit", e->commit, "build", e->build, "libraries",
                     notes(e->library, e->library_count), "notes",
                     notes(e->note, e->note_count));
}

static json_t *layout(const struct kw_results_layout *l)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "name", l->name, "client", l->client,
                     "server", l->server, "words", l->words);
}

static json_t *pulse(const struct kw_results *r)
{
    json_t *rounds = json_array();
    for (size_t n = 0; n < r->rounds; n++) {
        json_t *one = json_array();
        for (size_t i = 0; i < r->cell_count; i++)
            json_array_append_new(one, number(r->pulse_ns[n][i]));
        json_array_append_new(rounds, one);
    }
    return json_pack("{s:s, s:s, s:o}", "unit", "ns of a fixed piece of work", "rule",
                     r->pulse_rule, "rounds", rounds);
}

static json_t *disturbed(const struct kw_results *r)
{
    json_t *all = json_array();
    for (size_t n = 0; n < r->rounds; n++)
        if (r->disturbed[n])
            json_array_append_new(
                all, json_pack("{s:i, s:s}", "round", (int)n, "why", r->why[n]));
    return all;
}

static json_t *noise(const struct kw_results *r)
{
    json_t *o = json_object();
    for (size_t k = 0; k < r->figure_count; k++)
        if (r->noise[k].mid > 0)
            json_object_set_new(o, r->figure[k],
                                json_pack("{s:f, s:f, s:f}", "low", r->noise[k].low,
                                          "mid", r->noise[k].mid, "high",
                                          r->noise[k].high));
    return o;
}

/* A figure that the cell never gave is not there. */
static json_t *figures(const struct kw_results *r, const struct kw_results_cell *c)
{
    json_t *o = json_object();
    for (size_t k = 0; k < r->figure_count; k++) {
        json_t *rounds = json_array();
        bool known = false;
        for (size_t n = 0; n < r->rounds; n++) {
            known = known || !isnan(c->figure[k][n]);
            json_array_append_new(rounds, number(c->figure[k][n]));
        }
        if (known)
            json_object_set(o, r->figure[k], rounds);
        json_decref(rounds);
    }
    return o;
}

static json_t *cell(const struct kw_results *r, const struct kw_results_cell *c)
{
    const struct kw_results_axes *a = &c->axes;
    json_t *axes =
        json_pack("{s:o, s:s, s:s, s:o, s:o}", "in_flight", whole(a->in_flight), "method",
                  a->method, "subject", a->subject, "rate", whole(a->rate),
                  "token_delay_us", whole(a->token_delay_us));
    json_t *o = json_pack("{s:s, s:b, s:b, s:s, s:s, s:o, s:I, s:s, s:o}", "name",
                          c->name, "primary", (int)c->primary, "control", (int)c->control,
                          "command", c->command, "tool", c->tool, "axes", axes,
                          "failures", (json_int_t)c->failures, "failure", c->failure,
                          "figures", figures(r, c));
    if (c->histogram.count > 0)
        json_object_set_new(o, "histogram", kw_counts_document(&c->histogram));
    return o;
}

static json_t *cells(const struct kw_results *r)
{
    json_t *all = json_array();
    for (size_t i = 0; i < r->cell_count; i++)
        if (json_array_append_new(all, cell(r, &r->cell[i])) != 0) {
            json_decref(all);
            return NULL;
        }
    return all;
}

json_t *kw_results_document(const struct kw_results *r)
{
    return json_pack(
        "{s:s, s:i, s:s, s:s, s:b, s:s, s:s, s:f, s:s, s:o, s:s, s:o, s:s, s:s, s:i, "
        "s:o, "
        "s:o, s:{s:s, s:s}, s:o, s:o}",
        "tool", "keyward-bench rounds", "schema", KW_RESULTS_SCHEMA, "version",
        r->version, "session", r->session, "partial", (int)r->partial, "fault", r->fault,
        "began", r->began, "elapsed_s", r->elapsed_s, "command", r->command,
        "environment", environment(&r->environment), "fingerprint", r->fingerprint,
        "layout", layout(&r->layout), "base", r->base, "control", r->control, "rounds",
        (int)r->rounds, "pulse", pulse(r), "disturbed", disturbed(r), "quiet", "verdict",
        r->quiet, "words", r->quiet_words, "noise", noise(r), "cells", cells(r));
}
