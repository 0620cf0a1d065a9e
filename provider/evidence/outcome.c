/* SPDX-License-Identifier: Apache-2.0 */
/* What all checks come to. */
#include <keyward/evidence.h>

#include <string.h>

struct kw_evidence_sum kw_evidence_count(const struct kw_evidence *e)
{
    struct kw_evidence_sum sum = {0};
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(e, KW_EVIDENCE_CHECKS), i, row)
    {
        const char *outcome = json_string_value(json_object_get(row, "outcome"));
        if (strcmp(outcome, KW_OUTCOME_PASS) == 0)
            sum.pass++;
        else if (strcmp(outcome, KW_OUTCOME_FAIL) == 0)
            sum.fail++;
        else
            sum.not_answered++;
    }
    return sum;
}

const char *kw_evidence_outcome(const struct kw_evidence *e)
{
    const struct kw_evidence_sum sum = kw_evidence_count(e);
    if (sum.fail > 0)
        return KW_OUTCOME_FAIL;
    return sum.pass > 0 && sum.not_answered == 0 ? KW_OUTCOME_PASS
                                                 : KW_OUTCOME_NOT_ANSWERED;
}
