/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the keys, and of the tokens that hold them. */
#include <string.h>

#include "judge.h"

/* ---- tokens ---- */

/* "FIPS 140-2", with whatever stands between its digits. */
static bool keys_is_historical(const char *standard)
{
    static const char digits[] = "1402";
    size_t met = 0;
    for (; *standard != '\0' && met < sizeof digits - 1; standard++) {
        const bool is_word = (*standard >= '0' && *standard <= '9') ||
                             (*standard >= 'a' && *standard <= 'z') ||
                             (*standard >= 'A' && *standard <= 'Z');
        if (*standard == digits[met])
            met++;
        else if (is_word)
            met = *standard == digits[0];
    }
    return met == sizeof digits - 1;
}

static bool keys_has_digit(const char *text)
{
    return text[strcspn(text, "0123456789")] != '\0';
}

static void keys_judge_certificate(struct kw_judge *j, const json_t *token)
{
    char subject[KW_SUBJECT_MAX];
    const char *standard = kw_row_text(token, "standard");
    const bool has_number = keys_has_digit(kw_row_text(token, "certificate"));
    kw_judge_subject(token, subject);
    if (!keys_has_digit(standard) || !has_number)
        kw_judge_say(j, subject, KW_OUTCOME_NOT_ANSWERED,
                     "nobody states a standard and the number of a certificate");
    else if (keys_is_historical(standard))
        kw_judge_say(j, subject, KW_OUTCOME_FAIL,
                     "%s: these certificates are historical since 2026-09-21", standard);
    else
        kw_judge_say(j, subject,
                     strstr(standard, "140-3") != NULL ? KW_OUTCOME_PASS
                                                       : KW_OUTCOME_NOT_ANSWERED,
                     "%s, certificate %s, as is stated; it wants FIPS 140-3", standard,
                     kw_row_text(token, "certificate"));
}

void kw_judge_certificate(struct kw_judge *j)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_TOKENS), i, row)
        keys_judge_certificate(j, row);
}

/* ---- keys ---- */

/* A token of which the keyring of its node has no usable key passes nothing by others. */
static void keys_judge_without(struct kw_judge *j)
{
    const json_t *token, *key;
    size_t i, k;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_TOKENS), i, token)
    {
        char subject[KW_SUBJECT_MAX];
        bool has_key = false;
        json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_KEYS), k, key)
        {
            has_key = has_key || ((kw_row_is_usable(key) || kw_row_is_unknown(key)) &&
                                  kw_row_says(key, "node", kw_row_text(token, "node")) &&
                                  kw_row_says(key, "token", kw_row_text(token, "token")));
        }
        kw_judge_subject(token, subject);
        if (!has_key)
            kw_judge_say(j, subject, KW_OUTCOME_NOT_ANSWERED, "there is no usable key");
    }
}

/* true: it is, and that is said. */
static bool keys_say_unknown(struct kw_judge *j, const json_t *key)
{
    char subject[KW_SUBJECT_MAX];
    if (!kw_row_is_unknown(key))
        return false;
    kw_judge_subject(key, subject);
    kw_judge_say(j, subject, KW_OUTCOME_NOT_ANSWERED, KW_JUDGE_UNKNOWN);
    return true;
}

/* What is no outcome answers nothing. */
static const char *keys_outcome(const char *text)
{
    return strcmp(text, KW_OUTCOME_PASS) == 0   ? KW_OUTCOME_PASS
           : strcmp(text, KW_OUTCOME_FAIL) == 0 ? KW_OUTCOME_FAIL
                                                : KW_OUTCOME_NOT_ANSWERED;
}

void kw_judge_attributes(struct kw_judge *j)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_KEYS), i, row)
    {
        char subject[KW_SUBJECT_MAX];
        const char *verdict = kw_row_text(row, "verdict");
        if (keys_say_unknown(j, row) || !kw_row_is_usable(row))
            continue;
        kw_judge_subject(row, subject);
        kw_judge_say(j, subject, keys_outcome(verdict), "the decisive rules: %s",
                     verdict[0] != '\0' ? verdict : "not read");
    }
    keys_judge_without(j);
}

