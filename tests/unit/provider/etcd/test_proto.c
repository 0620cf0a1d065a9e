/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of Protocol Buffers: each wire type, and what is none. */
#include "proto.h"

#include "check.h"

/* What is read of `count` bytes; fields are left in ret[0..2]. */
static bool read_all(const char *bytes, size_t count, struct kw_proto_field ret[3])
{
    struct kw_src src = kw_src_of(kw_span_of(bytes, count));
    struct kw_proto_field f;
    for (size_t i = 0; kw_proto_next(&src, &f); i++)
        if (i < 3)
            ret[i] = f;
    return kw_src_done(&src);
}

TEST(next__cut_off_anywhere__bad)
{
    static const char whole[] = "\x08\x96\x01\x12\x02hi\x1d\x01\x02\x03\x04"
                                "\x21\x01\x02\x03\x04\x05\x06\x07\x08";
    /* Between two fields it is whole. */
    static const bool ends[sizeof whole] = {
        [0] = 1, [3] = 1, [7] = 1, [12] = 1, [21] = 1};
    struct kw_proto_field f[3] = {{0}};
    for (size_t len = 0; len < sizeof whole; len++)
        CHECK(read_all(whole, len, f) == ends[len]);
}

TEST(next__what_is_no_field__bad)
{
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"\x00\x01", 2},                                      /* number 0           */
        {"\x0b", 1},                                          /* a group begins     */
        {"\x0c", 1},                                          /* a group ends       */
        {"\x0e\x01", 2},                                      /* wire 6             */
        {"\x0f\x01", 2},                                      /* wire 7             */
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11}, /* more than 64 bits  */
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12},
        {"\x80\x80\x80\x80\x10\x01", 6},                        /* number 2^29        */
        {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01zz", 13}, /* longer than all */
    };
    struct kw_proto_field f[3] = {{0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK(!read_all(rows[i].bytes, rows[i].len, f));
}

TEST(next__each_wire_type__value_and_place)
{
    struct kw_proto_field f[3] = {{0}};
    CHECK(read_all("\x08\x96\x01\x1d\x01\x02\x03\x04\x21\x01\x02\x03\x04\x05\x06\x07\x08",
                   17, f));
    CHECK(f[0].number == 1 && f[0].wire == KW_PROTO_VARINT && f[0].value == 150);
    CHECK(f[1].number == 3 && f[1].wire == KW_PROTO_FIXED32 && f[1].value == 0x04030201);
    CHECK(f[2].number == 4 && f[2].wire == KW_PROTO_FIXED64 &&
          f[2].value == 0x0807060504030201);
    CHECK(read_all(
        "\xfa\xff\xff\xff\x0f\x02hi\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 19, f));
    CHECK(f[0].number == 0x1fffffff && kw_span_equal_str(f[0].bytes, "hi"));
    CHECK(f[1].value == UINT64_MAX);
}

KW_SUITE("provider/etcd/proto")
