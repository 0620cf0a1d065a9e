/* SPDX-License-Identifier: Apache-2.0 */
/* Canaries and verdicts in the whole front; the test plays the workers. */
#include "stage.h"

static struct stage s;

static void begin(void)
{
    stage_begin(&s);
    stage_open(&s);
}

#define TEXT "twenty bytes of text" /* so 4 bytes come out */

static const kw_err no_tag = {KW_CODE_UNSURE, 5, "C_Decrypt"};

static void begin_with_one(void)
{
    begin();
    s.front->token.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, 2 * KW_S_NS);
}

/* One transient error on a genuine ciphertext. */
TEST(unsure__well_by_a_canary__tried_once_more_and_served)
{
    struct outcome o;
    begin_with_one();
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), no_tag, "");
    CHECK(!o.done);
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_CANARY), KW_OK, "");
    CHECK(!o.done);
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(o.done && !kw_failed(o.err));
    CHECK_STR(o.output, "out!");
    stage_end(&s);
}

TEST(unsure__again_after_a_good_canary__forged)
{
    struct outcome o;
    struct kw_wire_job job;
    begin_with_one();
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), no_tag, "");
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_CANARY), KW_OK, "");
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), no_tag, "");
    CHECK(o.done && o.err.code == KW_CODE_FORGED && o.err.native == 5);
    CHECK(!fake_job(&s, 0, &job)); /* no canary more than the one */
    stage_end(&s);
}

TEST(unsure__a_canary_decides_for_all_that_failed_before_it)
{
    struct outcome o[4];
    for (int well = 0; well < 2; well++) {
        begin_with_one();
        for (int i = 0; i < 4; i++)
            CHECK_OK(ask(&s, K1, TEXT, &o[i]));
        for (int i = 0; i < 4; i++)
            fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), no_tag, "");
        for (int i = 0; i < 4; i++)
            CHECK(!o[i].done);
        uint64_t canary = fake_take(&s, 0, KW_WIRE_CANARY);
        struct kw_wire_job job;
        CHECK(!fake_job(&s, 0, &job)); /* one in flight */
        fake_answer(&s, 0, canary, well ? KW_OK : no_tag, "");
        for (int i = 0; well && i < 4; i++) {
            if (i == 1) { /* these failed when the first one was on its way */
                stage_pass(&s, KW_S_NS / 4);
                fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_CANARY), KW_OK, "");
            }
            fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), no_tag, "");
        }
        for (int i = 0; i < 4; i++)
            CHECK(o[i].done &&
                  o[i].err.code == (well ? KW_CODE_FORGED : KW_CODE_HSM_DOWN));
        CHECK(!fake_job(&s, 0, &job));
        stage_end(&s);
        kw_arena_close();
    }
}

/* What fails while a canary is on its way may have failed after it was served: it waits
 * for the next one, which does not come at once. */
TEST(unsure__canary_was_asked_before__the_next_one_decides_and_floods_are_bounded)
{
    struct outcome first, later;
    struct kw_wire_job job;
    begin_with_one();
    CHECK_OK(ask(&s, K1, TEXT, &first));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), no_tag, "");
    uint64_t canary = fake_take(&s, 0, KW_WIRE_CANARY);
    CHECK_OK(ask(&s, K1, TEXT, &later));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), no_tag, "");
    fake_answer(&s, 0, canary, KW_OK, "");
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(first.done && !kw_failed(first.err) && !later.done);
    stage_pass(&s, 249 * KW_MS_NS);
    CHECK(!fake_job(&s, 0, &job));
    stage_pass(&s, KW_MS_NS);
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_CANARY), KW_OK, "");
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), no_tag, "");
    CHECK(later.done && later.err.code == KW_CODE_FORGED);
    stage_end(&s);
}

TEST(unsure__canaries_fail__asked_once_a_second_and_no_older_word_counts)
{
    struct outcome o;
    struct kw_wire_job job;
    unsigned canaries = 0;
    begin();
    s.front->token.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, KW_S_NS / 2); /* its own checks were good, and are still fresh */
    kw_lock_take(&s.lock);
    kw_generation_at(s.front->serving, 1)->due_ns = 0;
    kw_lock_give(&s.lock);
    stage_pass(&s, 0);
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_CANARY), no_tag, "");
    for (int i = 0; i < 12; i++) {
        CHECK_OK(ask(&s, K1, TEXT, &o));
        fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), no_tag, "");
        if (fake_job(&s, 0, &job)) {
            CHECK(job.op == KW_WIRE_CANARY && !o.done);
            canaries++;
            fake_answer(&s, 0, job.id, no_tag, "");
        }
        CHECK(o.done && o.err.code == KW_CODE_HSM_DOWN);
        stage_pass(&s, KW_S_NS / 4);
    }
    CHECK(canaries == 2); /* after one and after two seconds */
    stage_end(&s);
}

