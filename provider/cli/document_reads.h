/* SPDX-License-Identifier: Apache-2.0 */
/* document_reads - versions that may not be read, and are still needed
 *
 * Pure: looks at the status document alone.
 */
#ifndef KEYWARD_CLI_DOCUMENT_READS_H
#define KEYWARD_CLI_DOCUMENT_READS_H

#include <jansson.h>

/* A read that was refused longer ago makes nobody look any more. */
enum { KW_READS_LATELY_S = 3600 };

/* Neither text is printable by itself. */
typedef void kw_document_said(void *ctx, const char *text, const char *remedy);

/* Of each class and version: its state forbids to read, has refused reads since the daemon's
 * start, and the last read that was refused is less than KW_READS_LATELY_S old.  What the
 * document does not have is no such thing. */
void kw_document_reads(const json_t *document, kw_document_said *said, void *ctx);

#endif
