/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "codec.h"
#include "kms_v2.pb-c.h"

static struct kw_pb_block block;

static void open_block(void)
{
    kw_test_arena(65536);
    CHECK_OK(kw_pb_block_init(&block, KW_CODEC_BLOCK));
}

static enum kw_code decode(enum kw_method method, const void *p, size_t len,
                           struct kw_codec_fields *r)
{
    kw_pb_block_clear(&block);
    return kw_codec_decode(method, kw_span_of(p, len), &block, r).code;
}

/* {1: `bytes`, 2: uid, 3: key_id} with lengths below 128. */
static size_t message(uint8_t *to, kw_span bytes, kw_span uid, kw_span key_id)
{
    kw_dst d = kw_dst_of(to, 512);
    kw_span all[] = {bytes, uid, key_id};
    for (uint8_t i = 0; i < 3; i++)
        CHECK(all[i].len == 0 ||
              (kw_dst_put_u8(&d, (uint8_t)((i + 1) << 3 | 2)) &&
               kw_dst_put_u8(&d, (uint8_t)all[i].len) && kw_dst_put(&d, all[i])));
    return d.len;
}

TEST(decode__nul_in_key_id__bad_input)
{
    uint8_t m[512];
    struct kw_codec_fields r = {.has_annotations = true};
    open_block();
    size_t n = message(m, kw_span_str("c"), kw_span_str("u"), kw_span_of("kw1\0evil", 8));
    CHECK(decode(KW_METHOD_DECRYPT, m, n, &r) == KW_CODE_BAD_INPUT);
    CHECK(r.has_annotations && r.bytes.ptr == NULL); /* a failure touches no output */
    kw_pb_block_wipe(&block);
}

TEST(decode__nul_in_uid__bad_input)
{
    uint8_t m[512];
    struct kw_codec_fields r = {0};
    open_block();
    size_t n = message(m, kw_span_str("c"), kw_span_of("\0", 1), kw_span_str("k"));
    CHECK(decode(KW_METHOD_DECRYPT, m, n, &r) == KW_CODE_BAD_INPUT);
    n = message(m, kw_span_str("p"), kw_span_of("a\0b", 3), (kw_span){0});
    CHECK(decode(KW_METHOD_ENCRYPT, m, n, &r) == KW_CODE_BAD_INPUT);
    kw_pb_block_wipe(&block);
}

TEST(decode__bad_utf8__bad_input)
{
    uint8_t m[512];
    struct kw_codec_fields r = {0};
    open_block();
    size_t n = message(m, kw_span_str("c"), kw_span_str("u"), kw_span_str("k\xc0\xaf"));
    CHECK(decode(KW_METHOD_DECRYPT, m, n, &r) == KW_CODE_BAD_INPUT);
    n = message(m, kw_span_str("p"), kw_span_str("\xed\xa0\x80"), (kw_span){0});
    CHECK(decode(KW_METHOD_ENCRYPT, m, n, &r) == KW_CODE_BAD_INPUT);
    kw_pb_block_wipe(&block);
}

/* The last of two wins, but the first must be text too. */
TEST(decode__first_of_two_key_ids_is_bad__bad_input)
{
    static const uint8_t m[] = "\x1a\x02\xff\xff\x1a\x01k";
    struct kw_codec_fields r = {0};
    open_block();
    CHECK(decode(KW_METHOD_DECRYPT, m, sizeof m - 1, &r) == KW_CODE_BAD_INPUT);
    kw_pb_block_wipe(&block);
}

TEST(decode__two_key_ids__the_last)
{
    static const uint8_t m[] = "\x1a\x05"
                               "first"
                               "\x1a\x04"
                               "last";
    struct kw_codec_fields r = {0};
    open_block();
    CHECK(decode(KW_METHOD_DECRYPT, m, sizeof m - 1, &r) == KW_CODE_OK);
    CHECK(kw_span_equal_str(r.key_id, "last"));
    kw_pb_block_wipe(&block);
}

