/* SPDX-License-Identifier: Apache-2.0 */
/* Versions that ended in the period, and what showed that nobody needed them. */
#include <string.h>

#include <keyward/clock.h>
#include <keyward/keyring.h>

#include "judge.h"

#define ENDED_PRUNED " destroyed " /* between key_id and time, in the proof of a prune */

/* ---- one version ---- */

struct ended {
    const char *proof; /* of its last end; "": none */
    bool has_line;     /* the history has its last end */
    bool was_accepted; /* something may have been sealed under it */
};

static struct ended ended_history(const struct kw_judge *j, const json_t *row)
{
    struct ended ended = {.proof = "",
                          .was_accepted = !kw_row_is_null(row, "activated") ||
                                          !kw_row_is_null(row, "retired")};
    const json_t *act;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_ACTS), i, act)
    {
        if (!kw_row_says(act, "from", "keyring") ||
            !kw_row_says(act, "key_id", kw_row_text(row, "key_id")))
            continue;
        ended.was_accepted |= kw_row_says(act, "act", "accept");
        if (kw_row_says(act, "act", "enable")) {
            ended.has_line = false;
            ended.proof = "";
        } else if (kw_row_says(act, "act", "disable") ||
                   kw_row_says(act, "act", "destroy")) {
            ended.has_line = true;
            if (!kw_row_is_null(act, "proof"))
                ended.proof = kw_row_text(act, "proof");
        }
    }
    ended.was_accepted |= ended.proof[0] != '\0';
    return ended;
}

static void ended_judge_proof(struct kw_judge *j, const json_t *row)
{
    const char *key_id = kw_row_text(row, "key_id");
    const struct ended ended = ended_history(j, row);
    if (ended.has_line && !ended.was_accepted)
        return; /* nothing was sealed under it */
    if (!ended.has_line)
        kw_judge_say(j, key_id, KW_OUTCOME_NOT_ANSWERED,
                     "the history has no line of its end");
    else if (ended.proof[0] == '\0')
        kw_judge_say(j, key_id, KW_OUTCOME_FAIL,
                     "the history has no proof that it was not needed");
    else
        kw_judge_say(j, key_id,
                     strncmp(ended.proof, "etcd: ", 6) == 0 ? KW_OUTCOME_PASS
                                                            : KW_OUTCOME_FAIL,
                     "%s", ended.proof);
}

static bool ended_is_in_period(const struct kw_judge *j, const json_t *row,
                               const char *column)
{
    const struct kw_evidence_head *head = kw_evidence_head(j->e);
    int64_t us = 0;
    return kw_row_time(row, column, &us) && us >= head->from_us && us < head->to_us;
}

static void ended_judge(struct kw_judge *j, const json_t *row)
{
    const char *state = kw_row_text(row, "state"), *key_id = kw_row_text(row, "key_id");
    const bool is_over =
        strcmp(state, "disabled") == 0 || strcmp(state, "destroyed") == 0;
    if (kw_row_is_unknown(row))
        kw_judge_say(j, key_id, KW_OUTCOME_NOT_ANSWERED, KW_JUDGE_UNKNOWN);
    else if (is_over && kw_row_is_null(row, state))
        kw_judge_say(j, key_id, KW_OUTCOME_NOT_ANSWERED,
                     "it is %s, and nobody wrote down since when", state);
    else if (ended_is_in_period(j, row, "disabled") ||
             ended_is_in_period(j, row, "destroyed"))
        ended_judge_proof(j, row);
}

/* ---- versions that are not there any more ---- */

/* Pruning leaves one line of a version, and no proof.  It was destroyed as that says, and may
 * have been disabled at any time before. */
static void ended_judge_pruned(struct kw_judge *j, const json_t *act)
{
    char destroyed[KW_TIME_TEXT] = "";
    const char *at = strstr(kw_row_text(act, "proof"), ENDED_PRUNED);
    if (at != NULL) {
        at += strlen(ENDED_PRUNED);
        kw_copy_str(destroyed, sizeof destroyed, kw_span_of(at, strcspn(at, ",")));
    }
    const kw_span time = kw_span_str(destroyed);
    if (kw_is_time(time) && kw_time_us(time) < kw_evidence_head(j->e)->from_us)
        return;
    kw_judge_say(j, kw_row_is_null(act, "key_id") ? "all" : kw_row_text(act, "key_id"),
                 KW_OUTCOME_NOT_ANSWERED, "it was pruned, and its proofs with it: %s",
                 kw_row_text(act, "proof"));
}

/* Numbers up to the highest of which there is neither a version nor the line of a prune. */
static json_int_t ended_missing(const struct kw_judge *j)
{
    const json_t *versions = kw_evidence_rows(j->e, KW_EVIDENCE_ROTATIONS), *row;
    json_int_t highest = 0, known = (json_int_t)json_array_size(versions);
    size_t i;
    json_array_foreach(versions, i, row) highest =
        kw_row_number(row, "n") > highest ? kw_row_number(row, "n") : highest;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_ACTS), i, row)
    {
        uint32_t n = 0;
        if (kw_row_says(row, "from", "keyring") && kw_row_says(row, "act", "prune") &&
            kw_key_id_parse(kw_span_str(kw_row_text(row, "key_id")), &n))
            known += n < highest;
    }
    return highest - known;
}

/* Does the history begin before the period?  Older lines make room for newer ones. */
static bool ended_reaches_back(const struct kw_judge *j)
{
    const json_t *act;
    size_t i;
    int64_t us = 0;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_ACTS), i, act)
    {
        if (kw_row_says(act, "from", "keyring") && kw_row_time(act, "time", &us))
            return us < kw_evidence_head(j->e)->from_us;
    }
    return false;
}

static void ended_judge_missing(struct kw_judge *j)
{
    const json_int_t missing = ended_missing(j);
    const json_t *act;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_ACTS), i, act)
    {
        if (kw_row_says(act, "from", "keyring") && kw_row_says(act, "act", "prune"))
            ended_judge_pruned(j, act);
    }
    if (missing > 0 && !ended_reaches_back(j))
        kw_judge_say(j, "all", KW_OUTCOME_NOT_ANSWERED,
                     "%" JSON_INTEGER_FORMAT " versions are not there any more, and the "
                     "history does not go back to the period's beginning",
                     missing);
}

/* ---- all of them ---- */

/* None ended: that is known of a keyring that all have, and when the period was over. */
void kw_judge_ended(struct kw_judge *j)
{
    const json_t *rows = kw_evidence_rows(j->e, KW_EVIDENCE_ROTATIONS), *row;
    size_t i;
    json_array_foreach(rows, i, row) ended_judge(j, row);
    ended_judge_missing(j);
    kw_judge_others(j);
    if (j->said == 0 && json_array_size(rows) > 0)
        kw_judge_say(j, "all", KW_OUTCOME_PASS, "no version ended in the period");
}