TEST(canaries__every_version_every_so_often)
{
    struct kw_wire_job job;
    unsigned asked[3] = {0};
    begin();
    s.front->token.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, 10 * KW_S_NS - 1);
    CHECK(!fake_job(&s, 0, &job));
    stage_pass(&s, 1);
    while (fake_job(&s, 0, &job)) {
        CHECK(job.op == KW_WIRE_CANARY && job.n <= 2);
        CHECK(job.also_wrap == (job.n == 2));
        asked[job.n]++;
        fake_answer(&s, 0, job.id, KW_OK, "");
    }
    CHECK(asked[1] == 1 && asked[2] == 1);
    CHECK(stage_health(&s).state == KW_HSM_UP);
    stage_end(&s);
}

/* As many versions as workers, all of them idle: no worker may be left with one of
 * them. */
TEST(canaries__every_worker_is_asked_for_every_version)
{
    struct kw_wire_job job;
    unsigned asked[2][3] = {{0}};
    begin();
    start_two(&s);
    for (int round = 0; round < 4; round++) {
        stage_pass(&s, 10 * KW_S_NS);
        for (unsigned i = 0; i < 2; i++)
            while (fake_job(&s, i, &job)) {
                CHECK(job.op == KW_WIRE_CANARY && job.n <= 2);
                asked[i][job.n]++;
                fake_answer(&s, i, job.id, KW_OK, "");
            }
    }
    for (unsigned i = 0; i < 2; i++)
        for (uint32_t n = 1; n <= 2; n++)
            CHECK(asked[i][n] == 2);
    stage_end(&s);
}

TEST(canary__active_opened_to_something_else__lost_at_once)
{
    struct kw_wire_job job;
    begin();
    s.front->token.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, 10 * KW_S_NS);
    while (fake_job(&s, 0, &job))
        fake_answer(&s, 0, job.id,
                    job.n == 2 ? kw_err_at(KW_CODE_WRONG_ANSWER, "check") : KW_OK, "");
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    CHECK(stage_health(&s).active_err.code == KW_CODE_KEY_BAD);
    CHECK(!kw_failed(stage_version(&s, K1)));
    stage_end(&s);
}

TEST(canary__recover_at_once__still_a_pause_between_two)
{
    struct kw_wire_job job;
    unsigned canaries = 0;
    stage_begin(&s);
    s.options.recover_ns = 0;
    stage_open(&s);
    s.front->token.workers = 1;
    fake_ready(&s, 0);
    kw_lock_take(&s.lock);
    kw_health_lost(&s.front->health, no_tag, kw_front_now(s.front));
    kw_lock_give(&s.lock);
    for (int i = 0; i < 100; i++) { /* of 20 ms: two seconds */
        stage_pass(&s, 20 * KW_MS_NS);
        while (fake_job(&s, 0, &job)) {
            canaries += job.n == 2;
            fake_answer(&s, 0, job.id, no_tag, "");
        }
    }
    CHECK(canaries >= 15 && canaries <= 20);
    stage_end(&s);
}

TEST(canary__never_answered__suspect_then_lost)
{
    begin();
    s.front->token.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, 10 * KW_S_NS); /* asked; the worker stands still */
    stage_pass(&s, KW_S_NS - 1);
    CHECK(stage_health(&s).state == KW_HSM_UP);
    stage_pass(&s, 1);
    CHECK(stage_health(&s).state == KW_HSM_SUSPECT);
    CHECK(stage_health(&s).losses == 0);
    stage_pass(&s, 10 * KW_S_NS);
    CHECK(stage_health(&s).state == KW_HSM_LOST && stage_health(&s).losses == 1);
    stage_end(&s);
}

TEST(main_thread_hangs__record_goes_stale)
{
    begin();
    start_two(&s);
    s.time.now_ns += 30 * KW_S_NS; /* no tick, no canary: nothing runs but the reader */
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    stage_end(&s);
}

static int64_t after_a_night(void *self)
{
    return ((struct kw_fake_clock *)self)->now_ns + 8 * 3600 * KW_S_NS;
}

TEST(machine_slept__record_and_canaries_are_old__deadlines_are_not)
{
    struct outcome o;
    begin();
    s.front->token.workers = 1;
    fake_ready(&s, 0);
    CHECK_OK(ask(&s, K1, TEXT, &o));
    uint64_t id = fake_take(&s, 0, KW_WIRE_UNWRAP);
    s.clock.boot_ns = after_a_night;
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    CHECK(stage_health(&s).since_boot_ns == after_a_night(&s.time));
    stage_pass(&s, KW_MS_NS);
    CHECK(!o.done);
    fake_answer(&s, 0, id, no_tag, "");
    CHECK(!o.done); /* yesterday's canary says nothing about it */
    stage_end(&s);
}

/* ---- verdicts ---------------------------------------------------------------------- */

