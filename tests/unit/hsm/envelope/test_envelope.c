/* SPDX-License-Identifier: Apache-2.0 */
/* The reader, the writer and the AAD: what each refuses, and that they agree. */
#include <keyward/envelope.h>

#include "check.h"

static const uint8_t ivs[KW_IV_MAX] = {9, 8, 7, 6, 5, 4, 3, 2, 1};
static const uint8_t sealed_bytes[KW_SEALED_MAX] = {0x5e, 0xa1, 0xed};

static struct kw_envelope good(void)
{
    return (struct kw_envelope){
        .format = KW_FORMAT_1,
        .purpose = KW_PURPOSE_SEED,
        .mechanism = KW_MECH_AES_256_GCM,
        .scope = kw_span_str("secrets"),
        .seed_len = 32,
        .iv = kw_span_of(ivs, 12),
        .sealed = kw_span_of(sealed_bytes, 64),
    };
}

/* The bytes of good(), by hand. */
enum { AT_SCOPE_LEN = 3, AT_SCOPE = 4, AT_SEED_LEN = 11, AT_IV = 13, GOOD_LEN = 25 + 64 };
static void good_bytes(uint8_t dst[GOOD_LEN])
{
    static const uint8_t header[] = {1, 1, 1, 7, 's', 'e', 'c', 'r', 'e', 't', 's', 0, 32,
                                     9, 8, 7, 6, 5,   4,   3,   2,   1,   0,   0,   0};
    memset(dst, 0, GOOD_LEN);
    kw_copy(dst, GOOD_LEN, kw_span_of(header, sizeof header));
    kw_copy(dst + sizeof header, 64, kw_span_of(sealed_bytes, 64));
}

static void refuses(kw_span bytes, const char *where)
{
    struct kw_envelope env = {.format = 77};
    kw_err e = kw_envelope_parse(bytes, &env);
    CHECK_CODE(e, KW_CODE_BAD_INPUT);
    CHECK_STR(e.where, where);
    CHECK(env.format == 77); /* a failure touches no output */
}

static void refuses_byte(size_t at, uint8_t value, const char *where)
{
    uint8_t b[GOOD_LEN];
    good_bytes(b);
    b[at] = value;
    refuses(kw_span_of(b, sizeof b), where);
}

TEST(parse__nothing__refused)
{
    refuses((kw_span){NULL, 0}, "envelope format");
}

TEST(parse__unknown_format_purpose_mechanism__each_refused)
{
    for (unsigned b = 0; b < 256; b++) {
        if (b != KW_FORMAT_1)
            refuses_byte(0, (uint8_t)b,
                         b == 2 ? "envelope format reserved" : "envelope format");
        if (b != KW_PURPOSE_SEED && b != KW_PURPOSE_CHECK)
            refuses_byte(1, (uint8_t)b, "envelope purpose");
        if (b != KW_MECH_AES_256_GCM)
            refuses_byte(2, (uint8_t)b,
                         b >= 2 && b <= 6 ? "envelope mechanism reserved"
                                          : "envelope mechanism");
    }
}

/* Whatever a caller fills in: no byte of a format that is not frozen leaves here. */
TEST(write__reserved_or_unknown_number__never)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    for (unsigned b = 0; b < 256; b++) {
        struct kw_envelope env[2] = {good(), good()};
        env[0].format = (uint8_t)b;
        env[1].mechanism = (enum kw_mechanism)b;
        for (size_t i = 0; i < 2; i++) {
            kw_dst dst = kw_dst_of(out, sizeof out);
            kw_err e = kw_envelope_write(&env[i], &dst);
            CHECK(b == 1 ? !kw_failed(e) : e.code == KW_CODE_BAD_INPUT && dst.len == 0);
            dst.len = 0;
            e = kw_envelope_aad(&env[i], kw_span_str("k"), kw_span_str("d"), &dst);
            CHECK(b == 1 ? !kw_failed(e) : e.code == KW_CODE_BAD_INPUT && dst.len == 0);
        }
    }
}

