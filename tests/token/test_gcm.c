/* SPDX-License-Identifier: Apache-2.0 */
#include "token_fixture.h"

static void make_inner(struct kw_secret *inner, size_t len)
{
    CHECK_OK(kw_secret_init(inner, len));
    kw_random(inner->ptr, len);
}

static void unwrap_fails(struct fixture *f, const struct sealed *s)
{
    KW_AUTO_SECRET(back);
    kw_err e = open_sealed(f, s, &back);
    CHECK(e.code == KW_CODE_FORGED || e.code == KW_CODE_UNSURE);
    CHECK(back.ptr == NULL);
}

TEST(wrap_unwrap__every_seed_length__same_bytes)
{
    struct fixture f;
    fixture_begin(&f, NULL);
    for (size_t len = 1; len <= KW_INNER_MAX; len++) {
        struct sealed s;
        KW_AUTO_SECRET(inner);
        KW_AUTO_SECRET(back);
        make_inner(&inner, len);
        CHECK_OK(seal(&f, &s, kw_secret_peek(&inner)));
        CHECK(s.dst.len == len + KW_GCM_TAG);
        CHECK(s.dst.len == kw_mechanism_sealed_len(KW_MECH_AES_256_GCM, len));
        CHECK_OK(open_sealed(&f, &s, &back));
        CHECK(kw_span_equal(kw_secret_peek(&back), kw_secret_peek(&inner)));
    }
    fixture_end(&f);
}

TEST(unwrap__one_bit_changed_anywhere__refused)
{
    struct fixture f;
    struct sealed s;
    KW_AUTO_SECRET(inner);
    fixture_begin(&f, NULL);
    make_inner(&inner, 48);
    CHECK_OK(seal(&f, &s, kw_secret_peek(&inner)));
    for (size_t i = 0; i < s.dst.len; i++) {
        s.bytes[i] ^= (uint8_t)(1u << (i % 8));
        unwrap_fails(&f, &s);
        s.bytes[i] ^= (uint8_t)(1u << (i % 8));
    }
    for (size_t i = 0; i < sizeof s.iv; i++) {
        s.iv[i] ^= 0x80;
        unwrap_fails(&f, &s);
        s.iv[i] ^= 0x80;
    }
    s.aad = text_span("keyward test aae");
    unwrap_fails(&f, &s);
    fixture_end(&f);
}

TEST(unwrap__truncated_or_longer__refused)
{
    struct fixture f;
    struct sealed s;
    KW_AUTO_SECRET(inner);
    fixture_begin(&f, NULL);
    make_inner(&inner, 48);
    CHECK_OK(seal(&f, &s, kw_secret_peek(&inner)));
    for (size_t len = KW_GCM_TAG + 1; len <= 66; len++)
        if (len != 64) {
            s.dst.len = len;
            unwrap_fails(&f, &s);
        }
    fixture_end(&f);
}

TEST(unwrap__after_a_forgery__the_good_one_opens)
{
    struct fixture f;
    struct sealed s;
    KW_AUTO_SECRET(inner);
    KW_AUTO_SECRET(back);
    fixture_begin(&f, NULL);
    make_inner(&inner, 48);
    CHECK_OK(seal(&f, &s, kw_secret_peek(&inner)));
    s.bytes[0] ^= 1;
    unwrap_fails(&f, &s);
    s.bytes[0] ^= 1;
    CHECK_OK(open_sealed(&f, &s, &back));
    CHECK(kw_span_equal(kw_secret_peek(&back), kw_secret_peek(&inner)));
    fixture_end(&f);
}

/* A library that seals nothing, and opens what it sealed so: no test of round trips sees
 * that. */
TEST(wrap__token_that_puts_out_the_plaintext__nothing_released)
{
    struct fixture f;
    struct sealed s;
    KW_AUTO_SECRET(inner);
    fixture_begin(&f, "nullcipher\n");
    make_inner(&inner, 48);
    CHECK_CODE(seal(&f, &s, kw_secret_peek(&inner)), KW_CODE_WRONG_ANSWER);
    CHECK(s.dst.len == 0);
    fixture_end(&f);
}

