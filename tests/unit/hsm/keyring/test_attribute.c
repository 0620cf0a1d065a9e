/* SPDX-License-Identifier: Apache-2.0 */
/* What key attributes are worth. */
#include "ring.h"

static struct kw_key_attributes narrow(void)
{
    struct kw_key_attributes a;
    for (size_t i = 0; i < kw_attribute_fields_count; i++) {
        void *field = (char *)&a + kw_attribute_fields[i].offset;
        *(enum kw_answer *)field = KW_ANSWER_FALSE;
    }
    a.token = a.private_ = a.sensitive = a.always_sensitive = KW_ANSWER_TRUE;
    a.never_extractable = a.local = a.encrypt = a.decrypt = KW_ANSWER_TRUE;
    a.value_len = 32;
    return a;
}

static void bad(const struct kw_key_attributes *a, const char *word)
{
    struct kw_note note = {{0}};
    struct kw_note remarks = {"untouched"};
    CHECK_CODE(kw_attributes_judge(a, &note, &remarks), KW_CODE_KEY_BAD);
    CHECK_HAS(note.text, word);
    CHECK_STR(remarks.text, "untouched");
    CHECK_CODE(kw_attributes_judge(a, NULL, NULL), KW_CODE_KEY_BAD);
}

TEST(judge__decisive_rule_broken_or_not_answered__key_bad)
{
    const struct {
        const char *name;
        size_t offset;
        enum kw_answer wrong;
    } rules[] = {
        {"CKA_TOKEN", offsetof(struct kw_key_attributes, token), KW_ANSWER_FALSE},
        {"CKA_SENSITIVE", offsetof(struct kw_key_attributes, sensitive), KW_ANSWER_FALSE},
        {"CKA_ALWAYS_SENSITIVE", offsetof(struct kw_key_attributes, always_sensitive),
         KW_ANSWER_FALSE},
        {"CKA_EXTRACTABLE", offsetof(struct kw_key_attributes, extractable),
         KW_ANSWER_TRUE},
        {"CKA_NEVER_EXTRACTABLE", offsetof(struct kw_key_attributes, never_extractable),
         KW_ANSWER_FALSE},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct kw_key_attributes a = narrow();
        void *field = (char *)&a + rules[i].offset;
        *(enum kw_answer *)field = rules[i].wrong;
        bad(&a, rules[i].name);
        *(enum kw_answer *)field = KW_ANSWER_NONE;
        bad(&a, rules[i].name);
        bad(&a, "not answered");
    }
}

TEST(judge__short_or_unknown_length__key_bad)
{
    struct kw_key_attributes a = narrow();
    a.value_len = 31;
    bad(&a, "CKA_VALUE_LEN is 31");
    a.value_len = 0;
    bad(&a, "CKA_VALUE_LEN is not answered");
}

TEST(judge__wider_than_needed__passes_with_remarks)
{
    struct kw_note remarks = {{0}};
    struct kw_key_attributes a = narrow();
    a.wrap = a.derive = KW_ANSWER_TRUE;
    a.local = KW_ANSWER_NONE;
    CHECK_OK(kw_attributes_judge(&a, NULL, &remarks));
    CHECK_STR(remarks.text,
              "CKA_LOCAL is not answered, CKA_WRAP is true, CKA_DERIVE is true");
}

TEST(judge__everything_remarkable__one_line)
{
    struct kw_note remarks = {{0}};
    struct kw_key_attributes a = narrow();
    a.private_ = a.local = a.encrypt = a.decrypt = a.wrap = a.unwrap = a.sign = a.verify =
        a.derive = KW_ANSWER_NONE;
    CHECK_OK(kw_attributes_judge(&a, NULL, &remarks));
    CHECK_HAS(remarks.text, "CKA_PRIVATE is not answered, ");
    CHECK_HAS(remarks.text, "CKA_DERIVE is not answered");
    CHECK(strchr(remarks.text, '\n') == NULL);
}

