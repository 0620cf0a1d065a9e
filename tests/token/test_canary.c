/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "token_fixture.h"

#define DOMAIN "canary.test"

struct coop {
    struct fixture f; /* its key is the one of v */
    struct kw_version v;
};

/* A token with one version in it, behind the fault module. */
static void begin(struct coop *c, const char *control)
{
    *c = (struct coop){0};
    kw_test_arena(1 << 16);
    kw_softhsm_make(&c->f.hsm);
    kw_fault_between(&c->f.hsm);
    c->f.token = kw_softhsm_open(&c->f.hsm, KW_SOFTHSM_READ_WRITE);
    kw_softhsm_version(c->f.token, DOMAIN, 1, KW_KEY_ACTIVE, &c->v);
    CHECK_OK(
        kw_token_find(c->f.token, c->v.key_id,
                      kw_span_of(c->v.objects[0].locator, c->v.objects[0].locator_len),
                      &c->f.key, &c->f.note));
    works(&c->f);
    kw_fault_set(&c->f.hsm, control);
}

static kw_err canary(struct coop *c, bool also_wrap)
{
    return kw_token_canary(c->f.token, c->f.key, &c->v, DOMAIN, also_wrap);
}

TEST(canary__same_label_other_key__forged)
{
    struct coop c;
    begin(&c, "");
    CHECK(c.f.token->ck->C_DestroyObject(c.f.token->session, c.f.key->handle) == CKR_OK);
    c.f.key =
        kw_softhsm_key(c.f.token, c.v.key_id,
                       kw_span_of(c.v.objects[0].locator, c.v.objects[0].locator_len));
    CHECK_CODE(canary(&c, false), KW_CODE_FORGED);
    CHECK_CODE(canary(&c, true), KW_CODE_FORGED);
    works(&c.f);
    fixture_end(&c.f);
}

TEST(canary__other_domain_or_check_blob_changed__forged)
{
    struct coop c;
    begin(&c, "");
    CHECK_CODE(kw_token_canary(c.f.token, c.f.key, &c.v, "other.test", false),
               KW_CODE_FORGED);
    c.v.check_blob[c.v.check_blob_len - 1] ^= 1;
    CHECK_CODE(canary(&c, false), KW_CODE_FORGED);
    fixture_end(&c.f);
}

/* A check blob is data of the keyring's file: no text of it is a bug of ours. */
TEST(canary__check_blob_of_zero_iv_or_none_at_all__says_it_of_the_key)
{
    struct coop c;
    struct kw_envelope env;
    begin(&c, "");
    const struct kw_version good = c.v;
    CHECK_OK(kw_envelope_parse(kw_span_of(good.check_blob, good.check_blob_len), &env));
    memset(c.v.check_blob + (env.iv.ptr - good.check_blob), 0, env.iv.len);
    CHECK_CODE(canary(&c, true), KW_CODE_FORGED);
    c.v = good;
    c.v.check_blob[0] = 9; /* a format that nobody knows */
    CHECK_CODE(canary(&c, true), KW_CODE_KEY_BAD);
    c.v = good;
    c.v.check_blob_len = 0;
    CHECK_CODE(canary(&c, true), KW_CODE_KEY_BAD);
    c.v = good;
    c.v.mechanism = (enum kw_mechanism)2; /* the blob says another one */
    CHECK_CODE(canary(&c, true), KW_CODE_KEY_BAD);
    c.v = good;
    CHECK_OK(canary(&c, true));
    fixture_end(&c.f);
}

TEST(canary__answer_flipped__wrong_answer)
{
    struct coop c;
    begin(&c, "C_Decrypt flip count=2\n");
    CHECK_CODE(canary(&c, false), KW_CODE_WRONG_ANSWER);
    CHECK_OK(canary(&c, false));
    kw_fault_set(&c.f.hsm, "C_Decrypt flip skip=1 count=2\n");
    CHECK_CODE(canary(&c, true), KW_CODE_WRONG_ANSWER);
    fixture_end(&c.f);
}

/* One odd answer between good ones is no other key. */
TEST(canary__one_transient_error_or_flipped_bit__well)
{
    static const char *const once[] = {
        "C_Decrypt rv=0x5 count=1\n", "C_Decrypt rv=0x40 count=1\n",
        "C_Decrypt flip count=1\n", "C_Decrypt flip skip=1 count=1\n",
        "C_Decrypt rv=0x5 skip=1 count=1\n"};
    struct coop c;
    begin(&c, "");
    for (size_t i = 0; i < sizeof once / sizeof once[0]; i++) {
        kw_fault_set(&c.f.hsm, once[i]);
        CHECK_OK(canary(&c, true));
    }
    fixture_end(&c.f);
}

