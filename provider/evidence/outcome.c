/* SPDX-License-Identifier: Apache-2.0 */
/* What all checks come to. */
#include <keyward/evidence.h>

#include <string.h>

const char *kw_evidence_outcome(const struct kw_evidence *e)
{
    const json_t *checks = kw_evidence_rows(e, KW_EVIDENCE_CHECKS);
    bool all_pass = json_array_size(checks) > 0;
    for (size_t i = 0; i < json_array_size(checks); i++) {
        const char *outcome =
            json_string_value(json_object_get(json_array_get(checks, i), "outcome"));
        if (strcmp(outcome, KW_OUTCOME_FAIL) == 0)
            return KW_OUTCOME_FAIL;
        all_pass = all_pass && strcmp(outcome, KW_OUTCOME_PASS) == 0;
    }
    return all_pass ? KW_OUTCOME_PASS : KW_OUTCOME_NOT_ANSWERED;
}
