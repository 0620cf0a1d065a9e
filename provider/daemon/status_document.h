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

/* Appends and gives back `list`; NULL when either is not there. */
json_t *kw_status_append(json_t *list, json_t *item);

/* status_versions.c.  Those of the keyring in use, each with what all classes were asked for
 * under it; and, of one class, those under which it was asked for anything.  NULL: no
 * memory. */
json_t *kw_status_versions(const struct kw_daemon *d,
                           const struct kw_front_status *front);
json_t *kw_status_class_versions(const struct kw_daemon *d, size_t class_index,
                                 const struct kw_front_status *front);

#endif
