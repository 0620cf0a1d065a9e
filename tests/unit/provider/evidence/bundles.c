/* SPDX-License-Identifier: Apache-2.0 */
#include "bundles.h"

#include "check.h"

struct kw_evidence *kw_bundle_empty(void)
{
    const struct kw_evidence_head head = {.at = "2026-11-28T00:00:00.000000Z",
                                          .from = "2026-11-01T00:00:00.000000Z",
                                          .to = "2026-11-28T00:00:00.000000Z",
                                          .cryptoperiod_days = 365};
    struct kw_evidence *e = NULL;
    CHECK_OK(kw_evidence_new(&head, &e));
    return e;
}

void kw_bundle_check(struct kw_evidence *e, const char *check, const char *subject,
                     const char *outcome)
{
    kw_evidence_add(e, KW_EVIDENCE_CHECKS,
                    json_pack("{ss ss ss ss ss ss}", "check", check, "subject", subject,
                              "outcome", outcome, "why", "", "tables", "nodes", "command",
                              "keyward evidence collect"));
    CHECK_OK(kw_evidence_state(e));
}
