/* SPDX-License-Identifier: Apache-2.0 */
/* evidence_log - copies of an audit log's files, as the log was at one moment
 *
 * The running file is opened, and its length taken, before the others are looked for: one
 * that ends meanwhile is copied under the name that it had, and what comes later is left
 * out.  Of the running file goes what ends with a line feed then; ended ones go whole.
 *
 * The folder may be another user's, so a file is copied only when it is that user's, regular,
 * and no symbolic link: nothing else of this machine can be slipped in.
 *
 * Threads:   one.
 * Blocking:  on the disk; memory does not grow with the files' size.
 */
#ifndef KEYWARD_CLI_EVIDENCE_LOG_H
#define KEYWARD_CLI_EVIDENCE_LOG_H

#include "evidence_folder.h"

struct kw_evidence_log {
    size_t files; /* so many were copied; 0: there is no such log */
    /* "": all of it.  Else what could not be looked at, the first thing of it. */
    struct kw_note why;
};

/* Copies NAME.jsonl and NAME-*-*.jsonl of `from` into the folder's `inside`.
 * Errors are those of writing alone: IO, CANCELLED, BUSY, NO_MEMORY */
KW_MUST_USE kw_err kw_evidence_log(struct kw_evidence_folder *folder, const char *from,
                                   const char *name, struct kw_evidence_log *ret_log,
                                   struct kw_note *note);

#endif
