/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_acts - the acts of an operators' log, each with what came of it
 *
 * An act is its `begun`, with the time of that; the next outcome of the same act, key_id, user
 * and ticket is that of the last of them that waits for one.  When none comes it was broken
 * off; of a log that is broken, or whose last line has no end, that is not known (null).  An
 * outcome without a `begun` before it, as the log begins behind that, is a row with its own
 * time.
 *
 * Memory grows with the acts, as their table does.
 */
#ifndef KEYWARD_CLI_BUNDLE_ACTS_H
#define KEYWARD_CLI_BUNDLE_ACTS_H

#include <keyward/audit.h>
#include <keyward/evidence.h>

#include "audit_period.h"

enum { KW_BUNDLE_WAITING_MAX = 64 }; /* for an outcome; of more the first is broken off */

struct kw_bundle_acts {
    const char *node; /* borrowed */
    struct kw_period period;
    json_t *rows;
    json_t *waiting[KW_BUNDLE_WAITING_MAX]; /* borrowed from the rows, the oldest first */
    size_t waiting_count;
    kw_err err; /* NO_MEMORY */
};

/* Fails later, by `err`. */
void kw_bundle_acts_begin(struct kw_bundle_acts *a, const char *node,
                          const struct kw_period *period);
void kw_bundle_acts_free(struct kw_bundle_acts *a);
/* The next record; what is no act is passed over. */
void kw_bundle_acts_meet(struct kw_bundle_acts *a, const struct kw_audit_record *r);
/* The rows of KW_EVIDENCE_ACTS, in the order in which they began.  `is_all`: the log's end is
 * known, and what waits was broken off.  NO_MEMORY */
KW_MUST_USE kw_err kw_bundle_acts_rows(struct kw_bundle_acts *a, bool is_all,
                                       struct kw_evidence *e);

#endif