TEST(parse__scope_not_a_scope__refused)
{
    refuses_byte(AT_SCOPE_LEN, 0, "envelope scope");
    refuses_byte(AT_SCOPE_LEN, 33, "envelope scope");
    refuses_byte(AT_SCOPE_LEN, 255, "envelope scope");
    refuses_byte(AT_SCOPE, 'S', "envelope scope");
    refuses_byte(AT_SCOPE, '-', "envelope scope");
    refuses_byte(AT_SCOPE + 6, '-', "envelope scope");
    refuses_byte(AT_SCOPE + 2, 0, "envelope scope");
}

TEST(parse__check_blob_of_a_class_scope__refused)
{
    refuses_byte(1, KW_PURPOSE_CHECK, "envelope scope of a check blob");
}

TEST(parse__seed_length_out_of_range__refused)
{
    refuses_byte(AT_SEED_LEN + 1, 0, "envelope seed length");
    refuses_byte(AT_SEED_LEN, 1, "envelope seed length"); /* 0x0120 = 288 */
    refuses_byte(AT_SEED_LEN, 255, "envelope seed length");
    uint8_t b[GOOD_LEN];
    good_bytes(b);
    b[AT_SEED_LEN] = b[AT_SEED_LEN + 1] = 1; /* 257, one more than there may be */
    refuses(kw_span_of(b, sizeof b), "envelope seed length");
}

TEST(parse__seed_length_lies__refused)
{
    refuses_byte(AT_SEED_LEN + 1, 33, "envelope sealed part");
    refuses_byte(AT_SEED_LEN + 1, 31, "envelope trailing bytes");
}

TEST(parse__every_prefix__refused)
{
    uint8_t b[GOOD_LEN];
    struct kw_envelope env;
    good_bytes(b);
    for (size_t len = 0; len < sizeof b; len++)
        CHECK_CODE(kw_envelope_parse(kw_span_of(b, len), &env), KW_CODE_BAD_INPUT);
}

TEST(parse__trailing_byte__refused)
{
    uint8_t b[GOOD_LEN + 1] = {0};
    good_bytes(b);
    refuses(kw_span_of(b, sizeof b), "envelope trailing bytes");
}

TEST(parse__good__borrows_each_field)
{
    uint8_t b[GOOD_LEN];
    struct kw_envelope env;
    good_bytes(b);
    CHECK_OK(kw_envelope_parse(kw_span_of(b, sizeof b), &env));
    CHECK(env.format == 1 && env.purpose == KW_PURPOSE_SEED);
    CHECK(env.mechanism == KW_MECH_AES_256_GCM && env.seed_len == 32);
    CHECK(env.scope.ptr == b + AT_SCOPE && env.scope.len == 7);
    CHECK(env.iv.ptr == b + AT_IV && env.iv.len == 12);
    CHECK(env.sealed.ptr == b + 25 && env.sealed.len == 64);
}

TEST(write__wrong_field__refused_and_nothing_written)
{
    uint8_t out[512] = {0};
    struct kw_envelope bad[8];
    for (size_t i = 0; i < 8; i++)
        bad[i] = good();
    bad[0].format = 2;
    bad[1].purpose = (enum kw_purpose)0;
    bad[2].mechanism = (enum kw_mechanism)4;
    bad[3].scope = kw_span_str("Secrets");
    bad[4].seed_len = 257;
    bad[5].iv.len = 11;
    bad[6].sealed.len = 63;
    bad[7].purpose = KW_PURPOSE_CHECK;
    for (size_t i = 0; i < 8; i++) {
        kw_dst dst = kw_dst_of(out, sizeof out);
        CHECK_CODE(kw_envelope_write(&bad[i], &dst), KW_CODE_BAD_INPUT);
        CHECK(dst.len == 0 && out[0] == 0);
    }
}