TEST(decode__cut_short__bad_input)
{
    uint8_t m[512];
    struct kw_codec_fields r = {0};
    open_block();
    size_t n = message(m, kw_span_str("cipher"), kw_span_str("uid"), kw_span_str("key"));
    CHECK(decode(KW_METHOD_DECRYPT, m, n - 1, &r) == KW_CODE_BAD_INPUT);
    CHECK(decode(KW_METHOD_DECRYPT, m, 1, &r) == KW_CODE_BAD_INPUT);
    CHECK(decode(KW_METHOD_ENCRYPT, "\x0a\x20short", 7, &r) == KW_CODE_BAD_INPUT);
    CHECK(decode(KW_METHOD_STATUS, "\x0a", 1, &r) == KW_CODE_BAD_INPUT);
    kw_pb_block_wipe(&block);
}

TEST(decode__length_of_4_gigabytes__bad_input)
{
    static const uint8_t m[] = "\x0a\xff\xff\xff\xff\x0f"
                               "abc";
    struct kw_codec_fields r = {0};
    open_block();
    CHECK(decode(KW_METHOD_DECRYPT, m, sizeof m - 1, &r) == KW_CODE_BAD_INPUT);
    CHECK(decode(KW_METHOD_ENCRYPT, m, sizeof m - 1, &r) == KW_CODE_BAD_INPUT);
    CHECK(decode(KW_METHOD_STATUS, m, sizeof m - 1, &r) == KW_CODE_BAD_INPUT);
    kw_pb_block_wipe(&block);
}

TEST(decode__group__bad_input)
{
    static const uint8_t m[] = "\x2b\x2c"; /* field 5, start and end of a group */
    struct kw_codec_fields r = {0};
    open_block();
    CHECK(decode(KW_METHOD_DECRYPT, m, 2, &r) == KW_CODE_BAD_INPUT);
    kw_pb_block_wipe(&block);
}

TEST(decode__fields_at_their_limit__as_sent)
{
    V2__DecryptRequest d;
    v2__decrypt_request__init(&d);
    V2__EncryptRequest e;
    v2__encrypt_request__init(&e);
    static uint8_t bytes[KW_CIPHERTEXT_MAX + 1], m[8192];
    static char text[KW_WIRE_KEY_ID_MAX + 2];
    struct kw_codec_fields r = {0};
    open_block();
    memset(text, 'k', KW_WIRE_KEY_ID_MAX);
    d.ciphertext = (ProtobufCBinaryData){KW_CIPHERTEXT_MAX, bytes};
    d.key_id = text;
    CHECK(decode(KW_METHOD_DECRYPT, m, v2__decrypt_request__pack(&d, m), &r) ==
          KW_CODE_OK);
    assert_int_equal(r.bytes.len, KW_CIPHERTEXT_MAX);
    assert_int_equal(r.key_id.len, KW_WIRE_KEY_ID_MAX);
    e.plaintext = (ProtobufCBinaryData){KW_SEED_MAX, bytes};
    CHECK(decode(KW_METHOD_ENCRYPT, m, v2__encrypt_request__pack(&e, m), &r) ==
          KW_CODE_OK);
    assert_int_equal(r.bytes.len, KW_SEED_MAX);
    kw_pb_block_wipe(&block);
}

TEST(decode__fields_over_their_limit__bad_input)
{
    V2__DecryptRequest d;
    v2__decrypt_request__init(&d);
    V2__EncryptRequest e;
    v2__encrypt_request__init(&e);
    static uint8_t bytes[KW_CIPHERTEXT_MAX + 1], m[8192];
    static char text[KW_WIRE_KEY_ID_MAX + 2];
    char none[] = "";
    struct kw_codec_fields r = {0};
    open_block();
    memset(text, 'k', KW_WIRE_KEY_ID_MAX + 1);
    d.ciphertext = (ProtobufCBinaryData){KW_CIPHERTEXT_MAX + 1, bytes};
    CHECK(decode(KW_METHOD_DECRYPT, m, v2__decrypt_request__pack(&d, m), &r) ==
          KW_CODE_BAD_INPUT);
    d.ciphertext.len = 1;
    d.key_id = text;
    CHECK(decode(KW_METHOD_DECRYPT, m, v2__decrypt_request__pack(&d, m), &r) ==
          KW_CODE_BAD_INPUT);
    d.key_id = none;
    CHECK(decode(KW_METHOD_DECRYPT, m, v2__decrypt_request__pack(&d, m), &r) ==
          KW_CODE_OK);
    e.plaintext = (ProtobufCBinaryData){KW_SEED_MAX + 1, bytes};
    CHECK(decode(KW_METHOD_ENCRYPT, m, v2__encrypt_request__pack(&e, m), &r) ==
          KW_CODE_BAD_INPUT);
    kw_pb_block_wipe(&block);
}

