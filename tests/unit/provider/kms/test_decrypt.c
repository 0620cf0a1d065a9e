/* SPDX-License-Identifier: Apache-2.0 */
#include "kms_rig.h"

#include <keyward/envelope.h>

static const uint8_t seed_bytes[32] = "0123456789abcdef0123456789abcde";
#define SEED kw_span_of(seed_bytes, 32)

/* Every refusal that must not cost an HSM call. */
static void refused(const char *key_id, kw_span ct, enum kw_code want)
{
    struct rig *r = rig_open();
    struct kw_request *c = rig_decrypt(r, 0, 0, key_id, ct);
    CHECK(rig_ended(r, 0, want));
    CHECK(r->hsm.submitted == 0);
    CHECK(c->seed.ptr == NULL);
    rig_close(r);
}

TEST(begin__empty_ciphertext__bad_input)
{
    refused(RIG_KEY_1, kw_span_of(NULL, 0), KW_CODE_BAD_INPUT);
}

TEST(begin__ciphertext_over_1024__bad_input)
{
    static uint8_t big[1025] = {1, 1, 1, 3, 'a', 'b', 'c'};
    refused(RIG_KEY_1, kw_span_of(big, sizeof big), KW_CODE_BAD_INPUT);
}

TEST(begin__no_key_id__bad_input)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    kw_test_arena(1 << 16);
    kw_span ct = rig_seal(NULL, "secrets", RIG_KEY_1, SEED, out);
    kw_arena_close();
    refused("", ct, KW_CODE_BAD_INPUT);
}

TEST(begin__trailing_byte__bad_input_and_no_job)
{
    uint8_t out[KW_CIPHERTEXT_MAX + 1];
    kw_test_arena(1 << 16);
    kw_span ct = rig_seal(NULL, "secrets", RIG_KEY_1, SEED, out);
    kw_arena_close();
    ct.len++;
    refused(RIG_KEY_1, ct, KW_CODE_BAD_INPUT);
}

TEST(begin__unknown_key_id__unknown_key_and_no_job)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    kw_test_arena(1 << 16);
    kw_span ct = rig_seal(NULL, "secrets", RIG_KEY_1, SEED, out);
    kw_arena_close();
    refused("kw1-9-0123456789abcdef01234567", ct, KW_CODE_UNKNOWN_KEY);
}

TEST(begin__other_scope__denied_and_no_job)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    kw_test_arena(1 << 16);
    kw_span ct = rig_seal(NULL, "bulk", RIG_KEY_1, SEED, out);
    kw_arena_close();
    refused(RIG_KEY_1, ct, KW_CODE_DENIED);
}

TEST(begin__annotations__bad_input_and_no_job)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    struct kw_request *c = &r->calls[0];
    *c = (struct kw_request){.method = KW_METHOD_DECRYPT,
                             .until = KW_NEVER,
                             .has_annotations = true,
                             .key_id = kw_span_str(RIG_KEY_1)};
    c->ciphertext = rig_seal(r, "secrets", RIG_KEY_1, SEED, out);
    /* begun by hand: the rig's own helper sets no annotations */
    struct kw_request *probe = rig_status(r, 1, 0);
    c->done = probe->done;
    kw_kms_begin(r->kms, c);
    CHECK(rig_ended(r, 0, KW_CODE_BAD_INPUT));
    CHECK(r->hsm.submitted == 0);
    rig_close(r);
}

TEST(begin__check_blob_as_seed__bad_input)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    kw_span ct = rig_seal(r, "secrets", RIG_KEY_1, SEED, out);
    out[1] = KW_PURPOSE_CHECK;
    rig_decrypt(r, 0, 0, RIG_KEY_1, ct);
    CHECK(rig_ended(r, 0, KW_CODE_BAD_INPUT));
    rig_close(r);
}

TEST(begin__version_disabled__its_own_error)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    r->hsm.version_err = kw_err_at(KW_CODE_KEY_DISABLED, "state");
    rig_decrypt(r, 0, 0, RIG_KEY_2, rig_seal(r, "secrets", RIG_KEY_2, SEED, out));
    CHECK(rig_ended(r, 0, KW_CODE_KEY_DISABLED));
    CHECK(r->hsm.submitted == 0);
    rig_close(r);
}

