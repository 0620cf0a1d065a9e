/* SPDX-License-Identifier: Apache-2.0 */
/* keep - ciphertexts in a file, so that the plugin can be restarted before they are asked
 * for
 *
 * A JSON document: {"tool":"keyward-bench storm --prepare","schema":1,"seeds":[{"seed":
 * hex,"decrypt":hex},…]}; `decrypt` is the whole message of the call, `seed` what it must
 * give back.
 *
 * Blocking:  on the disk.
 * Secrets:   none: the seeds were made for the measurement and protect nothing.  The file
 *            is its owner's alone (0600) all the same.
 */
#ifndef KEYWARD_BENCH_KEEP_H
#define KEYWARD_BENCH_KEEP_H

#include "corpus.h"

/* IO, NO_MEMORY.  A file that was there is replaced. */
KW_MUST_USE kw_err kw_keep_write(const char *path, const struct kw_corpus *corpus,
                                 struct kw_note *note);
/* The first `count` seeds of the file; 0: all of them.
 * MISSING, IO  as kw_file_read
 * BAD_INPUT    not such a file, of another schema, damaged, or it has fewer
 * NO_MEMORY */
KW_MUST_USE kw_err kw_keep_read(const char *path, size_t count,
                                struct kw_corpus *ret_corpus, struct kw_note *note);

#endif
