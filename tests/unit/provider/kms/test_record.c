/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is released that is not on record, and what is on record as released and was not
 * is told. */
#include "kms_rig.h"

static const uint8_t seed_bytes[32] = "0123456789abcdef0123456789abcde";
#define SEED kw_span_of(seed_bytes, 32)

static struct rig *r;
static uint8_t sealed[KW_CIPHERTEXT_MAX];

static kw_span ciphertext; /* in it, of class 0 or 1 */

/* With one ciphertext for all decrypts of the case. */
static void open_for(unsigned class_index, bool allow)
{
    r = rig_open_recorded(allow);
    ciphertext =
        rig_seal(r, class_index == 0 ? "secrets" : "bulk", RIG_KEY_1, SEED, sealed);
}

static struct kw_request *decrypt(unsigned i, unsigned class_index)
{
    return rig_decrypt(r, i, class_index, RIG_KEY_1, ciphertext);
}

/* Decrypt i is unwrapped, and its record waits. */
static struct kw_request *begin(bool allow)
{
    open_for(0, allow);
    struct kw_request *c = decrypt(0, 0);
    CHECK(r->audit.put == 0);
    rig_run(r);
    CHECK(r->audit.put == 1 && r->done[0] == 0);
    return c;
}

static bool gives_nothing(const struct kw_request *c)
{
    return c->seed.ptr == NULL && c->out_ciphertext_len == 0;
}

TEST(record__waits__nothing_is_released_nor_remembered)
{
    struct kw_request *c = begin(false);
    decrypt(1, 0);
    CHECK(r->hsm.submitted == 2); /* the first one is not in the cache */
    kw_kms_tick(r->kms);
    CHECK(r->done[0] == 0);
    rig_record(r, KW_OK);
    CHECK(rig_ended(r, 0, KW_CODE_OK));
    CHECK(kw_span_equal(kw_secret_peek(&c->seed), SEED));
    decrypt(2, 0);
    CHECK(r->hsm.submitted == 2 && r->audit.put == 2 && r->done[2] == 0);
    CHECK(r->calls[2].source == KW_SOURCE_CACHE);
    rig_record(r, KW_OK);
    CHECK(rig_ended(r, 2, KW_CODE_OK));
    rig_run(r);
    rig_record(r, KW_OK);
    CHECK(rig_ended(r, 1, KW_CODE_OK));
    CHECK(r->audit.withheld == 0 && r->audit.missed == 0);
    rig_close(r);
}

TEST(record__fails__denied_counted_and_not_remembered)
{
    struct kw_request *c = begin(false);
    rig_record(r, kw_err_native(KW_CODE_AUDIT, 28, "audit write"));
    CHECK(rig_ended(r, 0, KW_CODE_AUDIT));
    CHECK(gives_nothing(c));
    CHECK(r->audit.missed == 1 && r->audit.missed_as == KW_CODE_AUDIT);
    CHECK(r->audit.withheld == 0);
    decrypt(1, 0);
    CHECK(r->hsm.submitted == 2);
    rig_run(r);
    rig_record(r, KW_OK);
    rig_close(r);
}

TEST(record__fails_where_that_is_allowed__released_and_counted)
{
    struct kw_request *c = begin(true);
    rig_record(r, kw_err_at(KW_CODE_AUDIT, "audit write"));
    CHECK(rig_ended(r, 0, KW_CODE_OK));
    CHECK(kw_span_equal(kw_secret_peek(&c->seed), SEED));
    CHECK(r->audit.missed == 1 && r->audit.missed_as == KW_CODE_OK);
    rig_close(r);
}

/* It may be in the log yet: the writer says withheld then, or counts it so. */
TEST(record__late__denied_and_left_to_the_writer)
{
    struct kw_request *c = begin(false);
    rig_record(r, kw_err_at(KW_CODE_DEADLINE, "audit"));
    CHECK(rig_ended(r, 0, KW_CODE_AUDIT));
    CHECK(gives_nothing(c) && r->audit.missed == 0 && r->audit.withheld == 0);
    CHECK(r->audit.withheld_late == 1 && r->audit.late_as == KW_CODE_AUDIT);
    rig_close(r);
}

TEST(record__late_where_that_is_allowed__released_and_left_to_the_writer)
{
    struct kw_request *c = begin(true);
    rig_record(r, kw_err_at(KW_CODE_DEADLINE, "audit"));
    CHECK(rig_ended(r, 0, KW_CODE_OK));
    CHECK(kw_span_equal(kw_secret_peek(&c->seed), SEED));
    CHECK(r->audit.missed == 0 && r->audit.withheld_late == 0);
    rig_close(r);
}

