/* SPDX-License-Identifier: Apache-2.0 */
/* attribute - what a key object says about itself, and what that is worth */
#include <keyward/keyring.h>

#include <stdio.h>
#include <string.h>

#define FIELD(cka, field)                                                                \
    {                                                                                    \
        cka, offsetof(struct kw_key_attributes, field)                                   \
    }

const struct kw_attribute_field kw_attribute_fields[] = {
    FIELD("CKA_TOKEN", token),
    FIELD("CKA_PRIVATE", private_),
    FIELD("CKA_SENSITIVE", sensitive),
    FIELD("CKA_ALWAYS_SENSITIVE", always_sensitive),
    FIELD("CKA_EXTRACTABLE", extractable),
    FIELD("CKA_NEVER_EXTRACTABLE", never_extractable),
    FIELD("CKA_LOCAL", local),
    FIELD("CKA_ENCRYPT", encrypt),
    FIELD("CKA_DECRYPT", decrypt),
    FIELD("CKA_WRAP", wrap),
    FIELD("CKA_UNWRAP", unwrap),
    FIELD("CKA_SIGN", sign),
    FIELD("CKA_VERIFY", verify),
    FIELD("CKA_DERIVE", derive),
    FIELD("CKA_MODIFIABLE", modifiable),
    FIELD("CKA_COPYABLE", copyable),
    FIELD("CKA_DESTROYABLE", destroyable),
};
const size_t kw_attribute_fields_count =
    sizeof kw_attribute_fields / sizeof kw_attribute_fields[0];

/* CKA_MODIFIABLE, CKA_COPYABLE and CKA_DESTROYABLE are the ceremony's choice. */
struct rule {
    size_t offset;
    enum kw_answer want;
    bool decisive;
};
#define RULE(field, want, decisive)                                                      \
    {                                                                                    \
        offsetof(struct kw_key_attributes, field), KW_ANSWER_##want, decisive            \
    }

static const struct rule rules[] = {
    RULE(token, TRUE, true),
    RULE(sensitive, TRUE, true),
    RULE(always_sensitive, TRUE, true),
    RULE(extractable, FALSE, true),
    RULE(never_extractable, TRUE, true),
    RULE(private_, TRUE, false),
    RULE(local, TRUE, false),
    RULE(encrypt, TRUE, false),
    RULE(decrypt, TRUE, false),
    RULE(wrap, FALSE, false),
    RULE(unwrap, FALSE, false),
    RULE(sign, FALSE, false),
    RULE(verify, FALSE, false),
    RULE(derive, FALSE, false),
};
enum { RULES = sizeof rules / sizeof rules[0], KEK_BYTES = 32 };
_Static_assert(RULES + 1 == KW_ATTRIBUTE_RULES, "those of this table, and the length");

static enum kw_answer attribute_answer(const struct kw_key_attributes *a, size_t offset)
{
    const void *field = (const char *)a + offset;
    return *(const enum kw_answer *)field;
}

static const char *attribute_name_of(size_t offset)
{
    for (size_t i = 0; i < kw_attribute_fields_count; i++)
        if (kw_attribute_fields[i].offset == offset)
            return kw_attribute_fields[i].name;
    return "?";
}

static const char *answer_name(enum kw_answer given)
{
    if (given == KW_ANSWER_NONE)
        return "not answered";
    return given == KW_ANSWER_TRUE ? "true" : "false";
}

static kw_err attribute_refuse(const struct rule *r, enum kw_answer given,
                               struct kw_note *note)
{
    kw_note_set(
        note,
        "%s is %s and must be %s: the key cannot be trusted to have stayed in the "
        "token; make a new version with keyward key create",
        attribute_name_of(r->offset), answer_name(given), answer_name(r->want));
    return kw_err_at(KW_CODE_KEY_BAD, "key attributes");
}

static kw_err judge_length(uint32_t bytes, struct kw_note *note)
{
    if (bytes >= KEK_BYTES)
        return KW_OK;
    if (bytes == 0)
        kw_note_set(note, "CKA_VALUE_LEN is not answered and must be at least %d",
                    KEK_BYTES);
    else
        kw_note_set(note, "CKA_VALUE_LEN is %u and must be at least %d", bytes,
                    KEK_BYTES);
    return kw_err_at(KW_CODE_KEY_BAD, "key length");
}

static void attribute_remark(struct kw_note *remarks, const struct rule *r,
                             enum kw_answer given)
{
    size_t len = strlen(remarks->text);
    snprintf(remarks->text + len, sizeof remarks->text - len, "%s%s is %s",
             len > 0 ? ", " : "", attribute_name_of(r->offset), answer_name(given));
}

kw_err kw_attributes_judge(const struct kw_key_attributes *a, struct kw_note *note,
                           struct kw_note *ret_remarks)
{
    struct kw_note remarks = {{0}};
    for (size_t i = 0; i < RULES; i++) {
        enum kw_answer given = attribute_answer(a, rules[i].offset);
        if (given == rules[i].want)
            continue;
        if (rules[i].decisive)
            return attribute_refuse(&rules[i], given, note);
        attribute_remark(&remarks, &rules[i], given);
    }
    kw_err e = judge_length(a->value_len, note);
    if (!kw_failed(e) && ret_remarks != NULL)
        *ret_remarks = remarks;
    return e;
}

/* ---- one by one ---- */

const char *kw_rule_outcome_name(enum kw_rule_outcome outcome)
{
    static const char *const names[] = {[KW_RULE_PASS] = "pass",
                                        [KW_RULE_FAIL] = "fail",
                                        [KW_RULE_NOT_ANSWERED] = "not-answered"};
    return names[outcome];
}

static enum kw_rule_outcome attribute_outcome(enum kw_answer given, enum kw_answer want)
{
    if (given == KW_ANSWER_NONE)
        return KW_RULE_NOT_ANSWERED;
    return given == want ? KW_RULE_PASS : KW_RULE_FAIL;
}

void kw_attributes_judge_each(const struct kw_key_attributes *a,
                              struct kw_attribute_rule ret_rules[KW_ATTRIBUTE_RULES])
{
    for (size_t i = 0; i < RULES; i++) {
        const struct rule *r = &rules[i];
        ret_rules[i] = (struct kw_attribute_rule){
            attribute_name_of(r->offset), answer_name(r->want), r->decisive,
            attribute_outcome(attribute_answer(a, r->offset), r->want)};
    }
    const bool is_long = a->value_len >= KEK_BYTES;
    ret_rules[RULES] = (struct kw_attribute_rule){"CKA_VALUE_LEN", "at least 32", true,
                                                  a->value_len == 0 ? KW_RULE_NOT_ANSWERED
                                                  : is_long         ? KW_RULE_PASS
                                                                    : KW_RULE_FAIL};
}
