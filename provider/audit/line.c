/* SPDX-License-Identifier: Apache-2.0 */
/* A record as a line, and back. */
#include "spelling.h"

static const char hash_tag[] = "keyward-audit-1";
static const char hash_name[] = ",\"hash\":\"";
static const char line_end[] = "\"}";
enum { HASH_MEMBER = sizeof hash_name - 1 + 2 * KW_SHA256 + sizeof line_end - 1 };

/* ---- hash ------------------------------------------------------------------------------ */

/* `body` is the line up to its hash member; the brace that closes it is hashed behind it. */
static kw_err line_hash(kw_span body, const uint8_t previous[KW_SHA256],
                        uint8_t ret_hash[KW_SHA256])
{
    uint8_t text[sizeof hash_tag + KW_SHA256 + 4 + KW_AUDIT_LINE_MAX];
    kw_dst dst = kw_dst_of(text, sizeof text);
    KW_MUST(kw_dst_put(&dst, kw_span_str(hash_tag)) &&
            kw_dst_put(&dst, kw_span_of(previous, KW_SHA256)) &&
            kw_dst_put_u32(&dst, (uint32_t)body.len + 1) && kw_dst_put(&dst, body) &&
            kw_dst_put_u8(&dst, '}'));
    return kw_sha256(kw_dst_span(&dst), ret_hash);
}

kw_err kw_audit_hash(kw_span line, const uint8_t previous[KW_SHA256],
                     uint8_t ret_hash[KW_SHA256])
{
    KW_INVARIANT(line.len > HASH_MEMBER && line.len < KW_AUDIT_LINE_MAX);
    return line_hash(kw_span_of(line.ptr, line.len - HASH_MEMBER), previous, ret_hash);
}

/* ---- writing --------------------------------------------------------------------------- */

static bool put(kw_dst *dst, const char *literal)
{
    return kw_dst_put(dst, kw_span_str(literal));
}

static bool line_put_number(kw_dst *dst, uint64_t number)
{
    uint8_t room[KW_AUDIT_DIGITS];
    return number <= INT64_MAX && kw_dst_put(dst, kw_audit_digits(number, room));
}

static bool line_put_value(kw_dst *dst, const struct kw_audit_member *member,
                           const struct kw_audit_value *value)
{
    if (!put(dst, ",\"") || !put(dst, member->name) || !put(dst, "\":"))
        return false;
    if (value->is_null)
        return member->may_be_null && put(dst, "null");
    if (member->spelling == KW_AUDIT_NUMBER)
        return line_put_number(dst, value->number);
    return kw_audit_is_spelled(member, value->text) && put(dst, "\"") &&
           kw_dst_put(dst, value->text) && put(dst, "\"");
}

static kw_err put_body(kw_dst *dst, const struct kw_audit_record *r)
{
    const struct kw_audit_shape *shape = kw_audit_shape(r->kind);
    if (!kw_audit_is_time(r->time))
        return kw_err_at(KW_CODE_BAD_INPUT, "time");
    if (!put(dst, "{\"seq\":") || !line_put_number(dst, r->seq) ||
        !put(dst, ",\"time\":\"") || !kw_dst_put(dst, r->time) ||
        !put(dst, "\",\"mono_us\":") || !line_put_number(dst, r->mono_us) ||
        !put(dst, ",\"kind\":\"") || !put(dst, shape->name) || !put(dst, "\""))
        return kw_err_at(KW_CODE_BAD_INPUT, "seq or mono_us");
    for (size_t i = 0; i < shape->count; i++)
        if (!line_put_value(dst, &shape->member[i], &r->value[i]))
            return kw_err_at(KW_CODE_BAD_INPUT, shape->member[i].name);
    return KW_OK;
}

bool kw_audit_is_writable(const struct kw_audit_record *record)
{
    const struct kw_audit_shape *shape = kw_audit_shape(record->kind);
    for (size_t i = 0; i < shape->count; i++) {
        const struct kw_audit_member *m = &shape->member[i];
        const struct kw_audit_value *v = &record->value[i];
        const bool good = v->is_null ? m->may_be_null
                          : m->spelling == KW_AUDIT_NUMBER
                              ? v->number <= INT64_MAX
                              : kw_audit_is_spelled(m, v->text);
        if (!good)
            return false;
    }
    return true;
}

