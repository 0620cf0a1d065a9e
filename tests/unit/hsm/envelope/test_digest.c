/* SPDX-License-Identifier: Apache-2.0 */
/* The inner digest and the IV. */
#include <keyward/envelope.h>

#include "check.h"

static const uint8_t seed_bytes[KW_SEED_MAX + 1] = {1, 2, 3};

static kw_span seed(size_t len)
{
    return kw_span_of(seed_bytes, len);
}

TEST(inner__arena_full__no_memory_and_untouched)
{
    struct kw_arena_info info;
    struct kw_secret inner = {0};
    KW_AUTO_SECRET(hog);
    kw_test_arena(4096);
    kw_arena_info(&info);
    size_t len = info.bytes;
    while (len > 0 && kw_failed(kw_secret_init(&hog, len)))
        len--;
    CHECK_CODE(kw_envelope_inner(kw_span_str("aad"), seed(256), &inner),
               KW_CODE_NO_MEMORY);
    CHECK(inner.ptr == NULL && inner.len == 0);
    kw_secret_wipe(&hog);
}

TEST(inner__seed_of_no_or_too_many_bytes__refused)
{
    struct kw_secret inner = {0};
    kw_test_arena(4096);
    CHECK_CODE(kw_envelope_inner(kw_span_str("aad"), seed(0), &inner), KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_envelope_inner(kw_span_str("aad"), seed(257), &inner),
               KW_CODE_BAD_INPUT);
    CHECK(inner.ptr == NULL);
}

TEST(prove__any_one_bit_of_inner_changed__wrong_answer_and_wiped)
{
    kw_test_arena(4096);
    for (size_t bit = 0; bit < 48 * 8; bit++) {
        KW_AUTO_SECRET(inner);
        CHECK_OK(kw_envelope_inner(kw_span_str("aad"), seed(32), &inner));
        inner.ptr[bit / 8] = (uint8_t)(inner.ptr[bit / 8] ^ (1u << bit % 8));
        CHECK_CODE(kw_envelope_prove(kw_span_str("aad"), 32, &inner),
                   KW_CODE_WRONG_ANSWER);
        CHECK(inner.ptr == NULL && inner.len == 0);
    }
}

TEST(prove__answer_to_another_ciphertext__wrong_answer)
{
    KW_AUTO_SECRET(inner);
    kw_test_arena(4096);
    CHECK_OK(kw_envelope_inner(kw_span_str("aad of one iv"), seed(32), &inner));
    CHECK_CODE(kw_envelope_prove(kw_span_str("aad of two iv"), 32, &inner),
               KW_CODE_WRONG_ANSWER);
    CHECK(inner.ptr == NULL);
}

TEST(prove__wrong_length__wrong_answer)
{
    static const size_t wrong[] = {0, 31, 33, 48, 257, SIZE_MAX};
    kw_test_arena(4096);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        KW_AUTO_SECRET(inner);
        CHECK_OK(kw_envelope_inner(kw_span_str("aad"), seed(32), &inner));
        CHECK_CODE(kw_envelope_prove(kw_span_str("aad"), wrong[i], &inner),
                   KW_CODE_WRONG_ANSWER);
        CHECK(inner.ptr == NULL);
    }
}

TEST(prove__empty_answer__wrong_answer)
{
    struct kw_secret inner = {0};
    kw_test_arena(4096);
    CHECK_CODE(kw_envelope_prove(kw_span_str("aad"), 32, &inner), KW_CODE_WRONG_ANSWER);
}

TEST(prove__what_inner_made__the_seed_alone_is_left)
{
    static const size_t lens[] = {1, 32, KW_SEED_MAX};
    kw_test_arena(4096);
    for (size_t i = 0; i < 3; i++) {
        KW_AUTO_SECRET(inner);
        CHECK_OK(kw_envelope_inner(kw_span_str("aad"), seed(lens[i]), &inner));
        CHECK(inner.len == lens[i] + KW_INNER_DIGEST);
        CHECK_OK(kw_envelope_prove(kw_span_str("aad"), lens[i], &inner));
        CHECK(kw_span_equal(kw_secret_peek(&inner), seed(lens[i])));
    }
}

TEST(iv__same_seed_many_times__never_the_same_and_only_its_bytes)
{
    uint8_t iv[64][KW_IV_MAX];
    memset(iv, 0xee, sizeof iv);
    for (size_t i = 0; i < 64; i++) {
        kw_envelope_iv(KW_MECH_AES_256_GCM, seed(32), iv[i]);
        for (size_t b = 12; b < KW_IV_MAX; b++)
            CHECK(iv[i][b] == 0xee);
        for (size_t j = 0; j < i; j++)
            CHECK(memcmp(iv[i], iv[j], 12) != 0);
    }
}

KW_CASES("hsm/envelope/digest", CASE(inner__arena_full__no_memory_and_untouched),
         CASE(inner__seed_of_no_or_too_many_bytes__refused),
         CASE(prove__any_one_bit_of_inner_changed__wrong_answer_and_wiped),
         CASE(prove__answer_to_another_ciphertext__wrong_answer),
         CASE(prove__wrong_length__wrong_answer), CASE(prove__empty_answer__wrong_answer),
         CASE(prove__what_inner_made__the_seed_alone_is_left),
         CASE(iv__same_seed_many_times__never_the_same_and_only_its_bytes))
