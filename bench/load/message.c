/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

const char *const kw_bench_method_names[KW_METHODS] = {"status", "encrypt", "decrypt"};

enum {
    LEN = 2, /* protobuf wire type: a length and that many bytes */
    TEXT = 1,
    UID = 2,
    ENCRYPT_ANNOTATIONS = 3, /* of the reply */
    DECRYPT_KEY_ID = 3,      /* of the request */
    DECRYPT_ANNOTATIONS = 4,
};

static bool message_put_field(kw_dst *dst, unsigned number, kw_span s)
{
    bool fits = kw_dst_put_u8(dst, (uint8_t)(number << 3 | LEN));
    size_t len = s.len;
    for (; len >= 0x80 && fits; len >>= 7)
        fits = kw_dst_put_u8(dst, (uint8_t)(len | 0x80));
    return fits && kw_dst_put_u8(dst, (uint8_t)len) && kw_dst_put(dst, s);
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

bool kw_message_write(kw_dst *dst, enum kw_bench_method method,
                      const struct kw_message *m, kw_span uid)
{
    const size_t at = dst->len;
    bool fits = kw_dst_put_u8(dst, 0) && kw_dst_put_u32(dst, 0);
    if (method != KW_STATUS)
        fits = fits && message_put_field(dst, TEXT, m->text) &&
               message_put_field(dst, UID, uid);
    if (method == KW_DECRYPT)
        fits = fits && message_put_field(dst, DECRYPT_KEY_ID, m->key_id) &&
               message_put_annotations(dst, m->annotations);
    if (!fits)
        return false;
    kw_dst length = kw_dst_of(dst->ptr + at + 1, 4);
    return kw_dst_put_u32(&length, (uint32_t)(dst->len - at - KW_MESSAGE_PREFIX));
}

bool kw_message_read(enum kw_bench_method method, kw_span body,
                     struct kw_message *ret_reply)
{
    struct kw_src src = kw_src_of(body);
    struct kw_message r = {0};
    kw_span *const known[KW_METHODS][4] = {{NULL, &r.version, &r.healthz, &r.key_id},
                                           {NULL, &r.text, &r.key_id, &r.annotations},
                                           {NULL, &r.text, NULL, NULL}};
    if (kw_src_u8(&src) != 0 || kw_src_u32(&src) != body.len - KW_MESSAGE_PREFIX ||
        src.bad)
        return false;
    const kw_span all = kw_src_rest(&src);
    while (kw_src_left(&src) > 0 && !src.bad) {
        kw_span value = {0};
        unsigned number = message_take_field(&src, &value);
        kw_span *to = number < 4 ? known[method][number] : NULL;
        if (to != NULL)
            *to = to == &r.annotations ? all : value;
    }
    if (!src.bad)
        *ret_reply = r;
    return !src.bad;
}
