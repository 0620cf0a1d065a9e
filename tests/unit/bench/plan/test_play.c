/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/alloc.h>

#include "given.h"

static const double MS = 1e6;

static struct kw_expected play(struct kw_plan p)
{
    struct kw_expected x;
    CHECK_OK(kw_plan_play(&p, &x));
    return x;
}

static void no_memory__said_and_untouched(void **state)
{
    (void)state;
    struct kw_plan p = given();
    struct kw_expected x = {.good = 77};
    for (long n = 0; n < 13; n++) {
        kw_alloc_fail_from(n);
        CHECK_CODE(kw_plan_play(&p, &x), KW_CODE_NO_MEMORY);
        kw_alloc_fail_from(-1);
        CHECK(x.good == 77);
    }
    CHECK_OK(kw_plan_play(&p, &x));
}

static void operation_longer_than_the_deadline__never_ready(void **state)
{
    (void)state;
    struct kw_plan p = given();
    kw_curve_of_latency(2 * KW_S_NS, 8, &p.curve);
    struct kw_expected x = play(p);
    CHECK(!x.ready && x.good == 0 && x.lost > 0);
    CHECK(x.played_ns == 3600e9);
    CHECK(x.operations > 0 && x.wasted == x.operations && x.goodput == 0);
}

/* The API server gives up before keyward does, and asks again before the token is
 * done. */
static void timeout_below_the_operation__never_ready(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.timeout_ns = 100 * KW_MS_NS;
    p.list_retry_ns = 10 * KW_MS_NS;
    kw_curve_of_latency(200 * KW_MS_NS, 8, &p.curve);
    struct kw_expected x = play(p);
    CHECK(!x.ready && x.good == 0);
    CHECK(x.wasted == x.operations && x.operations > 0);
}

/* The Encrypt is just in time, one of three equal lists' Decrypts is not. */
static void timeout_of_the_server__its_calls_are_forgotten(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.parallel = 3;
    p.seeds = 3;
    p.workers = 1;
    p.timeout_ns = 250 * KW_MS_NS;
    kw_curve_of_latency(100 * KW_MS_NS, 1, &p.curve);
    struct kw_expected x = play(p);
    CHECK(x.ready && x.good == 3 && x.lost == 1);
    CHECK(x.operations == 2 + 4 && x.wasted == 1);
    /* 202 + 250, and a second until the list begins anew, and 101. */
    CHECK(x.ready_ns == 1553 * MS);
}

/* 32 lists and a token that does 10 a second: calls are given up, the rest goes on. */
static void overload__calls_are_lost_and_asked_again(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.parallel = 32;
    kw_curve_of_latency(100 * KW_MS_NS, 1, &p.curve);
    struct kw_expected x = play(p);
    struct kw_bound b;
    kw_plan_bound(&p, 1, 100, &b);
    CHECK(b.wait_ns > 1500 * MS);
    CHECK(x.ready && x.lost > 0 && x.wasted > 0 && x.goodput < 1);
    CHECK(x.good == 100);
    CHECK(x.decrypts == x.good + x.lost);
    CHECK(x.ready_ns > b.ready_ns * 0.99);
}

/* Status 1 ms; Encrypt 2 x 2 + 1 ms; a hundred times 2 + 1 ms. */
static void one_list__to_the_nanosecond(void **state)
{
    (void)state;
    struct kw_expected x = play(given());
    CHECK(x.ready && x.ready_ns == 306 * MS);
    CHECK(x.decrypts == 100 && x.good == 100 && x.lost == 0);
    CHECK(x.operations == 102 && x.wasted == 0 && x.goodput == 1);
    CHECK(near(x.p50_ns, 3 * MS, 1) && near(x.p99_ns, 3 * MS, 1));
    CHECK(near(x.per_s, 100 / 0.306, 0.001));
}

static void readers__share_operations(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.readers = 4;
    struct kw_expected x = play(p);
    CHECK(x.ready_ns == 306 * MS);
    CHECK(x.good == 400 && x.operations == 102 && x.duplicates == 300);
}

static void servers__share_nothing_but_the_token(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.servers = 3;
    struct kw_expected x = play(p);
    CHECK(x.ready_ns == 306 * MS);
    CHECK(x.operations == 306);
    p.rolling = true;
    x = play(p);
    CHECK(x.ready_ns == 306 * MS);
    CHECK(x.operations == 102);
}

/* Asked at 1 ms, given up at 1501, said at 1502; lists begin at 1502, 2502 …; the second
 * check is from 11502 to 11508; the list that begins at 12502 has a state. */
static void token_away__as_the_rules_say(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.failover_ns = 5 * KW_S_NS;
    struct kw_expected x = play(p);
    CHECK(x.ready && x.ready_ns == 12802 * MS);
    CHECK(x.lost == 1);
}

static void many_lists__the_token_is_busy_all_the_time(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.parallel = 10;
    struct kw_expected x = play(p);
    CHECK(near(x.ready_ns, 106 * MS, 2)); /* as test_reckon.c has it */
    CHECK(near(x.p50_ns, 10 * MS, 2));
    CHECK(near(x.p99_ns, 11 * MS, 2)); /* the last of the first ten */
}

KW_CASES("bench/plan/play", CASE(no_memory__said_and_untouched),
         CASE(operation_longer_than_the_deadline__never_ready),
         CASE(timeout_below_the_operation__never_ready),
         CASE(timeout_of_the_server__its_calls_are_forgotten),
         CASE(overload__calls_are_lost_and_asked_again),
         CASE(one_list__to_the_nanosecond), CASE(readers__share_operations),
         CASE(servers__share_nothing_but_the_token), CASE(token_away__as_the_rules_say),
         CASE(many_lists__the_token_is_busy_all_the_time))
