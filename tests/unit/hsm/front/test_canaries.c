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
    s.front->tokens[0].o.workers = 1;
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
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, KW_S_NS / 2); /* its own checks were good, and are still fresh */
    kw_lock_take(&s.lock);
    kw_gen_at(s.front->serving->tokens, 1)->due_ns = 0;
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

/* Answers well what fakes 0 .. count - 1 are asked, every ten seconds for so long. */
static void answer_for(int64_t ns, unsigned count, unsigned asked[][3])
{
    struct kw_wire_job job;
    for (; ns > 0; ns -= 10 * KW_S_NS) {
        stage_pass(&s, 10 * KW_S_NS);
        for (unsigned i = 0; i < count; i++)
            while (fake_job(&s, i, &job)) {
                CHECK(job.op == KW_WIRE_CANARY && job.n <= 2);
                CHECK(job.also_wrap == (job.n == 2));
                asked[i][job.n]++;
                fake_answer(&s, i, job.id, KW_OK, "");
            }
    }
}

#define TEN_MINUTES_NS (600 * KW_S_NS)

TEST(canaries__active_version_every_so_often__retired_ones_seldom)
{
    struct kw_wire_job job;
    unsigned asked[1][3] = {{0}};
    begin();
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, 10 * KW_S_NS - 1);
    CHECK(!fake_job(&s, 0, &job));
    stage_pass(&s, 1);
    fake_canaries(&s, 0);
    answer_for(TEN_MINUTES_NS - 10 * KW_S_NS, 1, asked);
    CHECK(asked[0][1] == 1 && asked[0][2] == 59);
    CHECK(stage_health(&s).state == KW_HSM_UP);
    stage_end(&s);
}

/* As many versions as workers, all of them idle: no worker may be left with one of
 * them. */
TEST(canaries__every_worker_is_asked_for_every_version)
{
    unsigned asked[2][3] = {{0}};
    begin();
    start_two(&s);
    answer_for(4 * TEN_MINUTES_NS, 2, asked);
    for (unsigned i = 0; i < 2; i++) {
        CHECK(asked[i][1] == 2);
        CHECK(asked[i][2] > 100);
    }
    stage_end(&s);
}

TEST(canary__active_opened_to_something_else__lost_at_once)
{
    struct kw_wire_job job;
    begin();
    s.front->tokens[0].o.workers = 1;
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
    s.options.times.recover_ns = 0;
    stage_open(&s);
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    kw_lock_take(&s.lock);
    kw_health_lost(&s.front->tokens[0].health, no_tag, kw_front_now(s.front));
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

/* What a canary takes is taken from the calls: one in fifty times as long, and a proof is
 * there before the health record is stale all the same. */
TEST(canary__takes_long__asked_seldomer_so_that_it_takes_a_fiftieth)
{
    static const struct {
        int64_t takes_ns, stale_after_ns, pause_ns;
    } rows[] = {{0, 30 * KW_S_NS, 10 * KW_S_NS},
                {200 * KW_MS_NS, 30 * KW_S_NS, 10 * KW_S_NS},
                {250 * KW_MS_NS, 30 * KW_S_NS, 12500 * KW_MS_NS},
                {400 * KW_MS_NS, 30 * KW_S_NS, 15 * KW_S_NS},
                {KW_WIRE_HSM_NS_MAX, 30 * KW_S_NS, 15 * KW_S_NS}, /* its word */
                {400 * KW_MS_NS, 12 * KW_S_NS, 10 * KW_S_NS}};
    struct kw_wire_job job;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        stage_begin(&s);
        s.options.times.stale_after_ns = rows[i].stale_after_ns;
        stage_open(&s);
        s.front->tokens[0].o.workers = 1;
        s.op_ns = rows[i].takes_ns;
        fake_ready(&s, 0);
        CHECK(stage_status(&s).tokens[0].probe_every_ns == 10 * KW_S_NS);
        stage_pass(&s, 10 * KW_S_NS);
        fake_canaries(&s, 0);
        CHECK(stage_status(&s).tokens[0].probe_every_ns == rows[i].pause_ns);
        stage_pass(&s, rows[i].pause_ns - 1);
        CHECK(!fake_job(&s, 0, &job) && stage_health(&s).state == KW_HSM_UP);
        s.op_ns = 0; /* it was a slow moment */
        stage_pass(&s, 1);
        fake_canaries(&s, 0);
        CHECK(stage_status(&s).tokens[0].probe_every_ns == 10 * KW_S_NS);
        stage_end(&s);
        kw_arena_close();
    }
}