/* kms refuses an empty plaintext or ciphertext, with a record. */
TEST(decode__empty_message__empty_fields)
{
    struct kw_codec_fields r = {.has_annotations = true};
    open_block();
    for (int method = KW_METHOD_STATUS; method <= KW_METHOD_DECRYPT; method++) {
        r.has_annotations = true;
        CHECK(decode((enum kw_method)method, "", 0, &r) == KW_CODE_OK);
        CHECK(r.bytes.len == 0 && r.uid.len == 0 && r.key_id.len == 0 &&
              !r.has_annotations);
    }
    kw_pb_block_wipe(&block);
}

TEST(decode__unknown_fields__ignored)
{
    /* 15: varint, 16: 64 bits, 17: bytes, 18: 32 bits, then the ciphertext */
    static const uint8_t m[] = "\x78\x96\x01"
                               "\x81\x01"
                               "12345678"
                               "\x8a\x01\x02\xff\x00"
                               "\x95\x01"
                               "1234"
                               "\x0a\x01"
                               "c";
    struct kw_codec_fields r = {0};
    open_block();
    CHECK(decode(KW_METHOD_DECRYPT, m, sizeof m - 1, &r) == KW_CODE_OK);
    CHECK(kw_span_equal_str(r.bytes, "c"));
    CHECK(decode(KW_METHOD_STATUS, m, sizeof m - 1, &r) == KW_CODE_OK);
    kw_pb_block_wipe(&block);
}

TEST(decode__one_annotation__said_so)
{
    static const uint8_t m[] = "\x22\x07\x0a\x01"
                               "k"
                               "\x12\x02"
                               "vv";
    struct kw_codec_fields r = {0};
    open_block();
    CHECK(decode(KW_METHOD_DECRYPT, m, sizeof m - 1, &r) == KW_CODE_OK);
    CHECK(r.has_annotations);
    kw_pb_block_wipe(&block);
}

TEST(decode__the_same_annotation_twice__said_so)
{
    static const uint8_t m[] = "\x22\x03\x0a\x01k\x22\x03\x0a\x01k";
    struct kw_codec_fields r = {0};
    open_block();
    CHECK(decode(KW_METHOD_DECRYPT, m, sizeof m - 1, &r) == KW_CODE_OK);
    CHECK(r.has_annotations);
    kw_pb_block_wipe(&block);
}

/* 4096 of them would unpack to some 400 KiB; the block holds 24. */
TEST(decode__8_kib_of_empty_annotations__bad_input_and_bounded)
{
    static uint8_t m[8192];
    struct kw_codec_fields r = {0};
    struct kw_arena_info info;
    open_block();
    for (size_t i = 0; i < sizeof m; i += 2)
        m[i] = 0x22;
    CHECK(decode(KW_METHOD_DECRYPT, m, sizeof m, &r) == KW_CODE_BAD_INPUT);
    CHECK(block.used <= KW_CODEC_BLOCK);
    kw_arena_info(&info);
    CHECK(info.used_max < 2 * KW_CODEC_BLOCK);
    kw_pb_block_wipe(&block);
}

