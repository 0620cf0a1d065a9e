/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench plan */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <keyward/alloc.h>
#include <keyward/clock.h>
#include <keyward/limits.h>

#include "room.h"
#include "tool.h"

struct words {
    const char *servers, *seeds, *weeks, *starts, *rotations, *parallel, *readers;
    const char *timeout, *retry, *within, *call, *workers, *versions, *deadline, *probe;
    const char *curve, *latency, *ops, *sessions, *sessions_max, *connections_max;
    const char *clients_max, *hsms, *others, *failover, *draw, *plot;
    bool rolling, one_lost, json;
};

/* What one play may take: some ten seconds. */
static const uint64_t CALLS_MAX = 20000000;

static const uint64_t COUNT_MAX = 1000000;
static const int64_t US_NS = 1000;

/* Tokens are quicker than the milliseconds of the house's times. */
static int read_fine_time(const struct kw_verb *v, const char *flag, const char *text,
                          int64_t least_ns, int64_t *ret_ns)
{
    char *end = NULL;
    if (text != NULL && text[0] >= '0' && text[0] <= '9' && strlen(text) < 12) {
        unsigned long long us = strtoull(text, &end, 10);
        if (strcmp(end, "us") == 0 && us <= 1000000 && (int64_t)us * US_NS >= least_ns) {
            *ret_ns = (int64_t)us * US_NS;
            return -1;
        }
        if (strcmp(end, "us") == 0)
            return kw_usage(v,
                            "--%s %s: it wants %dus to 1000000us, or a time such as 2ms",
                            flag, text, least_ns > 0);
    }
    return kw_args_time(v, flag, text, least_ns > 0 ? KW_MS_NS : 0, 600 * KW_S_NS,
                        ret_ns);
}

static int read_cluster(const struct kw_verb *v, const struct words *w, struct kw_plan *p)
{
    int code =
        kw_args_number(v, "servers", w->servers, 1, KW_PLAN_SERVERS_MAX, &p->servers);
    if (code < 0)
        code = kw_args_number(v, "seeds", w->seeds, 1, KW_PLAN_SEEDS_MAX, &p->seeds);
    if (code < 0)
        code = kw_args_number(v, "weeks", w->weeks, 0, 1000, &p->weeks);
    if (code < 0)
        code = kw_args_number(v, "starts-per-week", w->starts, 0, 10000,
                              &p->starts_per_week);
    if (code < 0)
        code = kw_args_number(v, "rotations", w->rotations, 0, 10000, &p->rotations);
    if (code < 0)
        code = kw_args_number(v, "parallel", w->parallel, 1, KW_PLAN_LISTS_MAX,
                              &p->parallel);
    if (code < 0)
        code =
            kw_args_number(v, "readers", w->readers, 1, KW_PLAN_LISTS_MAX, &p->readers);
    if (code < 0)
        code = kw_args_time(v, "timeout", w->timeout, 100 * KW_MS_NS, 600 * KW_S_NS,
                            &p->timeout_ns);
    if (code < 0)
        code = kw_args_time(v, "retry", w->retry, 100 * KW_MS_NS, 600 * KW_S_NS,
                            &p->list_retry_ns);
    if (code < 0)
        code = kw_args_time(v, "ready-within", w->within, KW_MS_NS, 3600 * KW_S_NS,
                            &p->within_ns);
    return code < 0 ? read_fine_time(v, "call", w->call, 0, &p->call_ns) : code;
}

static int read_keyward(const struct kw_verb *v, const struct words *w, struct kw_plan *p)
{
    int code = kw_args_number(v, "workers", w->workers, 1, KW_WORKERS_MAX, &p->workers);
    if (code < 0)
        code =
            kw_args_number(v, "versions", w->versions, 1, KW_VERSIONS_MAX, &p->versions);
    if (code < 0)
        code = kw_args_time(v, "deadline", w->deadline, 100 * KW_MS_NS, 2999 * KW_MS_NS,
                            &p->deadline_ns);
    if (code < 0)
        code = kw_args_time(v, "probe", w->probe, KW_S_NS, 600 * KW_S_NS, &p->probe_ns);
    return code;
}

static int read_token(const struct kw_verb *v, const struct words *w, struct kw_plan *p)
{
    int code = kw_args_number(v, "hsms", w->hsms, 1, 64, &p->hsms);
    if (code < 0)
        code = kw_args_number(v, "others", w->others, 0, 99, &p->others_percent);
    if (code < 0)
        code = kw_args_number(v, "sessions-max", w->sessions_max, 1, COUNT_MAX,
                              &p->sessions_max);
    if (code < 0)
        code = kw_args_number(v, "connections-max", w->connections_max, 1, COUNT_MAX,
                              &p->connections_max);
    if (code < 0)
        code = kw_args_number(v, "clients-max", w->clients_max, 1, COUNT_MAX,
                              &p->clients_max);
    if (code < 0)
        code =
            kw_args_time(v, "failover", w->failover, 0, 600 * KW_S_NS, &p->failover_ns);
    if (code < 0)
        code = kw_args_number(v, "draw", w->draw, 0, UINT32_MAX, &p->random);
    if (code < 0 && p->one_lost && p->hsms == 1)
        return kw_usage(v, "--one-lost: with --hsms 1 none would be left");
    return code;
}

