/* SPDX-License-Identifier: Apache-2.0 */
#include "kms_rig.h"

#include <keyward/envelope.h>

static const uint8_t seed_bytes[257] = "0123456789abcdef0123456789abcde";
#define SEED kw_span_of(seed_bytes, 32)

TEST(begin__empty__bad_input_and_no_job)
{
    struct rig *r = rig_open();
    rig_encrypt(r, 0, 0, kw_span_of(NULL, 0));
    CHECK(rig_ended(r, 0, KW_CODE_BAD_INPUT));
    CHECK(r->hsm.submitted == 0);
    rig_close(r);
}

TEST(begin__over_256_bytes__bad_input_and_no_job)
{
    struct rig *r = rig_open();
    rig_encrypt(r, 0, 0, kw_span_of(seed_bytes, 257));
    CHECK(rig_ended(r, 0, KW_CODE_BAD_INPUT));
    CHECK(r->hsm.submitted == 0 && r->calls[0].seed.ptr == NULL);
    rig_close(r);
}

TEST(begin__wrap_fails__the_error_and_no_ciphertext)
{
    struct rig *r = rig_open();
    r->hsm.answer_err = kw_err_at(KW_CODE_HSM_DOWN, "C_Encrypt");
    rig_encrypt(r, 0, 0, SEED);
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_HSM_DOWN));
    CHECK(r->calls[0].out_ciphertext_len == 0 && r->calls[0].out_key_id[0] == '\0');
    CHECK(r->calls[0].seed.ptr == NULL);
    rig_close(r);
}

TEST(begin__no_active_version__refused)
{
    struct rig *r = rig_open();
    r->hsm.health.active_n = 0;
    r->hsm.health.active_err = kw_err_at(KW_CODE_KEY_BAD, "find");
    rig_encrypt(r, 0, 0, SEED);
    CHECK(rig_ended(r, 0, KW_CODE_KEY_BAD));
    rig_close(r);
}

TEST(begin__unreadable_wrap__alarm_and_never_released)
{
    struct rig *r = rig_open();
    kw_log_setup(2, KW_LOG_ERROR + 1, KW_LOG_LOGFMT, &r->clock);
    rig_encrypt(r, 0, 0, SEED);
    r->hsm.flip_at = 5; /* the wrap comes back damaged */
    rig_run_one(r);
    r->hsm.flip_at = -1;
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_WRONG_ANSWER));
    CHECK(r->hsm.distrusted == 1);
    CHECK(r->calls[0].out_ciphertext_len == 0);
    rig_close(r);
}

TEST(begin__wrap_of_another_length__alarm_and_never_released)
{
    struct rig *r = rig_open();
    struct kw_arena_info before, after;
    kw_arena_info(&before);
    r->hsm.cut = true;
    struct kw_request *c = rig_encrypt(r, 0, 0, kw_span_str("seed"));
    rig_run(r);
    kw_arena_info(&after);
    CHECK(r->done[0] == 1 && c->err.code == KW_CODE_WRONG_ANSWER);
    CHECK(r->hsm.distrusted == 1 && c->out_ciphertext_len == 0);
    CHECK(after.used == before.used);
    rig_close(r);
}

TEST(begin__verify_opens_to_something_else__alarm_and_distrust)
{
    struct rig *r = rig_open();
    kw_log_setup(2, KW_LOG_ERROR + 1, KW_LOG_LOGFMT, &r->clock);
    rig_encrypt(r, 0, 0, SEED);
    rig_run_one(r);
    r->hsm.flip_at = 5;
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_WRONG_ANSWER));
    CHECK(r->hsm.distrusted == 1 && r->calls[0].out_ciphertext_len == 0);
    rig_close(r);
}

