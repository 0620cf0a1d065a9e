/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted beside each version. */
#include "kms_rig.h"

#include <stdio.h>

static const uint8_t seed_bytes[32] = "0123456789abcdef0123456789abcde";
#define SEED kw_span_of(seed_bytes, 32)

static struct rig *r;
static uint8_t sealed[KW_CIPHERTEXT_MAX];

static struct kw_version_stats stats_of(unsigned class_index, const char *key_id)
{
    struct kw_version_stats s = {0};
    (void)kw_kms_version_stats(r->kms, class_index, key_id, &s);
    return s;
}

static bool is_counted(unsigned class_index, const char *key_id)
{
    struct kw_version_stats s;
    return kw_kms_version_stats(r->kms, class_index, key_id, &s);
}

static void decrypt(const char *key_id, const char *scope)
{
    r->done[0] = 0;
    rig_decrypt(r, 0, 0, key_id, rig_seal(r, scope, key_id, SEED, sealed));
    rig_run(r);
    CHECK(r->done[0] == 1);
    kw_secret_wipe(&r->calls[0].seed);
}

static void refuse(enum kw_code code, enum kw_hsm_refusal why)
{
    r->hsm.version_err = kw_err_at(code, "keyring");
    r->hsm.refusal = why;
    decrypt(RIG_KEY_2, "secrets");
    CHECK(rig_ended(r, 0, code == KW_CODE_MISSING ? KW_CODE_KEY_BAD : code));
}

TEST(refused__each_by_its_reason_and_when_the_last_was)
{
    static const struct {
        enum kw_code code;
        enum kw_hsm_refusal why;
    } rows[] = {{KW_CODE_KEY_DISABLED, KW_HSM_REFUSED_CREATED},
                {KW_CODE_KEY_DISABLED, KW_HSM_REFUSED_DISABLED},
                {KW_CODE_KEY_DISABLED, KW_HSM_REFUSED_DESTROYED},
                {KW_CODE_KEY_DISABLED, KW_HSM_REFUSED_UNKNOWN},
                {KW_CODE_KEY_BAD, KW_HSM_REFUSED_KEY_BAD},
                {KW_CODE_MISSING, KW_HSM_REFUSED_KEY_BAD}};
    uint64_t want[KW_HSM_REFUSALS] = {0};
    r = rig_open();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        refuse(rows[i].code, rows[i].why);
        refuse(rows[i].code, rows[i].why);
        want[rows[i].why] += 2;
    }
    r->time.now_ns += 90 * KW_S_NS;
    struct kw_version_stats s = stats_of(0, RIG_KEY_2);
    for (size_t i = 0; i < KW_HSM_REFUSALS; i++)
        CHECK(s.refused[i] == want[i]);
    CHECK(s.refused_ago_ns == 90 * KW_S_NS);
    CHECK(s.last_refused_wall_ns == kw_wall_ns(&r->clock) - 90 * KW_S_NS);
    CHECK(s.encrypts + s.decrypts_hsm + s.decrypts_joined + s.decrypts_cache == 0);
    CHECK(!is_counted(1, RIG_KEY_2) && !is_counted(0, RIG_KEY_1));
    rig_close(r);
}

/* Whoever may call could name as many as he likes. */
TEST(refused__key_id_of_no_version__a_number_of_the_class)
{
    struct kw_class_stats s;
    char key_id[KW_KEY_ID_MAX + 1];
    r = rig_open();
    for (unsigned i = 0; i < 3 * KW_VERSIONS_MAX; i++) {
        snprintf(key_id, sizeof key_id, "kw1-%u-0123456789abcdef01234567", 100 + i);
        decrypt(key_id, "secrets");
        CHECK(rig_ended(r, 0, KW_CODE_UNKNOWN_KEY));
        CHECK(!is_counted(0, key_id));
    }
    decrypt(RIG_KEY_1, "secrets"); /* there is room still */
    CHECK(stats_of(0, RIG_KEY_1).decrypts_hsm == 1);
    kw_kms_stats(r->kms, 0, &s);
    CHECK(s.unknown_key == 3 * KW_VERSIONS_MAX);
    kw_kms_stats(r->kms, 1, &s);
    CHECK(s.unknown_key == 0);
    rig_close(r);
}

TEST(failed__for_another_reason_than_the_version__not_here)
{
    r = rig_open();
    decrypt(RIG_KEY_1, "bulk"); /* another class's */
    CHECK(rig_ended(r, 0, KW_CODE_DENIED));
    r->hsm.answer_err = kw_err_at(KW_CODE_HSM_DOWN, "C_Decrypt");
    decrypt(RIG_KEY_1, "secrets");
    CHECK(rig_ended(r, 0, KW_CODE_HSM_DOWN));
    r->hsm.answer_err = KW_OK;
    r->hsm.health.state = KW_HSM_LOST;
    r->hsm.health.why = kw_err_at(KW_CODE_KEY_BAD, "canary");
    decrypt(RIG_KEY_1, "secrets");
    CHECK(rig_ended(r, 0, KW_CODE_KEY_BAD));
    CHECK(!is_counted(0, RIG_KEY_1));
    rig_close(r);
}

