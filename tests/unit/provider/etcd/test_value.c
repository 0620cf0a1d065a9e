/* SPDX-License-Identifier: Apache-2.0 */
/* How a value is stored: every provider of kube-apiserver's, and what only looks like one. */
#include <keyward/etcd_value.h>

#include <string.h>

#include "check.h"

/* Whole values that upstream's transformers wrote (type 1 with an annotation, type 0). */
static const char type_1[] = "6b38733a656e633a6b6d733a76323a64656d6f3a0a48202122232425262"
                             "728292a2b2c2d2e2f303132333435"
                             "363738393a3b3c3d3e3f404142434445464748494a4b6f6547cdc02b150"
                             "4ddabf09fdb454f2eee6af5be6bc2"
                             "ccbdfb1cadcd120a64656d6f2d6b65792d311a08a0a1a2a3a4a5a6a7221"
                             "40a0f68736d2e6578616d706c652e"
                             "636f6d1201012801";
static const char type_0[] =
    "6b38733a656e633a6b6d733a76323a64656d6f3a0a28404142434445464748494a4b8adcc24f491cec6e"
    "bee4"
    "6104ad8e1e5b350e2e13f69d815234b53f94120a64656d6f2d6b65792d311a08a0a1a2a3a4a5a6a7";

static kw_span value_of(const char *hex, uint8_t bytes[256])
{
    const size_t len = strlen(hex) / 2;
    CHECK(len <= 256 && kw_unhex(bytes, len, kw_span_str(hex)));
    return kw_span_of(bytes, len);
}

static struct kw_stored read_value(kw_span value)
{
    struct kw_stored s;
    kw_stored_read(value, NULL, 0, &s);
    return s;
}

#define LITERAL(text) kw_span_of(text, sizeof(text) - 1)

TEST(read__kms_v2_cut_off_anywhere__not_taken_for_whole)
{
    uint8_t bytes[256];
    const kw_span whole = value_of(type_1, bytes);
    /* Without its last fields it is a value of type 0, without annotations. */
    static const size_t still_whole[] = {116, 138};
    for (size_t len = 8; len < whole.len; len++) {
        const struct kw_stored s = read_value(kw_span_of(bytes, len));
        const bool is_whole = len == still_whole[0] || len == still_whole[1];
        CHECK(s.kind == (is_whole ? KW_STORED_KMS_V2 : KW_STORED_UNKNOWN));
        CHECK(is_whole || (s.key_id.len == 0 && s.wrapped.len == 0));
    }
}

TEST(read__kms_v2_with_a_wrong_field__unknown)
{
    static const struct {
        const char *object;
        size_t len;
    } rows[] = {
        {"\x0a\x01x\x12\x01k\x1a\x01s\x28\x02", 11},     /* a type to come    */
        {"\x0a\x00\x12\x01k\x1a\x01s", 8},               /* no data           */
        {"\x12\x01k\x1a\x01s", 6},                       /* no data at all    */
        {"\x0a\x01x\x1a\x01s", 6},                       /* no key_id         */
        {"\x0a\x01x\x12\x01k", 6},                       /* no wrapped seed   */
        {"\x08\x01\x0a\x01x\x12\x01k\x1a\x01s", 11},     /* data is a number  */
        {"\x0a\x01x\x12\x01k\x1a\x01s\x2a\x01\x01", 12}, /* type is bytes     */
        {"\x0a\x01x\x12\x01k\x1a\x01s\x0b", 10},         /* a group           */
    };
    uint8_t bytes[64];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kw_dst dst = kw_dst_of(bytes, sizeof bytes);
        CHECK(kw_dst_put(&dst, kw_span_str("k8s:enc:kms:v2:demo:")) &&
              kw_dst_put(&dst, kw_span_of(rows[i].object, rows[i].len)));
        CHECK(read_value(kw_dst_span(&dst)).kind == KW_STORED_UNKNOWN);
    }
}

/* kube-apiserver refuses both when it reads, too. */
TEST(read__kms_v2_with_a_key_id_or_seed_of_over_1024_bytes__unknown)
{
    static uint8_t bytes[4096], letters[1025];
    memset(letters, 'x', sizeof letters);
    for (size_t way = 0; way < 3; way++) {
        kw_dst dst = kw_dst_of(bytes, sizeof bytes);
        CHECK(kw_dst_put(&dst, LITERAL("k8s:enc:kms:v2:demo:\x0a\x01x\x12")));
        const size_t id = way == 1 ? 1025 : 1024, wrapped = way == 2 ? 1025 : 1024;
        CHECK(kw_dst_put_u8(&dst, (uint8_t)(id | 0x80)) && kw_dst_put_u8(&dst, 8) &&
              kw_dst_put(&dst, kw_span_of(letters, id)) && kw_dst_put_u8(&dst, 0x1a) &&
              kw_dst_put_u8(&dst, (uint8_t)(wrapped | 0x80)) && kw_dst_put_u8(&dst, 8) &&
              kw_dst_put(&dst, kw_span_of(letters, wrapped)));
        CHECK(read_value(kw_dst_span(&dst)).kind ==
              (way == 0 ? KW_STORED_KMS_V2 : KW_STORED_UNKNOWN));
    }
}

