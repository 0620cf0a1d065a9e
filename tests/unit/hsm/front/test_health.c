/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>

#include "health.h"
#include "manual.h"

static const struct kw_health_times times = {
    .deadline_ns = 10, .suspect_ns = 100, .stale_ns = 1000, .recover_ns = 60};
static struct kw_health h;

static const kw_err down = {KW_CODE_HSM_DOWN, 0, "test"};

static void begin(void)
{
    kw_health_init(&h, &times, 0);
    CHECK(h.state == KW_HSM_STARTING);
}

static void up_at(int64_t now)
{
    begin();
    kw_health_ready(&h, true, now);
    kw_health_proof(&h, now);
    CHECK(h.state == KW_HSM_UP);
}

TEST(starting__nothing_failed__stays)
{
    begin();
    kw_health_tick(&h, 100000);
    CHECK(h.state == KW_HSM_STARTING && h.losses.count == 0);
}

TEST(starting__failing_for_suspect__lost)
{
    begin();
    kw_health_failed(&h, down, 50);
    CHECK(h.state == KW_HSM_STARTING && h.why.code == KW_CODE_HSM_DOWN);
    kw_health_failed(&h, down, 149);
    CHECK(h.state == KW_HSM_STARTING);
    kw_health_tick(&h, 150);
    CHECK(h.state == KW_HSM_LOST && h.losses.count == 1);
}

TEST(starting__ready_without_proof__not_up)
{
    begin();
    kw_health_ready(&h, true, 5);
    kw_health_tick(&h, 6);
    CHECK(h.state == KW_HSM_STARTING);
}

TEST(up__no_worker_for_less_than_a_deadline__stays)
{
    up_at(0);
    kw_health_ready(&h, false, 20);
    kw_health_tick(&h, 29);
    CHECK(h.state == KW_HSM_UP);
    kw_health_ready(&h, true, 29); /* replaced in time: no loss */
    kw_health_tick(&h, 40);
    CHECK(h.state == KW_HSM_UP);
}

TEST(up__no_worker_for_a_deadline__suspect_then_lost)
{
    up_at(0);
    kw_health_ready(&h, false, 20);
    kw_health_tick(&h, 30);
    CHECK(h.state == KW_HSM_SUSPECT && h.losses.count == 0);
    kw_health_tick(&h, 129);
    CHECK(h.state == KW_HSM_SUSPECT);
    kw_health_tick(&h, 130);
    CHECK(h.state == KW_HSM_LOST && h.losses.count == 1 &&
          h.why.code == KW_CODE_HSM_DOWN);
}

/* It is three operations. */
TEST(up__canary_not_answered_for_three_deadlines__suspect)
{
    up_at(0);
    kw_health_asked(&h, 20);
    kw_health_asked(&h, 28); /* the first one counts */
    kw_health_tick(&h, 49);
    CHECK(h.state == KW_HSM_UP);
    kw_health_tick(&h, 50);
    CHECK(h.state == KW_HSM_SUSPECT);
    kw_health_proof(&h, 51);
    CHECK(h.state == KW_HSM_UP && !kw_failed(h.why));
}

TEST(up__bad_canary__is_not_an_answer)
{
    up_at(0);
    kw_health_asked(&h, 20);
    kw_health_failed(&h, down, 22);
    CHECK(h.state == KW_HSM_UP);
    kw_health_tick(&h, 30);
    CHECK(h.state == KW_HSM_SUSPECT);
}

TEST(up__record_stale__lost_at_once)
{
    up_at(0);
    kw_health_tick(&h, 999);
    CHECK(h.state == KW_HSM_UP);
    kw_health_tick(&h, 1000);
    CHECK(h.state == KW_HSM_LOST && h.losses.count == 1);
    CHECK_STR(h.why.where, "stale");
}

TEST(any__pin_latch_or_other_key__lost_at_once)
{
    up_at(0);
    kw_health_lost(&h, kw_err_at(KW_CODE_PIN_STOP, "C_Login"), 5);
    CHECK(h.state == KW_HSM_LOST && h.losses.count == 1 &&
          h.why.code == KW_CODE_PIN_STOP);
    kw_health_lost(&h, kw_err_at(KW_CODE_FORGED, "canary"), 6);
    CHECK(h.losses.count == 1 && h.why.code == KW_CODE_FORGED); /* entered once */
    begin();
    kw_health_lost(&h, down, 5);
    CHECK(h.state == KW_HSM_LOST);
}

TEST(lost__first_time__the_first_proof_ends_it)
{
    up_at(0);
    kw_health_lost(&h, down, 5);
    kw_health_tick(&h, 1000000);
    CHECK(h.state == KW_HSM_LOST);
    kw_health_proof(&h, 1000001);
    CHECK(h.state == KW_HSM_UP && h.losses.count == 1);
}

