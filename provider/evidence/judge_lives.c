/* SPDX-License-Identifier: Apache-2.0 */
/* How long each version was the baseline, and in how many tokens it lies. */
#include <string.h>

#include "judge.h"

/* ---- the cryptoperiod ---- */

static void lives_judge_cryptoperiod(struct kw_judge *j, const json_t *row)
{
    const struct kw_evidence_head *head = kw_evidence_head(j->e);
    const json_int_t used = kw_row_number(row, "days_used");
    const bool is_over = used > (json_int_t)head->cryptoperiod_days;
    if (kw_row_says(row, "state", "active"))
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
                     used, kw_row_text(row, "activated"),
                     kw_row_is_null(row, "retired") ? "an end that nobody wrote down"
                                                    : kw_row_text(row, "retired"));
}

/* Why it cannot be judged; NULL: it can be. */
static const char *lives_doubt(const struct kw_judge *j, const json_t *row)
{
    int64_t from_us = 0;
    if (kw_row_is_unknown(row))
        return KW_JUDGE_UNKNOWN;
    if (!kw_row_time(row, "activated", &from_us))
        return kw_row_says(row, "state", "active") || !kw_row_is_null(row, "activated")
                   ? "nobody wrote down when it became the baseline"
                   : NULL;
    return from_us > kw_evidence_head(j->e)->at_us
               ? "it became the baseline later than the bundle is said to be made"
               : NULL;
}

/* Was it the baseline at some time of the period, or is it? */
static bool lives_was_baseline(const struct kw_judge *j, const json_t *row)
{
    const struct kw_evidence_head *head = kw_evidence_head(j->e);
    int64_t from_us = 0, to_us = INT64_MAX;
    if (!kw_row_time(row, "activated", &from_us))
        return false;
    (void)kw_row_time(row, "retired", &to_us);
    return kw_row_says(row, "state", "active") ||
           (from_us < head->to_us && to_us > head->from_us);
}

void kw_judge_cryptoperiod(struct kw_judge *j)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_ROTATIONS), i, row)
    {
        const char *doubt = lives_doubt(j, row);
        if (doubt != NULL)
            kw_judge_say(j, kw_row_text(row, "key_id"), KW_OUTCOME_NOT_ANSWERED, "%s",
                         doubt);
        else if (lives_was_baseline(j, row))
            lives_judge_cryptoperiod(j, row);
    }
    kw_judge_others(j);
}

/* ---- copies ---- */

static void lives_judge_copies(struct kw_judge *j, const json_t *row, size_t proven)
{
    const char *key_id = kw_row_text(row, "key_id");
    if (kw_row_is_unknown(row))
        kw_judge_say(j, key_id, KW_OUTCOME_NOT_ANSWERED, KW_JUDGE_UNKNOWN);
    else if (kw_row_is_usable(row))
        kw_judge_say(j, key_id, proven >= 2 ? KW_OUTCOME_PASS : KW_OUTCOME_FAIL,
                     "proven in %zu tokens; it says: %s", proven,
                     kw_row_is_null(row, "second_copy")
                         ? "nothing"
                         : kw_row_text(row, "second_copy"));
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
        if (next != NULL && kw_row_says(next, "key_id", kw_row_text(row, "key_id")))
            continue;
        lives_judge_copies(j, row, proven);
        proven = 0;
    }
    kw_judge_others(j);
}
