/* SPDX-License-Identifier: Apache-2.0 */
#include "token_fixture.h"

static const struct kw_token_key *nothing;

/* Opens the fixture's token read-write instead, for keys that no ceremony makes. */
static void reopen_read_write(struct fixture *f)
{
    kw_token_close(f->token);
    f->token = kw_softhsm_open(&f->hsm, KW_SOFTHSM_READ_WRITE);
}

TEST(find__no_such_label_or_locator__missing)
{
    struct fixture f;
    struct kw_token_key *key = NULL;
    fixture_begin(&f, NULL);
    CHECK_CODE(kw_token_find(f.token, OTHER_KEK, (kw_span){0}, &key, &f.note),
               KW_CODE_MISSING);
    CHECK_HAS(f.note.text, OTHER_KEK);
    CHECK_HAS(f.note.text, KW_SOFTHSM_LABEL);
    CHECK_CODE(kw_token_find(f.token, KEK, text_span("another locator!"), &key, &f.note),
               KW_CODE_MISSING);
    CHECK(key == nothing);
    fixture_end(&f);
}

TEST(find__label_empty_or_too_long__bad_input)
{
    struct fixture f;
    struct kw_token_key *key = NULL;
    fixture_begin(&f, NULL);
    CHECK_CODE(kw_token_find(f.token, "", (kw_span){0}, &key, &f.note),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_token_find(f.token,
                             "a-label-that-is-far-longer-than-any-key-id-may-ever-be",
                             (kw_span){0}, &key, &f.note),
               KW_CODE_BAD_INPUT);
    fixture_end(&f);
}

TEST(find__same_label_twice__config)
{
    struct fixture f;
    struct kw_token_key *key = NULL;
    fixture_begin(&f, NULL);
    reopen_read_write(&f);
    (void)raw_key(f.token, KEK, "fedcba9876543210", false);
    CHECK_CODE(kw_token_find(f.token, KEK, (kw_span){0}, &key, &f.note),
               KW_CODE_HSM_CONFIG);
    CHECK_HAS(f.note.text, "more than one");
    CHECK(key == nothing);
    (void)raw_key(f.token, KEK, LOCATOR, false);
    CHECK_CODE(kw_token_find(f.token, KEK, text_span(LOCATOR), &key, &f.note),
               KW_CODE_HSM_CONFIG);
    fixture_end(&f);
}

TEST(find__one_object_a_call__duplicates_still_seen)
{
    struct fixture f;
    struct kw_token_key *key = NULL;
    fixture_begin(&f, "");
    CHECK_OK(kw_token_find(f.token, KEK, (kw_span){0}, &key, &f.note));
    CHECK(kw_fault_count(&f.hsm, "C_FindObjectsFinal") ==
          kw_fault_count(&f.hsm, "C_FindObjectsInit"));
    fixture_end(&f);
}

TEST(find__twice__one_key)
{
    struct fixture f;
    struct kw_token_key *again = NULL, *by_label = NULL;
    fixture_begin(&f, NULL);
    CHECK_OK(kw_token_find(f.token, KEK, text_span(LOCATOR), &again, &f.note));
    CHECK(again == f.key);
    CHECK_OK(kw_token_find(f.token, KEK, (kw_span){0}, &by_label, &f.note));
    works(&f);
    fixture_end(&f);
}

TEST(find__token_in_trouble__its_code_and_well_later)
{
    static const struct {
        const char *lie;
        enum kw_code code;
    } cases[] = {
        {"C_FindObjectsInit rv=0xb3 count=1\n", KW_CODE_SESSION},
        {"C_FindObjectsInit rv=0x90 count=1\n", KW_CODE_SESSION},
        {"C_FindObjects rv=0x6 count=1\n", KW_CODE_HSM_BUSY},
        {"C_FindObjectsFinal rv=0x5 count=1\n", KW_CODE_HSM_DOWN},
    };
    struct fixture f;
    struct kw_token_key *key = NULL;
    fixture_begin(&f, "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        works(&f); /* the session is not fresh */
        kw_fault_set(&f.hsm, cases[i].lie);
        CHECK_CODE(kw_token_find(f.token, KEK, text_span(LOCATOR), &key, &f.note),
                   cases[i].code);
        CHECK(key == nothing);
        CHECK_HAS(f.note.text, "CKR_");
    }
    CHECK_OK(kw_token_find(f.token, KEK, text_span(LOCATOR), &key, &f.note));
    works(&f);
    fixture_end(&f);
}

TEST(attributes__key_of_a_ceremony__as_wanted)
{
    struct fixture f;
    struct kw_key_attributes a;
    fixture_begin(&f, NULL);
    CHECK_OK(kw_token_attributes(f.token, f.key, &a));
    CHECK(a.token == KW_ANSWER_TRUE && a.private_ == KW_ANSWER_TRUE);
    CHECK(a.sensitive == KW_ANSWER_TRUE && a.always_sensitive == KW_ANSWER_TRUE);
    CHECK(a.extractable == KW_ANSWER_FALSE && a.never_extractable == KW_ANSWER_TRUE);
    CHECK(a.local == KW_ANSWER_TRUE);
    CHECK(a.encrypt == KW_ANSWER_TRUE && a.decrypt == KW_ANSWER_TRUE);
    CHECK(a.wrap == KW_ANSWER_FALSE && a.unwrap == KW_ANSWER_FALSE);
    CHECK(a.sign == KW_ANSWER_FALSE && a.verify == KW_ANSWER_FALSE);
    CHECK(a.derive == KW_ANSWER_FALSE && a.modifiable == KW_ANSWER_FALSE);
    CHECK(a.copyable == KW_ANSWER_FALSE && a.destroyable == KW_ANSWER_TRUE);
    CHECK(a.value_len == 32);
    fixture_end(&f);
}

