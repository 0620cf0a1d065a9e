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

/* null: never. */
json_t *kw_status_time(int64_t wall_ns);
json_t *kw_status_key_id_hash(const char *key_id);

/* status_calls.c.  Of a class: how many calls of each method came to what, by our code and
 * as gRPC names it; and how long they took.  NULL: no memory. */
json_t *kw_status_calls(const struct kw_class_stats *stats);
json_t *kw_status_latencies(const struct kw_class_stats *stats);
/* status_token.c.  What a token's workers answered and how they ended.  NULL: no memory. */
json_t *kw_status_token_numbers(const struct kw_front_numbers_of_token *numbers);
/* Its workers, by what they are; and their sessions. */
json_t *kw_status_token_workers(const struct kw_front_status *front, const char *token);
/* {"counts": by bound, each by itself, "sum_us"} */
json_t *kw_status_latency(const struct kw_latency *latency);

#endif
