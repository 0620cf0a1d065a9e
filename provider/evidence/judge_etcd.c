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

/* What could not be read is never clean. */
static void etcd_say(struct kw_judge *j, const json_t *report, json_int_t objects,
                     const char *where)
{
    const json_int_t unread = kw_row_number(report, "unread");
    const char *outcome = objects > 0  ? KW_OUTCOME_FAIL
                          : unread > 0 ? KW_OUTCOME_NOT_ANSWERED
                                       : KW_OUTCOME_PASS;
    kw_judge_say(j, kw_row_text(report, "report"), outcome,
                 "%" JSON_INTEGER_FORMAT
                 " objects in %s are not as they must be; %" JSON_INTEGER_FORMAT
                 " things could not be read",
                 objects, where, unread);
}

static void etcd_judge_encrypted(struct kw_judge *j, const json_t *report)
{
    etcd_say(j, report, kw_row_number(report, "violations"), "what a read gives");
}

static void etcd_judge_leftovers(struct kw_judge *j, const json_t *report)
{
    etcd_say(j, report, kw_row_number(report, "leftovers"),
             "old revisions, free pages and logs");
}

/* Of those reports for which it was asked: a member's is no backup's. */
static void etcd_judge_restorable(struct kw_judge *j, const json_t *report)
{
    const char *verdict = kw_row_text(report, "restorable");
    const char *outcome = strcmp(verdict, "restorable") == 0 ? KW_OUTCOME_PASS
                          : strcmp(verdict, "not restorable") == 0
                              ? KW_OUTCOME_FAIL
                              : KW_OUTCOME_NOT_ANSWERED;
    if (verdict[0] != '\0')
        kw_judge_say(j, kw_row_text(report, "report"), outcome, "%s", verdict);
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