/* Lost and found: now it is up, and what is lost next is lost again. */
static void flap(unsigned count, int64_t at)
{
    for (unsigned i = 0; i < count; i++) {
        kw_health_lost(&h, down, at);
        CHECK(h.state == KW_HSM_LOST);
        for (int64_t t = 1; t <= 200 && h.state == KW_HSM_LOST; t++)
            kw_health_proof(&h, at + t);
        CHECK(h.state == KW_HSM_UP);
    }
}

TEST(lost__again_within_an_hour__three_proofs_spread_over_recover)
{
    up_at(0);
    flap(1, 2);
    kw_health_lost(&h, down, 5);
    CHECK(kw_health_recover_ns(&h) == 60);
    kw_health_proof(&h, 10);
    kw_health_proof(&h, 11);
    kw_health_proof(&h, 12);
    CHECK(h.state == KW_HSM_LOST); /* three, but in a burst */
    kw_health_proof(&h, 69);
    CHECK(h.state == KW_HSM_LOST);
    kw_health_proof(&h, 70);
    CHECK(h.state == KW_HSM_UP && h.losses.count == 2);
}

TEST(lost__a_third_time_within_an_hour__three_times_as_long)
{
    up_at(0);
    flap(2, 2);
    kw_health_lost(&h, down, 400);
    kw_health_proof(&h, 410);
    kw_health_proof(&h, 500);
    kw_health_proof(&h, 589);
    CHECK(h.state == KW_HSM_LOST);
    kw_health_proof(&h, 590);
    CHECK(h.state == KW_HSM_UP && h.losses.count == 3);
}

TEST(lost__an_hour_after_the_last_time__as_the_first_time)
{
    static const struct kw_health_times seconds = {.deadline_ns = KW_S_NS,
                                                   .suspect_ns = 10 * KW_S_NS,
                                                   .stale_ns = 30 * KW_S_NS,
                                                   .recover_ns = 10 * KW_S_NS};
    int64_t now = 1;
    kw_health_init(&h, &seconds, now);
    kw_health_ready(&h, true, now);
    kw_health_proof(&h, now);
    flap(1, now);
    for (; now < 3600 * KW_S_NS + 1; now += KW_S_NS)
        kw_health_proof(&h, now);
    CHECK(h.state == KW_HSM_UP);
    kw_health_lost(&h, down, now);
    kw_health_proof(&h, now + 1);
    CHECK(h.state == KW_HSM_UP);
}

TEST(lost__two_proofs_far_apart__not_enough)
{
    up_at(0);
    flap(1, 2);
    kw_health_lost(&h, down, 5);
    kw_health_proof(&h, 10);
    kw_health_proof(&h, 500);
    CHECK(h.state == KW_HSM_LOST);
}

TEST(lost__failure_in_between__counts_anew)
{
    up_at(0);
    flap(1, 2);
    kw_health_lost(&h, down, 5);
    kw_health_proof(&h, 10);
    kw_health_proof(&h, 40);
    kw_health_failed(&h, down, 50);
    kw_health_proof(&h, 70);
    kw_health_proof(&h, 100);
    CHECK(h.state == KW_HSM_LOST);
    kw_health_proof(&h, 130);
    CHECK(h.state == KW_HSM_UP);
}

TEST(worked__up_or_in_doubt__as_a_proof__but_only_a_wrap_renews_the_record)
{
    up_at(0);
    kw_health_asked(&h, 20);
    kw_health_worked(&h, false, 25);
    kw_health_tick(&h, 60);
    CHECK(h.state == KW_HSM_UP); /* the canary waits its turn */
    kw_health_asked(&h, 100);
    kw_health_tick(&h, 130);
    CHECK(h.state == KW_HSM_SUSPECT);
    kw_health_worked(&h, false, 140);
    CHECK(h.state == KW_HSM_UP);
    for (int64_t t = 150; t < 1000; t += 10)
        kw_health_worked(&h, false, t);
    kw_health_tick(&h, 999);
    CHECK(h.state == KW_HSM_UP);
    kw_health_tick(&h, 1000);
    CHECK(h.state == KW_HSM_LOST);
    CHECK_STR(h.why.where, "stale");
    kw_health_worked(&h, true, 1001);
    CHECK(h.state == KW_HSM_LOST); /* found again by a canary */
    up_at(0);
    kw_health_worked(&h, true, 500);
    kw_health_tick(&h, 1499);
    CHECK(h.state == KW_HSM_UP);
    begin();
    kw_health_ready(&h, true, 0);
    kw_health_worked(&h, true, 1);
    CHECK(h.state == KW_HSM_STARTING);
}

static const struct kw_health_times seconds = {
    .deadline_ns = KW_S_NS, .suspect_ns = 10 * KW_S_NS, .stale_ns = 30 * KW_S_NS};