TEST(wrap__zero_iv_or_wrong_sizes__refused_before_the_token)
{
    struct fixture f;
    uint8_t iv[16] = {0}, bytes[KW_SEALED_MAX], text[KW_INNER_MAX + 1] = {1};
    uint8_t aad[KW_AAD_MAX + 1] = {0};
    kw_dst dst = kw_dst_of(bytes, sizeof bytes);
    kw_span inner = kw_span_of(text, 48), none = {0};
    fixture_begin(&f, "");
    enum kw_mechanism gcm = KW_MECH_AES_256_GCM;
    CHECK_CODE(kw_token_wrap(f.token, f.key, gcm, kw_span_of(iv, 12), none, inner, &dst),
               KW_CODE_BAD_INPUT);
    iv[0] = 1;
    CHECK_CODE(kw_token_wrap(f.token, f.key, gcm, kw_span_of(iv, 16), none, inner, &dst),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_token_wrap(f.token, f.key, gcm, none, none, inner, &dst),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_token_wrap(f.token, f.key, gcm, kw_span_of(iv, 12), none, none, &dst),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_token_wrap(f.token, f.key, gcm, kw_span_of(iv, 12), none,
                             kw_span_of(text, sizeof text), &dst),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_token_wrap(f.token, f.key, gcm, kw_span_of(iv, 12),
                             kw_span_of(aad, sizeof aad), inner, &dst),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_token_wrap(f.token, f.key, (enum kw_mechanism)2, kw_span_of(iv, 12),
                             none, inner, &dst),
               KW_CODE_BAD_INPUT);
    dst.cap = 48 + KW_GCM_TAG - 1;
    CHECK_CODE(kw_token_wrap(f.token, f.key, gcm, kw_span_of(iv, 12), none, inner, &dst),
               KW_CODE_NO_MEMORY);
    CHECK(dst.len == 0);
    CHECK(kw_fault_count(&f.hsm, "C_EncryptInit") == 0);
    fixture_end(&f);
}

/* We never write one, but whoever writes etcd or the keyring can: it is data. */
TEST(unwrap__zero_iv__forged_and_the_token_is_not_asked)
{
    struct fixture f;
    struct sealed s;
    KW_AUTO_SECRET(back);
    fixture_begin(&f, "");
    CHECK_OK(seal_some(&f, &s));
    memset(s.iv, 0, sizeof s.iv);
    unsigned calls = kw_fault_count(&f.hsm, "C_DecryptInit");
    CHECK_CODE(open_sealed(&f, &s, &back), KW_CODE_FORGED);
    CHECK(kw_fault_count(&f.hsm, "C_DecryptInit") == calls && back.ptr == NULL);
    works(&f);
    fixture_end(&f);
}

TEST(unwrap__no_more_than_a_tag__refused_before_the_token)
{
    struct fixture f;
    struct sealed s = {.iv = {1}};
    KW_AUTO_SECRET(back);
    fixture_begin(&f, "");
    s.dst = kw_dst_of(s.bytes, sizeof s.bytes);
    s.dst.len = KW_GCM_TAG;
    CHECK_CODE(open_sealed(&f, &s, &back), KW_CODE_BAD_INPUT);
    s.dst.len = KW_INNER_MAX + KW_GCM_TAG + 1;
    CHECK_CODE(open_sealed(&f, &s, &back), KW_CODE_BAD_INPUT);
    CHECK(kw_fault_count(&f.hsm, "C_DecryptInit") == 0);
    fixture_end(&f);
}

TEST(self_test__softhsm__well)
{
    struct fixture f;
    fixture_begin(&f, NULL);
    kw_err e = kw_token_self_test(f.token, &f.note);
    if (kw_failed(e))
        fail_msg("%s", f.note.text);
    fixture_end(&f);
}

KW_CASES("gcm", CASE(wrap_unwrap__every_seed_length__same_bytes),
         CASE(unwrap__one_bit_changed_anywhere__refused),
         CASE(unwrap__truncated_or_longer__refused),
         CASE(unwrap__after_a_forgery__the_good_one_opens),
         CASE(wrap__token_that_puts_out_the_plaintext__nothing_released),
         CASE(wrap__zero_iv_or_wrong_sizes__refused_before_the_token),
         CASE(unwrap__zero_iv__forged_and_the_token_is_not_asked),
         CASE(unwrap__no_more_than_a_tag__refused_before_the_token),
         CASE(self_test__softhsm__well))
