/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

const char *const kw_bench_method_names[KW_METHODS] = {"status", "encrypt", "decrypt"};

enum {
    LEN = 2, /* protobuf wire type: a length and that many bytes */
    STATUS_VERSION = 1,
    STATUS_HEALTHZ = 2,
    STATUS_KEY_ID = 3,
    TEXT = 1, /* plaintext or ciphertext, in all four messages */
    UID = 2,
    ENCRYPT_KEY_ID = 2,
    ENCRYPT_ANNOTATIONS = 3,
    DECRYPT_KEY_ID = 3,
    DECRYPT_ANNOTATIONS = 4,
};

static bool message_put_varint(kw_dst *dst, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        if (!kw_dst_put_u8(dst, (uint8_t)(v | 0x80)))
            return false;
    return kw_dst_put_u8(dst, (uint8_t)v);
}

static bool message_put_field(kw_dst *dst, unsigned number, kw_span s)
{
    return kw_dst_put_u8(dst, (uint8_t)(number << 3 | LEN)) &&
           message_put_varint(dst, s.len) && kw_dst_put(dst, s);
}

static uint64_t message_take_varint(struct kw_src *src)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = kw_src_u8(src);
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return v;
    }
    src->bad = true;
    return 0;
}

/* The next field; only length-delimited ones are known here. */
static unsigned message_take_field(struct kw_src *src, kw_span *ret_value)
{
    uint64_t tag = message_take_varint(src);
    if ((tag & 7) != LEN || tag >> 3 == 0 || tag >> 3 > 15) {
        src->bad = true;
        return 0;
    }
    *ret_value = kw_src_take(src, message_take_varint(src));
    return (unsigned)(tag >> 3);
}

/* Room for the prefix, which is written when the length is known. */
static bool message_begin(kw_dst *dst, size_t *ret_at)
{
    *ret_at = dst->len;
    return kw_dst_put_u8(dst, 0) && kw_dst_put_u32(dst, 0);
}

static bool message_end(kw_dst *dst, size_t at)
{
    kw_dst length = kw_dst_of(dst->ptr + at + 1, 4);
    return kw_dst_put_u32(&length, (uint32_t)(dst->len - at - KW_MESSAGE_PREFIX));
}

bool kw_message_status(kw_dst *dst)
{
    size_t at;
    return message_begin(dst, &at) && message_end(dst, at);
}

bool kw_message_encrypt(kw_dst *dst, kw_span seed, kw_span uid)
{
    size_t at;
    return message_begin(dst, &at) && message_put_field(dst, TEXT, seed) &&
           message_put_field(dst, UID, uid) && message_end(dst, at);
}

/* The entries of the map are the same on both sides; only their field's number is not. */
static bool message_put_annotations(kw_dst *dst, kw_span all)
{
    struct kw_src src = kw_src_of(all);
    kw_span value = {0};
    while (kw_src_left(&src) > 0 && !src.bad)
        if (message_take_field(&src, &value) == ENCRYPT_ANNOTATIONS && !src.bad &&
            !message_put_field(dst, DECRYPT_ANNOTATIONS, value))
            return false;
    return !src.bad;
}

bool kw_message_decrypt(kw_dst *dst, const struct kw_reply *sealed, kw_span uid)
{
    size_t at;
    return message_begin(dst, &at) && message_put_field(dst, TEXT, sealed->text) &&
           message_put_field(dst, UID, uid) &&
           message_put_field(dst, DECRYPT_KEY_ID, sealed->key_id) &&
           message_put_annotations(dst, sealed->annotations) && message_end(dst, at);
}

static void message_keep(enum kw_bench_method method, unsigned number, kw_span value,
                         struct kw_reply *r)
{
    if (method == KW_STATUS) {
        if (number == STATUS_VERSION)
            r->version = value;
        if (number == STATUS_HEALTHZ)
            r->healthz = value;
        if (number == STATUS_KEY_ID)
            r->key_id = value;
    } else if (number == TEXT) {
        r->text = value;
    } else if (method == KW_ENCRYPT && number == ENCRYPT_KEY_ID) {
        r->key_id = value;
    } else if (method == KW_ENCRYPT && number == ENCRYPT_ANNOTATIONS) {
        r->has_annotations = true;
    }
}

bool kw_message_read(enum kw_bench_method method, kw_span body,
                     struct kw_reply *ret_reply)
{
    struct kw_src src = kw_src_of(body);
    struct kw_reply r = {0};
    kw_span value = {0};
    if (kw_src_u8(&src) != 0 || kw_src_u32(&src) != body.len - KW_MESSAGE_PREFIX ||
        src.bad)
        return false;
    kw_span all = kw_src_rest(&src);
    while (kw_src_left(&src) > 0 && !src.bad)
        message_keep(method, message_take_field(&src, &value), value, &r);
    if (src.bad)
        return false;
    if (r.has_annotations)
        r.annotations = all;
    *ret_reply = r;
    return true;
}
