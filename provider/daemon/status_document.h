/* SPDX-License-Identifier: Apache-2.0 */
/* status_document - what the status socket gives, as one JSON document
 *
 * Threads:   main.
 */
#ifndef KEYWARD_DAEMON_STATUS_DOCUMENT_H
#define KEYWARD_DAEMON_STATUS_DOCUMENT_H

#include <jansson.h>

#include "daemon_internal.h"

/* One line of JSON.  NULL: no memory.  kw_free it. */
char *kw_status_document(const struct kw_daemon *d);

/* A string of which what may not be shown is replaced (bytes.h, kw_copy_printable), as a
 * library or a file may say anything; JSON's null for NULL.  NULL: no memory. */
json_t *kw_status_text(const char *text);

#endif
