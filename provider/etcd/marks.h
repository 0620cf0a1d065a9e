/* SPDX-License-Identifier: Apache-2.0 */
/* marks - does a piece of bytes that could not be read hold anything of an object's?
 *
 * Threads:  pure functions, but for the file. */
#ifndef KEYWARD_ETCD_MARKS_H
#define KEYWARD_ETCD_MARKS_H

#include <keyward/bytes.h>

/* What an encrypted value begins with, what a plaintext one begins with (as JSON: its
 * apiVersion), or a key below the prefix. */
bool kw_etcd_has_marks(kw_span bytes, kw_span prefix);

/* Of a whole regular file, in pieces.  MISSING, BAD_INPUT (none), IO, NO_MEMORY */
KW_MUST_USE kw_err kw_etcd_file_has_marks(const char *path, kw_span prefix, bool *ret_has,
                                          uint64_t *ret_bytes, struct kw_note *note);

#endif