TEST(judge__narrow_key__passes_without_remarks)
{
    struct kw_note remarks = {"old"};
    struct kw_key_attributes a = narrow();
    CHECK_OK(kw_attributes_judge(&a, NULL, &remarks));
    CHECK_STR(remarks.text, "");
    a.modifiable = a.copyable = a.destroyable = KW_ANSWER_TRUE;
    CHECK_OK(kw_attributes_judge(&a, NULL, &remarks));
    CHECK_STR(remarks.text, "");
}

/* The outcome of one rule of these attributes. */
static enum kw_rule_outcome outcome_of(const struct kw_key_attributes *a,
                                       const char *name)
{
    struct kw_attribute_rule rules[KW_ATTRIBUTE_RULES];
    kw_attributes_judge_each(a, rules);
    for (size_t i = 0; i < KW_ATTRIBUTE_RULES; i++)
        if (strcmp(rules[i].name, name) == 0)
            return rules[i].outcome;
    fail_msg("no rule of %s", name);
    return KW_RULE_FAIL;
}

TEST(judge_each__decisive_rule_broken_or_not_answered__told_apart_as_judge_refuses)
{
    static const enum kw_answer given[] = {KW_ANSWER_FALSE, KW_ANSWER_TRUE,
                                           KW_ANSWER_NONE};
    struct kw_attribute_rule rules[KW_ATTRIBUTE_RULES];
    for (size_t i = 0; i < kw_attribute_fields_count; i++)
        for (size_t k = 0; k < 3; k++) {
            struct kw_key_attributes a = narrow();
            void *field = (char *)&a + kw_attribute_fields[i].offset;
            *(enum kw_answer *)field = given[k];
            bool is_bad = false;
            kw_attributes_judge_each(&a, rules);
            for (size_t r = 0; r < KW_ATTRIBUTE_RULES; r++) {
                is_bad |= rules[r].is_decisive && rules[r].outcome != KW_RULE_PASS;
                if (strcmp(rules[r].name, kw_attribute_fields[i].name) == 0)
                    CHECK((rules[r].outcome == KW_RULE_NOT_ANSWERED) ==
                          (given[k] == KW_ANSWER_NONE));
            }
            CHECK(is_bad == kw_failed(kw_attributes_judge(&a, NULL, NULL)));
        }
}

TEST(judge_each__short_long_or_unknown_length__as_it_is)
{
    struct kw_key_attributes a = narrow();
    CHECK(outcome_of(&a, "CKA_VALUE_LEN") == KW_RULE_PASS);
    a.value_len = 31;
    CHECK(outcome_of(&a, "CKA_VALUE_LEN") == KW_RULE_FAIL);
    a.value_len = 0;
    CHECK(outcome_of(&a, "CKA_VALUE_LEN") == KW_RULE_NOT_ANSWERED);
    CHECK_STR(kw_rule_outcome_name(KW_RULE_NOT_ANSWERED), "not-answered");
}

TEST(judge_each__narrow_key__all_pass_and_say_what_they_want)
{
    struct kw_attribute_rule rules[KW_ATTRIBUTE_RULES];
    struct kw_key_attributes a = narrow();
    kw_attributes_judge_each(&a, rules);
    for (size_t i = 0; i < KW_ATTRIBUTE_RULES; i++) {
        CHECK_STR(kw_rule_outcome_name(rules[i].outcome), "pass");
        CHECK(strcmp(rules[i].wants, "true") == 0 ||
              strcmp(rules[i].wants, "false") == 0 ||
              strcmp(rules[i].wants, "at least 32") == 0);
    }
    a.wrap = KW_ANSWER_TRUE;
    CHECK(outcome_of(&a, "CKA_WRAP") == KW_RULE_FAIL);
}

TEST(fields__whole_struct__each_answer_named_once)
{
    CHECK(kw_attribute_fields_count == 17);
    for (size_t i = 0; i < kw_attribute_fields_count; i++) {
        CHECK(strncmp(kw_attribute_fields[i].name, "CKA_", 4) == 0);
        CHECK(kw_attribute_fields[i].offset == i * sizeof(enum kw_answer));
    }
}

KW_SUITE("hsm/keyring/attribute")