TEST(canary__takes_long_and_the_token_is_in_doubt__asked_soon)
{
    begin();
    s.front->tokens[0].o.workers = 1;
    s.op_ns = 250 * KW_MS_NS;
    fake_ready(&s, 0);
    stage_pass(&s, 10 * KW_S_NS);
    fake_canaries(&s, 0);
    kw_lock_take(&s.lock);
    kw_health_lost(&s.front->tokens[0].health, no_tag, kw_front_now(s.front));
    kw_lock_give(&s.lock);
    CHECK(stage_status(&s).tokens[0].probe_every_ns == KW_S_NS);
    stage_pass(&s, 0); /* the tick that hurries it */
    stage_pass(&s, KW_S_NS);
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_CANARY), KW_OK, "");
    stage_end(&s);
}

TEST(canary__never_answered__suspect_then_lost)
{
    begin();
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, 10 * KW_S_NS);    /* asked; the worker stands still */
    stage_pass(&s, 3 * KW_S_NS - 1); /* it is three operations */
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
    for (int i = 0; i < 30; i++) { /* no tick, no canary: nothing runs but the reader */
        CHECK(stage_health(&s).state == KW_HSM_UP);
        s.time.now_ns += KW_S_NS;
    }
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    stage_end(&s);
}

static int64_t after_a_night(void *self)
{
    return ((struct kw_fake_clock *)self)->now_ns + 8 * 3600 * KW_S_NS;
}

/* A client's job is answered, every canary left where it is. */
static void only_a_job(void)
{
    struct outcome o;
    struct kw_wire_job job;
    CHECK_OK(ask(&s, K1, TEXT, &o));
    while (fake_job(&s, 0, &job))
        if (job.op == KW_WIRE_UNWRAP)
            fake_answer(&s, 0, job.id, KW_OK, "out!");
    CHECK(o.done);
}

/* One session that is busy for longer than a canary has patience: the jobs say it works. */
TEST(canary_waits_its_turn__right_answers_keep_it_up)
{
    begin();
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    for (int i = 0; i < 20; i++) {
        stage_pass(&s, KW_S_NS);
        only_a_job();
        kw_lock_take(&s.lock);
        s.door.ops->worked(s.door.hsm, "tok", K2, i % 4 == 0);
        s.door.ops->worked(s.door.hsm, "another token", K2, true);
        kw_lock_give(&s.lock);
        CHECK(stage_health(&s).state == KW_HSM_UP);
    }
    for (int i = 0; i < 40 && stage_health(&s).state == KW_HSM_UP; i++) {
        stage_pass(&s, KW_S_NS);
        only_a_job();
        kw_lock_take(&s.lock);
        s.door.ops->worked(s.door.hsm, "tok", K1, true); /* not the active version */
        kw_lock_give(&s.lock);
    }
    CHECK(stage_health(&s).state != KW_HSM_UP);
    stage_end(&s);
}

TEST(machine_slept__suspect_until_a_canary__deadlines_are_not_over)
{
    struct outcome o;
    begin();
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    CHECK_OK(ask(&s, K1, TEXT, &o));
    uint64_t id = fake_take(&s, 0, KW_WIRE_UNWRAP);
    s.clock.boot_ns = after_a_night;
    CHECK(stage_health(&s).state == KW_HSM_SUSPECT && stage_health(&s).losses == 0);
    CHECK(stage_health(&s).since_boot_ns == after_a_night(&s.time));
    stage_pass(&s, KW_MS_NS);
    CHECK(!o.done);
    fake_answer(&s, 0, id, no_tag, "");
    CHECK(!o.done);          /* yesterday's canary says nothing about it */
    stage_pass(&s, KW_S_NS); /* one of today is asked soon */
    while (stage_health(&s).state != KW_HSM_UP)
        fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_CANARY), KW_OK, "");
    stage_end(&s);
}

