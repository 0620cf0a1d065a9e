/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "given.h"

static const double MS = 1e6;

static struct kw_bound bound(const struct kw_plan *p)
{
    struct kw_bound b;
    kw_plan_bound(p, p->servers, p->seeds, &b);
    return b;
}

static void carries__a_ceiling_below__no(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.servers = 3;
    CHECK(kw_plan_carries(&p, 3, 100));
    p.sessions_max = 6;
    p.connections_max = 6;
    p.clients_max = 3;
    CHECK(kw_plan_carries(&p, 3, 100));
    p.sessions_max = 5;
    CHECK(!kw_plan_carries(&p, 3, 100));
    p.sessions_max = 0;
    p.connections_max = 5;
    CHECK(!kw_plan_carries(&p, 3, 100));
    p.connections_max = 0;
    p.clients_max = 2;
    CHECK(!kw_plan_carries(&p, 3, 100));
}

static void carries__calls_would_be_given_up__no(void **state)
{
    (void)state;
    struct kw_plan p = given();
    kw_curve_of_latency(800 * KW_MS_NS, 8, &p.curve);
    CHECK(!kw_plan_carries(&p, 1, 1)); /* an Encrypt takes 1.6 s of 1.5 */
    kw_curve_of_latency(700 * KW_MS_NS, 8, &p.curve);
    CHECK(kw_plan_carries(&p, 1, 1));
    p.parallel = 6; /* six, two at a time: 2.1 s */
    CHECK(!kw_plan_carries(&p, 1, 6));
}

/* 264 operations a second for canaries alone, and a token that does 200. */
static void carries__ordinary_days_are_too_much__no(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.servers = 4;
    p.rolling = true;
    p.versions = 64;
    kw_curve_of_latency(5 * KW_MS_NS, 1, &p.curve);
    CHECK(kw_plan_carries(&p, 4, 1));
    p.probe_ns = KW_S_NS;
    CHECK(!kw_plan_carries(&p, 4, 1));
}

static void needs__canaries_encrypts_rereads__by_hand(void **state)
{
    (void)state;
    struct kw_plan p = given();
    struct kw_plan_needs n;
    p.servers = 3;
    p.seeds_given = false;
    p.starts_per_week = 2;
    p.weeks = 10;
    p.rotations = 4;
    p.versions = 2;
    p.probe_ns = 10 * KW_S_NS;
    p.seeds = kw_plan_seeds(&p, 3);
    CHECK(p.seeds == 75);
    kw_plan_needs(&p, &n);
    CHECK(near(n.canaries_per_s, 1.2, 1e-6)); /* 3 x (1 + 3) / 10 s */
    CHECK(near(n.encrypts_per_s, 12.0 / 604800, 1e-6));
    CHECK(near(n.rereads_per_s, 225.0 / 86400, 1e-6));
    CHECK(n.sessions == 6);
    CHECK(near(n.capacity_per_s, 3000, 1e-6));
    CHECK(near(n.storm_ops, 231, 1e-6));
    CHECK(near(n.storm_per_s, 3.85, 1e-6));
    CHECK(n.sessions_at_work == 1);
    CHECK(near(n.steady_use, (1.2 + 12.0 / 604800 + 225.0 / 86400) / 3000, 1e-6));
    p.rolling = true;
    kw_plan_needs(&p, &n);
    CHECK(near(n.storm_ops, 77, 1e-6));
}

static void token__hsms_tenants_lost_one__what_is_left(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.hsms = 3;
    p.one_lost = true;
    p.others_percent = 25;
    CHECK(kw_plan_hsms(&p) == 2);
    CHECK(near(kw_plan_ops_per_s(&p, 16), 6000, 1e-6)); /* 2 x 4000 x 0.75 */
    CHECK(near(kw_plan_ops_per_s(&p, 99), 6000, 1e-6));
    CHECK(near(kw_plan_ops_per_s(&p, 2), 750, 1e-6));
}

/* Status 1 ms; Encrypt 2 x 2 + 1 ms; a hundred times 2 + 1 ms. */
static void bound__one_list__its_round_trips(void **state)
{
    (void)state;
    struct kw_plan p = given();
    struct kw_bound b = bound(&p);
    CHECK(near(b.ready_ns, 306 * MS, 0.001));
    CHECK(near(b.wait_ns, 2 * MS, 0.001));
    CHECK(near(b.in_flight, 2.0 / 3, 0.001));
    CHECK(b.neck == KW_NECK_ROUNDS);
    p.readers = 5; /* they share */
    CHECK(near(bound(&p).ready_ns, 306 * MS, 0.001));
}