/* Released is not what became of it. */
TEST(record__late_where_that_is_allowed_and_client_gone__told_as_withheld)
{
    struct kw_request *c = begin(true);
    kw_kms_cancel(r->kms, c);
    rig_record(r, kw_err_at(KW_CODE_DEADLINE, "audit"));
    CHECK(rig_ended(r, 0, KW_CODE_CANCELLED));
    CHECK(gives_nothing(c) && r->audit.missed == 0 && r->audit.withheld == 0);
    CHECK(r->audit.withheld_late == 1 && r->audit.late_as == KW_CODE_CANCELLED);
    rig_close(r);
}

TEST(record__late_where_that_is_allowed_and_hsm_lost__told_as_withheld)
{
    begin(true);
    r->hsm.health.state = KW_HSM_LOST;
    r->hsm.health.why = kw_err_at(KW_CODE_HSM_DOWN, "canary");
    rig_record(r, kw_err_at(KW_CODE_DEADLINE, "audit"));
    CHECK(rig_ended(r, 0, KW_CODE_HSM_DOWN));
    CHECK(r->audit.withheld_late == 1 && r->audit.late_as == KW_CODE_HSM_DOWN);
    rig_close(r);
}

TEST(record__cannot_be_put__denied_without_a_wait)
{
    open_for(0, false);
    struct kw_request *c = decrypt(0, 0);
    r->audit.put_err = kw_err_at(KW_CODE_AUDIT, "audit queue");
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_AUDIT));
    CHECK(gives_nothing(c) && r->audit.missed == 1);
    rig_close(r);
}

TEST(client_gone_while_it_is_put_on_record__told_as_withheld)
{
    struct kw_request *c = begin(false);
    kw_kms_cancel(r->kms, c);
    CHECK(r->done[0] == 0);
    rig_record(r, KW_OK);
    CHECK(rig_ended(r, 0, KW_CODE_CANCELLED));
    CHECK(gives_nothing(c));
    CHECK(r->audit.withheld == 1 && r->audit.withheld_seq == 100);
    CHECK(r->audit.withheld_as == KW_CODE_CANCELLED);
    rig_close(r);
}

TEST(hsm_lost_while_it_is_put_on_record__told_as_withheld_and_not_remembered)
{
    struct kw_request *c = begin(false);
    r->hsm.health.state = KW_HSM_LOST;
    r->hsm.health.why = kw_err_at(KW_CODE_HSM_DOWN, "canary");
    rig_record(r, KW_OK);
    CHECK(rig_ended(r, 0, KW_CODE_HSM_DOWN));
    CHECK(gives_nothing(c));
    CHECK(r->audit.withheld == 1 && r->audit.withheld_as == KW_CODE_HSM_DOWN);
    rig_close(r);
}

TEST(key_disabled_while_it_is_put_on_record__told_as_withheld)
{
    r = rig_open_recorded(false);
    struct kw_request *c =
        rig_decrypt(r, 0, 0, RIG_KEY_2, rig_seal(r, "secrets", RIG_KEY_2, SEED, sealed));
    r->hsm.health.active_n = 2;
    kw_copy_str(r->hsm.health.active_key_id, sizeof r->hsm.health.active_key_id,
                kw_span_str(RIG_KEY_2));
    rig_run(r);
    r->hsm.version_err = kw_err_at(KW_CODE_KEY_DISABLED, "state");
    rig_record(r, KW_OK);
    CHECK(rig_ended(r, 0, KW_CODE_KEY_DISABLED));
    CHECK(gives_nothing(c) && r->audit.withheld_as == KW_CODE_KEY_DISABLED);
    rig_close(r);
}

/* A refused, a late and a cancelled call keep their codes, however long the disk takes. */
TEST(refused_call__waits_for_its_record_and_keeps_its_code)
{
    open_for(1, false);
    decrypt(0, 0); /* another class's */
    CHECK(r->done[0] == 0 && r->audit.on_record == KW_CODE_DENIED);
    for (unsigned i = 0; i < 20; i++) {
        r->time.now_ns += 100 * KW_MS_NS;
        kw_kms_tick(r->kms);
    }
    kw_kms_cancel(r->kms, &r->calls[0]);
    CHECK(r->done[0] == 0);
    rig_record(r, KW_OK);
    CHECK(rig_ended(r, 0, KW_CODE_DENIED));
    CHECK(r->audit.withheld == 0);
    rig_close(r);
}

TEST(late_and_cancelled_calls__on_record_with_their_codes)
{
    open_for(0, false);
    decrypt(0, 0);
    decrypt(1, 0);
    kw_kms_cancel(r->kms, &r->calls[1]);
    CHECK(r->audit.on_record == KW_CODE_CANCELLED && r->done[1] == 0);
    r->time.now_ns += 1600 * KW_MS_NS;
    kw_kms_tick(r->kms);
    CHECK(r->audit.on_record == KW_CODE_DEADLINE && r->done[0] == 0);
    r->time.now_ns += KW_S_NS;
    kw_kms_tick(r->kms);
    rig_record(r, KW_OK);
    rig_record(r, kw_err_at(KW_CODE_AUDIT, "audit write"));
    CHECK(rig_ended(r, 1, KW_CODE_CANCELLED));
    CHECK(rig_ended(r, 0, KW_CODE_DEADLINE));
    CHECK(r->audit.missed == 1 && r->audit.missed_as == KW_CODE_DEADLINE);
    rig_close(r);
}

