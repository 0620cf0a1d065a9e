/* SPDX-License-Identifier: Apache-2.0 */
/* Workers whose library leaks. */
#include "stage.h"

static struct stage s;

#define MIB ((uint64_t)1 << 20)
#define LONG_NS (30 * KW_S_NS) /* from one replacement to the next */

/* In ticks, and every canary is answered. */
static void pass(int64_t ns)
{
    do {
        stage_pass(&s, ns < KW_S_NS ? ns : KW_S_NS);
        for (unsigned i = 0; i < s.started; i++)
            if (s.fakes[i].socket >= 0)
                fake_canaries(&s, i);
        ns -= KW_S_NS;
    } while (ns > 0);
}

/* Two ready workers of 40 MiB, seen as that. */
static void begin(void)
{
    stage_begin(&s);
    stage_open(&s);
    start_two(&s);
    s.fakes[0].bytes = s.fakes[1].bytes = 40 * MIB;
    pass(KW_S_NS);
}

static struct kw_worker *worker(size_t i)
{
    return kw_front_worker_by_main(s.front, i);
}

static enum kw_worker_channel state_of(unsigned i)
{
    CHECK(worker(i) != NULL);
    return kw_worker_state_by_main(worker(i));
}

TEST(grown_by_less__stays)
{
    begin();
    s.fakes[0].bytes += 256 * MIB;
    s.fakes[1].bytes = 0; /* not to be seen any more */
    pass(KW_S_NS);
    pass(LONG_NS);
    CHECK(s.started == 2);
    stage_end(&s);
}

TEST(never_seen__stays)
{
    begin();
    worker(0)->process.ready_bytes = worker(1)->process.ready_bytes = 0;
    s.fakes[0].bytes = s.fakes[1].bytes = 0;
    pass(KW_S_NS);
    CHECK(s.started == 2);
    stage_end(&s);
}

TEST(grown__serves_until_its_successor_is_ready)
{
    struct kw_wire_job job;
    begin();
    s.fakes[0].bytes += 256 * MIB + 1;
    pass(KW_S_NS);
    CHECK(s.started == 3);
    CHECK(state_of(0) == KW_WORKER_READY && state_of(2) == KW_WORKER_STARTING);
    fake_ready(&s, 2);
    pass(0);
    CHECK(state_of(0) == KW_WORKER_DRAINING);
    CHECK(state_of(1) == KW_WORKER_READY && state_of(2) == KW_WORKER_READY);
    CHECK(!fake_job(&s, 0, &job) && !s.fakes[0].killed);
    fake_dies(&s, 0); /* it read the end of its socket */
    pass(KW_S_NS);
    CHECK(s.started == 3 && stage_health(&s).state == KW_HSM_UP);
    stage_end(&s);
}

TEST(grown__successor_fails__serves_on)
{
    begin();
    s.fakes[0].bytes += 300 * MIB;
    pass(KW_S_NS);
    CHECK(s.started == 3);
    fake_login(&s, 2, KW_OK, "");
    fake_failed(&s, 2, kw_err_at(KW_CODE_HSM_DOWN, "C_Decrypt"), "no");
    pass(KW_S_NS);
    CHECK(s.started == 3); /* a pause after a failure */
    CHECK(state_of(0) == KW_WORKER_READY && stage_health(&s).state == KW_HSM_UP);
    for (int i = 0; i < 20 && s.started == 3; i++)
        pass(KW_S_NS);
    fake_ready(&s, 3);
    pass(0);
    CHECK(state_of(0) == KW_WORKER_DRAINING);
    stage_end(&s);
}

TEST(both_grown__one_after_the_other)
{
    begin();
    s.fakes[0].bytes += 300 * MIB;
    s.fakes[1].bytes += 300 * MIB;
    pass(KW_S_NS);
    fake_ready(&s, 2);
    pass(0);
    fake_dies(&s, 0);
    pass(LONG_NS - 1);
    CHECK(s.started == 3);
    pass(1); /* not looked at twice in a second */
    pass(KW_S_NS);
    CHECK(s.started == 4);
    stage_end(&s);
}

TEST(served_very_much__the_same)
{
    begin();
    worker(1)->served = UINT64_C(100000000) - 1;
    pass(KW_S_NS);
    CHECK(s.started == 2);
    worker(1)->served = UINT64_C(100000000);
    pass(KW_S_NS);
    CHECK(s.started == 3);
    fake_ready(&s, 2);
    pass(0);
    CHECK(state_of(1) == KW_WORKER_DRAINING && state_of(0) == KW_WORKER_READY);
    stage_end(&s);
}

TEST(grown__while_a_keyring_comes_up__all_are_replaced_anyway)
{
    begin();
    stage_use_next(&s);
    CHECK(s.started == 3);
    s.fakes[0].bytes += 300 * MIB;
    pass(KW_S_NS);
    CHECK(!worker(0)->recycled);
    stage_end(&s);
}

