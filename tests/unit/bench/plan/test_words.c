/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "given.h"

static struct kw_lines lines;

static void find(const struct kw_plan *p)
{
    struct kw_plan_needs n;
    struct kw_bound b;
    struct kw_expected x;
    kw_plan_needs(p, &n);
    kw_plan_bound(p, p->servers, p->seeds, &b);
    CHECK_OK(kw_plan_play(p, &x));
    kw_plan_findings(p, &n, &b, &x, &lines);
}

static void has(const char *part)
{
    for (size_t i = 0; i < lines.count; i++)
        if (strstr(lines.text[i], part) != NULL)
            return;
    fail_msg("no line says \"%s\" (first of %zu: %s)", part, lines.count,
             lines.count > 0 ? lines.text[0] : "none");
}

static void nothing_wrong__nothing_said(void **state)
{
    (void)state;
    struct kw_plan p = given();
    find(&p);
    CHECK(lines.count == 0);
}

static void ceilings__which_and_by_how_many(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.servers = 3;
    p.sessions_max = 4;
    p.connections_max = 5;
    p.clients_max = 2;
    find(&p);
    has("6 sessions and the token grants 4 (--sessions-max): 2 too many");
    has("6 connections and the token grants 5");
    has("3 clients and the token grants 2");
    has("no number of workers"); /* of servers there are three whatever happens */
}

/* 10 operations a second for 1,500 seeds. */
static void token_too_slow__factor_hsms_and_seeds(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.seeds = 1500;
    p.parallel = 3;
    kw_curve_of_latency(100 * KW_MS_NS, 1, &p.curve);
    find(&p);
    has("2.50 times the 60.0 s wanted");
    has("the token, which does no more operations a second");
    has("HSMs and 16 workers in each keyward");
    has("seeds or fewer; a storage migration");
}

static void lists_too_slow__no_hsm_helps(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.seeds = 25000;
    find(&p);
    has("1.25 times the 60.0 s wanted");
    has("the lists, which ask for one seed after the other");
    has("no number of workers (to 16) or HSMs (to 64) carries it");
    has("seeds or fewer");
}

static void workers_too_few__how_many(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.seeds = 40000;
    p.parallel = 10;
    p.workers = 1;
    p.deadline_ns = 1500 * KW_MS_NS;
    find(&p);
    has("would carry it: 2 workers in each keyward (2 sessions)");
}

static void ordinary_days_too_much__by_what_factor(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.versions = 64;
    p.probe_ns = KW_S_NS;
    kw_curve_of_latency(100 * KW_MS_NS, 2, &p.curve);
    p.seeds = 1;
    find(&p);
    has("ordinary days take 66.0 operations a second and the token does 20.0");
    has("by a factor of 3.30");
}

static void first_encrypts_too_slow__said(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.servers = 16;
    kw_curve_of_latency(100 * KW_MS_NS, 1, &p.curve);
    find(&p);
    has("first Encrypts of all API servers take 3200 ms together");
    has("restarted one after the other");
}

static void call_waits_too_long__said(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.parallel = 32;
    kw_curve_of_latency(100 * KW_MS_NS, 1, &p.curve);
    find(&p);
    has("is given up after 1500 ms");
}

/* The arithmetic does not see how a list waits for its next beginning. */
static void only_play_is_too_slow__more_room(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.failover_ns = 5 * KW_S_NS;
    p.within_ns = 12 * KW_S_NS;
    find(&p);
    has("after a start it takes 12.8 s");
    has("by arithmetic it would just fit");
}

static void assumptions__every_one_has_its_source(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.failover_ns = 1;
    kw_plan_assumptions(&p, &lines);
    CHECK(lines.count > 10);
    for (size_t i = 0; i < lines.count; i++)
        CHECK(strchr(lines.text[i], '[') != NULL ||
              strstr(lines.text[i], "as no percentiles of it are known") != NULL);
    has("100 distinct seeds");
    p.seeds_given = false;
    kw_plan_assumptions(&p, &lines);
    has("at each of 0 starts a week");
}

KW_CASES("bench/plan/words", CASE(nothing_wrong__nothing_said),
         CASE(ceilings__which_and_by_how_many),
         CASE(token_too_slow__factor_hsms_and_seeds), CASE(lists_too_slow__no_hsm_helps),
         CASE(workers_too_few__how_many), CASE(ordinary_days_too_much__by_what_factor),
         CASE(first_encrypts_too_slow__said), CASE(call_waits_too_long__said),
         CASE(only_play_is_too_slow__more_room),
         CASE(assumptions__every_one_has_its_source))