TEST(decode__8_kib_of_unknown_fields__bounded)
{
    static uint8_t m[8192];
    struct kw_codec_fields r = {0};
    open_block();
    for (size_t i = 0; i < sizeof m; i += 2)
        m[i] = 0x78;
    for (int method = KW_METHOD_STATUS; method <= KW_METHOD_DECRYPT; method++)
        CHECK(decode((enum kw_method)method, m, sizeof m, &r) == KW_CODE_BAD_INPUT);
    kw_pb_block_wipe(&block);
}

TEST(clear__after_an_encrypt__no_plaintext_left)
{
    uint8_t m[512];
    struct kw_codec_fields r = {0};
    open_block();
    size_t n = message(m, kw_span_str("plaintext-to-find"), (kw_span){0}, (kw_span){0});
    CHECK(decode(KW_METHOD_ENCRYPT, m, n, &r) == KW_CODE_OK);
    const uint8_t *at = r.bytes.ptr;
    CHECK(at >= block.bytes.ptr && at < block.bytes.ptr + block.bytes.len);
    kw_pb_block_clear(&block);
    for (size_t i = 0; i < block.bytes.len; i++)
        CHECK(block.bytes.ptr[i] == 0);
    kw_pb_block_wipe(&block);
}

TEST(encode__no_room__bug)
{
    static struct kw_request call = {.method = KW_METHOD_STATUS,
                                     .out_key_id = "kw1-1-aa"};
    uint8_t small[8];
    kw_dst d = kw_dst_of(small, sizeof small);
    CHECK_CODE(kw_codec_encode(&call, &d), KW_CODE_BUG);
    assert_int_equal(d.len, 0);
}

TEST(encode__status__the_bytes_of_the_contract)
{
    static struct kw_request call = {.method = KW_METHOD_STATUS, .out_key_id = "k1"};
    uint8_t room[KW_REPLY_PLAIN_MAX];
    kw_dst d = kw_dst_of(room, sizeof room);
    CHECK_OK(kw_codec_encode(&call, &d));
    CHECK(
        kw_span_equal(kw_dst_span(&d), kw_span_of("\x0a\x02v2\x12\x02ok\x1a\x02k1", 12)));
}

TEST(encode__largest_replies__fit)
{
    static struct kw_request call = {.method = KW_METHOD_ENCRYPT,
                                     .out_ciphertext_len = KW_CIPHERTEXT_MAX};
    uint8_t plain[KW_REPLY_PLAIN_MAX], secret[KW_REPLY_SECRET_MAX];
    kw_dst d = kw_dst_of(plain, sizeof plain);
    kw_test_arena(4096);
    memset(call.out_key_id, 'k', KW_KEY_ID_MAX);
    CHECK_OK(kw_codec_encode(&call, &d));
    call.method = KW_METHOD_DECRYPT;
    CHECK_OK(kw_secret_init(&call.seed, KW_SEED_MAX));
    d = kw_dst_of(secret, sizeof secret);
    CHECK_OK(kw_codec_encode(&call, &d));
    assert_int_equal(d.len, KW_SEED_MAX + 3);
    kw_secret_wipe(&call.seed);
}

KW_CASES("provider/rpc/codec", CASE(decode__nul_in_key_id__bad_input),
         CASE(decode__nul_in_uid__bad_input), CASE(decode__bad_utf8__bad_input),
         CASE(decode__first_of_two_key_ids_is_bad__bad_input),
         CASE(decode__two_key_ids__the_last), CASE(decode__cut_short__bad_input),
         CASE(decode__length_of_4_gigabytes__bad_input), CASE(decode__group__bad_input),
         CASE(decode__fields_at_their_limit__as_sent),
         CASE(decode__fields_over_their_limit__bad_input),
         CASE(decode__empty_message__empty_fields), CASE(decode__unknown_fields__ignored),
         CASE(decode__one_annotation__said_so),
         CASE(decode__the_same_annotation_twice__said_so),
         CASE(decode__8_kib_of_empty_annotations__bad_input_and_bounded),
         CASE(decode__8_kib_of_unknown_fields__bounded),
         CASE(clear__after_an_encrypt__no_plaintext_left), CASE(encode__no_room__bug),
         CASE(encode__status__the_bytes_of_the_contract),
         CASE(encode__largest_replies__fit))