TEST(retired_key_missing__only_its_decrypts_fail)
{
    begin();
    fake_ready_but(&s, 0, 1, kw_err_at(KW_CODE_MISSING, "find"));
    CHECK(stage_health(&s).state == KW_HSM_UP);
    CHECK_CODE(stage_version(&s, K1), KW_CODE_KEY_BAD);
    CHECK(!kw_failed(stage_version(&s, K2)));
    stage_end(&s);
}

TEST(active_key_missing__not_up__the_rest_serves)
{
    begin();
    fake_ready_but(&s, 0, 2, kw_err_at(KW_CODE_MISSING, "find"));
    CHECK(stage_health(&s).state == KW_HSM_STARTING);
    CHECK(stage_health(&s).active_err.code == KW_CODE_KEY_BAD);
    CHECK(!kw_failed(stage_version(&s, K1)));
    stage_pass(&s, 10 * KW_S_NS);
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    stage_end(&s);
}

TEST(key_missing_for_a_new_worker__not_while_another_proves_it)
{
    for (uint32_t n = 1; n <= 2; n++) {
        struct outcome o;
        begin();
        start_two(&s);
        s.fakes[1].killed = true;
        fake_dies(&s, 1);
        fake_ready_but(&s, 2, n, kw_err_at(KW_CODE_MISSING, "find"));
        CHECK(!kw_failed(stage_health(&s).active_err));
        CHECK(!kw_failed(stage_version(&s, K1)) && !kw_failed(stage_version(&s, K2)));
        CHECK_STR(stage_status(&s).workers[1].state, "draining");
        CHECK_STR(stage_status(&s).reason, "said so");
        fake_dies(&s, 2);
        CHECK(s.started == 3); /* its successor waits, as after any failure */
        fake_canaries(&s, 0);  /* one was asked at once */
        CHECK_OK(ask(&s, K2, TEXT, &o));
        fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
        CHECK(o.done && !kw_failed(o.err));
        stage_end(&s);
        kw_arena_close();
    }
}

TEST(key_missing_for_a_new_worker__nobody_else_proves_it__bad)
{
    struct kw_wire_job job;
    begin();
    start_two(&s);
    s.fakes[1].killed = true;
    fake_dies(&s, 1);
    fake_ready_but(&s, 2, 1, kw_err_at(KW_CODE_MISSING, "find"));
    CHECK(!kw_failed(stage_version(&s, K1)));
    CHECK(fake_job(&s, 0, &job) && job.op == KW_WIRE_CANARY && job.n == 1);
    s.fakes[0].killed = true; /* a proven key is gone: that worker leaves */
    fake_answer(&s, 0, job.id, kw_err_at(KW_CODE_HSM_DOWN, "find"), "");
    fake_dies(&s, 2);
    CHECK(s.started == 3);
    fake_dies(&s, 0);
    CHECK(s.started == 4); /* at once: nobody is left to work meanwhile */
    fake_ready_but(&s, 3, 1, kw_err_at(KW_CODE_MISSING, "find"));
    CHECK_CODE(stage_version(&s, K1), KW_CODE_KEY_BAD);
    CHECK(!kw_failed(stage_version(&s, K2)));
    stage_end(&s);
}

TEST(version__unknown_higher_n__look_again_but_not_often)
{
    begin();
    start_two(&s);
    CHECK_CODE(stage_version(&s, "no key id"), KW_CODE_UNKNOWN_KEY);
    stage_pass(&s, 0);
    CHECK(s.looks == 0);
    for (int i = 0; i < 5; i++) {
        CHECK_CODE(stage_version(&s, K3), KW_CODE_UNKNOWN_KEY);
        stage_pass(&s, KW_S_NS);
    }
    CHECK(s.looks == 1);
    stage_pass(&s, 6 * KW_S_NS);
    CHECK(s.looks == 2);
    stage_end(&s);
}

KW_CASES(
    "hsm/front/canaries", CASE(unsure__well_by_a_canary__tried_once_more_and_served),
    CASE(unsure__again_after_a_good_canary__forged),
    CASE(unsure__canary_was_asked_before__the_next_one_decides_and_floods_are_bounded),
    CASE(unsure__a_canary_decides_for_all_that_failed_before_it),
    CASE(unsure__canaries_fail__asked_once_a_second_and_no_older_word_counts),
    CASE(canaries__every_version_every_so_often),
    CASE(canaries__every_worker_is_asked_for_every_version),
    CASE(canary__active_opened_to_something_else__lost_at_once),
    CASE(canary__recover_at_once__still_a_pause_between_two),
    CASE(canary__never_answered__suspect_then_lost),
    CASE(main_thread_hangs__record_goes_stale),
    CASE(machine_slept__record_and_canaries_are_old__deadlines_are_not),
    CASE(retired_key_missing__only_its_decrypts_fail),
    CASE(active_key_missing__not_up__the_rest_serves),
    CASE(key_missing_for_a_new_worker__not_while_another_proves_it),
    CASE(key_missing_for_a_new_worker__nobody_else_proves_it__bad),
    CASE(version__unknown_higher_n__look_again_but_not_often))
