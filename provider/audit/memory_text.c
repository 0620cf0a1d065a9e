/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of a log, as a text, and back. */
#include "memory_text.h"

#include "spelling.h"

/* What stands before each value, and behind the last. */
static const char before_log[] = "{\n  \"audit-memory\": 1,\n  \"log\": ";
static const char before_seq[] = ",\n  \"seq\": ";
static const char before_head[] = ",\n  \"head\": ";
static const char before_machine[] = ",\n  \"machine\": ";
static const char behind[] = "\n}\n";

/* ---- writing --------------------------------------------------------------------------- */

static bool memory_put(kw_dst *dst, const char *literal)
{
    return kw_dst_put(dst, kw_span_str(literal));
}

static bool memory_put_hex(kw_dst *dst, kw_span bytes)
{
    char hex[2 * KW_SHA256 + 1];
    kw_hex(hex, sizeof hex, bytes);
    return memory_put(dst, "\"") && memory_put(dst, hex) && memory_put(dst, "\"");
}

void kw_audit_memory_write(const struct kw_audit_memory *m, kw_dst *dst)
{
    uint8_t room[KW_AUDIT_DIGITS];
    KW_INVARIANT(m->seq <= INT64_MAX && dst->cap - dst->len >= KW_AUDIT_MEMORY_MAX);
    KW_MUST(memory_put(dst, before_log) &&
            memory_put_hex(dst, kw_span_of(m->log, KW_SHA256)) &&
            memory_put(dst, before_seq) &&
            kw_dst_put(dst, kw_audit_digits(m->seq, room)) &&
            memory_put(dst, before_head) &&
            memory_put_hex(dst, kw_span_of(m->head, KW_SHA256)) &&
            memory_put(dst, before_machine));
    KW_MUST(m->has_machine ? memory_put_hex(dst, kw_span_of(m->machine, KW_AUDIT_MACHINE))
                           : memory_put(dst, "null"));
    KW_MUST(memory_put(dst, behind));
}

/* ---- reading --------------------------------------------------------------------------- */

static bool memory_take_hex(struct kw_src *src, uint8_t *dst, size_t len)
{
    return kw_audit_take(src, "\"") && kw_src_left(src) >= 2 * len &&
           kw_unhex(dst, len, kw_src_take(src, 2 * len)) && kw_audit_take(src, "\"");
}

static bool memory_take_machine(struct kw_src *src, struct kw_audit_memory *m)
{
    if (kw_audit_take(src, "null"))
        return true;
    m->has_machine = true;
    return memory_take_hex(src, m->machine, KW_AUDIT_MACHINE);
}

/* NULL, or what is not as it must be where `src` stands. */
static const char *memory_take(struct kw_src *src, struct kw_audit_memory *m)
{
    if (!kw_audit_take(src, before_log) || !memory_take_hex(src, m->log, KW_SHA256))
        return "log";
    if (!kw_audit_take(src, before_seq) || !kw_audit_take_number(src, &m->seq))
        return "seq";
    if (!kw_audit_take(src, before_head) || !memory_take_hex(src, m->head, KW_SHA256))
        return "head";
    if (!kw_audit_take(src, before_machine) || !memory_take_machine(src, m))
        return "machine";
    return kw_audit_take(src, behind) && kw_src_done(src) ? NULL : "its end";
}

const char *kw_audit_memory_read(kw_span text, struct kw_audit_memory *ret_memory,
                                 size_t *ret_at)
{
    struct kw_audit_memory m = {.seq = 0};
    struct kw_src src = kw_src_of(text);
    const char *wrong = memory_take(&src, &m);
    if (wrong != NULL)
        *ret_at = src.at;
    else
        *ret_memory = m;
    return wrong;
}