TEST(begin__any_bit_changed__never_a_plaintext)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    kw_span ct = rig_seal(r, "secrets", RIG_KEY_1, SEED, out);
    for (size_t bit = 0; bit < ct.len * 8; bit++) {
        out[bit / 8] ^= (uint8_t)(1u << bit % 8);
        r->done[0] = 0;
        struct kw_request *c = rig_decrypt(r, 0, 0, RIG_KEY_1, ct);
        rig_run(r);
        CHECK(r->done[0] == 1);
        CHECK(kw_failed(c->err) && c->seed.ptr == NULL);
        out[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    rig_close(r);
}

TEST(begin__good_ciphertext__the_seed_from_the_hsm_then_from_memory)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    kw_span ct = rig_seal(r, "secrets", RIG_KEY_1, SEED, out);
    struct kw_request *c = rig_decrypt(r, 0, 0, RIG_KEY_1, ct);
    CHECK(r->done[0] == 0 && r->hsm.flushed == 1);
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_OK));
    CHECK(kw_span_equal(kw_secret_peek(&c->seed), SEED));
    CHECK(c->source == KW_SOURCE_HSM);
    CHECK_STR(c->token, "fake");
    struct kw_request *again = rig_decrypt(r, 1, 0, RIG_KEY_1, ct);
    CHECK(rig_ended(r, 1, KW_CODE_OK));
    CHECK(again->source == KW_SOURCE_CACHE && r->hsm.submitted == 1);
    CHECK(kw_span_equal(kw_secret_peek(&again->seed), SEED));
    rig_close(r);
}

TEST(begin__other_class__its_own_cache)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    kw_span ct = rig_seal(r, "old", RIG_KEY_1, SEED, out);
    rig_decrypt(r, 0, 0, RIG_KEY_1, ct); /* accepted scope */
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_OK));
    rig_decrypt(r, 1, 1, RIG_KEY_1, ct);
    CHECK(rig_ended(r, 1, KW_CODE_DENIED));
    rig_close(r);
}

TEST(begin__equal_requests_in_flight__one_job_for_all)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct kw_class_stats stats;
    struct rig *r = rig_open();
    kw_span ct = rig_seal(r, "secrets", RIG_KEY_1, SEED, out);
    for (unsigned i = 0; i < 10; i++)
        rig_decrypt(r, i, 0, RIG_KEY_1, ct);
    CHECK(rig_waiting(r) == 1);
    rig_run(r);
    for (unsigned i = 0; i < 10; i++) {
        CHECK(rig_ended(r, i, KW_CODE_OK));
        CHECK(kw_span_equal(kw_secret_peek(&r->calls[i].seed), SEED));
    }
    kw_kms_stats(r->kms, 0, &stats);
    CHECK(stats.joined == 9 &&
          stats.methods[KW_METHOD_DECRYPT].outcomes[KW_CODE_OK] == 10);
    rig_close(r);
}

TEST(begin__joined_and_it_fails__all_fail)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    kw_span ct = rig_seal(r, "secrets", RIG_KEY_1, SEED, out);
    for (unsigned i = 0; i < 3; i++)
        rig_decrypt(r, i, 0, RIG_KEY_1, ct);
    r->hsm.answer_err = kw_err_at(KW_CODE_HSM_DOWN, "C_Decrypt");
    rig_run(r);
    for (unsigned i = 0; i < 3; i++)
        CHECK(rig_ended(r, i, KW_CODE_HSM_DOWN));
    rig_close(r);
}

TEST(begin__wrong_answer__no_reply_distrust_and_nothing_cached)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    kw_log_setup(2, KW_LOG_ERROR + 1, KW_LOG_LOGFMT, &r->clock);
    kw_span ct = rig_seal(r, "secrets", RIG_KEY_1, SEED, out);
    rig_decrypt(r, 0, 0, RIG_KEY_1, ct);
    rig_decrypt(r, 1, 0, RIG_KEY_1, ct);
    r->hsm.flip_at = 3;
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_WRONG_ANSWER));
    CHECK(rig_ended(r, 1, KW_CODE_WRONG_ANSWER));
    CHECK(r->calls[0].seed.ptr == NULL && r->calls[1].seed.ptr == NULL);
    CHECK(r->hsm.distrusted == 1);
    r->hsm.flip_at = -1;
    rig_decrypt(r, 2, 0, RIG_KEY_1, ct);
    CHECK(r->done[2] == 0); /* not from memory */
    rig_run(r);
    CHECK(rig_ended(r, 2, KW_CODE_OK));
    rig_close(r);
}

