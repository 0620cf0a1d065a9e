/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypt and Decrypt while starting; Status is in test_status.c. */
#include "kms_rig.h"

static const uint8_t seed_bytes[32] = {7};

static kw_span seed(void)
{
    return kw_span_of(seed_bytes, sizeof seed_bytes);
}

static struct rig *starting(void)
{
    struct rig *r = rig_open();
    r->hsm.health.state = KW_HSM_STARTING;
    return r;
}

static void is_up(struct rig *r)
{
    r->hsm.health.state = KW_HSM_UP;
    kw_kms_tick(r->kms);
}

static void decrypt_of(struct rig *r, unsigned i, const char *key_id)
{
    static uint8_t out[RIG_CALLS][KW_CIPHERTEXT_MAX]; /* lent until the call is done */
    rig_decrypt(r, i, 0, key_id, rig_seal(r, "secrets", key_id, seed(), out[i]));
}

TEST(begin__known_to_fail__the_reason_at_once)
{
    struct rig *r = starting();
    r->hsm.health.why = kw_err_at(KW_CODE_PIN_STOP, "C_Login");
    rig_encrypt(r, 0, 0, seed());
    decrypt_of(r, 1, RIG_KEY_1);
    CHECK(rig_ended(r, 0, KW_CODE_PIN_STOP) && rig_ended(r, 1, KW_CODE_PIN_STOP));
    rig_close(r);
}

TEST(held__the_first_login_fails__the_reason_and_no_longer)
{
    struct rig *r = starting();
    rig_encrypt(r, 0, 0, seed());
    decrypt_of(r, 1, RIG_KEY_1);
    kw_kms_tick(r->kms);
    CHECK(r->done[0] == 0 && r->done[1] == 0);
    r->hsm.health.why = kw_err_at(KW_CODE_HSM_DOWN, "C_OpenSession");
    kw_kms_tick(r->kms);
    CHECK(rig_ended(r, 0, KW_CODE_HSM_DOWN) && rig_ended(r, 1, KW_CODE_HSM_DOWN));
    rig_close(r);
}

TEST(held__the_audit_log_fails__its_reason)
{
    struct rig *r = rig_open_recorded(false);
    r->hsm.health.state = KW_HSM_STARTING;
    rig_encrypt(r, 0, 0, seed());
    CHECK(r->done[0] == 0);
    r->audit.health = kw_err_at(KW_CODE_AUDIT, "fdatasync");
    r->audit.put_err = r->audit.health;
    kw_kms_tick(r->kms);
    CHECK(rig_ended(r, 0, KW_CODE_AUDIT));
    rig_close(r);
}

TEST(held__its_clients_deadline_passes__starting)
{
    struct rig *r = starting();
    rig_until(r, 0, r->time.now_ns + 3 * KW_S_NS);
    rig_encrypt(r, 0, 0, seed());
    r->time.now_ns += 3 * KW_S_NS - 1;
    kw_kms_tick(r->kms);
    CHECK(r->done[0] == 0);
    r->time.now_ns += 1;
    kw_kms_tick(r->kms);
    CHECK(rig_ended(r, 0, KW_CODE_STARTING));
    CHECK(r->hsm.submitted == 0);
    rig_close(r);
}

TEST(held__client_without_a_deadline__starting_after_the_hold)
{
    struct rig *r = starting();
    decrypt_of(r, 0, RIG_KEY_1);
    r->time.now_ns += 10 * KW_S_NS - 1;
    kw_kms_tick(r->kms);
    CHECK(r->done[0] == 0);
    r->time.now_ns += 1;
    kw_kms_tick(r->kms);
    CHECK(rig_ended(r, 0, KW_CODE_STARTING));
    rig_close(r);
}

TEST(held__client_goes_away__cancelled)
{
    struct rig *r = starting();
    struct kw_request *c = rig_encrypt(r, 0, 0, seed());
    kw_kms_cancel(r->kms, c);
    CHECK(rig_ended(r, 0, KW_CODE_CANCELLED));
    is_up(r);
    CHECK(r->hsm.submitted == 0);
    rig_close(r);
}

/* Longer than a call has at the HSM, which begins when it is let go. */
TEST(held_long__up__answered_with_all_of_the_hsms_time)
{
    struct rig *r = starting();
    rig_encrypt(r, 0, 0, seed());
    decrypt_of(r, 1, RIG_KEY_1);
    r->time.now_ns += 9 * KW_S_NS;
    is_up(r);
    CHECK(rig_waiting(r) == 2);
    kw_kms_tick(r->kms);
    CHECK(rig_waiting(r) == 2);
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_OK) && rig_ended(r, 1, KW_CODE_OK));
    CHECK(kw_span_equal(kw_secret_peek(&r->calls[1].seed), seed()));
    rig_close(r);
}

TEST(held__ten_equal_decrypts__one_unwrap)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    struct rig *r = starting();
    kw_span sealed = rig_seal(r, "secrets", RIG_KEY_1, seed(), out);
    for (unsigned i = 0; i < 10; i++)
        rig_decrypt(r, i, 0, RIG_KEY_1, sealed);
    is_up(r);
    CHECK(r->hsm.submitted == 1);
    rig_run(r);
    for (unsigned i = 0; i < 10; i++)
        CHECK(rig_ended(r, i, KW_CODE_OK));
    rig_close(r);
}

TEST(up__version_not_proven_yet__its_decrypt_waits_and_no_other)
{
    struct rig *r = rig_open();
    r->hsm.version_err = kw_err_at(KW_CODE_STARTING, "version");
    decrypt_of(r, 0, RIG_KEY_2);
    decrypt_of(r, 1, RIG_KEY_1);
    rig_run(r);
    CHECK(r->done[0] == 0 && rig_ended(r, 1, KW_CODE_OK));
    r->hsm.version_err = KW_OK;
    kw_copy_str(r->hsm.health.active_key_id, sizeof r->hsm.health.active_key_id,
                kw_span_str(RIG_KEY_2));
    kw_kms_tick(r->kms);
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_OK));
    rig_close(r);
}

TEST(in_doubt__version_not_proven_yet__starting_at_once)
{
    struct rig *r = rig_open();
    r->hsm.health.state = KW_HSM_SUSPECT;
    r->hsm.health.why = kw_err_at(KW_CODE_DEADLINE, "canary");
    r->hsm.version_err = kw_err_at(KW_CODE_STARTING, "version");
    decrypt_of(r, 0, RIG_KEY_2);
    CHECK(rig_ended(r, 0, KW_CODE_STARTING));
    rig_close(r);
}

TEST(begin__bad_input__refused_at_once)
{
    struct rig *r = starting();
    rig_decrypt(r, 0, 0, RIG_KEY_1, kw_span_str("no envelope"));
    CHECK(rig_ended(r, 0, KW_CODE_BAD_INPUT));
    rig_close(r);
}

KW_CASES("provider/kms/held", CASE(begin__known_to_fail__the_reason_at_once),
         CASE(held__the_first_login_fails__the_reason_and_no_longer),
         CASE(held__the_audit_log_fails__its_reason),
         CASE(held__its_clients_deadline_passes__starting),
         CASE(held__client_without_a_deadline__starting_after_the_hold),
         CASE(held__client_goes_away__cancelled),
         CASE(held_long__up__answered_with_all_of_the_hsms_time),
         CASE(held__ten_equal_decrypts__one_unwrap),
         CASE(up__version_not_proven_yet__its_decrypt_waits_and_no_other),
         CASE(in_doubt__version_not_proven_yet__starting_at_once),
         CASE(begin__bad_input__refused_at_once))
