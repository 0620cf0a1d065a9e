/* SPDX-License-Identifier: Apache-2.0 */
/* Check blobs.  The token is a pretence that adds 16 bytes and takes them off again. */
#include "ring.h"

static void make(struct kw_version *v, const char *domain, uint8_t sealed[64])
{
    struct kw_check_making making;
    CHECK_OK(kw_check_making_begin(v, domain, &making));
    CHECK(making.inner.len == 48);
    memset(sealed, 0, 64);
    kw_copy(sealed, 64, kw_secret_peek(&making.inner));
    CHECK_OK(kw_check_making_end(&making, kw_span_of(sealed, 64), v));
    kw_check_making_wipe(&making);
    CHECK(making.inner.ptr == NULL);
}

static void open_with(const struct kw_version *v, const char *domain, enum kw_code want)
{
    struct kw_check_job job;
    struct kw_secret inner = {0};
    CHECK_OK(kw_check_blob_job(v, domain, &job));
    CHECK_OK(kw_secret_copy(&inner, kw_span_of(job.env.sealed.ptr, 48)));
    CHECK_CODE(kw_check_blob_judge(&job, &inner), want);
    CHECK(inner.ptr == NULL && inner.len == 0); /* wiped in every case */
}

TEST(job__blob_that_is_none__forged_and_untouched)
{
    struct kw_version v = good_version(1, KW_KEY_ACTIVE);
    struct kw_check_job job = {.aad_len = 77};
    v.check_blob_len--;
    CHECK_CODE(kw_check_blob_job(&v, "demo", &job), KW_CODE_FORGED);
    v = good_version(1, KW_KEY_ACTIVE);
    v.check_blob[1] = KW_PURPOSE_SEED;
    CHECK_CODE(kw_check_blob_job(&v, "demo", &job), KW_CODE_FORGED);
    v.check_blob_len = 0;
    CHECK_CODE(kw_check_blob_job(&v, "demo", &job), KW_CODE_FORGED);
    CHECK(job.aad_len == 77);
}

TEST(begin__unknown_mechanism_or_arena_full__nothing_made)
{
    struct kw_version v = good_version(1, KW_KEY_CREATED);
    struct kw_check_making making = {.aad_len = 77};
    kw_test_arena(4096);
    v.mechanism = (enum kw_mechanism)9;
    CHECK_CODE(kw_check_making_begin(&v, "demo", &making), KW_CODE_BAD_INPUT);
    struct kw_arena_info info;
    struct kw_secret hog = {0};
    kw_arena_info(&info);
    v.mechanism = KW_MECH_AES_256_GCM;
    CHECK_OK(kw_secret_init(&hog, info.bytes - 64));
    CHECK_CODE(kw_check_making_begin(&v, "demo", &making), KW_CODE_NO_MEMORY);
    CHECK(making.aad_len == 77);
    kw_secret_wipe(&hog);
}

TEST(end__sealed_of_another_length__version_unchanged)
{
    uint8_t sealed[65] = {0};
    struct kw_version v = good_version(1, KW_KEY_CREATED);
    const struct kw_version before = v;
    struct kw_check_making making;
    kw_test_arena(4096);
    CHECK_OK(kw_check_making_begin(&v, "demo", &making));
    CHECK_CODE(kw_check_making_end(&making, kw_span_of(sealed, 65), &v),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_check_making_end(&making, kw_span_of(sealed, 0), &v),
               KW_CODE_BAD_INPUT);
    CHECK(memcmp(&v, &before, sizeof v) == 0);
    kw_check_making_wipe(&making);
}

TEST(judge__another_key_id_or_domain__wrong_answer)
{
    uint8_t sealed[64];
    struct kw_version v = good_version(1, KW_KEY_CREATED);
    kw_test_arena(4096);
    make(&v, "demo", sealed);
    open_with(&v, "demo2", KW_CODE_WRONG_ANSWER);
    v.key_id[6] = 'f';
    open_with(&v, "demo", KW_CODE_WRONG_ANSWER);
}

TEST(judge__changed_answer__wrong_answer)
{
    uint8_t sealed[64];
    struct kw_version v = good_version(1, KW_KEY_CREATED);
    kw_test_arena(4096);
    make(&v, "demo", sealed);
    v.check_blob[v.check_blob_len - 20] ^= 1;
    open_with(&v, "demo", KW_CODE_WRONG_ANSWER);
}

TEST(judge__short_or_empty_answer__wrong_answer)
{
    struct kw_version v = good_version(1, KW_KEY_CREATED);
    struct kw_check_job job;
    struct kw_secret inner = {0};
    kw_test_arena(4096);
    CHECK_OK(kw_check_blob_job(&v, "demo", &job));
    CHECK_CODE(kw_check_blob_judge(&job, &inner), KW_CODE_WRONG_ANSWER);
    CHECK_OK(kw_secret_init(&inner, 47));
    CHECK_CODE(kw_check_blob_judge(&job, &inner), KW_CODE_WRONG_ANSWER);
    CHECK(inner.ptr == NULL);
}

TEST(made__opened_again__proven_and_a_good_member)
{
    uint8_t sealed[64];
    uint8_t again[64];
    struct kw_keyring *ring = good_ring();
    struct kw_version *v = kw_keyring_edit(ring, 2);
    struct kw_blob json = {0};
    kw_test_arena(4096);
    make(v, ring->domain, sealed);
    open_with(v, ring->domain, KW_CODE_OK);
    CHECK_OK(kw_keyring_write(ring, &json));
    make(v, ring->domain, again);
    CHECK(memcmp(sealed, again, 32) != 0); /* a fresh text each time */
    kw_blob_wipe(&json);
    kw_keyring_give(ring);
}

KW_CASES("hsm/keyring/check_blob", CASE(job__blob_that_is_none__forged_and_untouched),
         CASE(begin__unknown_mechanism_or_arena_full__nothing_made),
         CASE(end__sealed_of_another_length__version_unchanged),
         CASE(judge__another_key_id_or_domain__wrong_answer),
         CASE(judge__changed_answer__wrong_answer),
         CASE(judge__short_or_empty_answer__wrong_answer),
         CASE(made__opened_again__proven_and_a_good_member))
