/* SPDX-License-Identifier: Apache-2.0 */
/* limit_list - what no bundle shows, said in each
 *
 * The sentences are those of docs/COMPLIANCE.md.
 *
 * Threads:   one thread a struct kw_evidence; the list never changes.
 * Blocking:  never.
 * Secrets:   none come here.
 */
#ifndef KEYWARD_EVIDENCE_LIMIT_LIST_H
#define KEYWARD_EVIDENCE_LIMIT_LIST_H

#include <keyward/evidence.h>

/* The i-th; NULL behind the last. */
const char *kw_evidence_limit(size_t i);

/* A row of KW_EVIDENCE_LIMITS for each. */
void kw_evidence_limits(struct kw_evidence *e);

#endif