TEST(begin__answer_of_another_ciphertext__wrong_answer)
{
    uint8_t one[KW_CIPHERTEXT_MAX], two[KW_CIPHERTEXT_MAX];
    static const uint8_t other[32] = "another seed of the same length";
    struct rig *r = rig_open();
    kw_log_setup(2, KW_LOG_ERROR + 1, KW_LOG_LOGFMT, &r->clock);
    rig_decrypt(r, 0, 0, RIG_KEY_1, rig_seal(r, "secrets", RIG_KEY_1, SEED, one));
    rig_decrypt(r, 1, 0, RIG_KEY_1,
                rig_seal(r, "secrets", RIG_KEY_1, kw_span_of(other, 32), two));
    /* a library that hands out somebody else's answer: same class, key and length */
    kw_hsm_done *done = r->hsm.jobs[0].done;
    void *ctx = r->hsm.jobs[0].ctx;
    r->hsm.jobs[0].ctx = r->hsm.jobs[1].ctx;
    r->hsm.jobs[1].ctx = ctx;
    CHECK(done == r->hsm.jobs[1].done);
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_WRONG_ANSWER));
    CHECK(rig_ended(r, 1, KW_CODE_WRONG_ANSWER));
    rig_close(r);
}

TEST(cancel__the_only_waiter__the_job_goes_too)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    struct kw_request *c =
        rig_decrypt(r, 0, 0, RIG_KEY_1, rig_seal(r, "secrets", RIG_KEY_1, SEED, out));
    kw_kms_cancel(r->kms, c);
    CHECK(rig_ended(r, 0, KW_CODE_CANCELLED));
    CHECK(r->hsm.cancelled == 1 && rig_waiting(r) == 0);
    kw_kms_cancel(r->kms, c); /* again: nothing happens */
    CHECK(r->done[0] == 1);
    rig_close(r);
}

/* Three wait for the same; one of them goes away, whichever it is. */
TEST(cancel__one_of_three_waiters__the_others_are_served)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    for (unsigned leaver = 0; leaver < 3; leaver++) {
        kw_span ct = rig_seal(r, "secrets", RIG_KEY_1, SEED, out);
        for (unsigned i = 0; i < 3; i++) {
            r->done[i] = 0;
            kw_secret_wipe(&r->calls[i].seed);
            rig_decrypt(r, i, 0, RIG_KEY_1, ct);
        }
        kw_kms_cancel(r->kms, &r->calls[leaver]);
        for (unsigned i = 0; i < 3; i++)
            CHECK(r->done[i] == (i == leaver));
        CHECK(r->hsm.cancelled == 0);
        rig_run(r);
        for (unsigned i = 0; i < 3; i++)
            CHECK(rig_ended(r, i, i == leaver ? KW_CODE_CANCELLED : KW_CODE_OK));
    }
    rig_close(r);
}

TEST(tick__the_newest_waiter_is_over_first__the_others_wait_on)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    kw_span ct = rig_seal(r, "secrets", RIG_KEY_1, SEED, out);
    rig_decrypt(r, 0, 0, RIG_KEY_1, ct);
    rig_until(r, 1, r->time.now_ns + KW_MS_NS);
    rig_decrypt(r, 1, 0, RIG_KEY_1, ct);
    r->time.now_ns += 2 * KW_MS_NS;
    kw_kms_tick(r->kms);
    CHECK(rig_ended(r, 1, KW_CODE_DEADLINE));
    CHECK(r->done[0] == 0);
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_OK));
    rig_close(r);
}

