/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the keys, and of the tokens that hold them. */
#include <string.h>

#include <keyward/clock.h>

#include "judge.h"

#define DAY_US (INT64_C(86400) * 1000000)

static bool keys_is(const json_t *row, const char *column, const char *text)
{
    return strcmp(kw_row_text(row, column), text) == 0;
}

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
            has_key = has_key || (kw_row_is_usable(key) &&
                                  keys_is(key, "node", kw_row_text(token, "node")) &&
                                  keys_is(key, "token", kw_row_text(token, "token")));
        }
        kw_judge_subject(token, subject);
        if (!has_key)
            kw_judge_say(j, subject, KW_OUTCOME_NOT_ANSWERED, "there is no usable key");
    }
}

void kw_judge_attributes(struct kw_judge *j)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_KEYS), i, row)
    {
        char subject[KW_SUBJECT_MAX];
        const char *verdict = kw_row_text(row, "verdict");
        if (!kw_row_is_usable(row))
            continue;
        kw_judge_subject(row, subject);
        kw_judge_say(j, subject,
                     strcmp(verdict, KW_OUTCOME_PASS) == 0   ? KW_OUTCOME_PASS
                     : strcmp(verdict, KW_OUTCOME_FAIL) == 0 ? KW_OUTCOME_FAIL
                                                             : KW_OUTCOME_NOT_ANSWERED,
                     "the decisive rules: %s", verdict[0] != '\0' ? verdict : "not read");
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
        if (kw_row_is_usable(row))
            keys_judge_identity(j, row);
    }
    keys_judge_without(j);
}

static bool keys_is_of(const json_t *attribute, const json_t *key)
{
    static const char *const columns[] = {"node", "token", "n"};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        if (!json_equal(json_object_get(attribute, columns[i]),
                        json_object_get(key, columns[i])))
            return false;
    return true;
}

/* Of which usable keys this was not read: they have no row that a rule could look at.  Rows
 * of both tables stand in one order. */
static void keys_judge_unread(struct kw_judge *j, const char *attribute)
{
    const json_t *all = kw_evidence_rows(j->e, KW_EVIDENCE_ATTRIBUTES), *key;
    size_t i, at = 0;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_KEYS), i, key)
    {
        char subject[KW_SUBJECT_MAX];
        bool is_read = false;
        for (; at < json_array_size(all) && keys_is_of(json_array_get(all, at), key);
             at++)
            is_read = is_read || keys_is(json_array_get(all, at), "attribute", attribute);
        kw_judge_subject(key, subject);
        if (!is_read && kw_row_is_usable(key))
            kw_judge_say(j, subject, KW_OUTCOME_NOT_ANSWERED, "%s was not read",
                         attribute);
    }
}

void kw_judge_generated(struct kw_judge *j)
{
    static const struct kw_judge_rule rules[] = {
        {KW_EVIDENCE_ATTRIBUTES, "attribute", "CKA_LOCAL", "now", "true"},
        {KW_EVIDENCE_ATTRIBUTES, "attribute", "CKA_KEY_GEN_MECHANISM", "now",
         "CKM_AES_KEY_GEN"}};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        kw_judge_rule(j, &rules[i]);
        keys_judge_unread(j, rules[i].is);
    }
    keys_judge_without(j);
}

void kw_judge_strength(struct kw_judge *j)
{
    static const struct kw_judge_rule rule = {
        KW_EVIDENCE_ATTRIBUTES, "attribute", "CKA_VALUE_LEN", "outcome", KW_OUTCOME_PASS};
    kw_judge_rule(j, &rule);
    keys_judge_unread(j, rule.is);
    keys_judge_without(j);
}

/* ---- their lives ---- */

static bool keys_time(const json_t *row, const char *column, int64_t *ret_us)
{
    const char *text = kw_row_text(row, column);
    if (text[0] == '\0')
        return false;
    *ret_us = kw_time_us(kw_span_str(text));
    return true;
}

