/* SPDX-License-Identifier: Apache-2.0 */
/* A protobuf message is a row of (field number and wire type, value).  Groups, the wire
 * types 3 and 4, are no part of proto3 and are refused. */
#include "text.h"

enum wire_type { VARINT = 0, FIXED64 = 1, SIZED = 2, FIXED32 = 5 };
enum { VARINT_BYTES_MAX = 10 };

static uint64_t varint(struct kw_src *src)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MAX; i++) {
        uint8_t b = kw_src_u8(src);
        v |= (uint64_t)(b & 0x7fu) << (7 * i);
        if ((b & 0x80u) == 0)
            return v;
    }
    src->bad = true;
    return 0;
}

static kw_span sized(struct kw_src *src)
{
    uint64_t len = varint(src);
    if (len > kw_src_left(src)) {
        src->bad = true;
        len = 0;
    }
    return kw_src_take(src, (size_t)len);
}

/* The value of one field; only a SIZED one gives bytes. */
static kw_span value(struct kw_src *src, unsigned type)
{
    switch (type) {
    case VARINT: (void)varint(src); break;
    case FIXED64: (void)kw_src_take(src, 8); break;
    case SIZED: return sized(src);
    case FIXED32: (void)kw_src_take(src, 4); break;
    default: src->bad = true; break;
    }
    return (kw_span){0};
}

bool kw_wire_strings_are_text(kw_span message, uint32_t fields)
{
    struct kw_src src = kw_src_of(message);
    while (!src.bad && kw_src_left(&src) > 0) {
        uint64_t key = varint(&src);
        kw_span v = value(&src, (unsigned)(key & 7u));
        uint64_t number = key >> 3;
        bool is_string = number < 32 && (fields >> number & 1u) != 0;
        if (is_string && !kw_is_text(v))
            return false;
    }
    return kw_src_done(&src);
}
