/* SPDX-License-Identifier: Apache-2.0 */
/* The key as a token gives it, as SubjectPublicKeyInfo, as PEM; and who signed. */
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "check.h"
#include "sample.h"

enum { POINT = 65 };

static uint8_t spki[KW_SPKI + 1], der[KW_SIGNATURE_DER_MAX];
static kw_span key, signature;

static void begin(void)
{
    kw_dst key_dst = kw_dst_of(spki, sizeof spki), der_dst = kw_dst_of(der, sizeof der);
    sample_unhex(&key_dst, sample_spki);
    sample_unhex(&der_dst, sample_der);
    key = kw_dst_span(&key_dst);
    signature = kw_dst_span(&der_dst);
}

TEST(point__as_octet_string_or_plain__the_same_key)
{
    uint8_t string[POINT + 3] = {4, POINT}, made[KW_SPKI] = {0};
    memcpy(string + 2, spki + KW_SPKI - POINT, POINT);
    CHECK_OK(kw_spki_of_point(kw_span_of(string, POINT + 2), made));
    CHECK(memcmp(made, spki, KW_SPKI) == 0);
    memset(made, 0, sizeof made);
    CHECK_OK(kw_spki_of_point(kw_span_of(string + 2, POINT), made));
    CHECK(memcmp(made, spki, KW_SPKI) == 0);
}

TEST(point__of_another_form__bad_input)
{
    uint8_t string[POINT + 3] = {4, POINT}, made[KW_SPKI] = {0};
    memcpy(string + 2, spki + KW_SPKI - POINT, POINT);
    for (size_t len = 0; len <= sizeof string; len++)
        if (len != POINT + 2 && len != POINT) /* that one only the curve refuses */
            CHECK_CODE(kw_spki_of_point(kw_span_of(string, len), made),
                       KW_CODE_BAD_INPUT);
    string[2] = 2; /* compressed */
    CHECK_CODE(kw_spki_of_point(kw_span_of(string, POINT + 2), made), KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_spki_of_point(kw_span_of(string + 2, POINT), made), KW_CODE_BAD_INPUT);
    string[2] = 4;
    string[0] = 3; /* BIT STRING */
    CHECK_CODE(kw_spki_of_point(kw_span_of(string, POINT + 2), made), KW_CODE_BAD_INPUT);
    string[0] = 4;
    string[1] = POINT - 1;
    CHECK_CODE(kw_spki_of_point(kw_span_of(string, POINT + 2), made), KW_CODE_BAD_INPUT);
    CHECK(made[0] == 0);
}

TEST(pem__as_openssl_writes_it)
{
    char pem[KW_SPKI_PEM + 1];
    kw_spki_pem(spki, pem);
    CHECK_STR(pem, sample_pem);
}

TEST(verify__the_sample__good)
{
    const struct kw_checkpoint c = sample_checkpoint();
    CHECK_OK(kw_checkpoint_verify(&c, key, signature));
}

TEST(verify__another_checkpoint_or_signature__forged)
{
    struct kw_checkpoint c = sample_checkpoint();
    c.counts[KW_COUNT_SIGN]++;
    CHECK_CODE(kw_checkpoint_verify(&c, key, signature), KW_CODE_FORGED);
    c = sample_checkpoint();
    der[signature.len - 1] ^= 1;
    CHECK_CODE(kw_checkpoint_verify(&c, key, signature), KW_CODE_FORGED);
}

TEST(verify__no_signature_or_no_such_key__bad_input)
{
    struct kw_checkpoint c = sample_checkpoint();
    CHECK_CODE(kw_checkpoint_verify(&c, key, kw_span_of(der, signature.len - 1)),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_checkpoint_verify(&c, kw_span_of(spki, KW_SPKI - 1), signature),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_checkpoint_verify(&c, kw_span_of(spki, sizeof spki), signature),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_checkpoint_verify(&c, kw_span_of(NULL, 0), signature),
               KW_CODE_BAD_INPUT);
    c.covered = UINT64_MAX;
    CHECK_CODE(kw_checkpoint_verify(&c, key, signature), KW_CODE_BAD_INPUT);
    c = sample_checkpoint();
    spki[KW_SPKI - 1] ^= 1; /* no point of the curve */
    CHECK_CODE(kw_checkpoint_verify(&c, key, signature), KW_CODE_BAD_INPUT);
}

/* Somebody else's key, on the same curve. */
TEST(verify__another_key__forged)
{
    const struct kw_checkpoint c = sample_checkpoint();
    uint8_t point[POINT], other[KW_SPKI];
    size_t len = 0;
    EVP_PKEY *made = EVP_EC_gen("P-256");
    CHECK(made != NULL &&
          EVP_PKEY_get_octet_string_param(made, "pub", point, sizeof point, &len) == 1);
    CHECK_OK(kw_spki_of_point(kw_span_of(point, len), other));
    CHECK_CODE(kw_checkpoint_verify(&c, kw_span_of(other, KW_SPKI), signature),
               KW_CODE_FORGED);
    EVP_PKEY_free(made);
}

TEST(pem__read_back__of_that_text_alone)
{
    uint8_t some[KW_SPKI], again[KW_SPKI];
    char pem[KW_SPKI_PEM + 1];
    for (size_t i = 0; i < sizeof some; i++)
        some[i] = (uint8_t)(i * 7);
    kw_spki_pem(some, pem);
    CHECK_OK(kw_spki_of_pem(kw_span_str(pem), again));
    assert_memory_equal(again, some, sizeof some);
    CHECK_CODE(kw_spki_of_pem(kw_span_of(pem, KW_SPKI_PEM - 1), again),
               KW_CODE_BAD_INPUT);
    for (size_t i = 0; i < KW_SPKI_PEM; i++) {
        const char was = pem[i];
        pem[i] = '!';
        CHECK_CODE(kw_spki_of_pem(kw_span_str(pem), again), KW_CODE_BAD_INPUT);
        pem[i] = was;
    }
}

KW_SUITE_AROUND("hsm/checkpoint/public_key", begin, NULL)
