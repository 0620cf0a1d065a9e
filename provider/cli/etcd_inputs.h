/* SPDX-License-Identifier: Apache-2.0 */
/* etcd_inputs - which files a member of etcd has, and what each is
 *
 * Of a member's folder (or of the data folder above it): snap/db is the database; files
 * of snap that end in .snap.db, and what a broken off defragmentation left, are copies;
 * wal is the log; every other file in these folders is one that may hold anything.
 */
#ifndef KEYWARD_CLI_ETCD_INPUTS_H
#define KEYWARD_CLI_ETCD_INPUTS_H

#include "etcd_report.h"

struct kw_etcd_inputs {
    struct kw_etcd_input at[KW_ETCD_INPUTS_MAX];
    size_t count;
};

/* BUSY when there are more than KW_ETCD_INPUTS_MAX, BAD_INPUT for a path that is too
 * long. */
KW_MUST_USE kw_err kw_etcd_inputs_add(struct kw_etcd_inputs *inputs,
                                      enum kw_etcd_input_kind kind, const char *path,
                                      struct kw_note *note);

/* A member without a database or a log has one that failed: MISSING is not clean.
 * MISSING  no such folder; IO; NO_MEMORY; BUSY, BAD_INPUT as above */
KW_MUST_USE kw_err kw_etcd_inputs_member(struct kw_etcd_inputs *inputs,
                                         const char *folder, struct kw_note *note);

#endif