TEST(read__upstreams_vectors__their_fields)
{
    uint8_t bytes[256];
    struct kw_stored s = read_value(value_of(type_1, bytes));
    CHECK(s.kind == KW_STORED_KMS_V2 && s.type == KW_STORED_TYPE_SEED);
    CHECK(kw_span_equal_str(s.name, "demo") && kw_span_equal_str(s.key_id, "demo-key-1"));
    CHECK(s.data.len == 72 && s.annotations == 1);
    CHECK(kw_span_equal_str(s.wrapped, "\xa0\xa1\xa2\xa3\xa4\xa5\xa6\xa7"));
    s = read_value(value_of(type_0, bytes));
    CHECK(s.kind == KW_STORED_KMS_V2 && s.type == KW_STORED_TYPE_KEY);
    CHECK(s.data.len == 40 && s.annotations == 0);
}

TEST(read__fields_in_another_order_and_unknown_ones__the_same)
{
    const struct kw_stored s = read_value(LITERAL(
        "k8s:enc:kms:v2:d:\x28\x01\x1a\x01s\x32\x02zz\x12\x01k\x38\x05\x0a\x01x"));
    CHECK(s.kind == KW_STORED_KMS_V2 && s.type == KW_STORED_TYPE_SEED);
    CHECK(kw_span_equal_str(s.wrapped, "s") && kw_span_equal_str(s.key_id, "k"));
}

TEST(read__each_beginning__its_kind_and_name)
{
    static const struct {
        kw_span value;
        enum kw_stored_kind kind;
        const char *name;
    } rows[] = {
        {{NULL, 0}, KW_STORED_OTHER, ""},
#define ROW(text, kind, name) {{(const uint8_t *)(text), sizeof(text) - 1}, kind, name}
        ROW("k8s\0\n\014", KW_STORED_PROTOBUF, ""),
        ROW("k8s", KW_STORED_OTHER, ""),
        ROW("{\"kind\":1}", KW_STORED_JSON, ""),
        ROW("\xd9\xd9\xf7\xa0", KW_STORED_CBOR, ""),
        ROW("\xd9\xd9", KW_STORED_OTHER, ""),
        ROW("10.0.0.1", KW_STORED_OTHER, ""),
        ROW("k8s:enc:aescbc:v1:key1:0123", KW_STORED_AESCBC, "key1"),
        ROW("k8s:enc:aesgcm:v1:key1:", KW_STORED_AESGCM, "key1"),
        ROW("k8s:enc:secretbox:v1::x", KW_STORED_SECRETBOX, ""),
        ROW("k8s:enc:kms:v1:vault:\0\1x", KW_STORED_KMS_V1, "vault"),
        ROW("k8s:enc:aescbc:v1:key1", KW_STORED_UNKNOWN, "key1"),
        ROW("k8s:enc:aescbc:v2:key1:", KW_STORED_UNKNOWN, ""),
        ROW("k8s:enc:", KW_STORED_UNKNOWN, ""),
        ROW("k8s:enc", KW_STORED_OTHER, ""),
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct kw_stored s = read_value(rows[i].value);
        CHECK(s.kind == rows[i].kind && kw_span_equal_str(s.name, rows[i].name));
        CHECK(kw_stored_is_plain(s.kind) == (kw_stored_kind_name(s.kind)[0] == 'p'));
    }
}

TEST(read__name_with_a_colon__the_longest_known_one)
{
    const kw_span known[] = {LITERAL("a:b"), LITERAL("a:b:c"), LITERAL("a:b:c:d:e")};
    struct kw_stored s;
    kw_stored_read(LITERAL("k8s:enc:kms:v1:a:b:c:d"), known, 3, &s);
    CHECK(kw_span_equal_str(s.name, "a:b:c"));
    kw_stored_read(LITERAL("k8s:enc:aesgcm:v1:a:x"), known, 3, &s);
    CHECK(kw_span_equal_str(s.name, "a"));
    /* KMS v2 has none, so that nobody's second word becomes part of a name. */
    kw_stored_read(LITERAL("k8s:enc:kms:v2:a:b:\x0a\x01x\x12\x01k\x1a\x01s"), known, 3,
                   &s);
    CHECK(s.kind == KW_STORED_UNKNOWN && kw_span_equal_str(s.name, "a"));
}

KW_SUITE("provider/etcd/value")
