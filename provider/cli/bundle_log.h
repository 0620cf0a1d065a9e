/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_log - what the two logs of a control plane are worth, as rows of a bundle
 *
 * The daemon's log (`audit`) is verified with the bundle's period, and with anchors and key
 * where there are some; then the operators' log, whose anchors are the records `operator-log`
 * of the daemon's (docs/FORMATS.md, 7).  A log that is broken is a row that says where, no
 * failure; its other rows are of the records before that place, and of the period nothing is
 * said.
 *
 * The same files give the same rows, wherever they lie: files are told with their path inside
 * of the folder.
 *
 * Threads:   one.
 * Blocking:  on the files.  Memory does not grow with the logs, but for the tables, and for up
 *            to KW_BUNDLE_STANDINGS_MAX places at which the operators' log stood.
 */
#ifndef KEYWARD_CLI_BUNDLE_LOG_H
#define KEYWARD_CLI_BUNDLE_LOG_H

#include <keyward/evidence.h>

enum { KW_BUNDLE_STANDINGS_MAX = 65536 };

struct kw_bundle_log_asked {
    const char *node;    /* the control plane's name                                  */
    const char *folder;  /* what was collected of it: its logs lie in `audit` there   */
    const char *key;     /* path of the public key that judges signatures; NULL: none */
    const char *anchors; /* path of the anchors for its log; NULL: none               */
    bool copied;         /* the logs were (node.json); else nothing is read           */
};

/* Adds to KW_EVIDENCE_LOGS the rows `audit` and `operator`, to COVERAGE each interval of the
 * period of the bundle's head, to CALLS (bundle_calls.h) and to ACTS (bundle_acts.h).
 *
 * A verdict is that of `keyward audit verify`, but for a log without a record, which is `none`.
 * The operators' log is broken besides when it is not here and the daemon's speaks of one; and
 * incomplete when the daemon's log, if it has a record, says nothing of it, speaks of another
 * one, found at some time that it was none, or is broken.
 *
 * IO         a file could not be read; the note says which.  native = errno
 * BAD_INPUT, MISSING …  the anchors' or the key's file is none, as kw_anchors_read and
 *            kw_signatures_key have it
 * NO_MEMORY  */
KW_MUST_USE kw_err kw_bundle_log(struct kw_evidence *e,
                                 const struct kw_bundle_log_asked *asked,
                                 struct kw_note *note);

#endif
