/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "message.h"

#define SPAN(bytes) kw_span_of((bytes), sizeof(bytes) - 1)

TEST(read__shorter_than_it_says__refused)
{
    struct kw_reply r;
    CHECK(!kw_message_read(KW_STATUS, SPAN(""), &r));
    CHECK(!kw_message_read(KW_STATUS, SPAN("\0\0\0\0"), &r));
    CHECK(!kw_message_read(KW_STATUS, SPAN("\0\0\0\0\1"), &r));
    CHECK(!kw_message_read(KW_DECRYPT, SPAN("\0\0\0\0\3\x0a\x05x"), &r));
    CHECK(!kw_message_read(KW_DECRYPT, SPAN("\0\0\0\0\0x"), &r));
}

TEST(read__compressed_or_no_protobuf__refused)
{
    struct kw_reply r;
    CHECK(!kw_message_read(KW_DECRYPT, SPAN("\1\0\0\0\0"), &r));
    CHECK(!kw_message_read(KW_DECRYPT, SPAN("\0\0\0\0\2\x08\x01"), &r));
    CHECK(!kw_message_read(KW_DECRYPT, SPAN("\0\0\0\0\3\x0a\xff\xff"), &r));
}

TEST(read__status__all_fields)
{
    struct kw_reply r;
    CHECK(kw_message_read(KW_STATUS, SPAN("\0\0\0\0\x0b\x0a\2v2\x12\2ok\x1a\1k"), &r));
    CHECK(kw_span_equal_str(r.version, "v2") && kw_span_equal_str(r.healthz, "ok") &&
          kw_span_equal_str(r.key_id, "k"));
}

TEST(read__unknown_field__left_alone)
{
    struct kw_reply r;
    CHECK(kw_message_read(KW_DECRYPT, SPAN("\0\0\0\0\6\x4a\1x\x0a\1p"), &r));
    CHECK(kw_span_equal_str(r.text, "p"));
}

TEST(encrypt__bytes__as_written)
{
    uint8_t out[64];
    kw_dst dst = kw_dst_of(out, sizeof out);
    CHECK(kw_message_encrypt(&dst, SPAN("seed"), SPAN("u")));
    CHECK(kw_span_equal(kw_dst_span(&dst), SPAN("\0\0\0\0\x09\x0a\4seed\x12\1u")));
}

TEST(encrypt__no_room__refused)
{
    uint8_t out[12];
    kw_dst dst = kw_dst_of(out, sizeof out);
    CHECK(!kw_message_encrypt(&dst, SPAN("seed"), SPAN("uid")));
}

/* What another plugin's Encrypt annotated comes back in Decrypt, under its other
 * field. */
TEST(decrypt__annotations__given_back)
{
    static const char reply[] =
        "\0\0\0\0\x13\x0a\1c\x1a\6\x0a\1a\x12\1b\x12\1k\x1a\3\x0a\1d";
    struct kw_reply r;
    uint8_t out[64];
    kw_dst dst = kw_dst_of(out, sizeof out);
    CHECK(kw_message_read(KW_ENCRYPT, SPAN(reply), &r));
    CHECK(r.has_annotations);
    CHECK(kw_message_decrypt(&dst, &r, SPAN("u")));
    CHECK(kw_span_equal(
        kw_dst_span(&dst),
        SPAN("\0\0\0\0\x16\x0a\1c\x12\1u\x1a\1k\x22\6\x0a\1a\x12\1b\x22\3\x0a\1d")));
}

TEST(decrypt__long_ciphertext__length_in_two_bytes)
{
    uint8_t big[300] = {1}, out[400];
    const struct kw_reply r = {.text = kw_span_of(big, sizeof big), .key_id = SPAN("k")};
    kw_dst dst = kw_dst_of(out, sizeof out);
    CHECK(kw_message_decrypt(&dst, &r, SPAN("u")));
    CHECK(dst.len == 5 + 3 + 300 + 3 + 3);
    CHECK(out[5] == 0x0a && out[6] == 0xac && out[7] == 0x02);
}

KW_CASES("bench/load/message", CASE(read__shorter_than_it_says__refused),
         CASE(read__compressed_or_no_protobuf__refused), CASE(read__status__all_fields),
         CASE(read__unknown_field__left_alone), CASE(encrypt__bytes__as_written),
         CASE(encrypt__no_room__refused), CASE(decrypt__annotations__given_back),
         CASE(decrypt__long_ciphertext__length_in_two_bytes))