/* ---- verdicts ---------------------------------------------------------------------- */

TEST(retired_key_missing__only_its_decrypts_fail)
{
    begin();
    fake_ready_but(&s, 0, 1, kw_err_at(KW_CODE_MISSING, "find"));
    CHECK(stage_health(&s).state == KW_HSM_UP);
    CHECK_CODE(stage_version(&s, K1), KW_CODE_KEY_BAD);
    CHECK(s.refusal == KW_HSM_REFUSED_KEY_BAD);
    CHECK(!kw_failed(stage_version(&s, K2)));
    stage_end(&s);
}

TEST(active_key_missing__the_rest_serves_and_the_token_is_up)
{
    begin();
    fake_ready_but(&s, 0, 2, kw_err_at(KW_CODE_MISSING, "find"));
    for (int i = 0; i < 25; i++) {
        struct kw_wire_job job;
        CHECK(stage_health(&s).state == KW_HSM_UP);
        CHECK(stage_health(&s).active_err.code == KW_CODE_KEY_BAD);
        CHECK(!kw_failed(stage_version(&s, K1)));
        stage_pass(&s, KW_S_NS);
        while (s.fakes[0].socket >= 0 && fake_job(&s, 0, &job))
            fake_answer(&s, 0, job.id,
                        job.n == 2 ? kw_err_at(KW_CODE_MISSING, "find") : KW_OK, "");
    }
    stage_end(&s);
}

/* The other version's word counts as long as it stands for, which is longer then. */
TEST(active_key_fails_and_canaries_are_slow__the_fault_is_the_versions)
{
    struct kw_wire_job job;
    begin();
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, 10 * KW_S_NS);
    s.op_ns = 250 * KW_MS_NS;
    fake_canaries(&s, 0);
    kw_lock_take(&s.lock); /* the other one is asked at once, and then long not */
    kw_gen_at(s.front->serving->tokens, 1)->due_ns = 0;
    kw_lock_give(&s.lock);
    stage_pass(&s, 0);
    fake_canaries(&s, 0);
    stage_pass(&s, 12500 * KW_MS_NS);
    while (s.fakes[0].socket >= 0 && fake_job(&s, 0, &job))
        fake_answer(&s, 0, job.id, kw_err_at(KW_CODE_MISSING, "find"), "");
    CHECK(stage_health(&s).active_err.code != KW_CODE_OK);
    kw_lock_take(&s.lock);
    CHECK(!s.front->tokens[0].health.failing);
    kw_lock_give(&s.lock);
    stage_end(&s);
}

TEST(every_key_missing__lost)
{
    begin();
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    for (int i = 0; i < 60 && stage_health(&s).state != KW_HSM_LOST; i++) {
        struct kw_wire_job job;
        stage_pass(&s, KW_S_NS);
        while (fake_job(&s, 0, &job))
            fake_answer(&s, 0, job.id, kw_err_at(KW_CODE_MISSING, "find"), "");
    }
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    CHECK_CODE(stage_health(&s).active_err, KW_CODE_MISSING); /* it was proven once */
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
    CHECK_CODE(stage_version(&s, K1), KW_CODE_MISSING); /* it was proven before */
    CHECK(s.refusal == KW_HSM_REFUSED_KEY_BAD);
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

/* The one that was asked has died; what its successor found out before it was ready is as
 * good. */
TEST(unsure__the_asked_worker_dies__the_next_ones_own_checks_decide)
{
    struct outcome o;
    begin_with_one();
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), no_tag, "");
    (void)fake_take(&s, 0, KW_WIRE_CANARY);
    fake_dies(&s, 0);
    CHECK(!o.done && s.started == 2);
    fake_ready(&s, 1);
    fake_answer(&s, 1, fake_take(&s, 1, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(o.done && !kw_failed(o.err));
    stage_end(&s);
}

/* What another job finds out about the key puts the next canary off, but not that one. */
TEST(unsure__key_proven_by_another_job_meanwhile__its_canary_comes_all_the_same)
{
    struct outcome a, b;
    begin_with_one();
    CHECK_OK(ask(&s, K1, TEXT, &a));
    CHECK_OK(ask(&s, K1, "twenty bytes, another", &b));
    uint64_t first = fake_take(&s, 0, KW_WIRE_UNWRAP);
    uint64_t second = fake_take(&s, 0, KW_WIRE_UNWRAP);
    fake_answer(&s, 0, first, no_tag, "");
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_CANARY), KW_OK, "");
    fake_answer(&s, 0, second, no_tag, ""); /* the next canary is not due yet */
    fake_looked(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, 0, "out!");
    CHECK(a.done && !kw_failed(a.err) && !b.done);
    stage_pass(&s, KW_CANARY_DECIDES_NS);
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_CANARY), KW_OK, "");
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), no_tag, "");
    CHECK(b.done && b.err.code == KW_CODE_FORGED);
    stage_end(&s);
}