TEST(key_bad__as_the_token_says_of_a_job__of_the_version)
{
    r = rig_open();
    r->hsm.answer_err = kw_err_at(KW_CODE_KEY_BAD, "find");
    decrypt(RIG_KEY_1, "secrets");
    CHECK(stats_of(0, RIG_KEY_1).refused[KW_HSM_REFUSED_KEY_BAD] == 1);
    rig_close(r);
}

TEST(answered__encrypts_and_decrypts_by_their_source)
{
    r = rig_open();
    kw_span ct = rig_seal(r, "secrets", RIG_KEY_1, SEED, sealed);
    for (unsigned i = 0; i < 3; i++)
        rig_decrypt(r, i, 0, RIG_KEY_1, ct);
    rig_run(r);
    for (unsigned i = 3; i < 7; i++)
        rig_decrypt(r, i, 0, RIG_KEY_1, ct);
    for (unsigned i = 7; i < 12; i++)
        rig_encrypt(r, i, 0, SEED);
    rig_encrypt(r, 12, 1, SEED);
    rig_run(r);
    struct kw_version_stats s = stats_of(0, RIG_KEY_1);
    CHECK(s.decrypts_hsm == 1 && s.decrypts_joined == 2 && s.decrypts_cache == 4);
    CHECK(s.encrypts == 5 && stats_of(1, RIG_KEY_1).encrypts == 1);
    CHECK(s.last_refused_wall_ns == 0 && s.refused_ago_ns == 0);
    rig_close(r);
}

/* Its Encrypt was admitted under the one before, and begins anew. */
TEST(answered__under_the_version_that_became_active_meanwhile__that_one)
{
    r = rig_open();
    rig_encrypt(r, 0, 0, SEED);
    r->hsm.health.active_n = 2;
    kw_copy_str(r->hsm.health.active_key_id, sizeof r->hsm.health.active_key_id,
                kw_span_str(RIG_KEY_2));
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_OK));
    CHECK(stats_of(0, RIG_KEY_2).encrypts == 1 && !is_counted(0, RIG_KEY_1));
    rig_close(r);
}

TEST(refused__disabled_while_it_is_put_on_record__refused_and_not_answered)
{
    r = rig_open_recorded(false);
    rig_decrypt(r, 0, 0, RIG_KEY_2, rig_seal(r, "secrets", RIG_KEY_2, SEED, sealed));
    r->hsm.health.active_n = 2;
    kw_copy_str(r->hsm.health.active_key_id, sizeof r->hsm.health.active_key_id,
                kw_span_str(RIG_KEY_2));
    rig_run(r);
    r->hsm.version_err = kw_err_at(KW_CODE_KEY_DISABLED, "keyring");
    r->hsm.refusal = KW_HSM_REFUSED_DISABLED;
    rig_record(r, KW_OK);
    CHECK(rig_ended(r, 0, KW_CODE_KEY_DISABLED));
    struct kw_version_stats s = stats_of(0, RIG_KEY_2);
    CHECK(s.refused[KW_HSM_REFUSED_DISABLED] == 1 && s.decrypts_hsm == 0);
    rig_close(r);
}

/* What a reload does not take away: the version is disabled, enabled and counted on. */
TEST(reload__state_changes_and_changes_back__counts_go_on)
{
    r = rig_open();
    r->hsm.answer_err = kw_err_at(KW_CODE_KEY_BAD, "find");
    refuse(KW_CODE_KEY_DISABLED, KW_HSM_REFUSED_DISABLED);
    r->hsm.version_err = KW_OK;
    decrypt(RIG_KEY_2, "secrets");
    refuse(KW_CODE_KEY_DISABLED, KW_HSM_REFUSED_DISABLED);
    struct kw_version_stats s = stats_of(0, RIG_KEY_2);
    CHECK(s.refused[KW_HSM_REFUSED_DISABLED] == 2);
    CHECK(s.refused[KW_HSM_REFUSED_KEY_BAD] == 1);
    rig_close(r);
}

/* Keyrings that are built anew, one after the other: one version each. */
TEST(table_is_full__a_version_that_left_the_keyring_makes_room)
{
    char key_id[KW_KEY_ID_MAX + 1], first[KW_KEY_ID_MAX + 1] = "";
    r = rig_open();
    decrypt(RIG_KEY_1, "secrets");
    r->hsm.more = key_id;
    r->hsm.version_err = kw_err_at(KW_CODE_KEY_DISABLED, "keyring");
    r->hsm.refusal = KW_HSM_REFUSED_DISABLED;
    for (unsigned i = 0; i < 2 * KW_VERSIONS_MAX; i++) {
        snprintf(key_id, sizeof key_id, "kw1-3-0123456789abcdef%08x", i);
        decrypt(key_id, "secrets");
        CHECK(stats_of(0, key_id).refused[KW_HSM_REFUSED_DISABLED] == 1);
        if (i == 0)
            kw_copy_str(first, sizeof first, kw_span_str(key_id));
    }
    CHECK(!is_counted(0, first));
    CHECK(stats_of(0, RIG_KEY_1).decrypts_hsm == 1);
    rig_close(r);
}

KW_SUITE("provider/kms/counts")