static void keys_judge_cryptoperiod(struct kw_judge *j, const json_t *row)
{
    const struct kw_evidence_head *head = kw_evidence_head(j->e);
    const json_int_t used = kw_row_number(row, "days_used");
    const bool is_over = used > (json_int_t)head->cryptoperiod_days;
    int64_t from_us = 0;
    if (keys_time(row, "activated", &from_us) && from_us > head->at_us)
        kw_judge_say(j, kw_row_text(row, "key_id"), KW_OUTCOME_NOT_ANSWERED,
                     "the baseline since %s, later than the bundle is said to be made",
                     kw_row_text(row, "activated"));
    else if (keys_is(row, "state", "active"))
        kw_judge_say(j, kw_row_text(row, "key_id"),
                     kw_row_number(row, "days_left") < 0 ? KW_OUTCOME_FAIL
                                                         : KW_OUTCOME_PASS,
                     "the baseline since %s; its cryptoperiod of %u days ends %s",
                     kw_row_text(row, "activated"), head->cryptoperiod_days,
                     kw_row_text(row, "ends"));
    else
        kw_judge_say(j, kw_row_text(row, "key_id"),
                     is_over ? KW_OUTCOME_FAIL : KW_OUTCOME_PASS,
                     "the baseline for %" JSON_INTEGER_FORMAT " days, from %s to %s",
                     used, kw_row_text(row, "activated"), kw_row_text(row, "retired"));
}

/* Those that were the baseline at some time of the period, and the one that is. */
void kw_judge_cryptoperiod(struct kw_judge *j)
{
    const struct kw_evidence_head *head = kw_evidence_head(j->e);
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_ROTATIONS), i, row)
    {
        int64_t from_us = 0, to_us = INT64_MAX;
        if (!keys_time(row, "activated", &from_us)) {
            if (keys_is(row, "state", "active"))
                kw_judge_say(j, kw_row_text(row, "key_id"), KW_OUTCOME_NOT_ANSWERED,
                             "nobody wrote down since when it is the baseline");
            continue;
        }
        (void)keys_time(row, "retired", &to_us);
        if (keys_is(row, "state", "active") ||
            (from_us < head->to_us && to_us > head->from_us))
            keys_judge_cryptoperiod(j, row);
    }
    kw_judge_others(j);
}

/* What the history says of the last end of this version, in the period. */
static const char *keys_proof(const struct kw_judge *j, const char *key_id)
{
    const char *proof = "";
    const json_t *act;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_ACTS), i, act)
    {
        const bool ends =
            keys_is(act, "act", "disable") || keys_is(act, "act", "destroy");
        if (ends && keys_is(act, "from", "keyring") && keys_is(act, "key_id", key_id) &&
            kw_row_text(act, "proof")[0] != '\0')
            proof = kw_row_text(act, "proof");
    }
    return proof;
}

static bool keys_ended_in_period(const struct kw_judge *j, const json_t *row)
{
    const struct kw_evidence_head *head = kw_evidence_head(j->e);
    int64_t us = 0;
    return (keys_time(row, "disabled", &us) && us >= head->from_us && us < head->to_us) ||
           (keys_time(row, "destroyed", &us) && us >= head->from_us && us < head->to_us);
}

void kw_judge_ended(struct kw_judge *j)
{
    const json_t *rows = kw_evidence_rows(j->e, KW_EVIDENCE_ROTATIONS), *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        const char *key_id = kw_row_text(row, "key_id"), *proof = keys_proof(j, key_id);
        const bool is_shown = strncmp(proof, "etcd: ", 6) == 0;
        if (!keys_ended_in_period(j, row) || kw_row_is_null(row, "activated"))
            continue; /* nothing was ever sealed under one that was never used */
        kw_judge_say(
            j, key_id, is_shown ? KW_OUTCOME_PASS : KW_OUTCOME_FAIL, "%s",
            proof[0] != '\0' ? proof : "the history has no proof that it was not needed");
    }
    if (j->said == 0 && json_array_size(rows) > 0)
        kw_judge_say(j, "all", KW_OUTCOME_PASS, "no version ended in the period");
    kw_judge_others(j);
}

/* Rows of one version stand together. */
void kw_judge_second_copy(struct kw_judge *j)
{
    const json_t *rows = kw_evidence_rows(j->e, KW_EVIDENCE_COPIES), *row;
    size_t i, proven = 0;
    json_array_foreach(rows, i, row)
    {
        const json_t *next = json_array_get(rows, i + 1);
        proven += !kw_row_is_null(row, "proven") && kw_row_is_null(row, "gone");
        if (next != NULL && keys_is(next, "key_id", kw_row_text(row, "key_id")))
            continue;
        if (kw_row_is_usable(row))
            kw_judge_say(j, kw_row_text(row, "key_id"),
                         proven >= 2 ? KW_OUTCOME_PASS : KW_OUTCOME_FAIL,
                         "proven in %zu tokens; it says: %s", proven,
                         kw_row_is_null(row, "second_copy")
                             ? "nothing"
                             : kw_row_text(row, "second_copy"));
        proven = 0;
    }
    kw_judge_others(j);
}