/* Whoever says so has a key that opens what is good. */
TEST(begin__what_one_token_wrapped_is_forged_for_another__the_first_is_distrusted)
{
    struct rig *r = rig_open();
    kw_log_setup(2, KW_LOG_ERROR + 1, KW_LOG_LOGFMT, &r->clock);
    rig_encrypt(r, 0, 0, SEED);
    rig_run_one(r);
    r->hsm.token = "another";
    r->hsm.answer_err = kw_err_at(KW_CODE_FORGED, "C_Decrypt");
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_WRONG_ANSWER));
    CHECK(r->hsm.distrusted == 1 && r->calls[0].out_ciphertext_len == 0);
    CHECK_STR(r->hsm.blamed, "fake");
    rig_close(r);
}

TEST(begin__another_token_itself_says_wrong_answer__it_is_distrusted)
{
    struct rig *r = rig_open();
    kw_log_setup(2, KW_LOG_ERROR + 1, KW_LOG_LOGFMT, &r->clock);
    rig_encrypt(r, 0, 0, SEED);
    rig_run_one(r);
    r->hsm.token = "another";
    r->hsm.answer_err = kw_err_at(KW_CODE_WRONG_ANSWER, "C_Decrypt");
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_WRONG_ANSWER));
    CHECK_STR(r->hsm.blamed, "another");
    rig_close(r);
}

TEST(begin__good__wrapped_verified_and_decryptable)
{
    struct rig *r = rig_open();
    struct kw_request *c = rig_encrypt(r, 0, 1, SEED);
    rig_run_one(r);
    CHECK(r->done[0] == 0 && rig_waiting(r) == 1); /* the verify */
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_OK));
    CHECK_STR(c->out_key_id, RIG_KEY_1);
    CHECK(c->seed.ptr == NULL); /* wiped */
    struct kw_envelope env;
    kw_span ct = kw_span_of(c->out_ciphertext, c->out_ciphertext_len);
    CHECK_OK(kw_envelope_parse(ct, &env));
    CHECK(kw_span_equal_str(env.scope, "bulk"));
    struct kw_request *d = rig_decrypt(r, 1, 1, RIG_KEY_1, ct);
    CHECK(r->done[1] == 0); /* Encrypt does not fill the cache */
    rig_run(r);
    CHECK(rig_ended(r, 1, KW_CODE_OK));
    CHECK(kw_span_equal(kw_secret_peek(&d->seed), SEED));
    CHECK(r->hsm.verifies == 1); /* the Encrypt's unwrap, and not the Decrypt's */
    rig_close(r);
}

TEST(begin__twice__different_ciphertexts)
{
    struct rig *r = rig_open();
    for (unsigned i = 0; i < 2; i++)
        rig_encrypt(r, i, 0, SEED);
    rig_run(r);
    CHECK(r->calls[0].out_ciphertext_len == r->calls[1].out_ciphertext_len);
    CHECK(memcmp(r->calls[0].out_ciphertext, r->calls[1].out_ciphertext,
                 r->calls[0].out_ciphertext_len) != 0);
    rig_close(r);
}

TEST(begin__every_size__round_trip)
{
    struct rig *r = rig_open();
    for (size_t n = 1; n <= KW_SEED_MAX; n += 51) {
        r->done[0] = r->done[1] = 0;
        struct kw_request *c = rig_encrypt(r, 0, 0, kw_span_of(seed_bytes, n));
        rig_run(r);
        CHECK(rig_ended(r, 0, KW_CODE_OK));
        struct kw_request *d = rig_decrypt(
            r, 1, 0, RIG_KEY_1, kw_span_of(c->out_ciphertext, c->out_ciphertext_len));
        rig_run(r);
        CHECK(rig_ended(r, 1, KW_CODE_OK) && d->seed.len == n);
        kw_secret_wipe(&d->seed);
    }
    rig_close(r);
}

TEST(cancel__between_wrap_and_verify__dropped)
{
    struct rig *r = rig_open();
    struct kw_request *c = rig_encrypt(r, 0, 0, SEED);
    rig_run_one(r);
    kw_kms_cancel(r->kms, c);
    CHECK(rig_ended(r, 0, KW_CODE_CANCELLED));
    CHECK(rig_waiting(r) == 0 && c->seed.ptr == NULL && c->out_ciphertext_len == 0);
    rig_close(r);
}

