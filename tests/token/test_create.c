/* SPDX-License-Identifier: Apache-2.0 */
#include "token_fixture.h"

struct ceremony {
    struct fixture f;
    struct kw_create_options options;
    char dropped[128];
    struct kw_token_key *key;
};

/* A token without keys, behind the fault module, in a read-write session. */
static void begin(struct ceremony *c, const char *control)
{
    *c = (struct ceremony){.options = {.key_id = KEK, .locator = kw_span_str(LOCATOR)}};
    kw_test_arena(1 << 16);
    kw_softhsm_make(&c->f.hsm);
    kw_fault_between(&c->f.hsm);
    c->f.token = kw_softhsm_open(&c->f.hsm, KW_SOFTHSM_READ_WRITE);
    kw_fault_set(&c->f.hsm, control);
}

static kw_err create(struct ceremony *c)
{
    return kw_token_create_key(c->f.token, &c->options, &c->key, c->dropped, &c->f.note);
}

TEST(create__read_only_or_not_logged_in__bug)
{
    struct ceremony c;
    begin(&c, "");
    kw_token_close(c.f.token);
    c.f.token = kw_softhsm_open(&c.f.hsm, KW_SOFTHSM_READ_ONLY);
    CHECK_CODE(create(&c), KW_CODE_BUG);
    kw_token_close(c.f.token);
    struct kw_token_options options = kw_softhsm_options(&c.f.hsm, KW_SOFTHSM_READ_WRITE);
    CHECK_OK(kw_token_open(&options, &c.f.token, &c.f.note));
    CHECK_CODE(create(&c), KW_CODE_BUG);
    CHECK(kw_fault_count(&c.f.hsm, "C_GenerateKey") == 0);
    fixture_end(&c.f);
}

TEST(create__label_or_locator_taken__refused)
{
    struct ceremony c;
    begin(&c, "");
    CHECK_OK(create(&c));
    c.options.locator = kw_span_str("fedcba9876543210");
    CHECK_CODE(create(&c), KW_CODE_BAD_INPUT);
    CHECK_HAS(c.f.note.text, "label");
    c.options.locator = kw_span_str(LOCATOR);
    c.options.key_id = OTHER_KEK;
    CHECK_CODE(create(&c), KW_CODE_BAD_INPUT);
    CHECK_HAS(c.f.note.text, "locator");
    CHECK(kw_fault_count(&c.f.hsm, "C_GenerateKey") == 1);
    fixture_end(&c.f);
}

/* Before the ceremony, in a session that could not make a key. */
TEST(names_free__as_create_would_find_them)
{
    struct ceremony c;
    begin(&c, "");
    CHECK_OK(create(&c));
    kw_token_close(c.f.token);
    c.f.token = kw_softhsm_open(&c.f.hsm, KW_SOFTHSM_READ_ONLY);
    CHECK_CODE(kw_token_names_free(c.f.token, &c.options, &c.f.note), KW_CODE_BAD_INPUT);
    CHECK_HAS(c.f.note.text, "label");
    c.options.key_id = OTHER_KEK;
    CHECK_CODE(kw_token_names_free(c.f.token, &c.options, &c.f.note), KW_CODE_BAD_INPUT);
    CHECK_HAS(c.f.note.text, "locator");
    c.options.locator = kw_span_str("fedcba9876543210");
    CHECK_OK(kw_token_names_free(c.f.token, &c.options, &c.f.note));
    CHECK(!kw_token_facts(c.f.token)->write_protected &&
          !kw_token_facts(c.f.token)->no_rw_session);
    fixture_end(&c.f);
}

TEST(create__names_too_long_or_empty__bad_input)
{
    struct ceremony c;
    begin(&c, "");
    c.options.key_id = "";
    CHECK_CODE(create(&c), KW_CODE_BAD_INPUT);
    c.options.key_id = "kw1-999999-000102030405060708090a0bc";
    CHECK_CODE(create(&c), KW_CODE_BAD_INPUT);
    c.options.key_id = KEK;
    c.options.locator = kw_span_str("a locator of 33 bytes is too long");
    CHECK_CODE(create(&c), KW_CODE_BAD_INPUT);
    fixture_end(&c.f);
}

TEST(create__token_in_trouble__tried_once)
{
    struct ceremony c;
    begin(&c, "C_GenerateKey rv=0x6\n");
    CHECK_CODE(create(&c), KW_CODE_HSM_BUSY);
    CHECK_HAS(c.f.note.text, "CKR_FUNCTION_FAILED");
    CHECK(kw_fault_count(&c.f.hsm, "C_GenerateKey") == 1);
    CHECK(c.key == NULL);
    fixture_end(&c.f);
}