/* The laptop's lid, SIGSTOP, a jump of the clock: whoever looks first says so. */
TEST(pause__suspect_until_a_proof__and_two_seconds_are_charged)
{
    kw_health_init(&h, &seconds, 0);
    kw_health_ready(&h, true, 0);
    kw_health_proof(&h, 0);
    kw_health_asked(&h, KW_S_NS / 2); /* its answer was on its way */
    kw_health_tick(&h, 7200 * KW_S_NS);
    CHECK(h.state == KW_HSM_SUSPECT && h.losses.count == 0);
    CHECK_STR(h.why.where, "pause");
    for (int64_t i = 1; i < 10; i++)
        kw_health_tick(&h, (7200 + i) * KW_S_NS);
    CHECK(h.state == KW_HSM_SUSPECT);
    kw_health_proof(&h, 7210 * KW_S_NS - 1);
    CHECK(h.state == KW_HSM_UP);
}

TEST(pause__no_proof_after_it__lost_as_ever)
{
    kw_health_init(&h, &seconds, 0);
    kw_health_ready(&h, true, 0);
    kw_health_proof(&h, 0);
    kw_health_tick(&h, 3600 * KW_S_NS);
    CHECK(h.state == KW_HSM_SUSPECT);
    for (int64_t i = 1; i < 10; i++)
        kw_health_tick(&h, (3600 + i) * KW_S_NS);
    CHECK(h.state == KW_HSM_SUSPECT);
    kw_health_tick(&h, 3610 * KW_S_NS);
    CHECK(h.state == KW_HSM_LOST);
}

TEST(pause__while_it_is_lost__proofs_are_counted_anew)
{
    up_at(0);
    flap(1, 2);
    kw_health_lost(&h, down, 5);
    kw_health_proof(&h, 10);
    kw_health_proof(&h, 11);
    kw_health_proof(&h, 5 * KW_S_NS);
    CHECK(h.state == KW_HSM_LOST);
}

/* A process that nobody lets run is no machine that sleeps: what it sees adds up. */
TEST(pauses_one_after_the_other__an_outage_is_lost_all_the_same)
{
    int64_t now = 0;
    kw_health_init(&h, &seconds, now);
    kw_health_ready(&h, true, now);
    kw_health_proof(&h, now);
    for (int i = 0; i < 8; i++)
        kw_health_tick(&h, now += 5 * KW_S_NS / 2);
    CHECK(h.state == KW_HSM_LOST);
}

/* docs/ARCHITECTURE.md shows it so. */
TEST(table__every_state_and_event__as_in_the_manual)
{
    static const enum kw_hsm_state states[] = {KW_HSM_STARTING, KW_HSM_UP, KW_HSM_SUSPECT,
                                               KW_HSM_LOST};
    char text[1024];
    size_t len = (size_t)snprintf(text, sizeof text, "%-9s", "");
    for (unsigned e = 0; e < KW_HEALTH_EVENTS; e++)
        len += (size_t)snprintf(text + len, sizeof text - len, "  %-9s",
                                kw_health_event_name((enum kw_health_event)e));
    for (size_t i = 0; i < 4; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "\n%-9s",
                                kw_hsm_state_name(states[i]));
        for (unsigned e = 0; e < KW_HEALTH_EVENTS; e++) {
            enum kw_hsm_state next = kw_health_next(states[i], (enum kw_health_event)e);
            len += (size_t)snprintf(text + len, sizeof text - len, "  %-9s",
                                    next == states[i] ? "-" : kw_hsm_state_name(next));
        }
    }
    manual_has(text);
}

TEST(names__every_state_has_one)
{
    CHECK_STR(kw_hsm_state_name(KW_HSM_STARTING), "starting");
    CHECK_STR(kw_hsm_state_name(KW_HSM_UP), "up");
    CHECK_STR(kw_hsm_state_name(KW_HSM_SUSPECT), "suspect");
    CHECK_STR(kw_hsm_state_name(KW_HSM_LOST), "lost");
}

KW_CASES("hsm/front/health", CASE(starting__nothing_failed__stays),
         CASE(starting__failing_for_suspect__lost),
         CASE(starting__ready_without_proof__not_up),
         CASE(up__no_worker_for_less_than_a_deadline__stays),
         CASE(up__no_worker_for_a_deadline__suspect_then_lost),
         CASE(up__canary_not_answered_for_three_deadlines__suspect),
         CASE(up__bad_canary__is_not_an_answer), CASE(up__record_stale__lost_at_once),
         CASE(any__pin_latch_or_other_key__lost_at_once),
         CASE(lost__first_time__the_first_proof_ends_it),
         CASE(lost__again_within_an_hour__three_proofs_spread_over_recover),
         CASE(lost__a_third_time_within_an_hour__three_times_as_long),
         CASE(lost__an_hour_after_the_last_time__as_the_first_time),
         CASE(lost__two_proofs_far_apart__not_enough),
         CASE(lost__failure_in_between__counts_anew),
         CASE(worked__up_or_in_doubt__as_a_proof__but_only_a_wrap_renews_the_record),
         CASE(pause__suspect_until_a_proof__and_two_seconds_are_charged),
         CASE(pause__no_proof_after_it__lost_as_ever),
         CASE(pause__while_it_is_lost__proofs_are_counted_anew),
         CASE(table__every_state_and_event__as_in_the_manual),
         CASE(names__every_state_has_one),
         CASE(pauses_one_after_the_other__an_outage_is_lost_all_the_same))
