/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule of model.h.  Askers 0, 1 and so on; servers 0 and 1. */
#include "check.h"

#include <keyward/alloc.h>

#include "given.h"
#include "model.h"

static const int64_t MS = KW_MS_NS;

static struct kw_plan plan;
static struct kw_model *model;

static void begin(struct kw_plan p)
{
    plan = p;
    CHECK_OK(kw_model_new(&plan, 16, &model));
}

static void end(void)
{
    kw_model_free(model);
    model = NULL;
}

static void decrypt(int64_t now_ns, uint32_t asker, uint32_t server, size_t seed)
{
    struct kw_storm_call c = {.asker = asker,
                              .server = server,
                              .socket = server,
                              .method = KW_DECRYPT,
                              .seed = seed,
                              .wanted_ns = now_ns};
    kw_model_call(model, now_ns, &c);
}

static void ask(int64_t now_ns, uint32_t asker, enum kw_method method)
{
    struct kw_storm_call c = {.asker = asker, .method = method, .wanted_ns = now_ns};
    kw_model_call(model, now_ns, &c);
}

/* Lets time pass until the next answer, which is this one. */
static void expect(int64_t at_ns, uint32_t asker, enum kw_storm_outcome outcome)
{
    struct kw_storm_reply reply;
    uint32_t who = 99;
    int64_t now = 0;
    do {
        now = kw_model_wakes(model);
        CHECK(now < INT64_MAX);
    } while (!kw_model_answer(model, now, &who, &reply));
    CHECK(who == asker);
    CHECK(now == at_ns);
    CHECK(reply.outcome == outcome);
    if (outcome == KW_STORM_FAILED)
        CHECK(reply.code == 4);
}

static void expect_silence(void)
{
    struct kw_storm_reply reply;
    uint32_t who;
    while (kw_model_wakes(model) < INT64_MAX)
        CHECK(!kw_model_answer(model, kw_model_wakes(model), &who, &reply));
}

static void counted(uint64_t operations, uint64_t wasted, uint64_t saved)
{
    struct kw_model_tally t = kw_model_tally(model);
    CHECK(t.operations == operations);
    CHECK(t.wasted == wasted);
    CHECK(t.saved == saved);
}

static void new__no_memory__said_and_nothing_left(void **state)
{
    (void)state;
    plan = given();
    for (long n = 0; n < 8; n++) {
        kw_alloc_fail_from(n);
        CHECK_CODE(kw_model_new(&plan, 16, &model), KW_CODE_NO_MEMORY);
        kw_alloc_fail_from(-1);
        CHECK(model == NULL);
    }
}

static void decrypt__over_its_deadline__said_and_wasted(void **state)
{
    (void)state;
    struct kw_plan p = given();
    kw_curve_of_latency(2000 * MS, 1, &p.curve);
    begin(p);
    decrypt(0, 0, 0, 5);
    expect(1501 * MS, 0, KW_STORM_FAILED);
    expect_silence();
    counted(1, 1, 0);
    decrypt(3000 * MS, 0, 0, 5); /* the answer that nobody took is not in the cache */
    expect(4501 * MS, 0, KW_STORM_FAILED);
    counted(1, 1, 0);
    end();
}

static void decrypt__last_waiter_leaves_the_queue__no_operation(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.workers = 1;
    begin(p);
    decrypt(0, 0, 0, 1);
    decrypt(0, 1, 0, 2);
    decrypt(0, 2, 0, 2);
    kw_model_cancel(model, 1);
    kw_model_cancel(model, 2);
    kw_model_cancel(model, 2); /* it has no call any more */
    expect(3 * MS, 0, KW_STORM_GOOD);
    expect_silence();
    counted(1, 0, 1);
    end();
}

static void decrypt__leaves_a_running_operation__next_equal_asks_anew(void **state)
{
    (void)state;
    begin(given());
    decrypt(0, 0, 0, 1);
    kw_model_cancel(model, 0);
    decrypt(1 * MS, 1, 0, 1);
    expect(4 * MS, 1, KW_STORM_GOOD);
    counted(2, 1, 0);
    end();
}

static void answer__on_its_way_and_given_up__never_arrives(void **state)
{
    (void)state;
    begin(given());
    ask(0, 0, KW_STATUS);
    kw_model_cancel(model, 0);
    expect_silence();
    end();
}

static void status__at_once_encrypt__two_operations(void **state)
{
    (void)state;
    begin(given());
    ask(0, 0, KW_STATUS);
    ask(0, 1, KW_ENCRYPT);
    expect(1 * MS, 0, KW_STORM_GOOD);
    expect(5 * MS, 1, KW_STORM_GOOD);
    counted(2, 0, 0);
    end();
}