/* The token in figures: by its latency, its rate, or both. */
static int read_figures(const struct kw_verb *v, const struct words *w, struct kw_plan *p)
{
    uint64_t sessions = p->sessions_max, ops = 0;
    int64_t latency = 0;
    int code = kw_args_number(v, "sessions", w->sessions, 1, COUNT_MAX, &sessions);
    if (code < 0)
        code = kw_args_number(v, "ops-per-s", w->ops, 1, 100 * COUNT_MAX, &ops);
    if (code < 0)
        code = read_fine_time(v, "latency", w->latency, 1, &latency);
    if (code >= 0)
        return code;
    if (sessions == 0)
        return kw_usage(v, "--sessions: how many operations does the token do at once?");
    if (w->latency != NULL && w->ops != NULL)
        kw_curve_of_both(latency, (double)ops, (double)sessions, &p->curve);
    else if (w->latency != NULL)
        kw_curve_of_latency(latency, (double)sessions, &p->curve);
    else
        kw_curve_of_rate((double)ops, (double)sessions, &p->curve);
    return -1;
}

static int read_curve(const struct kw_verb *v, const struct words *w, struct kw_plan *p)
{
    struct kw_note note = {{0}};
    bool figures = w->latency != NULL || w->ops != NULL;
    if (w->curve == NULL && !figures)
        return kw_usage(v,
                        "it wants the token: --curve FILE, or --latency and --sessions, "
                        "or --ops-per-s and --sessions");
    if (w->curve == NULL)
        return read_figures(v, w, p);
    if (figures || w->sessions != NULL)
        return kw_usage(v, "--curve has it all: leave --latency, --ops-per-s and "
                           "--sessions out");
    kw_err e = kw_curve_read(w->curve, &p->curve, &note);
    return kw_failed(e) ? kw_unable_err(v, e, &note) : -1;
}

static int read_options(const struct kw_verb *v, const struct words *w, struct kw_plan *p)
{
    p->rolling = w->rolling;
    p->one_lost = w->one_lost;
    p->seeds_given = w->seeds != NULL;
    if (p->seeds_given && (w->weeks != NULL || w->starts != NULL || w->rotations != NULL))
        return kw_usage(v, "--seeds says how many there are; --weeks, --starts-per-week "
                           "and --rotations say how many there will be: not both");
    int code = read_cluster(v, w, p);
    if (code < 0)
        code = read_keyward(v, w, p);
    if (code < 0)
        code = read_token(v, w, p);
    if (code < 0)
        code = read_curve(v, w, p);
    if (code >= 0)
        return code;
    p->seeds = kw_plan_seeds(p, p->servers);
    if (p->seeds > KW_PLAN_SEEDS_MAX)
        return kw_usage(v,
                        "--weeks, --starts-per-week and --rotations leave %llu seeds, "
                        "over %d: migrate the storage first",
                        (unsigned long long)p->seeds, KW_PLAN_SEEDS_MAX);
    if (p->parallel * p->readers > KW_PLAN_LISTS_MAX)
        return kw_usage(v, "--parallel times --readers is at most %d", KW_PLAN_LISTS_MAX);
    if (p->servers * p->seeds * p->readers > CALLS_MAX)
        return kw_usage(v, "--servers times seeds times --readers is at most %llu",
                        (unsigned long long)CALLS_MAX);
    return -1;
}

static kw_err answer(struct kw_answer *a)
{
    const struct kw_plan *p = &a->plan;
    kw_plan_needs(p, &a->needs);
    kw_plan_bound(p, p->servers, p->seeds, &a->bound);
    kw_plan_limits(p, &a->limits);
    kw_plan_series(p, a->series);
    kw_err e = kw_plan_play(p, &a->expected);
    if (kw_failed(e))
        return e;
    kw_plan_findings(p, &a->needs, &a->bound, &a->expected, &a->findings);
    kw_plan_assumptions(p, &a->assumptions);
    return KW_OK;
}

static int say(const struct kw_verb *v, const struct words *w, struct kw_answer *a)
{
    struct kw_note note = {{0}};
    kw_err e = answer(a);
    if (!kw_failed(e) && w->plot != NULL)
        e = kw_plan_plot(a, w->plot, &note);
    if (kw_failed(e))
        return kw_unable_err(v, e, &note);
    enum kw_exit code = a->findings.count > 0 ? KW_EXIT_WRONG : KW_EXIT_GOOD;
    if (w->json)
        return kw_document_out(kw_plan_document(a), code);
    kw_plan_table(a);
    return (int)code;
}

