/* SPDX-License-Identifier: Apache-2.0 */
/* memory_text - what is remembered of a log outside its folder, and how that is spelled
 *
 * Whoever empties the folder of the log cannot have a log that knows nothing of it.  The
 * text has one spelling (docs/FORMATS.md, section 5): what was read is written back
 * identically.  Plain values; nothing blocks. */
#ifndef KEYWARD_AUDIT_MEMORY_TEXT_H
#define KEYWARD_AUDIT_MEMORY_TEXT_H

#include <keyward/audit.h>

enum {
    KW_AUDIT_MACHINE = 16, /* bytes of a machine-id(5) */
    KW_AUDIT_MEMORY_MAX = 512,
};

struct kw_audit_memory {
    uint8_t log[KW_SHA256];  /* the id */
    uint64_t seq;            /* of the last record, at most 2^63 - 1 */
    uint8_t head[KW_SHA256]; /* its hash */
    bool has_machine;
    uint8_t machine[KW_AUDIT_MACHINE]; /* whose log it is */
};

/* Appends its text to `dst`, which has room for KW_AUDIT_MEMORY_MAX more (asserted). */
void kw_audit_memory_write(const struct kw_audit_memory *memory, kw_dst *dst);

/* NULL, or which member is not as it must be at byte *ret_at: then nothing is given. */
KW_MUST_USE const char *kw_audit_memory_read(kw_span text,
                                             struct kw_audit_memory *ret_memory,
                                             size_t *ret_at);

#endif
