/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the audit logs and the operators' logs. */
#include <string.h>

#include "judge.h"

#define INVOCATIONS_MAX (INT64_C(1) << 32) /* SP 800-38D, 8.3 */

/* A log that does not follow from record to record shows nothing; one that is not there, or
 * has nothing, is not answered.  true: that is said. */
static bool logs_say_unusable(struct kw_judge *j, const json_t *log)
{
    const char *node = kw_row_text(log, "node");
    if (kw_row_says(log, "verdict", "broken"))
        kw_judge_say(j, node, KW_OUTCOME_FAIL, "broken: %s", kw_row_text(log, "why"));
    else if (kw_row_says(log, "verdict", "none"))
        kw_judge_say(j, node, KW_OUTCOME_NOT_ANSWERED, "there is none");
    else
        return false;
    return true;
}

typedef void logs_judge(struct kw_judge *j, const json_t *log);

static void logs_each(struct kw_judge *j, const char *kind, logs_judge *judge)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_LOGS), i, row)
    {
        if (kw_row_says(row, "log", kind) && !logs_say_unusable(j, row))
            judge(j, row);
    }
}

static void logs_judge_sound(struct kw_judge *j, const json_t *log)
{
    const json_int_t marks = kw_row_number(log, "marks");
    kw_judge_say(
        j, kw_row_text(log, "node"), marks > 0 ? KW_OUTCOME_FAIL : KW_OUTCOME_PASS,
        "%" JSON_INTEGER_FORMAT " records follow each other, %" JSON_INTEGER_FORMAT
        " of them say that something is missing or was changed",
        kw_row_number(log, "records"), marks);
}

void kw_judge_sound(struct kw_judge *j)
{
    logs_each(j, "audit", logs_judge_sound);
}

/* Its verdict is of the records alone, and of what the daemon's log says of it: any lack
 * is one of these. */
static void logs_judge_operator_sound(struct kw_judge *j, const json_t *log)
{
    if (kw_row_says(log, "verdict", "sound"))
        logs_judge_sound(j, log);
    else
        kw_judge_say(j, kw_row_text(log, "node"), KW_OUTCOME_FAIL, "%s: %s",
                     kw_row_text(log, "verdict"), kw_row_text(log, "why"));
}

void kw_judge_operator_sound(struct kw_judge *j)
{
    logs_each(j, "operator", logs_judge_operator_sound);
}

/* The row of a control plane; NULL: there is none. */
static const json_t *logs_node(const struct kw_judge *j, const char *name)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_NODES), i, row)
    {
        if (kw_row_says(row, "node", name))
            return row;
    }
    return NULL;
}

/* A log that ends with a stop goes on to the period's end, as far as the copy knows. */
static void logs_judge_covers(struct kw_judge *j, const json_t *log)
{
    const char *node = kw_row_text(log, "node");
    const char *untimely = kw_judge_untimely(j, logs_node(j, node));
    if (kw_row_is_null(log, "covered"))
        kw_judge_say(j, node, KW_OUTCOME_NOT_ANSWERED, "nothing is known of its period");
    else if (kw_row_is(log, "covered") && untimely != NULL)
        kw_judge_say(j, node, KW_OUTCOME_NOT_ANSWERED, "%s", untimely);
    else if (kw_row_is(log, "covered"))
        kw_judge_say(j, node, KW_OUTCOME_PASS, "the whole period");
    else
        kw_judge_say(j, node, KW_OUTCOME_FAIL,
                     "%" JSON_INTEGER_FORMAT " gaps of %" JSON_INTEGER_FORMAT
                     " seconds in all",
                     kw_row_number(log, "gaps"), kw_row_number(log, "gap_seconds"));
}

void kw_judge_covers(struct kw_judge *j)
{
    logs_each(j, "audit", logs_judge_covers);
}

/* Did the operator say that it is the one?  A key that comes with what it signed says
 * nothing. */