/* The token cannot decrypt at all: that says nothing about the key. */
TEST(canary__every_decrypt_fails__down_not_forged)
{
    struct coop c;
    begin(&c, "C_Decrypt rv=0x5\n");
    CHECK_CODE(canary(&c, false), KW_CODE_HSM_DOWN);
    kw_fault_set(&c.f.hsm, "C_Decrypt rv=0x40 skip=1\n");
    CHECK_CODE(canary(&c, true), KW_CODE_HSM_DOWN);
    kw_fault_set(&c.f.hsm, "");
    CHECK_OK(canary(&c, true));
    fixture_end(&c.f);
}

TEST(canary__token_in_trouble__its_code)
{
    struct coop c;
    begin(&c, "C_DecryptInit rv=0xb3 count=1\n");
    CHECK_CODE(canary(&c, false), KW_CODE_SESSION);
    kw_fault_set(&c.f.hsm, "C_DecryptInit rv=0x30 count=1\n");
    CHECK_CODE(canary(&c, false), KW_CODE_HSM_DOWN);
    kw_fault_set(&c.f.hsm, "C_Encrypt rv=0x6 count=1\n");
    CHECK_CODE(canary(&c, true), KW_CODE_HSM_BUSY);
    kw_fault_set(&c.f.hsm, "ivmode=2\n");
    CHECK_CODE(canary(&c, true), KW_CODE_HSM_CONFIG);
    fixture_end(&c.f);
}

TEST(canary__well__wraps_only_when_asked)
{
    struct coop c;
    begin(&c, "");
    unsigned before = kw_fault_count(&c.f.hsm, "C_Encrypt");
    CHECK_OK(canary(&c, false));
    CHECK(kw_fault_count(&c.f.hsm, "C_Encrypt") == before);
    CHECK_OK(canary(&c, true));
    CHECK(kw_fault_count(&c.f.hsm, "C_Encrypt") == before + 1);
    fixture_end(&c.f);
}

TEST(judge__ceremony_key_passes__extractable_one_is_bad)
{
    struct coop c;
    struct kw_note remarks = {{0}};
    struct kw_key_attributes a;
    struct kw_token_key *key = NULL;
    begin(&c, "");
    CHECK_OK(kw_attributes_judge(&c.v.objects[0].attributes, &c.f.note, &remarks));
    (void)raw_key(c.f.token, OTHER_KEK, "fedcba9876543210", true);
    CHECK_OK(kw_token_find(c.f.token, OTHER_KEK, (kw_span){0}, &key, &c.f.note));
    CHECK_OK(kw_token_attributes(c.f.token, key, &a));
    CHECK_CODE(kw_attributes_judge(&a, &c.f.note, &remarks), KW_CODE_KEY_BAD);
    kw_fault_set(&c.f.hsm, "noread=0x165\n");
    CHECK_OK(kw_token_attributes(c.f.token, c.f.key, &a));
    CHECK_CODE(kw_attributes_judge(&a, &c.f.note, &remarks), KW_CODE_KEY_BAD);
    fixture_end(&c.f);
}

TEST(keyring__of_two_versions__reads_back)
{
    struct coop c;
    struct kw_version two[2];
    struct kw_keyring *ring = NULL;
    char path[160];
    begin(&c, "");
    two[0] = c.v;
    kw_softhsm_version(c.f.token, DOMAIN, 2, KW_KEY_ACCEPTED, &two[1]);
    snprintf(path, sizeof path, "%s/keyring.json", c.f.hsm.dir);
    kw_softhsm_keyring(path, DOMAIN, two, 2);
    kw_err e = kw_keyring_load(path, &ring, NULL, &c.f.note);
    if (kw_failed(e))
        fail_msg("%s", c.f.note.text);
    CHECK(ring->count == 2 && ring->active == 1 && ring->serial == 1);
    CHECK_OK(kw_token_find(c.f.token, ring->versions[1].key_id,
                           kw_span_of(ring->versions[1].objects[0].locator, 16), &c.f.key,
                           &c.f.note));
    CHECK_OK(kw_token_canary(c.f.token, c.f.key, &ring->versions[1], DOMAIN, true));
    kw_keyring_give(ring);
    fixture_end(&c.f);
}

KW_CASES("canary", CASE(canary__same_label_other_key__forged),
         CASE(canary__other_domain_or_check_blob_changed__forged),
         CASE(canary__check_blob_of_zero_iv_or_none_at_all__says_it_of_the_key),
         CASE(canary__answer_flipped__wrong_answer),
         CASE(canary__one_transient_error_or_flipped_bit__well),
         CASE(canary__every_decrypt_fails__down_not_forged),
         CASE(canary__token_in_trouble__its_code),
         CASE(canary__well__wraps_only_when_asked),
         CASE(judge__ceremony_key_passes__extractable_one_is_bad),
         CASE(keyring__of_two_versions__reads_back))