static void keys_judge_identity(struct kw_judge *j, const json_t *key)
{
    char subject[KW_SUBJECT_MAX];
    const char *findings = kw_row_text(key, "findings");
    const bool is_asked = !kw_row_is_null(key, "check_blob_opens");
    kw_judge_subject(key, subject);
    if (findings[0] != '\0')
        kw_judge_say(j, subject, KW_OUTCOME_FAIL, "found: %s", findings);
    else if (!is_asked)
        kw_judge_say(j, subject, KW_OUTCOME_NOT_ANSWERED, "it was not proven: %s",
                     kw_row_text(key, "error"));
    else if (kw_row_is(key, "check_blob_opens"))
        kw_judge_say(j, subject, KW_OUTCOME_PASS, "it opens the check blob");
    else
        kw_judge_say(j, subject, KW_OUTCOME_FAIL, "it does not open the check blob");
}

void kw_judge_identity(struct kw_judge *j)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_KEYS), i, row)
    {
        if (!keys_say_unknown(j, row) && kw_row_is_usable(row))
            keys_judge_identity(j, row);
    }
    keys_judge_without(j);
}

/* ---- one of their attributes ---- */

static bool keys_has(const json_t *key, const json_t *attribute)
{
    static const char *const columns[] = {"node", "token", "n", "key_id"};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        if (!json_equal(json_object_get(attribute, columns[i]),
                        json_object_get(key, columns[i])))
            return false;
    return attribute != NULL;
}

/* NULL stands for one that was not read. */
typedef void keys_judge_attribute(struct kw_judge *j, const char *subject,
                                  const json_t *attribute);

/* The attribute of each key that has it, and of each other one that may be usable.  Rows of a
 * key's attributes stand together, in the order of the keys. */
static void keys_each_attribute(struct kw_judge *j, const char *name,
                                keys_judge_attribute *judge)
{
    const json_t *rows = kw_evidence_rows(j->e, KW_EVIDENCE_ATTRIBUTES), *key, *one;
    size_t i, at = 0;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_KEYS), i, key)
    {
        char of[KW_SUBJECT_MAX], subject[2 * KW_SUBJECT_MAX];
        bool is_read = false;
        kw_judge_subject(key, of);
        snprintf(subject, sizeof subject, "%s, %s", of, name);
        for (; keys_has(key, one = json_array_get(rows, at)); at++) {
            if (!kw_row_says(one, "attribute", name))
                continue;
            is_read = true;
            judge(j, subject, one);
        }
        if (!is_read && (kw_row_is_usable(key) || kw_row_is_unknown(key)))
            judge(j, subject, NULL);
    }
}

static void keys_judge_now(struct kw_judge *j, const char *subject,
                           const json_t *attribute, const char *wanted)
{
    const char *now = kw_row_text(attribute, "now");
    kw_judge_say(j, subject,
                 now[0] == '\0'             ? KW_OUTCOME_NOT_ANSWERED
                 : strcmp(now, wanted) == 0 ? KW_OUTCOME_PASS
                                            : KW_OUTCOME_FAIL,
                 "it is %s; it must be %s", now[0] != '\0' ? now : "not answered",
                 wanted);
}

static void keys_judge_local(struct kw_judge *j, const char *subject,
                             const json_t *attribute)
{
    keys_judge_now(j, subject, attribute, "true");
}

static void keys_judge_mechanism(struct kw_judge *j, const char *subject,
                                 const json_t *attribute)
{
    keys_judge_now(j, subject, attribute, "CKM_AES_KEY_GEN");
}

void kw_judge_generated(struct kw_judge *j)
{
    keys_each_attribute(j, "CKA_LOCAL", keys_judge_local);
    keys_each_attribute(j, "CKA_KEY_GEN_MECHANISM", keys_judge_mechanism);
    keys_judge_without(j);
}

static void keys_judge_length(struct kw_judge *j, const char *subject,
                              const json_t *attribute)
{
    const char *now = kw_row_text(attribute, "now");
    kw_judge_say(
        j, subject, keys_outcome(kw_row_text(attribute, "outcome")),
        "%s bytes; the rule wants %s", now[0] != '\0' ? now : "not answered, so many",
        kw_row_is_null(attribute, "wants") ? "nothing" : kw_row_text(attribute, "wants"));
}

void kw_judge_strength(struct kw_judge *j)
{
    keys_each_attribute(j, "CKA_VALUE_LEN", keys_judge_length);
    keys_judge_without(j);
}