TEST(begin__the_token_itself_says_wrong_answer__alarm_and_distrust)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    kw_log_setup(2, KW_LOG_ERROR + 1, KW_LOG_LOGFMT, &r->clock);
    rig_decrypt(r, 0, 0, RIG_KEY_1, rig_seal(r, "secrets", RIG_KEY_1, SEED, out));
    r->hsm.answer_err = kw_err_at(KW_CODE_WRONG_ANSWER, "C_Decrypt");
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_WRONG_ANSWER));
    CHECK(r->hsm.distrusted == 1);
    rig_encrypt(r, 1, 0, SEED);
    rig_run(r);
    CHECK(rig_ended(r, 1, KW_CODE_WRONG_ANSWER));
    CHECK(r->hsm.distrusted == 2);
    rig_close(r);
}

TEST(cancel__answer_already_under_way__the_answer_is_dropped)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    struct kw_request *c =
        rig_decrypt(r, 0, 0, RIG_KEY_1, rig_seal(r, "secrets", RIG_KEY_1, SEED, out));
    r->hsm.cancel_too_late = true;
    kw_kms_cancel(r->kms, c);
    CHECK(rig_ended(r, 0, KW_CODE_CANCELLED));
    rig_run(r);
    CHECK(r->done[0] == 1);
    rig_close(r);
}

TEST(tick__deadline_over__each_waiter_by_its_own)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    kw_span ct = rig_seal(r, "secrets", RIG_KEY_1, SEED, out);
    rig_decrypt(r, 0, 0, RIG_KEY_1, ct);
    r->time.now_ns += KW_S_NS;
    rig_decrypt(r, 1, 0, RIG_KEY_1, ct);
    CHECK(r->hsm.extended == 1); /* the job lives as long as its latest waiter */
    r->time.now_ns += 600 * KW_MS_NS;
    kw_kms_tick(r->kms);
    CHECK(rig_ended(r, 0, KW_CODE_DEADLINE));
    CHECK(r->done[1] == 0);
    rig_run(r);
    CHECK(rig_ended(r, 1, KW_CODE_OK));
    rig_close(r);
}

/* Call 0 asked first; 1 joins when the job has ended and its answer is on its way.  The
 * answer. */
static struct rig *join_late(enum kw_code answer)
{
    static uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    kw_span ct = rig_seal(r, "secrets", RIG_KEY_1, SEED, out);
    rig_decrypt(r, 0, 0, RIG_KEY_1, ct);
    r->time.now_ns += KW_S_NS;
    r->hsm.ended = true;
    rig_decrypt(r, 1, 0, RIG_KEY_1, ct);
    CHECK(rig_waiting(r) == 1);
    r->hsm.answer_err = (kw_err){.code = answer, .where = "queue"};
    rig_run_one(r);
    r->hsm.ended = false;
    r->hsm.answer_err = KW_OK;
    return r;
}

static void check_its_own_job(enum kw_code failure)
{
    struct rig *r = join_late(failure);
    CHECK(rig_ended(r, 0, failure));
    CHECK(r->done[1] == 0 && rig_waiting(r) == 1 && r->hsm.flushed == 2);
    rig_run(r);
    CHECK(rig_ended(r, 1, KW_CODE_OK));
    rig_close(r);
}

TEST(join__after_the_deadline_of_the_first__a_job_of_its_own)
{
    check_its_own_job(KW_CODE_DEADLINE);
}

TEST(join__after_the_worker_of_the_first_ended__a_job_of_its_own)
{
    check_its_own_job(KW_CODE_HSM_DOWN);
}

TEST(join__after_the_end__what_is_said_of_the_data_is_shared)
{
    struct rig *r = join_late(KW_CODE_FORGED);
    CHECK(rig_ended(r, 0, KW_CODE_FORGED) && rig_ended(r, 1, KW_CODE_FORGED));
    rig_close(r);
}

TEST(join__after_the_end__the_seed_is_shared)
{
    struct rig *r = join_late(KW_CODE_OK);
    CHECK(rig_ended(r, 0, KW_CODE_OK) && rig_ended(r, 1, KW_CODE_OK));
    CHECK(r->hsm.submitted == 1);
    rig_close(r);
}

