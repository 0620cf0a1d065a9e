/* SPDX-License-Identifier: Apache-2.0 */
#include "proto.h"

enum { PROTO_VARINT_MAX = 10, PROTO_NUMBER_MAX = 0x1fffffff };

static uint64_t proto_varint(struct kw_src *src)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < PROTO_VARINT_MAX; i++) {
        const uint8_t byte = kw_src_u8(src);
        if (i == PROTO_VARINT_MAX - 1 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7fu) << (7 * i);
        if (byte < 0x80)
            return value;
    }
    src->bad = true;
    return 0;
}

static uint64_t proto_fixed(struct kw_src *src, unsigned width)
{
    const kw_span s = kw_src_take(src, width);
    uint64_t value = 0;
    for (size_t i = s.len; i > 0; i--)
        value = value << 8 | s.ptr[i - 1];
    return value;
}

static kw_span proto_bytes(struct kw_src *src)
{
    const uint64_t len = proto_varint(src);
    if (len > kw_src_left(src))
        src->bad = true;
    return src->bad ? kw_span_of(NULL, 0) : kw_src_take(src, (size_t)len);
}

bool kw_proto_next(struct kw_src *src, struct kw_proto_field *ret_field)
{
    if (src->bad || kw_src_left(src) == 0)
        return false;
    const uint64_t tag = proto_varint(src);
    struct kw_proto_field f = {0};
    if (tag >> 3 == 0 || tag >> 3 > PROTO_NUMBER_MAX)
        src->bad = true;
    f.number = (uint32_t)(tag >> 3 & PROTO_NUMBER_MAX);
    f.wire = (enum kw_proto_wire)(tag & 7u);
    switch (f.wire) {
    case KW_PROTO_VARINT: f.value = proto_varint(src); break;
    case KW_PROTO_FIXED64: f.value = proto_fixed(src, 8); break;
    case KW_PROTO_BYTES: f.bytes = proto_bytes(src); break;
    case KW_PROTO_FIXED32: f.value = proto_fixed(src, 4); break;
    default: src->bad = true; break;
    }
    *ret_field = f;
    return !src->bad;
}