/* Ten lists, two workers: 1000 operations a second, a call waits 9 ms. */
static void bound__few_workers__they_are_the_neck(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.parallel = 10;
    struct kw_bound b = bound(&p);
    CHECK(b.neck == KW_NECK_WORKERS);
    CHECK(near(b.ops_per_s, 1000, 0.001));
    CHECK(near(b.wait_ns, 9 * MS, 0.001));
    CHECK(near(b.ready_ns, 106 * MS, 0.001));
}

static void bound__few_sessions__they_are_the_neck(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.parallel = 10;
    p.sessions_max = 1;
    struct kw_bound b = bound(&p);
    CHECK(b.neck == KW_NECK_SESSIONS);
    CHECK(near(b.ops_per_s, 500, 0.001));
}

static void bound__slow_token__it_is_the_neck(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.servers = 3;
    p.parallel = 10;
    kw_curve_of_latency(2 * KW_MS_NS, 1, &p.curve);
    struct kw_bound b = bound(&p);
    CHECK(b.neck == KW_NECK_TOKEN);
    CHECK(near(b.ops_per_s, 500, 0.001));
    CHECK(near(b.ready_ns, (2 + 12 + 600) * MS, 0.001));
}

static void bound__canaries__take_their_share(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.parallel = 10;
    p.probe_ns = KW_S_NS;
    p.versions = 64; /* 66 of the 1000 that two workers do */
    CHECK(near(bound(&p).ops_per_s, 934, 0.001));
}

/* Given up at 1501 ms, said at 1502, asked again 10 s later: 11.502 + 1 + 4 + 1. */
static void bound__token_away__waits_for_the_next_check(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.failover_ns = 5 * KW_S_NS;
    CHECK(near(bound(&p).ready_ns, (11508 + 300) * MS, 0.001));
    p.failover_ns = KW_S_NS; /* within the first one's patience */
    CHECK(near(bound(&p).ready_ns, (1005 + 300) * MS, 0.001));
    CHECK(kw_plan_away_ns(&p) == KW_S_NS);
    p.failover_ns = 12 * KW_S_NS; /* long enough for keyward to give the token up */
    CHECK(kw_plan_away_ns(&p) == 22 * KW_S_NS);
}

/* (60001 - 6) / 3; every server brings a list of its own until the sessions are spent. */
static void limits__round_trips__by_hand(void **state)
{
    (void)state;
    struct kw_plan p = given();
    struct kw_limits l;
    p.within_ns = 60001 * KW_MS_NS;
    kw_plan_limits(&p, &l);
    CHECK(l.seeds == 19998);
    p.sessions_max = 12;
    kw_plan_limits(&p, &l);
    CHECK(l.servers == 6);
    p.clients_max = 4;
    kw_plan_limits(&p, &l);
    CHECK(l.servers == 4);
    p.within_ns = 5 * KW_MS_NS;
    kw_plan_limits(&p, &l);
    CHECK(l.servers == 0 && l.seeds == 0);
}

static void series__rise_with_what_grows(void **state)
{
    (void)state;
    struct kw_plan p = given();
    struct kw_plan_series s[KW_PLAN_SERIES];
    p.seeds = 3; /* fewer than points */
    kw_plan_series(&p, s);
    CHECK_STR(s[0].name, "ready_ms over seeds");
    CHECK_STR(s[1].name, "utilisation over api servers");
    for (size_t n = 0; n < KW_PLAN_SERIES; n++)
        for (size_t i = 1; i < s[n].count; i++) {
            CHECK(s[n].point[i][0] > s[n].point[i - 1][0]);
            CHECK(s[n].point[i][1] > 0);
        }
    for (size_t i = 0; i < s[0].count; i++)
        CHECK(near(s[0].point[i][1], 6 + 3 * s[0].point[i][0], 0.001));
}

KW_CASES("bench/plan/reckon", CASE(carries__a_ceiling_below__no),
         CASE(carries__calls_would_be_given_up__no),
         CASE(carries__ordinary_days_are_too_much__no),
         CASE(needs__canaries_encrypts_rereads__by_hand),
         CASE(token__hsms_tenants_lost_one__what_is_left),
         CASE(bound__one_list__its_round_trips),
         CASE(bound__few_workers__they_are_the_neck),
         CASE(bound__few_sessions__they_are_the_neck),
         CASE(bound__slow_token__it_is_the_neck), CASE(bound__canaries__take_their_share),
         CASE(bound__token_away__waits_for_the_next_check),
         CASE(limits__round_trips__by_hand), CASE(series__rise_with_what_grows))