static void equal_decrypts__one_keyward_shares_two_do_not(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.servers = 2;
    begin(p);
    decrypt(0, 0, 0, 7);
    decrypt(1 * MS, 1, 0, 7);
    decrypt(1 * MS, 2, 1, 7);
    expect(3 * MS, 0, KW_STORM_GOOD);
    expect(3 * MS, 1, KW_STORM_GOOD);
    expect(4 * MS, 2, KW_STORM_GOOD);
    decrypt(9 * MS, 0, 0, 7); /* from the cache */
    expect(10 * MS, 0, KW_STORM_GOOD);
    counted(2, 0, 2);
    end();
}

static void workers__two__the_third_waits(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.servers = 2; /* the other one's workers do not help */
    begin(p);
    for (uint32_t i = 0; i < 3; i++)
        decrypt(0, i, 0, i);
    expect(3 * MS, 0, KW_STORM_GOOD);
    expect(3 * MS, 1, KW_STORM_GOOD);
    expect(5 * MS, 2, KW_STORM_GOOD);
    end();
}

/* One session between two keywards of two workers each: by turns. */
static void sessions__fewer_than_workers__by_turns(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.servers = 2;
    p.sessions_max = 1;
    begin(p);
    for (uint32_t i = 0; i < 4; i++)
        decrypt(0, i, i / 2, i);
    expect(3 * MS, 0, KW_STORM_GOOD);
    expect(5 * MS, 2, KW_STORM_GOOD);
    expect(7 * MS, 1, KW_STORM_GOOD);
    expect(9 * MS, 3, KW_STORM_GOOD);
    end();
}

static void token__full__first_come_first_served_and_not_called_back(void **state)
{
    (void)state;
    struct kw_plan p = given();
    kw_curve_of_latency(2 * MS, 1, &p.curve);
    begin(p);
    decrypt(0, 0, 0, 0);
    decrypt(1 * MS, 1, 0, 1);
    expect(3 * MS, 0, KW_STORM_GOOD);
    expect(5 * MS, 1, KW_STORM_GOOD);
    decrypt(10 * MS, 0, 0, 2);
    decrypt(10 * MS, 1, 0, 3);
    kw_model_cancel(model, 1);
    decrypt(10 * MS, 2, 0, 4); /* no worker: both have gone into the token */
    expect(13 * MS, 0, KW_STORM_GOOD);
    expect(17 * MS, 2, KW_STORM_GOOD);
    counted(5, 1, 0);
    end();
}

/* With two in flight this token takes 2 / 500 s for each. */
static void operation__with_others__takes_what_the_curve_says(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.curve.count = 2;
    p.curve.point[0] = (struct kw_curve_point){1, 500, 0, 0};
    p.curve.point[1] = (struct kw_curve_point){2, 500, 0, 0};
    begin(p);
    decrypt(0, 0, 0, 0);
    decrypt(0, 1, 0, 1);
    expect(3 * MS, 0, KW_STORM_GOOD);
    expect(5 * MS, 1, KW_STORM_GOOD);
    end();
}

static void token__away__begins_when_it_is_back(void **state)
{
    (void)state;
    struct kw_plan p = given();
    p.failover_ns = 100 * MS;
    begin(p);
    decrypt(0, 0, 0, 0);
    ask(0, 1, KW_STATUS);
    expect(1 * MS, 1, KW_STORM_GOOD);
    expect(103 * MS, 0, KW_STORM_GOOD);
    end();
}

/* 4,000 operations one after the other: their mean is that of the curve, and the same
 * draw gives the same time. */
static int64_t time_of_many(uint64_t draw)
{
    struct kw_plan p = given();
    p.seeds = 4000;
    p.call_ns = 0;
    p.random = draw;
    p.curve.point[0].p50_us = 1000;
    p.curve.point[0].p99_us = 3000;
    begin(p);
    struct kw_storm_reply reply;
    uint32_t who;
    int64_t now = 0;
    for (size_t i = 0; i < p.seeds; i++) {
        decrypt(now, 0, 0, i);
        do
            now = kw_model_wakes(model);
        while (!kw_model_answer(model, now, &who, &reply));
    }
    end();
    return now;
}

static void operation__percentiles_known__varies_around_the_curve(void **state)
{
    (void)state;
    int64_t once = time_of_many(1);
    CHECK(near((double)once, 8e9, 5));
    CHECK(time_of_many(1) == once);
    CHECK(time_of_many(2) != once);
}

KW_CASES("bench/plan/model", CASE(new__no_memory__said_and_nothing_left),
         CASE(decrypt__over_its_deadline__said_and_wasted),
         CASE(decrypt__last_waiter_leaves_the_queue__no_operation),
         CASE(decrypt__leaves_a_running_operation__next_equal_asks_anew),
         CASE(answer__on_its_way_and_given_up__never_arrives),
         CASE(status__at_once_encrypt__two_operations),
         CASE(equal_decrypts__one_keyward_shares_two_do_not),
         CASE(workers__two__the_third_waits),
         CASE(sessions__fewer_than_workers__by_turns),
         CASE(token__full__first_come_first_served_and_not_called_back),
         CASE(operation__with_others__takes_what_the_curve_says),
         CASE(token__away__begins_when_it_is_back),
         CASE(operation__percentiles_known__varies_around_the_curve))
