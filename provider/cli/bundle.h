/* SPDX-License-Identifier: Apache-2.0 */
/* bundle - a bundle of evidence for auditors: out of folders and reports, into a new folder
 *
 * Order: all inputs are read and judged before anything is made; then the folder, the copies,
 * the reports, the tables, the page, VERIFY.txt, and the manifest as the last one.  Equal
 * inputs give equal bytes: the only clock is `at`, and no path of an input but those of
 * etcd's files is in it.
 *
 * Threads:   one.
 * Blocking:  on the disk.
 * Secrets:   none; the folder is mode 0700 all the same, as it names what a thief looks for.
 */
#ifndef KEYWARD_CLI_BUNDLE_H
#define KEYWARD_CLI_BUNDLE_H

#include "audit_period.h"
#include "bundle_node.h"
#include "cli.h"

struct kw_bundle_asked {
    const char *out;
    struct kw_words nodes;         /* NAME=DIR, or NAME          */
    struct kw_words snapshots;     /* files of etcd              */
    struct kw_words reports;       /* of keyward etcd audit --json */
    struct kw_words anchors;       /* NAME=FILE                  */
    struct kw_words keys;          /* files by which signatures are judged; none: the
                                      audit.pem of each node's folder */
    const char *encryption_config; /* for the snapshots, or NULL */
    const char *stated;            /* what the operator says, or NULL */
    struct kw_period period;
    int64_t at_us;
};

struct kw_bundle_made {
    struct kw_evidence *evidence; /* kw_evidence_free */
    size_t files;
};

/* DENIED     there is something of the name `out`
 * BAD_INPUT  an input is not what it must be; the note names it.  Nothing was made
 * MISSING    an input is not there
 * CANCELLED  a signal was noted;  IO, BUSY, NO_MEMORY: nothing is left */
KW_MUST_USE kw_err kw_bundle_make(const struct kw_bundle_asked *asked,
                                  struct kw_bundle_made *ret_made, struct kw_note *note);

#endif