TEST(create__reply_lost__second_try_refused)
{
    struct ceremony c;
    begin(&c, "C_GenerateKey rv=0x6 after count=1\n");
    CHECK_CODE(create(&c), KW_CODE_HSM_BUSY);
    CHECK_CODE(create(&c), KW_CODE_BAD_INPUT);
    CHECK(kw_fault_count(&c.f.hsm, "C_GenerateKey") == 1);
    fixture_end(&c.f);
}

TEST(create__token_without_an_optional_attribute__dropped_in_order)
{
    static const struct {
        const char *control, *dropped;
        unsigned tries;
    } cases[] = {
        {"noattr=0x40000600\n", "CKA_ALLOWED_MECHANISMS", 2},
        {"noattr=0x172\n", "CKA_ALLOWED_MECHANISMS,CKA_DESTROYABLE", 3},
        {"noattr=0x40000600\nnoattr=0x171\n",
         "CKA_ALLOWED_MECHANISMS,CKA_DESTROYABLE,CKA_COPYABLE", 4},
        {"C_GenerateKey rv=0xd1 count=4\n",
         "CKA_ALLOWED_MECHANISMS,CKA_DESTROYABLE,CKA_COPYABLE,CKA_MODIFIABLE", 5},
    };
    static const char *const labels[] = {"kw1-1-0a", "kw1-2-0a", "kw1-3-0a", "kw1-4-0a"};
    struct ceremony c;
    begin(&c, "");
    c.options.locator = (kw_span){0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned before = kw_fault_count(&c.f.hsm, "C_GenerateKey");
        kw_fault_set(&c.f.hsm, cases[i].control);
        c.options.key_id = labels[i];
        CHECK_OK(create(&c));
        CHECK_STR(c.dropped, cases[i].dropped);
        CHECK(kw_fault_count(&c.f.hsm, "C_GenerateKey") == before + cases[i].tries);
        c.f.key = c.key;
        works(&c.f);
    }
    fixture_end(&c.f);
}

TEST(create__token_refuses_what_is_not_optional__config)
{
    struct ceremony c;
    begin(&c, "noattr=0x103\n"); /* CKA_SENSITIVE */
    CHECK_CODE(create(&c), KW_CODE_HSM_CONFIG);
    CHECK(kw_fault_count(&c.f.hsm, "C_GenerateKey") == 5);
    CHECK(c.key == NULL);
    fixture_end(&c.f);
}

TEST(create__choices_of_the_ceremony__read_back)
{
    struct ceremony c;
    struct kw_key_attributes a;
    begin(&c, "");
    CHECK_OK(create(&c));
    CHECK_STR(c.dropped, "");
    CHECK_OK(kw_token_attributes(c.f.token, c.key, &a));
    CHECK(a.destroyable == KW_ANSWER_FALSE && a.copyable == KW_ANSWER_FALSE);
    CHECK(a.modifiable == KW_ANSWER_FALSE && a.extractable == KW_ANSWER_FALSE);
    CHECK(c.f.token->ck->C_DestroyObject(c.f.token->session, c.key->handle) ==
          CKR_ACTION_PROHIBITED);
    c.options = (struct kw_create_options){
        .key_id = OTHER_KEK, .destroyable = true, .copyable = true};
    CHECK_OK(create(&c));
    CHECK_OK(kw_token_attributes(c.f.token, c.key, &a));
    CHECK(a.destroyable == KW_ANSWER_TRUE && a.copyable == KW_ANSWER_TRUE);
    fixture_end(&c.f);
}

TEST(create__only_gcm_allowed__ecb_refused)
{
    struct ceremony c;
    CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
    begin(&c, "");
    CHECK_OK(create(&c));
    CHECK(c.f.token->ck->C_EncryptInit(c.f.token->session, &ecb, c.key->handle) ==
          CKR_MECHANISM_INVALID);
    fixture_end(&c.f);
}

KW_CASES("create", CASE(create__read_only_or_not_logged_in__bug),
         CASE(create__label_or_locator_taken__refused),
         CASE(names_free__as_create_would_find_them),
         CASE(create__names_too_long_or_empty__bad_input),
         CASE(create__token_in_trouble__tried_once),
         CASE(create__reply_lost__second_try_refused),
         CASE(create__token_without_an_optional_attribute__dropped_in_order),
         CASE(create__token_refuses_what_is_not_optional__config),
         CASE(create__choices_of_the_ceremony__read_back),
         CASE(create__only_gcm_allowed__ecb_refused))
