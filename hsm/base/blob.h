/* SPDX-License-Identifier: Apache-2.0 */
/* blob - the bytes of an open file, for the readers that differ in what they open */
#ifndef KEYWARD_BASE_BLOB_H
#define KEYWARD_BASE_BLOB_H

#include <keyward/file.h>

/* Reads a regular file of at most `max` bytes; fd stays the caller's, path is for the
 * note.  BAD_INPUT, IO, NO_MEMORY */
KW_MUST_USE kw_err kw_blob_read(int fd, const char *path, size_t max,
                                struct kw_blob *ret_blob, struct kw_note *note);

/* "<path>: not a regular file": BAD_INPUT. */
kw_err kw_file_not_regular(const char *path, struct kw_note *note);
/* errno as an error of the file at path: MISSING, else IO. */
kw_err kw_file_failed(const char *what, const char *path, struct kw_note *note);

#endif
