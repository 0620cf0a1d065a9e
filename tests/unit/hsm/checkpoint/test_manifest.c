/* SPDX-License-Identifier: Apache-2.0 */
/* What is signed of a bundle, and by whom: the signatures here are OpenSSL's. */
#include <keyward/manifest.h>

#include "check.h"
#include "sample.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

enum { POINT = 65 };

static const char manifest[] = KW_BUNDLE_DOMAIN "  \"files\": []\n}\n";

static uint8_t spki[KW_SPKI], der[KW_SIGNATURE_DER_MAX];
static size_t der_len;

/* By a new key, as `openssl dgst -sha256 -sign` does. */
static void sign(kw_span bytes)
{
    uint8_t point[POINT];
    size_t len = 0;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    CHECK(key != NULL && context != NULL);
    CHECK(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point,
                                          sizeof point, &len) == 1);
    CHECK_OK(kw_spki_of_point(kw_span_of(point, len), spki));
    der_len = sizeof der;
    CHECK(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1);
    CHECK(EVP_DigestSign(context, der, &der_len, bytes.ptr, bytes.len) == 1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

static kw_err verify(kw_span bytes)
{
    return kw_bundle_verify(bytes, kw_span_of(spki, sizeof spki),
                            kw_span_of(der, der_len));
}

TEST(hash__manifest__sha256_of_all_its_bytes)
{
    uint8_t hash[KW_SHA256], want[KW_SHA256];
    CHECK_OK(kw_bundle_hash(kw_span_str(manifest), hash));
    CHECK_OK(kw_sha256(kw_span_str(manifest), want));
    assert_memory_equal(hash, want, sizeof want);
}

TEST(hash__what_does_not_begin_so__bad_input)
{
    static char text[sizeof manifest];
    uint8_t hash[KW_SHA256], room[KW_CHECKPOINT_MAX];
    const struct kw_checkpoint c = sample_checkpoint();
    kw_dst dst = kw_dst_of(room, sizeof room);
    const size_t domain = strlen(KW_BUNDLE_DOMAIN);
    for (size_t i = 0; i < domain; i++) {
        memcpy(text, manifest, sizeof manifest);
        text[i] ^= 1;
        CHECK_CODE(kw_bundle_hash(kw_span_str(text), hash), KW_CODE_BAD_INPUT);
    }
    for (size_t len = 0; len <= domain; len++)
        CHECK_CODE(kw_bundle_hash(kw_span_of(manifest, len), hash), KW_CODE_BAD_INPUT);
    CHECK_OK(kw_checkpoint_write(&c, &dst));
    CHECK_CODE(kw_bundle_hash(kw_dst_span(&dst), hash), KW_CODE_BAD_INPUT);
}

TEST(verify__signature_of_it__good_and_of_another_forged)
{
    char other[sizeof manifest];
    memcpy(other, manifest, sizeof manifest);
    other[sizeof manifest - 2] = ' ';
    sign(kw_span_str(manifest));
    CHECK_OK(verify(kw_span_str(manifest)));
    CHECK_CODE(verify(kw_span_str(other)), KW_CODE_FORGED);
    der_len--;
    CHECK_CODE(verify(kw_span_str(manifest)), KW_CODE_BAD_INPUT);
}

/* Who has the key sign a checkpoint has no manifest signed, and the other way round. */
TEST(verify__good_signature_of_no_manifest__bad_input)
{
    const struct kw_checkpoint c = sample_checkpoint();
    uint8_t room[KW_CHECKPOINT_MAX];
    kw_dst dst = kw_dst_of(room, sizeof room);
    CHECK_OK(kw_checkpoint_write(&c, &dst));
    sign(kw_dst_span(&dst));
    CHECK_OK(kw_checkpoint_verify(&c, kw_span_of(spki, sizeof spki),
                                  kw_span_of(der, der_len)));
    CHECK_CODE(verify(kw_dst_span(&dst)), KW_CODE_BAD_INPUT);
}

KW_SUITE("hsm/checkpoint/manifest")
