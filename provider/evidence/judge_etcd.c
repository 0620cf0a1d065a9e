/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of what lies in etcd's files. */
#include <string.h>

#include "judge.h"

typedef void etcd_judge(struct kw_judge *j, const json_t *report);

static void etcd_each(struct kw_judge *j, etcd_judge *judge)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_ETCD), i, row) judge(j, row);
}

/* ---- what it is of ---- */

static bool etcd_has_version(const struct kw_judge *j, const char *key_id)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_ROTATIONS), i, row)
    {
        if (kw_row_says(row, "key_id", key_id))
            return true;
    }
    return false;
}

/* Why it says nothing of what the keyring protects: of no object, or of another cluster, all
 * is well.  NULL: it does say something. */
static const char *etcd_is_of_nothing(const struct kw_judge *j, const json_t *report)
{
    const json_t *row;
    size_t i;
    bool has_keyring = json_array_size(kw_evidence_rows(j->e, KW_EVIDENCE_ROTATIONS)) > 0;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_OBJECTS), i, row)
    {
        if (kw_row_says(row, "report", kw_row_text(report, "report")) &&
            kw_row_says(row, "stored_as", "kms-v2") &&
            kw_row_number(row, "current") > 0 &&
            (!has_keyring || etcd_has_version(j, kw_row_text(row, "key_id"))))
            return NULL;
    }
    return has_keyring
               ? "no object in it is under a key of the keyring: it is of another "
                 "cluster, or of nothing that keyward protects"
               : "no object in it is encrypted by KMS v2";
}

/* ---- what lies there ---- */

/* Secrets are never to lie in clear, whatever configuration it was judged by. */
static bool etcd_has_clear(const struct kw_judge *j, const json_t *report,
                           const char *const places[])
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_OBJECTS), i, row)
    {
        const bool is_clear =
            strncmp(kw_row_text(row, "stored_as"), "plain-", strlen("plain-")) == 0 ||
            kw_row_says(row, "stored_as", "other");
        if (!is_clear || !kw_row_says(row, "resource", "secrets") ||
            !kw_row_is_null(row, "why") ||
            !kw_row_says(row, "report", kw_row_text(report, "report")))
            continue;
        for (size_t p = 0; places[p] != NULL; p++)
            if (kw_row_number(row, places[p]) > 0)
                return true;
    }
    return false;
}

/* What could not be read is never clean. */
static void etcd_say(struct kw_judge *j, const json_t *report, json_int_t objects,
                     const char *where)
{
    const json_int_t unread = kw_row_number(report, "unread");
    const char *nothing = etcd_is_of_nothing(j, report);
    const char *outcome = objects > 0  ? KW_OUTCOME_FAIL
                          : unread > 0 ? KW_OUTCOME_NOT_ANSWERED
                                       : KW_OUTCOME_PASS;
    if (strcmp(outcome, KW_OUTCOME_PASS) == 0 && nothing != NULL) {
        kw_judge_say(j, kw_row_text(report, "report"), KW_OUTCOME_NOT_ANSWERED, "%s",
                     nothing);
        return;
    }
    kw_judge_say(j, kw_row_text(report, "report"), outcome,
                 "%" JSON_INTEGER_FORMAT
                 " objects in %s are not as they must be; %" JSON_INTEGER_FORMAT
                 " things could not be read",
                 objects, where, unread);
}

static void etcd_judge_encrypted(struct kw_judge *j, const json_t *report)
{
    static const char *const places[] = {"current", NULL};
    if (etcd_has_clear(j, report, places) && kw_row_number(report, "violations") == 0)
        kw_judge_say(j, kw_row_text(report, "report"), KW_OUTCOME_FAIL, "%s",
                     "Secrets lie in clear, and what it was judged by allows that");
    else
        etcd_say(j, report, kw_row_number(report, "violations"), "what a read gives");
}

static void etcd_judge_leftovers(struct kw_judge *j, const json_t *report)
{
    static const char *const places[] = {"historic", "unreachable", "log", NULL};
    if (etcd_has_clear(j, report, places) && kw_row_number(report, "leftovers") == 0)
        kw_judge_say(j, kw_row_text(report, "report"), KW_OUTCOME_FAIL, "%s",
                     "Secrets lie in clear, and what it was judged by allows that");
    else
        etcd_say(j, report, kw_row_number(report, "leftovers"),
                 "old revisions, free pages and logs");
}

/* Of those reports for which it was asked: a member's is no backup's. */
static void etcd_judge_restorable(struct kw_judge *j, const json_t *report)
{
    const char *name = kw_row_text(report, "report");
    const char *verdict = kw_row_text(report, "restorable");
    const char *nothing = etcd_is_of_nothing(j, report);
    if (verdict[0] == '\0')
        return;
    if (strcmp(verdict, "restorable") == 0)
        kw_judge_say(j, name, nothing == NULL ? KW_OUTCOME_PASS : KW_OUTCOME_NOT_ANSWERED,
                     "%s", nothing == NULL ? verdict : nothing);
    else
        kw_judge_say(j, name,
                     strcmp(verdict, "not restorable") == 0 ? KW_OUTCOME_FAIL
                                                            : KW_OUTCOME_NOT_ANSWERED,
                     "%s", verdict);
}

void kw_judge_encrypted(struct kw_judge *j)
{
    etcd_each(j, etcd_judge_encrypted);
}

void kw_judge_leftovers(struct kw_judge *j)
{
    etcd_each(j, etcd_judge_leftovers);
}

void kw_judge_restorable(struct kw_judge *j)
{
    etcd_each(j, etcd_judge_restorable);
}
