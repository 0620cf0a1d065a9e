/* SPDX-License-Identifier: Apache-2.0 */
/* support_archive - texts as one uncompressed tar file
 *
 * Format:    ustar, POSIX.1-2017 (pax), "ustar Interchange Format": a header of 512 bytes,
 *            the text, zeros up to the next 512; two blocks of zeros, and zeros up to 10240.
 * Threads:   plain values.
 * Secrets:   none come here.
 */
#ifndef KEYWARD_CLI_SUPPORT_ARCHIVE_H
#define KEYWARD_CLI_SUPPORT_ARCHIVE_H

#include <stdio.h>

#include "support_text.h"

enum { KW_SUPPORT_TAR_BLOCK = 512, KW_SUPPORT_TAR_RECORD = 20 * KW_SUPPORT_TAR_BLOCK };
#define KW_SUPPORT_TAR_NAME 100u

/* The header of a regular file, mode 0600, uid and gid 0, mtime in seconds.  false: the name
 * is empty or longer than KW_SUPPORT_TAR_NAME - 1, or one of the numbers has no room. */
KW_MUST_USE bool kw_support_tar_header(const char *name, uint64_t size, int64_t mtime,
                                       uint8_t ret_block[KW_SUPPORT_TAR_BLOCK]);
/* What fails shows at the end of `out` (ferror). */
KW_MUST_USE bool kw_support_tar_put(FILE *out, const char *name, kw_span text,
                                    int64_t mtime);
void kw_support_tar_end(FILE *out);

#endif
