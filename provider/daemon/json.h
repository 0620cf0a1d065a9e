/* SPDX-License-Identifier: Apache-2.0 */
/* json - appends one JSON document to a growing text; commas and escapes by itself.  Text
 * that may not be shown is replaced (bytes.h, kw_copy_printable): the document is UTF-8
 * whatever a library or a file said.
 *
 * A failed allocation latches: text is NULL then. */
#ifndef KEYWARD_DAEMON_JSON_H
#define KEYWARD_DAEMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kw_json {
    char *text;
    size_t len, cap;
    bool comma;
};
void kw_json_begin(struct kw_json *j);
void kw_json_end(struct kw_json *j); /* frees */

/* name NULL inside an array. */
void kw_json_open(struct kw_json *j, const char *name, char bracket);     /* '{' or '[' */
void kw_json_close(struct kw_json *j, char bracket);                      /* '}' or ']' */
void kw_json_str(struct kw_json *j, const char *name, const char *value); /* NULL: null */
void kw_json_int(struct kw_json *j, const char *name, int64_t value);
void kw_json_bool(struct kw_json *j, const char *name, bool value);

#endif