TEST(attributes__extractable_key__said_so)
{
    struct fixture f;
    struct kw_key_attributes a;
    struct kw_token_key *key = NULL;
    fixture_begin(&f, NULL);
    reopen_read_write(&f);
    (void)raw_key(f.token, OTHER_KEK, "fedcba9876543210", true);
    CHECK_OK(kw_token_find(f.token, OTHER_KEK, (kw_span){0}, &key, &f.note));
    CHECK_OK(kw_token_attributes(f.token, key, &a));
    CHECK(a.extractable == KW_ANSWER_TRUE && a.never_extractable == KW_ANSWER_FALSE);
    CHECK(a.sensitive == KW_ANSWER_FALSE && a.always_sensitive == KW_ANSWER_FALSE);
    fixture_end(&f);
}

TEST(attributes__some_not_known_to_the_token__not_answered)
{
    struct fixture f;
    struct kw_key_attributes a;
    fixture_begin(&f, "noread=0x165\nnoread=0x161\nnoread=0x171\n");
    CHECK_OK(kw_token_attributes(f.token, f.key, &a));
    CHECK(a.always_sensitive == KW_ANSWER_NONE && a.copyable == KW_ANSWER_NONE);
    CHECK(a.value_len == 0);
    CHECK(a.token == KW_ANSWER_TRUE && a.never_extractable == KW_ANSWER_TRUE);
    works(&f);
    fixture_end(&f);
}

TEST(attributes__token_in_trouble__untouched_and_its_code)
{
    struct fixture f;
    struct kw_key_attributes a = {.value_len = 4711};
    fixture_begin(&f, "C_GetAttributeValue rv=0x82 count=1\n");
    CHECK_CODE(kw_token_attributes(f.token, f.key, &a), KW_CODE_SESSION);
    CHECK_OK(kw_token_attributes(f.token, f.key, &a));
    a.value_len = 4711;
    kw_fault_set(&f.hsm, "C_GetAttributeValue rv=0x30 skip=3\n");
    CHECK_CODE(kw_token_attributes(f.token, f.key, &a), KW_CODE_HSM_DOWN);
    CHECK(a.value_len == 4711);
    fixture_end(&f);
}

/* The text of this property; NULL: it was not answered. */
static const char *property(struct fixture *f, const char *name)
{
    static struct kw_key_property all[KW_KEY_PROPERTIES];
    CHECK_OK(kw_token_describe(f->token, f->key, all));
    for (size_t i = 0; i < KW_KEY_PROPERTIES; i++)
        if (strcmp(all[i].name, name) == 0)
            return all[i].is_answered ? all[i].text : NULL;
    fail_msg("no property %s", name);
    return NULL;
}

TEST(describe__not_known_to_the_token_or_refused__not_answered)
{
    struct fixture f;
    struct kw_key_property all[KW_KEY_PROPERTIES];
    fixture_begin(&f, "noread=0x166\nnoread=0x3\n"); /* KEY_GEN_MECHANISM, LABEL */
    CHECK(property(&f, "CKA_KEY_GEN_MECHANISM") == NULL);
    CHECK(property(&f, "CKA_LABEL") == NULL);
    CHECK_STR(property(&f, "CKA_KEY_TYPE"), "CKK_AES");
    kw_fault_set(&f.hsm, "C_GetAttributeValue rv=0x5\n"); /* CKR_GENERAL_ERROR */
    CHECK(property(&f, "CKA_CLASS") == NULL);
    kw_fault_set(&f.hsm, "C_GetAttributeValue rv=0x30 skip=3\n");
    CHECK_CODE(kw_token_describe(f.token, f.key, all), KW_CODE_HSM_DOWN);
    kw_fault_set(&f.hsm, "");
    works(&f);
    fixture_end(&f);
}

TEST(describe__key_of_a_ceremony__as_text)
{
    struct fixture f;
    fixture_begin(&f, NULL);
    CHECK_STR(property(&f, "CKA_CLASS"), "CKO_SECRET_KEY");
    CHECK_STR(property(&f, "CKA_LABEL"), KEK);
    CHECK_STR(property(&f, "CKA_ID"), "30313233343536373839616263646566");
    CHECK_STR(property(&f, "CKA_KEY_GEN_MECHANISM"), "CKM_AES_KEY_GEN");
    CHECK_STR(property(&f, "CKA_TRUSTED"), "false");
    CHECK(property(&f, "CKA_START_DATE") == NULL); /* none was set */
    fixture_end(&f);
}

KW_CASES("key", CASE(find__no_such_label_or_locator__missing),
         CASE(find__label_empty_or_too_long__bad_input),
         CASE(find__same_label_twice__config),
         CASE(find__one_object_a_call__duplicates_still_seen), CASE(find__twice__one_key),
         CASE(find__token_in_trouble__its_code_and_well_later),
         CASE(attributes__key_of_a_ceremony__as_wanted),
         CASE(attributes__extractable_key__said_so),
         CASE(attributes__some_not_known_to_the_token__not_answered),
         CASE(attributes__token_in_trouble__untouched_and_its_code),
         CASE(describe__not_known_to_the_token_or_refused__not_answered),
         CASE(describe__key_of_a_ceremony__as_text))
