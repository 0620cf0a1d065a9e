/* SPDX-License-Identifier: Apache-2.0 */
/* Which worker gets a job. */
#include "stage.h"

#define TEXT "twenty bytes of text" /* so 4 bytes come out */

static struct stage s;

TEST(two_jobs__two_workers__one_each)
{
    struct outcome a, b;
    stage_begin(&s);
    stage_open(&s);
    start_two(&s);
    CHECK_OK(ask(&s, K2, TEXT, &a));
    CHECK_OK(ask(&s, K2, TEXT, &b));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    fake_answer(&s, 1, fake_take(&s, 1, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(a.done && b.done && !kw_failed(a.err) && !kw_failed(b.err));
    stage_end(&s);
}

/* A reload replaces workers one for one; those that are left go on with the keys that
 * they have, and are asked no canary of the keyring in use. */
TEST(worker_of_an_earlier_keyring__goes_on_with_what_it_knows)
{
    struct outcome a, b;
    struct kw_wire_job job;
    stage_begin(&s);
    stage_open(&s);
    start_two(&s);
    stage_use_next(&s);
    fake_ready(&s, 2); /* one of the two that were there leaves for it */
    CHECK_OK(ask(&s, K3, TEXT, &a));
    CHECK(!fake_job(&s, 0, &job) && !fake_job(&s, 1, &job));
    fake_answer(&s, 2, fake_take(&s, 2, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK_OK(ask(&s, K1, TEXT, &b));
    CHECK(!fake_job(&s, 1, &job));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(a.done && b.done && !kw_failed(a.err) && !kw_failed(b.err));
    stage_pass(&s, s.options.times.probe_every_ns);
    CHECK(!fake_job(&s, 0, &job));
    CHECK(fake_take(&s, 2, KW_WIRE_CANARY) != 0);
    stage_end(&s);
}

/* The worker that knows it not would answer that there is no such key. */
TEST(version_that_only_the_new_keyring_has__waits_for_a_new_worker)
{
    struct outcome o;
    struct kw_wire_job job;
    stage_begin(&s);
    stage_open(&s);
    start_two(&s);
    stage_use_next(&s);
    fake_ready(&s, 2);
    s.fakes[2].killed = true;
    fake_dies(&s, 2);
    CHECK_OK(ask(&s, K3, TEXT, &o));
    CHECK(!fake_job(&s, 0, &job));
    fake_ready(&s, 3);
    fake_answer(&s, 3, fake_take(&s, 3, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(o.done && !kw_failed(o.err));
    stage_end(&s);
}

static void rest(unsigned i, int64_t until_ns)
{
    kw_lock_take(&s.lock);
    s.front->tokens[0].workers[i]->pace.rest_until_ns = until_ns;
    kw_lock_give(&s.lock);
}

/* A job that waited while the keyring was swapped, and whose first worker ended: an older
 * one knows the key, and does not do what the keyring in use forbids. */
static void expect_only_for_new_workers(enum kw_hsm_op op, const char *key_id)
{
    struct outcome o;
    struct kw_wire_job job;
    stage_begin(&s);
    stage_open(&s);
    start_two(&s);
    rest(0, INT64_MAX);
    rest(1, INT64_MAX);
    CHECK_OK(ask_to(&s, op, key_id, TEXT, &o));
    stage_use_next_but_the_first(&s, KW_KEY_DISABLED);
    fake_ready(&s, 2); /* it is sent there, and not begun */
    s.fakes[2].killed = true;
    fake_dies(&s, 2);
    rest(0, 0);
    stage_pass(&s, KW_S_NS / 2);
    CHECK(!fake_job(&s, 0, &job) && !o.done);
    fake_ready(&s, 3);
    CHECK(fake_job(&s, 3, &job));
    fake_answer(&s, 3, job.id, kw_err_at(KW_CODE_KEY_DISABLED, "keyring"), "");
    CHECK(o.done && o.err.code == KW_CODE_KEY_BAD);
    stage_end(&s);
}

TEST(worker_of_an_earlier_keyring__nothing_of_a_version_that_is_disabled_now)
{
    expect_only_for_new_workers(KW_HSM_UNWRAP, K1);
}

TEST(worker_of_an_earlier_keyring__no_wrap_under_what_is_active_no_more)
{
    expect_only_for_new_workers(KW_HSM_WRAP, K2);
}

/* Who waits for its answer before it asks again, beside one who always has many waiting:
 * one of the fake's operations is its, and as many others go before it as `between`. */
static unsigned others_before(unsigned between)
{
    enum { GREEDY = 20 };
    static struct outcome greedy[GREEDY];
    struct outcome lone;
    unsigned others = 0;
    s.share = 0;
    CHECK_OK(ask(&s, K2, TEXT, &lone)); /* the front has seen how slow it is */
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    for (unsigned i = 0; i < GREEDY; i++)
        CHECK_OK(ask(&s, K2, TEXT, &greedy[i]));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    s.share = 1;
    for (unsigned turn = 0; turn < 3; turn++) {
        CHECK_OK(ask(&s, K2, TEXT, &lone));
        for (; !lone.done; others++)
            fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
        CHECK_OK(lone.err);
        others--;
    }
    CHECK(others <= 3 * between);
    return others;
}

static void begin_with_two_shares(int64_t op_ns)
{
    stage_begin(&s);
    s.options.shares = 2;
    s.op_ns = op_ns;
    stage_open(&s);
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, 0);
    fake_canaries(&s, 0);
}

TEST(lone_share_beside_a_greedy_one__slow_token__a_third_at_least)
{
    begin_with_two_shares(5 * KW_MS_NS);
    CHECK(others_before(2) > 0);
    stage_end(&s);
}

/* Nothing lies in the worker's hands beforehand. */
TEST(lone_share_beside_a_greedy_one__very_slow_token__half)
{
    begin_with_two_shares(50 * KW_MS_NS);
    CHECK(others_before(1) > 0);
    stage_end(&s);
}

KW_CASES("hsm/front/pump", CASE(two_jobs__two_workers__one_each),
         CASE(worker_of_an_earlier_keyring__goes_on_with_what_it_knows),
         CASE(version_that_only_the_new_keyring_has__waits_for_a_new_worker),
         CASE(lone_share_beside_a_greedy_one__slow_token__a_third_at_least),
         CASE(lone_share_beside_a_greedy_one__very_slow_token__half),
         CASE(worker_of_an_earlier_keyring__nothing_of_a_version_that_is_disabled_now),
         CASE(worker_of_an_earlier_keyring__no_wrap_under_what_is_active_no_more))