TEST(write__no_room__nothing_appended)
{
    uint8_t out[GOOD_LEN] = {0};
    struct kw_envelope env = good();
    for (size_t cap = 0; cap < GOOD_LEN; cap++) {
        kw_dst dst = kw_dst_of(out, cap);
        CHECK_CODE(kw_envelope_write(&env, &dst), KW_CODE_NO_MEMORY);
        CHECK(dst.len == 0 && out[cap] == 0);
    }
}

TEST(write__good__appends_exactly_what_is_documented)
{
    uint8_t want[GOOD_LEN];
    uint8_t out[GOOD_LEN + 1];
    struct kw_envelope env = good();
    kw_dst dst = kw_dst_of(out, sizeof out);
    good_bytes(want);
    CHECK(kw_dst_put_u8(&dst, 0xee));
    CHECK_OK(kw_envelope_write(&env, &dst));
    CHECK(dst.len == sizeof out && out[0] == 0xee);
    assert_memory_equal(out + 1, want, GOOD_LEN);
}

TEST(write__every_seed_length__reads_back_and_fits_the_limit)
{
    for (size_t len = 1; len <= KW_SEED_MAX; len++) {
        uint8_t out[KW_CIPHERTEXT_MAX];
        struct kw_envelope env = good();
        struct kw_envelope back;
        kw_dst dst = kw_dst_of(out, sizeof out);
        env.seed_len = len;
        env.sealed.len = kw_mechanism_sealed_len(env.mechanism, len + KW_INNER_DIGEST);
        CHECK_OK(kw_envelope_write(&env, &dst));
        CHECK_OK(kw_envelope_parse(kw_dst_span(&dst), &back));
        CHECK(back.seed_len == len && kw_span_equal(back.sealed, env.sealed));
    }
}

TEST(aad__wrong_names_or_header__refused)
{
    char name[KW_AAD_MAX] = {0};
    uint8_t out[KW_AAD_MAX];
    struct kw_envelope env = good();
    kw_span key = kw_span_str("kw1-1-00112233445566778899aabb");
    kw_dst dst = kw_dst_of(out, sizeof out);
    memset(name, 'a', sizeof name - 1);
    CHECK_CODE(kw_envelope_aad(&env, kw_span_of(name, KW_KEY_ID_MAX + 1),
                               kw_span_str("demo"), &dst),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_envelope_aad(&env, key, kw_span_of(name, KW_DOMAIN_MAX + 1), &dst),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_envelope_aad(&env, kw_span_str(""), kw_span_str("demo"), &dst),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_envelope_aad(&env, key, kw_span_str(""), &dst), KW_CODE_BAD_INPUT);
    env.iv.len = 0;
    CHECK_CODE(kw_envelope_aad(&env, key, kw_span_str("demo"), &dst), KW_CODE_BAD_INPUT);
    CHECK(dst.len == 0);
}

TEST(aad__no_room__nothing_appended)
{
    uint8_t out[KW_AAD_MAX] = {0};
    struct kw_envelope env = good();
    kw_dst dst = kw_dst_of(out, 40);
    CHECK_CODE(kw_envelope_aad(&env, kw_span_str("k"), kw_span_str("demo"), &dst),
               KW_CODE_NO_MEMORY);
    CHECK(dst.len == 0 && out[40] == 0);
}

TEST(aad__without_sealed__begins_with_keyward_and_the_header)
{
    uint8_t want[GOOD_LEN];
    uint8_t out[KW_AAD_MAX];
    struct kw_envelope env = good();
    kw_dst dst = kw_dst_of(out, sizeof out);
    env.sealed = (kw_span){NULL, 0};
    good_bytes(want);
    CHECK_OK(kw_envelope_aad(&env, kw_span_str("k"), kw_span_str("demo"), &dst));
    CHECK(dst.len == 7 + 25 + 3 + 6);
    assert_memory_equal(out, "keyward", 7);
    assert_memory_equal(out + 7, want, 25);
    assert_memory_equal(out + 32, "\0\1k\0\4demo", 9);
}

