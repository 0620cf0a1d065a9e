/* SPDX-License-Identifier: Apache-2.0 */
/* audit_checkpoint - the records `checkpoint` and `signature`, and what is signed of them
 *
 * Threads:   pure functions.
 * Blocking:  never.
 */
#ifndef KEYWARD_AUDIT_CHECKPOINT_H
#define KEYWARD_AUDIT_CHECKPOINT_H

#include <keyward/audit.h>
#include <keyward/checkpoint.h>

/* A signature is that of one of so many checkpoints that are the last before it: who reads
 * remembers no more. */
#define KW_AUDIT_CHECKPOINTS_KEPT 8u

/* What a CHECKPOINT says.  false: what it says of the clock is neither 0 nor 1. */
KW_MUST_USE bool kw_audit_checkpoint_read(const struct kw_audit_record *record,
                                          struct kw_checkpoint *ret_checkpoint);

/* The record of it, for kw_audit_log_commit, which says log, covered, head and records by
 * itself.  Borrows the node's name.  The checkpoint is sane. */
void kw_audit_checkpoint_record(const struct kw_checkpoint *checkpoint,
                                struct kw_audit_record *ret_record);

/* Of a SIGNATURE: its DER, appended to `dst`.  false: it is no hex, or has no room. */
KW_MUST_USE bool kw_audit_signature_read(const struct kw_audit_record *record,
                                         kw_dst *dst);

#endif
