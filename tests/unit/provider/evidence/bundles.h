/* SPDX-License-Identifier: Apache-2.0 */
/* bundles - a bundle of evidence without rows, and rows of checks for it */
#ifndef KEYWARD_TESTS_UNIT_EVIDENCE_BUNDLES_H
#define KEYWARD_TESTS_UNIT_EVIDENCE_BUNDLES_H

#include <keyward/evidence.h>

/* Owned; kw_evidence_free. */
struct kw_evidence *kw_bundle_empty(void);
void kw_bundle_check(struct kw_evidence *e, const char *check, const char *subject,
                     const char *outcome);

#endif