kw_err kw_audit_write(const struct kw_audit_record *record,
                      const uint8_t previous[KW_SHA256], kw_dst *dst,
                      uint8_t ret_hash[KW_SHA256])
{
    uint8_t text[KW_AUDIT_LINE_MAX - HASH_MEMBER - 1];
    char hex[2 * KW_SHA256 + 1];
    kw_dst body = kw_dst_of(text, sizeof text);
    KW_INVARIANT(dst->cap - dst->len >= KW_AUDIT_LINE_MAX);
    kw_err e = put_body(&body, record);
    if (!kw_failed(e))
        e = line_hash(kw_dst_span(&body), previous, ret_hash);
    if (kw_failed(e))
        return e;
    kw_hex(hex, sizeof hex, kw_span_of(ret_hash, KW_SHA256));
    KW_MUST(kw_dst_put(dst, kw_dst_span(&body)) && put(dst, hash_name) && put(dst, hex) &&
            put(dst, line_end) && put(dst, "\n"));
    return KW_OK;
}

/* ---- reading --------------------------------------------------------------------------- */

/* Up to the quote that ends it, and that too. */
static bool take_text(struct kw_src *src, kw_span *ret_text)
{
    const kw_span rest = kw_src_rest(src);
    size_t len = 0;
    while (len < rest.len && rest.ptr[len] != '"')
        len++;
    *ret_text = kw_src_take(src, len);
    return kw_audit_take(src, "\"");
}

static bool take_kind(struct kw_src *src, enum kw_audit_kind *ret_kind)
{
    kw_span name;
    if (!take_text(src, &name))
        return false;
    for (unsigned kind = 0; kind < KW_AUDIT_KINDS; kind++)
        if (kw_span_equal_str(name, kw_audit_shape((enum kw_audit_kind)kind)->name)) {
            *ret_kind = (enum kw_audit_kind)kind;
            return true;
        }
    return false;
}

static bool take_value(struct kw_src *src, const struct kw_audit_member *member,
                       struct kw_audit_value *ret_value)
{
    if (!kw_audit_take(src, ",\"") || !kw_audit_take(src, member->name) ||
        !kw_audit_take(src, "\":"))
        return false;
    if (member->may_be_null && kw_audit_take(src, "null")) {
        ret_value->is_null = true;
        return true;
    }
    if (member->spelling == KW_AUDIT_NUMBER)
        return kw_audit_take_number(src, &ret_value->number);
    return kw_audit_take(src, "\"") && take_text(src, &ret_value->text) &&
           kw_audit_is_spelled(member, ret_value->text);
}

/* NULL, or what is not as it must be where `src` stands. */
static const char *take_record(struct kw_src *src, struct kw_audit_record *r,
                               uint8_t hash[KW_SHA256])
{
    if (!kw_audit_take(src, "{\"seq\":") || !kw_audit_take_number(src, &r->seq))
        return "seq";
    if (!kw_audit_take(src, ",\"time\":\"") || !take_text(src, &r->time) ||
        !kw_audit_is_time(r->time))
        return "time";
    if (!kw_audit_take(src, ",\"mono_us\":") || !kw_audit_take_number(src, &r->mono_us))
        return "mono_us";
    if (!kw_audit_take(src, ",\"kind\":\"") || !take_kind(src, &r->kind))
        return "kind";
    const struct kw_audit_shape *shape = kw_audit_shape(r->kind);
    for (size_t i = 0; i < shape->count; i++)
        if (!take_value(src, &shape->member[i], &r->value[i]))
            return shape->member[i].name;
    kw_span hex;
    if (!kw_audit_take(src, hash_name) || !take_text(src, &hex) ||
        !kw_unhex(hash, KW_SHA256, hex) || !kw_audit_take(src, "}") || !kw_src_done(src))
        return "hash";
    return NULL;
}

kw_err kw_audit_read(kw_span line, struct kw_audit_record *ret_record,
                     uint8_t ret_hash[KW_SHA256], struct kw_note *note)
{
    struct kw_audit_record r = {0};
    struct kw_src src = kw_src_of(line);
    uint8_t hash[KW_SHA256];
    if (line.len >= KW_AUDIT_LINE_MAX) {
        kw_note_set(note, "the line is longer than %d bytes", KW_AUDIT_LINE_MAX - 1);
        return kw_err_at(KW_CODE_BAD_INPUT, "audit line");
    }
    const char *member = take_record(&src, &r, hash);
    if (member != NULL) {
        kw_note_set(note, "byte %zu of the line: \"%s\" is not there as it must be",
                    src.at, member);
        return kw_err_at(KW_CODE_BAD_INPUT, "audit line");
    }
    *ret_record = r;
    kw_copy(ret_hash, KW_SHA256, kw_span_of(hash, sizeof hash));
    return KW_OK;
}
