/* SPDX-License-Identifier: Apache-2.0 */
/* etcd_run - an audit of given inputs by a given policy, written to a file that is open
 *
 * No command line, no standard stream, no exit.  An input that cannot be read (it is not
 * there, a running etcd has it open, it is torn) is no failure of the run: it is told in
 * the report, whose exit status says so.
 *
 * What is written is a function of the bytes of the inputs, of their paths as they were
 * given and of what `struct kw_etcd_run` says: no clock, no host, no environment.  A fresh
 * key of redaction and a token's answers make it another one, where they are asked for.
 *
 * Threads:   one at a time: no core file is written of this process from then on, as
 *            values that are not encrypted pass through its memory.
 * Blocking:  on the disk; with `restore` as long as the vendor library does, in a child.
 * Memory:    that of kw_etcd_audit.
 * Secrets:   with `restore`, in the child's arena only.
 */
#ifndef KEYWARD_CLI_ETCD_RUN_H
#define KEYWARD_CLI_ETCD_RUN_H

#include <keyward/encryption_config.h>

#include "etcd_report.h"

/* What progress is told once all inputs were read; before, thousandths of one of them. */
#define KW_ETCD_RUN_ALL_READ UINT_MAX

/* All of it is borrowed, and stays until the run has ended. */
struct kw_etcd_run {
    struct kw_etcd_input *inputs; /* the run says which failed, and why */
    size_t input_count;
    const char *prefix; /* KW_ETCD_PREFIX, unless it is told */
    /* The policy, read already, and the path it has in the report; both NULL: secrets
     * must be encrypted. */
    const struct kw_encryption_config *config;
    const char *config_path;
    const struct kw_redaction *redaction; /* one that is not on: names as they are */
    struct kw_restore *restore; /* its `by`, token and sample_wanted are set; NULL: not
                                   asked for.  kw_restore_free is the caller's */
    const struct kw_etcd_format *format;
    void *self;                                         /* of progress */
    void (*progress)(void *self, unsigned thousandths); /* may be NULL */
};

/* Writes the whole report and flushes it; `out` is not closed.  *ret_exit: 0, 1, 3 or 4,
 * as docs/ETCD.md says.
 * IO         `out` could not be written, native = errno
 * NO_MEMORY  The report is cut then, and *ret_exit untouched. */
KW_MUST_USE kw_err kw_etcd_run(const struct kw_etcd_run *run, FILE *out, int *ret_exit,
                               struct kw_note *note);

/* One snapshot, or copied database, as JSON (docs/FORMATS.md 9), nothing redacted, no
 * token asked.  encryption_config: the path of kube-apiserver's file; NULL: secrets must
 * be encrypted.
 * IO, NO_MEMORY  as kw_etcd_run's
 * BAD_INPUT      the path is longer than PATH_MAX - 1
 * and of the EncryptionConfiguration what kw_encryption_config_read says: nothing is
 * written then. */
KW_MUST_USE kw_err kw_etcd_run_snapshot(const char *path, const char *encryption_config,
                                        FILE *json_out, int *ret_exit,
                                        struct kw_note *note);

#endif