/* A session hangs over a retired version, and others are due: whether the token is well
 * is asked all the same. */
TEST(canary_of_a_retired_version_hangs__the_active_one_is_asked)
{
    struct kw_wire_job job;
    bool asked = false;
    stage_begin(&s);
    s.sessions = 2;
    s.tokens[0].workers = 1;
    stage_open(&s);
    stage_use_many(&s, 4);
    fake_dies(&s, 0); /* of the keyring before */
    fake_ready(&s, 1);
    for (bool retired = false; !retired;) {
        stage_pass(&s, KW_S_NS);
        CHECK(s.time.now_ns < 700 * KW_S_NS);
        bool any = fake_job(&s, 1, &job);
        retired = any && job.n != 4;
        if (any && !retired)
            fake_answer(&s, 1, job.id, KW_OK, "");
    }
    for (int i = 0; i < 10 && !asked; i++) { /* the retired one's gets no answer */
        stage_pass(&s, KW_S_NS);
        asked = fake_job(&s, 1, &job) && job.n == 4;
    }
    CHECK(asked);
    stage_end(&s);
}

KW_CASES(
    "hsm/front/canaries", CASE(unsure__well_by_a_canary__tried_once_more_and_served),
    CASE(unsure__again_after_a_good_canary__forged),
    CASE(unsure__canary_was_asked_before__the_next_one_decides_and_floods_are_bounded),
    CASE(unsure__a_canary_decides_for_all_that_failed_before_it),
    CASE(unsure__canaries_fail__asked_once_a_second_and_no_older_word_counts),
    CASE(canaries__active_version_every_so_often__retired_ones_seldom),
    CASE(canaries__every_worker_is_asked_for_every_version),
    CASE(canary__active_opened_to_something_else__lost_at_once),
    CASE(canary__recover_at_once__still_a_pause_between_two),
    CASE(canary__takes_long__asked_seldomer_so_that_it_takes_a_fiftieth),
    CASE(canary__takes_long_and_the_token_is_in_doubt__asked_soon),
    CASE(canary__never_answered__suspect_then_lost),
    CASE(main_thread_hangs__record_goes_stale),
    CASE(canary_waits_its_turn__right_answers_keep_it_up),
    CASE(machine_slept__suspect_until_a_canary__deadlines_are_not_over),
    CASE(retired_key_missing__only_its_decrypts_fail),
    CASE(active_key_missing__the_rest_serves_and_the_token_is_up),
    CASE(active_key_fails_and_canaries_are_slow__the_fault_is_the_versions),
    CASE(every_key_missing__lost),
    CASE(key_missing_for_a_new_worker__not_while_another_proves_it),
    CASE(key_missing_for_a_new_worker__nobody_else_proves_it__bad),
    CASE(version__unknown_higher_n__look_again_but_not_often),
    CASE(unsure__the_asked_worker_dies__the_next_ones_own_checks_decide),
    CASE(unsure__key_proven_by_another_job_meanwhile__its_canary_comes_all_the_same),
    CASE(canary_of_a_retired_version_hangs__the_active_one_is_asked))