TEST(aad__key_id_and_domain_shifted__differs)
{
    uint8_t one[KW_AAD_MAX];
    uint8_t two[KW_AAD_MAX];
    struct kw_envelope env = good();
    kw_dst a = kw_dst_of(one, sizeof one);
    kw_dst b = kw_dst_of(two, sizeof two);
    CHECK_OK(kw_envelope_aad(&env, kw_span_str("ab"), kw_span_str("c"), &a));
    CHECK_OK(kw_envelope_aad(&env, kw_span_str("a"), kw_span_str("bc"), &b));
    CHECK(!kw_span_equal(kw_dst_span(&a), kw_dst_span(&b)));
}

TEST(names__edges__as_the_contract_says)
{
    char long_name[70] = {0};
    memset(long_name, 'a', sizeof long_name - 1);
    CHECK(kw_is_scope(kw_span_of(long_name, 32)) &&
          !kw_is_scope(kw_span_of(long_name, 33)));
    CHECK(kw_is_domain(kw_span_of(long_name, 64)));
    CHECK(!kw_is_domain(kw_span_of(long_name, 65)));
    CHECK(kw_is_scope(kw_span_str("a-9")) && !kw_is_scope(kw_span_str("a.9")));
    CHECK(kw_is_domain(kw_span_str("a.b-9")) && !kw_is_domain(kw_span_str(".b")));
    CHECK(!kw_is_domain(kw_span_str("b.")) && !kw_is_domain(kw_span_str("-b")));
    CHECK(!kw_is_domain(kw_span_str("A")) && !kw_is_domain(kw_span_str("a b")));
    CHECK(!kw_is_scope(kw_span_str("")) && !kw_is_domain(kw_span_str("")));
}

TEST(mechanism__known_and_unknown__names_and_sizes)
{
    enum kw_mechanism m = (enum kw_mechanism)0;
    CHECK(!kw_mechanism_from_name("aes-256-cbc", &m) && m == 0);
    for (unsigned n = KW_MECH_RESERVED_FIRST; n <= KW_MECH_RESERVED_LAST; n++)
        CHECK(kw_mechanism_name((enum kw_mechanism)n) == NULL);
    CHECK(kw_mechanism_iv_len((enum kw_mechanism)2) == 0);
    CHECK(kw_mechanism_sealed_len((enum kw_mechanism)2, 48) == 0);
    CHECK(kw_mechanism_from_name("aes-256-gcm", &m) && m == KW_MECH_AES_256_GCM);
    CHECK_STR(kw_mechanism_name(m), "aes-256-gcm");
    CHECK(kw_mechanism_iv_len(m) == 12 && kw_mechanism_sealed_len(m, 48) == 64);
}

KW_CASES("hsm/envelope/envelope", CASE(parse__nothing__refused),
         CASE(parse__unknown_format_purpose_mechanism__each_refused),
         CASE(parse__scope_not_a_scope__refused),
         CASE(parse__check_blob_of_a_class_scope__refused),
         CASE(parse__seed_length_out_of_range__refused),
         CASE(parse__seed_length_lies__refused), CASE(parse__every_prefix__refused),
         CASE(parse__trailing_byte__refused), CASE(parse__good__borrows_each_field),
         CASE(write__wrong_field__refused_and_nothing_written),
         CASE(write__reserved_or_unknown_number__never),
         CASE(write__no_room__nothing_appended),
         CASE(write__good__appends_exactly_what_is_documented),
         CASE(write__every_seed_length__reads_back_and_fits_the_limit),
         CASE(aad__wrong_names_or_header__refused), CASE(aad__no_room__nothing_appended),
         CASE(aad__without_sealed__begins_with_keyward_and_the_header),
         CASE(aad__key_id_and_domain_shifted__differs),
         CASE(names__edges__as_the_contract_says),
         CASE(mechanism__known_and_unknown__names_and_sizes))
