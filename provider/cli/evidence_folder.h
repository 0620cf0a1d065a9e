/* SPDX-License-Identifier: Apache-2.0 */
/* evidence_folder - a new folder of evidence: all of it is written, or nothing is left
 *
 * Mode 0700, its files 0600, each durable, and listed with size and SHA-256 as it lies on the
 * disk.  What is there already is never touched.  The file that lists the others is written
 * last, so that a folder without it is none.
 *
 * Threads:   one.
 * Blocking:  on the disk.
 * Secrets:   none come here.
 */
#ifndef KEYWARD_CLI_EVIDENCE_FOLDER_H
#define KEYWARD_CLI_EVIDENCE_FOLDER_H

#include <jansson.h>

#include <keyward/bytes.h>
#include <keyward/limits.h>

#define KW_EVIDENCE_FILES_MAX 65536u

struct kw_evidence_folder {
    char path[KW_PATH_MAX];
    int fd;
    json_t *files;      /* [{name, size, sha256}], as they came */
    json_t *folders;    /* the names of those in it, each behind the one that it is in */
    const char *inside; /* of them, where logs go; NULL: there is none */
};
#define KW_EVIDENCE_FOLDER_NONE ((struct kw_evidence_folder){.fd = -1})

/* DENIED  there is something of this name;  IO, NO_MEMORY; nothing was made then */
KW_MUST_USE kw_err kw_evidence_folder_make(const char *path,
                                           struct kw_evidence_folder *ret_folder,
                                           struct kw_note *note);
/* The folder in it where logs go, also when there will be none; a literal. */
KW_MUST_USE kw_err kw_evidence_folder_inside(struct kw_evidence_folder *folder,
                                             const char *name, struct kw_note *note);

/* One more file; "nodes/cp-1/node.json" makes the folders that it needs.  After a failure
 * nothing of it is left but such folders, which go with the whole.
 * IO         native = errno;  CANCELLED  a signal was noted;  NO_MEMORY
 * BUSY       there are KW_EVIDENCE_FILES_MAX */
KW_MUST_USE kw_err kw_evidence_put(struct kw_evidence_folder *folder, const char *name,
                                   kw_span bytes, struct kw_note *note);
/* The document is taken; NULL is out of memory.  Ends in a line feed. */
KW_MUST_USE kw_err kw_evidence_put_json(struct kw_evidence_folder *folder,
                                        const char *name, json_t *document,
                                        struct kw_note *note);
/* The first `len` bytes of a file, in pieces.  *ret_unread: it is the source that could not
 * be read, or ended before. */
KW_MUST_USE kw_err kw_evidence_copy(struct kw_evidence_folder *folder, const char *name,
                                    int source, uint64_t len, bool *ret_unread,
                                    struct kw_note *note);

/* The names are durable: the end.  IO */
KW_MUST_USE kw_err kw_evidence_folder_sync(struct kw_evidence_folder *folder,
                                           struct kw_note *note);
/* Takes away what was made; what cannot be is said on standard error. */
void kw_evidence_folder_remove(struct kw_evidence_folder *folder);
/* What lies on the disk stays.  NONE does nothing. */
void kw_evidence_folder_close(struct kw_evidence_folder *folder);

#endif