/* A worker of the keyring before found it after this one had looked: this one's good word
 * does not take it back, and it is the only one there is. */
TEST(found_before_its_time__nobody_can_take_it_back__replaced_once)
{
    struct kw_wire_job job;
    stage_begin(&s);
    s.tokens[0].workers = 1;
    stage_open(&s);
    fake_ready(&s, 0);
    stage_use_many(&s, 2); /* the same versions again: fake 1 starts */
    kw_lock_take(&s.lock);
    kw_gen_at(s.front->serving->tokens, 1)->due_ns = 0;
    kw_lock_give(&s.lock);
    stage_pass(&s, 0);
    CHECK(fake_job(&s, 0, &job) && job.n == 1);
    fake_looked(&s, 0, job.id, kw_err_at(KW_CODE_MISSING, "find"), 0, "");
    fake_ready(&s, 1);
    fake_dies(&s, 0);
    CHECK_CODE(stage_version(&s, K1), KW_CODE_MISSING);
    pass(LONG_NS + 2 * KW_S_NS);
    CHECK_CODE(stage_version(&s, K1), KW_CODE_MISSING); /* its canaries were good */
    CHECK(s.started == 3);
    fake_ready(&s, 2);
    CHECK_OK(stage_version(&s, K1));
    pass(3 * LONG_NS);
    CHECK(s.started == 3);
    stage_end(&s);
}

/* NULL: it is gone. */
static struct kw_worker *of_fake(unsigned i)
{
    for (size_t k = 0; k < KW_FRONT_TOKEN_WORKERS; k++)
        if (worker(k) != NULL && worker(k)->process.pid == 100000 + (pid_t)i)
            return worker(k);
    return NULL;
}

/* Worker i is asked whether key 1 is there, and says no. */
static void misses(unsigned i)
{
    struct kw_wire_job job;
    kw_lock_take(&s.lock);
    kw_gen_at(s.front->serving->tokens, 1)->due_ns = 0;
    for (unsigned k = 0; k < s.started; k++)
        if (of_fake(k) != NULL)
            of_fake(k)->proofs.asked[0] = k == i ? 0 : 1;
    kw_lock_give(&s.lock);
    stage_pass(&s, 0);
    CHECK(fake_job(&s, i, &job) && job.op == KW_WIRE_CANARY && job.n == 1);
    fake_looked(&s, i, job.id, kw_err_at(KW_CODE_MISSING, "find"), 0, "");
    stage_pass(&s, KW_MS_NS);
}

static bool is_draining(unsigned i)
{
    CHECK(of_fake(i) != NULL);
    return kw_worker_state_by_main(of_fake(i)) == KW_WORKER_DRAINING;
}

/* Its library looks where the key was, or was not, when it was loaded. */
TEST(missing_for_an_older_worker_than_one_that_has_it__not_believed_and_replaced)
{
    begin();
    misses(0);
    CHECK_OK(stage_version(&s, K1));
    CHECK(is_draining(0) && !is_draining(1));
    fake_dies(&s, 0);
    stage_pass(&s, KW_S_NS);
    CHECK(s.started == 3);
    fake_ready(&s, 2);
    CHECK_OK(stage_version(&s, K1));
    stage_end(&s);
}

/* The older one found it when the younger one had been started already. */
TEST(missing_said_by_an_older_worker_before_the_younger_was_ready__taken_back_by_that)
{
    struct kw_wire_job job;
    stage_begin(&s);
    stage_open(&s);
    fake_ready(&s, 0);
    stage_pass(&s, 0); /* the second is started */
    misses(0);
    CHECK_CODE(stage_version(&s, K1), KW_CODE_MISSING);
    fake_ready(&s, 1);
    misses(0);
    CHECK(is_draining(0));
    CHECK(fake_job(&s, 1, &job) && job.op == KW_WIRE_CANARY && job.n == 1);
    fake_looked(&s, 1, job.id, KW_OK, 0, "");
    CHECK_OK(stage_version(&s, K1));
    stage_end(&s);
}

TEST(missing_for_the_youngest_worker__believed)
{
    begin();
    misses(1);
    CHECK_CODE(stage_version(&s, K1), KW_CODE_MISSING);
    CHECK(!is_draining(0) && !is_draining(1));
    stage_end(&s);
}

/* A token that says now this and now that costs a login each time: two at once, as there
 * are two workers, then one in half a minute. */
TEST(missing_for_one_older_worker_after_the_other__logins_are_bounded)
{
    begin();
    for (unsigned i = 0; i < 2; i++) {
        misses(i);
        CHECK(is_draining(i));
        fake_dies(&s, i);
        pass(KW_MS_NS);
        fake_ready(&s, i + 2);
        pass(KW_MS_NS);
    }
    misses(2);
    CHECK(!is_draining(2));
    CHECK_CODE(stage_version(&s, K1), KW_CODE_MISSING);
    stage_end(&s);
}

KW_SUITE("hsm/front/recycle")
