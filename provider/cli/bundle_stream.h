/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_stream - a file of a bundle, written with stdio before it is put there
 *
 * It lies in memory that has no name in any file system.
 */
#ifndef KEYWARD_CLI_BUNDLE_STREAM_H
#define KEYWARD_CLI_BUNDLE_STREAM_H

#include <stdio.h>

#include <keyward/file.h>

#include "evidence_folder.h"

struct kw_bundle_stream {
    FILE *file; /* to be written */
};

/* IO, NO_MEMORY */
KW_MUST_USE kw_err kw_bundle_stream_open(struct kw_bundle_stream *ret_stream);
/* All of what was written; ret_bytes is for kw_blob_wipe.
 * BUSY  more than `max` bytes;  IO, NO_MEMORY */
KW_MUST_USE kw_err kw_bundle_stream_read(struct kw_bundle_stream *stream, size_t max,
                                         struct kw_blob *ret_bytes);
/* Puts it there, when it `is_written`, under this name, and closes it in every case.
 * As kw_evidence_copy. */
KW_MUST_USE kw_err kw_bundle_stream_put(struct kw_bundle_stream *stream, bool is_written,
                                        struct kw_evidence_folder *folder,
                                        const char *name, struct kw_note *note);
void kw_bundle_stream_close(
    struct kw_bundle_stream *stream); /* also one that is closed */

#endif
