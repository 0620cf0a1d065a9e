/* SPDX-License-Identifier: Apache-2.0 */
#include "kms_rig.h"

TEST(begin__up__the_active_key_id_and_no_job)
{
    struct rig *r = rig_open();
    struct kw_request *c = rig_status(r, 0, 0);
    CHECK(rig_ended(r, 0, KW_CODE_OK));
    CHECK_STR(c->out_key_id, RIG_KEY_1);
    CHECK(r->hsm.submitted == 0);
    rig_close(r);
}

TEST(begin__suspect__still_ok)
{
    struct rig *r = rig_open();
    r->hsm.health.state = KW_HSM_SUSPECT;
    r->hsm.health.why = kw_err_at(KW_CODE_DEADLINE, "canary");
    rig_status(r, 0, 0);
    CHECK(rig_ended(r, 0, KW_CODE_OK));
    rig_close(r);
}

TEST(begin__starting__held_then_answered_when_up)
{
    struct rig *r = rig_open();
    r->hsm.health.state = KW_HSM_STARTING;
    struct kw_request *c = rig_status(r, 0, 0);
    CHECK(r->done[0] == 0);
    kw_kms_tick(r->kms);
    CHECK(r->done[0] == 0);
    r->hsm.health.state = KW_HSM_UP;
    kw_kms_tick(r->kms);
    CHECK(rig_ended(r, 0, KW_CODE_OK));
    CHECK_STR(c->out_key_id, RIG_KEY_1);
    rig_close(r);
}

TEST(begin__starting_too_long__starting_after_the_hold)
{
    struct rig *r = rig_open();
    r->hsm.health.state = KW_HSM_STARTING;
    rig_status(r, 0, 0);
    r->time.now_ns += 1499 * KW_MS_NS;
    kw_kms_tick(r->kms);
    CHECK(r->done[0] == 0);
    r->time.now_ns += 501 * KW_MS_NS;
    kw_kms_tick(r->kms);
    CHECK(rig_ended(r, 0, KW_CODE_STARTING));
    rig_close(r);
}

TEST(begin__starting_and_known_to_fail__the_reason_at_once)
{
    struct rig *r = rig_open();
    r->hsm.health.state = KW_HSM_STARTING;
    r->hsm.health.why = kw_err_at(KW_CODE_PIN_STOP, "C_Login");
    rig_status(r, 0, 0);
    CHECK(rig_ended(r, 0, KW_CODE_PIN_STOP));
    rig_close(r);
}

TEST(cancel__held__cancelled)
{
    struct rig *r = rig_open();
    r->hsm.health.state = KW_HSM_STARTING;
    struct kw_request *c = rig_status(r, 0, 0);
    kw_kms_cancel(r->kms, c);
    CHECK(rig_ended(r, 0, KW_CODE_CANCELLED));
    rig_close(r);
}

TEST(begin__while_decrypts_wait__answered_at_once)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    static const uint8_t seed[32] = {7};
    struct rig *r = rig_open();
    rig_decrypt(r, 0, 0, RIG_KEY_1,
                rig_seal(r, "secrets", RIG_KEY_1, kw_span_of(seed, 32), out));
    rig_status(r, 1, 0);
    CHECK(rig_ended(r, 1, KW_CODE_OK));
    CHECK(r->done[0] == 0);
    rig_run(r);
    rig_close(r);
}

KW_CASES("provider/kms/status", CASE(begin__up__the_active_key_id_and_no_job),
         CASE(begin__suspect__still_ok),
         CASE(begin__starting__held_then_answered_when_up),
         CASE(begin__starting_too_long__starting_after_the_hold),
         CASE(begin__starting_and_known_to_fail__the_reason_at_once),
         CASE(cancel__held__cancelled),
         CASE(begin__while_decrypts_wait__answered_at_once))
