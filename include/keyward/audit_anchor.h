/* SPDX-License-Identifier: Apache-2.0 */
/* audit_anchor - a checkpoint that somebody else kept, as a line
 *
 * Whoever holds one can tell a log that was cut off, rewritten or forked.  A line is one of
 *
 *   the record `checkpoint` of the log (audit.h), or its copy (audit_copies.h), whatever the
 *     system log put before: Nov 28 12:00:00 host keywardd-audit[99]: {…}
 *   the line of the daemon's log: …level=info event=audit-checkpoint seq=N head=H log=L, or as
 *     JSON …"event":"audit-checkpoint","seq":N,"head":"H","log":"L"…, whatever syslog or
 *     journald put before
 *   a record `operator-log`, or its copy, which speaks of that log
 *   N:H
 *
 * Threads:   pure function.
 * Blocking:  never.
 */
#ifndef KEYWARD_AUDIT_ANCHOR_H
#define KEYWARD_AUDIT_ANCHOR_H

#include <keyward/audit.h>

struct kw_audit_anchor {
    uint64_t seq;            /* 0 to 2^63 - 1 */
    uint8_t head[KW_SHA256]; /* the hash of that record */
    bool has_log;
    bool
        is_operator; /* of an `operator-log`: other records of its file speak of another */
    uint8_t log[KW_SHA256]; /* its id */
};

/* Of a line without its line feed.  false: it is none of these, and nothing is given. */
KW_MUST_USE bool kw_audit_anchor_read(kw_span line, struct kw_audit_anchor *ret_anchor);
/* It is another record in either form: no anchor, but what comes in one file with them. */
KW_MUST_USE bool kw_audit_anchor_is_beside(kw_span line);

#endif