static struct kw_plan defaults(void)
{
    return (struct kw_plan){.servers = 3,
                            .seeds = 1,
                            .parallel = 1,
                            .readers = 1,
                            .timeout_ns = 3 * KW_S_NS,
                            .list_retry_ns = KW_S_NS,
                            .within_ns = 60 * KW_S_NS,
                            .call_ns = KW_MS_NS,
                            .starts_per_week = 1,
                            .weeks = 52,
                            .workers = 2,
                            .versions = 1,
                            .deadline_ns = 1500 * KW_MS_NS,
                            .probe_ns = 10 * KW_S_NS,
                            .hsms = 1,
                            .random = 1};
}

int kw_bench_plan(int argc, char **argv)
{
    struct words w = {0};
    const struct kw_flag flags[] = {
        {"servers", "N", "API servers, each with a keyward, 1..16 (3)", NULL, &w.servers},
        {"rolling", NULL, "they restart one after the other, not together", &w.rolling,
         NULL},
        {"seeds", "N", "distinct seeds in etcd; or how they come about:", NULL, &w.seeds},
        {"weeks", "N", "since the storage was last migrated (52)", NULL, &w.weeks},
        {"starts-per-week", "N", "restarts and reloads of an API server (1)", NULL,
         &w.starts},
        {"rotations", "N", "of the KEK since then (0)", NULL, &w.rotations},
        {"parallel", "P", "lists of one server with seeds of their own (1)", NULL,
         &w.parallel},
        {"readers", "R", "lists that want the very same seeds (1)", NULL, &w.readers},
        {"timeout", "TIME", "of EncryptionConfiguration (3s)", NULL, &w.timeout},
        {"retry", "TIME", "until a list that failed begins anew (1s)", NULL, &w.retry},
        {"ready-within", "TIME", "what is wanted after a start (60s)", NULL, &w.within},
        {"call", "TIME", "of a Decrypt outside the token, such as 150us (1ms)", NULL,
         &w.call},
        {"workers", "N", "in each keyward, one session each (2)", NULL, &w.workers},
        {"versions", "N", "of the KEK in the keyring (1)", NULL, &w.versions},
        {"deadline", "TIME", "hsm.deadline (1500ms)", NULL, &w.deadline},
        {"probe", "TIME", "hsm.probe.every (10s)", NULL, &w.probe},
        {"curve", "FILE", "the token, from token --curve --json or load --json", NULL,
         &w.curve},
        {"latency", "TIME", "or: one operation's round trip, such as 350us", NULL,
         &w.latency},
        {"ops-per-s", "N", "or: operations a second of the data sheet; or both", NULL,
         &w.ops},
        {"sessions", "N", "operations it does at once (--sessions-max)", NULL,
         &w.sessions},
        {"hsms", "N", "alike, sharing the work (1)", NULL, &w.hsms},
        {"one-lost", NULL, "plan for one of them less", &w.one_lost, NULL},
        {"others", "PERCENT", "of the token that other tenants take (0)", NULL,
         &w.others},
        {"sessions-max", "N", "sessions that an HSM grants us", NULL, &w.sessions_max},
        {"connections-max", "N", "connected processes, a worker each", NULL,
         &w.connections_max},
        {"clients-max", "N", "licensed clients, an API server's node each", NULL,
         &w.clients_max},
        {"failover", "TIME", "the token answers nothing as the storm begins (0s)", NULL,
         &w.failover},
        {"draw", "N", "where the drawing of operation times begins (1)", NULL, &w.draw},
        {"plot", "FILE", "the curves as SVG, by gnuplot", NULL, &w.plot},
        {"json", NULL, "one JSON document instead of a table", &w.json, NULL},
    };
    const struct kw_verb v = {
        .name = "plan",
        .operands = "",
        .summary =
            "Says whether a token carries a cluster: what it needs on ordinary days, "
            "and how\nlong it takes when the API servers restart with nothing "
            "cached.",
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .more =
            "It measures nothing: a storm is played on a simulated clock with the "
            "figures given,\nand reckoned besides.  Every assumption is printed.  Exit "
            "status 1: it does not fit,\nand what would."};
    struct kw_answer *a = kw_new(1, sizeof *a);
    if (a == NULL)
        return kw_unable(&v, "out of memory");
    a->plan = defaults();
    int operands = 0, code = kw_args(&v, argc, argv, &operands);
    if (code < 0)
        code = read_options(&v, &w, &a->plan);
    if (code < 0)
        code = say(&v, &w, a);
    kw_free(a);
    return code;
}