static bool logs_is_known_key(const struct kw_judge *j, const char *sha256)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_STATED), i, row)
    {
        if (kw_row_says(row, "what", KW_STATED_AUDIT_KEY) &&
            kw_row_says(row, "sha256", sha256))
            return true;
    }
    return false;
}

/* The first moment of the period of which the log tells something of this kind; NULL: there
 * is none. */
static const char *logs_first(const struct kw_judge *j, const char *node,
                              const char *kind)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_COVERAGE), i, row)
    {
        if (kw_row_says(row, "node", node) && kw_row_says(row, "kind", kind))
            return kw_row_text(row, "from");
    }
    return NULL;
}

/* Of the period alone: what was collected of a keywardd that serves goes on behind its last
 * checkpoint.  What is anchored is proven by more than a signature. */
static void logs_judge_signed(struct kw_judge *j, const json_t *log)
{
    const char *node = kw_row_text(log, "node"), *key = kw_row_text(log, "key_sha256");
    const char *unsigned_from = logs_first(j, node, "unsigned");
    const bool is_told =
        logs_first(j, node, "signed") != NULL || logs_first(j, node, "anchored") != NULL;
    if (key[0] == '\0')
        kw_judge_say(j, node, KW_OUTCOME_NOT_ANSWERED, "there is no key to judge by");
    else if (kw_row_is_null(log, "signed_to"))
        kw_judge_say(j, node, KW_OUTCOME_FAIL, "nothing is signed by the key %s", key);
    else if (unsigned_from != NULL)
        kw_judge_say(j, node, KW_OUTCOME_FAIL, "what is from %s on is not signed",
                     unsigned_from);
    else if (!logs_is_known_key(j, key))
        kw_judge_say(j, node, KW_OUTCOME_NOT_ANSWERED,
                     "by the key %s, which came with the log (--key)", key);
    else if (!is_told)
        kw_judge_say(j, node, KW_OUTCOME_NOT_ANSWERED, "it tells nothing of the period");
    else
        kw_judge_say(j, node, KW_OUTCOME_PASS, "by the key %s", key);
}

void kw_judge_signed(struct kw_judge *j)
{
    logs_each(j, "audit", logs_judge_signed);
}

/* The first moment of the period of which the log tells something that no anchor proves; the
 * period's own when it tells nothing of it; NULL: all that it tells is anchored. */
static const char *logs_unanchored(const struct kw_judge *j, const char *node)
{
    const json_t *row;
    size_t i;
    bool is_told = false;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_COVERAGE), i, row)
    {
        if (!kw_row_says(row, "node", node) || kw_row_says(row, "kind", "absent"))
            continue;
        if (kw_row_is(row, "gap"))
            return kw_row_text(row, "from");
        is_told = true;
    }
    return is_told ? NULL : kw_evidence_head(j->e)->from;
}

static void logs_judge_anchored(struct kw_judge *j, const json_t *log)
{
    const char *node = kw_row_text(log, "node"), *from = logs_unanchored(j, node);
    if (kw_row_is_null(log, "anchored_to"))
        kw_judge_say(j, node, KW_OUTCOME_NOT_ANSWERED,
                     "no anchor that was kept elsewhere agrees, or none was given");
    else if (from != NULL)
        kw_judge_say(j, node, KW_OUTCOME_NOT_ANSWERED,
                     "up to record %" JSON_INTEGER_FORMAT
                     "; no anchor proves what is from %s on",
                     kw_row_number(log, "anchored_to"), from);
    else
        kw_judge_say(j, node, KW_OUTCOME_PASS, "up to record %" JSON_INTEGER_FORMAT,
                     kw_row_number(log, "anchored_to"));
}

void kw_judge_anchored(struct kw_judge *j)
{
    logs_each(j, "audit", logs_judge_anchored);
}