TEST(one_of_many_refusals__counted_and_answered_at_once)
{
    r = rig_open_recorded(false);
    r->audit.counts = true;
    rig_decrypt(r, 0, 0, RIG_KEY_1, rig_seal(r, "bulk", RIG_KEY_1, SEED, sealed));
    CHECK(rig_ended(r, 0, KW_CODE_DENIED));
    CHECK(r->audit.missed == 0);
    rig_close(r);
}

TEST(refused_before_kms__on_record_and_nothing_waits)
{
    struct kw_request facts = {.method = KW_METHOD_ENCRYPT,
                               .err = kw_err_at(KW_CODE_BUSY, "calls")};
    r = rig_open_recorded(false);
    kw_kms_refused(r->kms, &facts);
    CHECK(r->audit.refused == 1 && r->audit.on_record == KW_CODE_BUSY);
    facts.method = KW_METHOD_STATUS;
    kw_kms_refused(r->kms, &facts);
    CHECK(r->audit.refused == 1 && r->audit.put == 0 && r->audit.missed == 0);
    rig_close(r);
}

TEST(refused_before_kms__there_is_no_log__counted_and_nothing_else)
{
    struct kw_request facts = {.method = KW_METHOD_ENCRYPT,
                               .err = kw_err_at(KW_CODE_BUSY, "calls")};
    struct kw_class_stats s;
    r = rig_open();
    kw_kms_refused(r->kms, &facts);
    CHECK(r->audit.refused == 0);
    kw_kms_stats(r->kms, 0, &s);
    CHECK(s.methods[KW_METHOD_ENCRYPT].outcomes[KW_CODE_BUSY] == 1);
    rig_close(r);
}

TEST(who_joined__has_a_record_of_its_own)
{
    struct kw_request *c = NULL;
    open_for(0, false);
    decrypt(0, 0);
    c = decrypt(1, 0);
    CHECK(r->hsm.submitted == 1);
    rig_run(r);
    CHECK(r->audit.put == 2 && r->done[0] == 0 && r->done[1] == 0);
    CHECK(r->calls[0].source != c->source);
    CHECK(r->calls[0].source == KW_SOURCE_JOINED || c->source == KW_SOURCE_JOINED);
    rig_record(r, KW_OK);
    rig_record(r, KW_OK);
    CHECK(rig_ended(r, 0, KW_CODE_OK) && rig_ended(r, 1, KW_CODE_OK));
    CHECK(kw_span_equal(kw_secret_peek(&c->seed), SEED));
    rig_close(r);
}

TEST(encrypt__ciphertext_leaves_when_it_is_on_record)
{
    r = rig_open_recorded(false);
    struct kw_request *c = rig_encrypt(r, 0, 0, SEED);
    rig_run(r);
    CHECK(r->done[0] == 0 && r->audit.put == 1);
    rig_record(r, KW_OK);
    CHECK(rig_ended(r, 0, KW_CODE_OK));
    CHECK(c->out_ciphertext_len > 0);
    c = rig_encrypt(r, 1, 0, SEED);
    rig_run(r);
    rig_record(r, kw_err_at(KW_CODE_AUDIT, "audit write"));
    CHECK(rig_ended(r, 1, KW_CODE_AUDIT));
    CHECK(gives_nothing(c));
    rig_close(r);
}

TEST(log_is_ill__all_methods_refused_without_a_job)
{
    open_for(1, false);
    r->audit.health = r->audit.put_err = kw_err_at(KW_CODE_AUDIT, "audit log");
    rig_status(r, 0, 0);
    rig_encrypt(r, 1, 1, SEED);
    decrypt(2, 1);
    for (unsigned i = 0; i < 3; i++)
        CHECK(rig_ended(r, i, KW_CODE_AUDIT));
    CHECK(r->hsm.submitted == 0 && r->audit.missed == 2);
    rig_close(r);
}

TEST(log_is_ill_where_that_is_allowed__all_is_served)
{
    open_for(1, true);
    r->audit.health = r->audit.put_err = kw_err_at(KW_CODE_AUDIT, "audit log");
    rig_status(r, 0, 0);
    rig_encrypt(r, 1, 1, SEED);
    decrypt(2, 1);
    rig_run(r);
    for (unsigned i = 0; i < 3; i++)
        CHECK(rig_ended(r, i, KW_CODE_OK));
    CHECK(r->audit.missed == 2 && r->audit.missed_as == KW_CODE_OK);
    rig_close(r);
}

TEST(status__never_on_record)
{
    r = rig_open_recorded(false);
    rig_status(r, 0, 0);
    CHECK(rig_ended(r, 0, KW_CODE_OK) && r->audit.put == 0);
    rig_close(r);
}

KW_SUITE("kms/record")
