/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "health.h"

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
    CHECK(h.state == KW_HSM_STARTING && h.losses == 0);
}

TEST(starting__failing_for_suspect__lost)
{
    begin();
    kw_health_failed(&h, down, 50);
    CHECK(h.state == KW_HSM_STARTING && h.why.code == KW_CODE_HSM_DOWN);
    kw_health_failed(&h, down, 149);
    CHECK(h.state == KW_HSM_STARTING);
    kw_health_tick(&h, 150);
    CHECK(h.state == KW_HSM_LOST && h.losses == 1);
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
    CHECK(h.state == KW_HSM_SUSPECT && h.losses == 0);
    kw_health_tick(&h, 129);
    CHECK(h.state == KW_HSM_SUSPECT);
    kw_health_tick(&h, 130);
    CHECK(h.state == KW_HSM_LOST && h.losses == 1 && h.why.code == KW_CODE_HSM_DOWN);
}

TEST(up__canary_not_answered_for_a_deadline__suspect)
{
    up_at(0);
    kw_health_asked(&h, 20);
    kw_health_asked(&h, 28); /* the first one counts */
    kw_health_tick(&h, 29);
    CHECK(h.state == KW_HSM_UP);
    kw_health_tick(&h, 30);
    CHECK(h.state == KW_HSM_SUSPECT);
    kw_health_proof(&h, 31);
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
    CHECK(h.state == KW_HSM_LOST && h.losses == 1);
    CHECK_STR(h.why.where, "stale");
}

TEST(any__pin_latch_or_other_key__lost_at_once)
{
    up_at(0);
    kw_health_lost(&h, kw_err_at(KW_CODE_PIN_STOP, "C_Login"), 5);
    CHECK(h.state == KW_HSM_LOST && h.losses == 1 && h.why.code == KW_CODE_PIN_STOP);
    kw_health_lost(&h, kw_err_at(KW_CODE_FORGED, "canary"), 6);
    CHECK(h.losses == 1 && h.why.code == KW_CODE_FORGED); /* entered once */
    begin();
    kw_health_lost(&h, down, 5);
    CHECK(h.state == KW_HSM_LOST);
}

TEST(lost__three_proofs_spread_over_recover__up)
{
    up_at(0);
    kw_health_lost(&h, down, 5);
    kw_health_proof(&h, 10);
    kw_health_proof(&h, 11);
    kw_health_proof(&h, 12);
    CHECK(h.state == KW_HSM_LOST); /* three, but in a burst */
    kw_health_proof(&h, 69);
    CHECK(h.state == KW_HSM_LOST);
    kw_health_proof(&h, 70);
    CHECK(h.state == KW_HSM_UP && h.losses == 1);
}

TEST(lost__two_proofs_far_apart__not_enough)
{
    up_at(0);
    kw_health_lost(&h, down, 5);
    kw_health_proof(&h, 10);
    kw_health_proof(&h, 500);
    CHECK(h.state == KW_HSM_LOST);
}

TEST(lost__failure_in_between__counts_anew)
{
    up_at(0);
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
         CASE(up__canary_not_answered_for_a_deadline__suspect),
         CASE(up__bad_canary__is_not_an_answer), CASE(up__record_stale__lost_at_once),
         CASE(any__pin_latch_or_other_key__lost_at_once),
         CASE(lost__three_proofs_spread_over_recover__up),
         CASE(lost__two_proofs_far_apart__not_enough),
         CASE(lost__failure_in_between__counts_anew), CASE(names__every_state_has_one))
