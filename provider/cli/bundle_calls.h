/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_calls - the Encrypts and Decrypts of an audit log in a period, counted by their kind
 *
 * A kind is method, class, source, code, reason and key_id, as the call's record has them.
 * Whoever may ask a socket names a key_id as he likes, and what he names is on record with a
 * code other than 0: beyond KW_BUNDLE_KEYS_MAX such kinds a further key_id is counted as
 * `other`.  A log that somebody wrote may have any other names in any number: beyond
 * KW_BUNDLE_CALLS_MAX kinds calls are counted in no row, but as left out.
 *
 * Pure, but for memory.
 */
#ifndef KEYWARD_CLI_BUNDLE_CALLS_H
#define KEYWARD_CLI_BUNDLE_CALLS_H

#include <keyward/audit.h>
#include <keyward/evidence.h>

#include "audit_period.h"

enum { KW_BUNDLE_KEYS_MAX = 256, KW_BUNDLE_CALLS_MAX = 4096 };

struct kw_bundle_calls {
    struct kw_period period;
    struct kw_bundle_call *at; /* in the order of their rows */
    size_t count, foreign; /* of all; of codes other than 0, with a key_id of their own */
    uint64_t folded, left_out; /* calls that were counted as `other`; in no row */
};

/* NO_MEMORY */
KW_MUST_USE kw_err kw_bundle_calls_begin(struct kw_bundle_calls *c,
                                         const struct kw_period *period);
void kw_bundle_calls_free(struct kw_bundle_calls *c);
/* The next record; what is no call of the period is passed over. */
void kw_bundle_calls_meet(struct kw_bundle_calls *c, const struct kw_audit_record *r);
/* A row of KW_EVIDENCE_CALLS for each kind, ordered by their columns. */
void kw_bundle_calls_rows(const struct kw_bundle_calls *c, const char *node,
                          struct kw_evidence *e);

#endif
