/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_etcd - reports on etcd's files: those that were made, and those of snapshots
 *
 * Threads:   one.
 * Blocking:  on the disk.
 */
#ifndef KEYWARD_CLI_BUNDLE_ETCD_H
#define KEYWARD_CLI_BUNDLE_ETCD_H

#include <keyward/file.h>
#include <keyward/sha256.h>

#include "bundle.h"

#define KW_BUNDLE_REPORT_MAX ((size_t)64 << 20) /* bytes of one */

struct kw_bundle_report {
    const char *path; /* of the file that was said */
    char name[32];    /* "etcd/report-01.json" */
    char sha256[2 * KW_SHA256 + 1];
    struct kw_blob bytes;
};
struct kw_bundle_etcd {
    struct kw_bundle_report reports[2 * KW_WORDS_MAX];
    size_t count;
};

/* Snapshots are audited here, as keyward etcd audit would; then the reports, in the order in
 * which they were said.
 * BAD_INPUT  a report is longer than KW_BUNDLE_REPORT_MAX, or the EncryptionConfiguration is
 *            none;  MISSING, IO, NO_MEMORY */
KW_MUST_USE kw_err kw_bundle_etcd_read(struct kw_bundle_etcd *etcd,
                                       const struct kw_bundle_asked *asked,
                                       struct kw_note *note);
/* BAD_INPUT  one of them is no report */
KW_MUST_USE kw_err kw_bundle_etcd_fill(const struct kw_bundle_etcd *etcd,
                                       struct kw_evidence *e, struct kw_note *note);
/* As kw_evidence_put. */
KW_MUST_USE kw_err kw_bundle_etcd_put(const struct kw_bundle_etcd *etcd,
                                      struct kw_evidence_folder *folder,
                                      struct kw_note *note);
void kw_bundle_etcd_free(struct kw_bundle_etcd *etcd);

#endif
