/* SPDX-License-Identifier: Apache-2.0 */
/* wire_internal - what all messages share: magic, kind, errors by number, text with a
 * bound */
#ifndef KEYWARD_WIRE_INTERNAL_H
#define KEYWARD_WIRE_INTERNAL_H

#include <keyward/wire.h>

bool kw_wire_put_head(kw_dst *dst, enum kw_wire_kind kind);
/* A reader behind the head; latched bad when the message is of another kind. */
struct kw_src kw_wire_body(kw_span message, enum kw_wire_kind kind);

/* OK has no native code and no place; anything else has a place. */
bool kw_wire_put_err(kw_dst *dst, kw_err e);
kw_err kw_wire_take_err(struct kw_src *src);

/* Text with a length of two bytes; both want printable text (bytes.h), the reader
 * text that fits `cap`. */
bool kw_wire_put_text(kw_dst *dst, const char *text);
void kw_wire_take_text(struct kw_src *src, char *dst, size_t cap);

/* Exactly 0 or 1. */
bool kw_wire_take_bool(struct kw_src *src);

/* A whole message or nothing: what a writer that failed half-way appended is dropped. */
kw_err kw_wire_finish(kw_dst *dst, size_t before, bool ok);

/* memfd.c: an empty memory file that takes seals, close-on-exec and, where the kernel
 * knows that, never executable.  -1 and errno. */
int kw_wire_memfd(const char *name);

#endif