TEST(join__several_after_the_deadline__one_job_for_them_each_with_its_own_deadline)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    kw_span ct = rig_seal(r, "secrets", RIG_KEY_1, SEED, out);
    rig_decrypt(r, 0, 0, RIG_KEY_1, ct);
    r->hsm.ended = true;
    for (unsigned i = 1; i < 4; i++) {
        r->time.now_ns += KW_MS_NS;
        rig_decrypt(r, i, 0, RIG_KEY_1, ct);
    }
    rig_until(r, 4, r->time.now_ns + KW_MS_NS); /* its own is nearer than the first's */
    rig_decrypt(r, 4, 0, RIG_KEY_1, ct);
    r->hsm.answer_err = kw_err_at(KW_CODE_DEADLINE, "queue");
    r->hsm.ended = false;
    rig_run_one(r);
    CHECK(rig_ended(r, 0, KW_CODE_DEADLINE) && rig_ended(r, 4, KW_CODE_DEADLINE));
    CHECK(rig_waiting(r) == 1 && r->hsm.submitted == 2);
    kw_kms_cancel(r->kms, &r->calls[2]);
    r->hsm.answer_err = KW_OK;
    rig_run(r);
    CHECK(rig_ended(r, 1, KW_CODE_OK) && rig_ended(r, 3, KW_CODE_OK));
    CHECK(rig_ended(r, 2, KW_CODE_CANCELLED));
    rig_close(r);
}

TEST(join__after_the_deadline_and_no_job_is_taken__the_same_failure)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    kw_span ct = rig_seal(r, "secrets", RIG_KEY_1, SEED, out);
    rig_decrypt(r, 0, 0, RIG_KEY_1, ct);
    r->time.now_ns += KW_S_NS;
    r->hsm.ended = true;
    rig_decrypt(r, 1, 0, RIG_KEY_1, ct);
    r->hsm.submit_err = kw_err_at(KW_CODE_BUSY, "queue");
    r->hsm.answer_err = kw_err_at(KW_CODE_DEADLINE, "queue");
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_DEADLINE) && rig_ended(r, 1, KW_CODE_DEADLINE));
    rig_close(r);
}

TEST(begin__queue_full__busy_at_once)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = rig_open();
    r->hsm.submit_err = kw_err_at(KW_CODE_BUSY, "queue");
    rig_decrypt(r, 0, 0, RIG_KEY_1, rig_seal(r, "secrets", RIG_KEY_1, SEED, out));
    CHECK(rig_ended(r, 0, KW_CODE_BUSY));
    rig_close(r);
}

KW_CASES(
    "provider/kms/decrypt", CASE(begin__empty_ciphertext__bad_input),
    CASE(begin__ciphertext_over_1024__bad_input), CASE(begin__no_key_id__bad_input),
    CASE(begin__trailing_byte__bad_input_and_no_job),
    CASE(begin__unknown_key_id__unknown_key_and_no_job),
    CASE(begin__other_scope__denied_and_no_job),
    CASE(begin__annotations__bad_input_and_no_job),
    CASE(begin__check_blob_as_seed__bad_input),
    CASE(begin__version_disabled__its_own_error),
    CASE(begin__any_bit_changed__never_a_plaintext),
    CASE(begin__good_ciphertext__the_seed_from_the_hsm_then_from_memory),
    CASE(begin__other_class__its_own_cache),
    CASE(begin__equal_requests_in_flight__one_job_for_all),
    CASE(begin__joined_and_it_fails__all_fail),
    CASE(begin__wrong_answer__no_reply_distrust_and_nothing_cached),
    CASE(begin__answer_of_another_ciphertext__wrong_answer),
    CASE(cancel__the_only_waiter__the_job_goes_too),
    CASE(cancel__one_of_three_waiters__the_others_are_served),
    CASE(tick__the_newest_waiter_is_over_first__the_others_wait_on),
    CASE(begin__the_token_itself_says_wrong_answer__alarm_and_distrust),
    CASE(cancel__answer_already_under_way__the_answer_is_dropped),
    CASE(tick__deadline_over__each_waiter_by_its_own),
    CASE(join__after_the_deadline_of_the_first__a_job_of_its_own),
    CASE(join__after_the_worker_of_the_first_ended__a_job_of_its_own),
    CASE(join__after_the_end__what_is_said_of_the_data_is_shared),
    CASE(join__after_the_end__the_seed_is_shared),
    CASE(join__several_after_the_deadline__one_job_for_them_each_with_its_own_deadline),
    CASE(join__after_the_deadline_and_no_job_is_taken__the_same_failure),
    CASE(begin__queue_full__busy_at_once))