static void logs_judge_clock(struct kw_judge *j, const json_t *log)
{
    const json_int_t all = kw_row_number(log, "checkpoints");
    const json_int_t bad = kw_row_number(log, "unsynchronised");
    if (all == 0)
        kw_judge_say(j, kw_row_text(log, "node"), KW_OUTCOME_NOT_ANSWERED,
                     "there is no checkpoint in the period");
    else
        kw_judge_say(j, kw_row_text(log, "node"),
                     bad > 0 ? KW_OUTCOME_FAIL : KW_OUTCOME_PASS,
                     "not synchronised at %" JSON_INTEGER_FORMAT
                     " of %" JSON_INTEGER_FORMAT " checkpoints",
                     bad, all);
}

void kw_judge_clock(struct kw_judge *j)
{
    logs_each(j, "audit", logs_judge_clock);
}

/* ---- acts ---- */

static void logs_count_acts(const struct kw_judge *j, const char *node, size_t *ret_acts,
                            size_t *ret_without)
{
    const json_t *row;
    size_t i;
    *ret_acts = *ret_without = 0;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_ACTS), i, row)
    {
        if (!kw_row_says(row, "from", node) || !kw_row_is(row, "in_period"))
            continue;
        ++*ret_acts;
        *ret_without += kw_row_text(row, "ticket")[0] == '\0';
    }
}

/* An act that is not there has no ticket either: that there is none is known of a log that is
 * sound, and was copied when the period was over. */
static void logs_judge_tickets(struct kw_judge *j, const json_t *log)
{
    const char *node = kw_row_text(log, "node");
    const char *untimely = kw_judge_untimely(j, logs_node(j, node));
    size_t acts, without;
    logs_count_acts(j, node, &acts, &without);
    if (without == 0 && !kw_row_says(log, "verdict", "sound"))
        kw_judge_say(j, node, KW_OUTCOME_NOT_ANSWERED, "%s: %s",
                     kw_row_text(log, "verdict"), kw_row_text(log, "why"));
    else if (without == 0 && untimely != NULL)
        kw_judge_say(j, node, KW_OUTCOME_NOT_ANSWERED, "%s", untimely);
    else
        kw_judge_say(j, node, without > 0 ? KW_OUTCOME_FAIL : KW_OUTCOME_PASS,
                     "%zu of %zu acts in the period have no ticket", without, acts);
}

void kw_judge_tickets(struct kw_judge *j)
{
    logs_each(j, "operator", logs_judge_tickets);
}

/* ---- calls ---- */

/* What a log does not tell is in no sum. */
static void logs_judge_untold(struct kw_judge *j)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_LOGS), i, row)
    {
        if (kw_row_says(row, "log", "audit") && (kw_row_says(row, "verdict", "none") ||
                                                 kw_row_says(row, "verdict", "broken")))
            kw_judge_say(j, kw_row_text(row, "node"), KW_OUTCOME_NOT_ANSWERED,
                         "its log is %s: %s", kw_row_text(row, "verdict"),
                         kw_row_text(row, "why"));
    }
}

/* Encrypts of the token, all nodes together: a key is one, however many tokens hold it. */
void kw_judge_invocations(struct kw_judge *j)
{
    const json_t *rows = kw_evidence_rows(j->e, KW_EVIDENCE_CALLS), *row;
    json_t *of = json_object(), *name;
    const char *key_id;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        key_id = kw_row_text(row, "key_id");
        if (!kw_row_says(row, "method", "encrypt") || key_id[0] == '\0')
            continue;
        const json_int_t sum = json_integer_value(json_object_get(of, key_id));
        if (json_object_set_new(of, key_id,
                                json_integer(sum + kw_row_number(row, "count"))) != 0)
            kw_evidence_add(j->e, KW_EVIDENCE_CHECKS, NULL);
    }
    json_object_foreach(of, key_id, name) kw_judge_say(
        j, key_id,
        json_integer_value(name) < INVOCATIONS_MAX ? KW_OUTCOME_PASS : KW_OUTCOME_FAIL,
        "%" JSON_INTEGER_FORMAT " Encrypts on record in the period, of 2^32 "
        "in the key's life",
        json_integer_value(name));
    json_decref(of);
    logs_judge_untold(j);
}
