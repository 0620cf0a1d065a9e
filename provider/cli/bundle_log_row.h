/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_log_row - the row of KW_EVIDENCE_LOGS of a log that was verified, and what it lacks
 *
 * Pure, but for memory.
 */
#ifndef KEYWARD_CLI_BUNDLE_LOG_ROW_H
#define KEYWARD_CLI_BUNDLE_LOG_ROW_H

#include <keyward/evidence.h>

#include "audit_verification.h"
#include "bundle_calls.h"

/* In the records that were taken. */
struct kw_bundle_seen {
    char first_time[KW_AUDIT_TIME + 1], last_time[KW_AUDIT_TIME + 1];
    uint64_t checkpoints, unsynchronised; /* in the period */
};

/* What the daemon's log says of the operators' one. */
struct kw_bundle_daemon {
    bool has_records, is_broken;
    bool speaks_of_one;
    uint64_t found_none;     /* so often it was there, or had been, and was no log */
    bool has_more_standings; /* than KW_BUNDLE_STANDINGS_MAX, which were compared  */
};

struct kw_bundle_log_row {
    const char *node, *log; /* "audit", "operator" */
    const char *folder;     /* files are told without it */
    const struct kw_verification *verification;
    const struct kw_bundle_seen *seen;
    const struct kw_bundle_calls *calls;   /* NULL: it is the operators' log */
    const struct kw_bundle_daemon *daemon; /* NULL: it is the daemon's       */
};

void kw_bundle_log_row(const struct kw_bundle_log_row *row, struct kw_evidence *e);
/* Of a log that was not copied: nothing is known of it. */
void kw_bundle_log_row_uncopied(const char *node, const char *log, struct kw_evidence *e);

#endif