TEST(cancel__answer_already_under_way__the_answer_finishes_it)
{
    struct rig *r = rig_open();
    struct kw_request *c = rig_encrypt(r, 0, 0, SEED);
    r->hsm.cancel_too_late = true;
    kw_kms_cancel(r->kms, c);
    CHECK(r->done[0] == 0);
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_OK));
    rig_close(r);
}

TEST(tick__deadline_over__deadline)
{
    struct rig *r = rig_open();
    rig_encrypt(r, 0, 0, SEED);
    CHECK(r->hsm.jobs[0].until.mono_ns == r->time.now_ns + 1500 * KW_MS_NS);
    r->time.now_ns += 1500 * KW_MS_NS;
    kw_kms_tick(r->kms);
    CHECK(rig_ended(r, 0, KW_CODE_DEADLINE));
    CHECK(r->hsm.cancelled == 1);
    rig_close(r);
}

static void make_active(struct rig *r, const char *key_id)
{
    r->hsm.health.active_n++;
    kw_copy_str(r->hsm.health.active_key_id, sizeof r->hsm.health.active_key_id,
                kw_span_str(key_id));
}

/* The version that it began with may be disabled by now: what is released was wrapped
 * under the active one. */
TEST(begin__another_version_becomes_active__once_more_with_that_one)
{
    for (unsigned before = 0; before < 2; before++) {
        struct rig *r = rig_open();
        struct kw_arena_info used, after;
        kw_arena_info(&used);
        struct kw_request *c = rig_encrypt(r, 0, 0, SEED);
        if (before == 1)
            rig_run_one(r);
        make_active(r, RIG_KEY_2);
        rig_run(r);
        CHECK(rig_ended(r, 0, KW_CODE_OK));
        CHECK_STR(c->out_key_id, RIG_KEY_2);
        CHECK(r->hsm.submitted == 4 && r->hsm.wrapped == 1);
        kw_arena_info(&after);
        CHECK(after.used == used.used);
        rig_decrypt(r, 1, 0, RIG_KEY_2,
                    kw_span_of(c->out_ciphertext, c->out_ciphertext_len));
        rig_run(r);
        CHECK(rig_ended(r, 1, KW_CODE_OK));
        rig_close(r);
        kw_arena_close();
    }
}

/* A worker of the next keyring does not wrap under the one before. */
TEST(begin__wrap_refused_as_another_version_became_active__once_more_with_that_one)
{
    struct rig *r = rig_open();
    struct kw_request *c = rig_encrypt(r, 0, 0, SEED);
    make_active(r, RIG_KEY_2);
    r->hsm.answer_err = kw_err_at(KW_CODE_KEY_BAD, "keyring");
    rig_run_one(r);
    r->hsm.answer_err = KW_OK;
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_OK));
    CHECK_STR(c->out_key_id, RIG_KEY_2);
    rig_close(r);
}

KW_CASES(
    "provider/kms/encrypt", CASE(begin__empty__bad_input_and_no_job),
    CASE(begin__over_256_bytes__bad_input_and_no_job),
    CASE(begin__wrap_fails__the_error_and_no_ciphertext),
    CASE(begin__no_active_version__refused),
    CASE(begin__unreadable_wrap__alarm_and_never_released),
    CASE(begin__wrap_of_another_length__alarm_and_never_released),
    CASE(begin__verify_opens_to_something_else__alarm_and_distrust),
    CASE(begin__good__wrapped_verified_and_decryptable),
    CASE(begin__twice__different_ciphertexts), CASE(begin__every_size__round_trip),
    CASE(cancel__between_wrap_and_verify__dropped),
    CASE(cancel__answer_already_under_way__the_answer_finishes_it),
    CASE(tick__deadline_over__deadline),
    CASE(begin__another_version_becomes_active__once_more_with_that_one),
    CASE(begin__wrap_refused_as_another_version_became_active__once_more_with_that_one))
