/* SPDX-License-Identifier: Apache-2.0 */
/* A signature is verified: by OpenSSL, of what was read strictly before. */
#include <keyward/manifest.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "spki.h"

/* Exactly our encoding, so that it is no key of another curve or kind; OpenSSL looks
 * whether the point is on it.  NULL: it is no key. */
static EVP_PKEY *verify_key_of(kw_span spki)
{
    const unsigned char *at = spki.ptr;
    if (spki.len != KW_SPKI || !kw_span_equal(kw_span_of(spki.ptr, KW_SPKI_HEAD),
                                              kw_span_of(kw_spki_head, KW_SPKI_HEAD)))
        return NULL;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki.len);
    if (key != NULL && at != spki.ptr + spki.len) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static kw_err verify_hash(EVP_PKEY *key, const uint8_t hash[KW_SHA256], kw_span der)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool ready = context != NULL && EVP_PKEY_verify_init(context) == 1 &&
                 EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1;
    int good = ready ? EVP_PKEY_verify(context, der.ptr, der.len, hash, KW_SHA256) : -1;
    EVP_PKEY_CTX_free(context);
    if (!ready)
        return kw_err_at(KW_CODE_NO_MEMORY, "signature");
    return good == 1 ? KW_OK : kw_err_at(KW_CODE_FORGED, "signature");
}

static kw_err verify_strictly(const uint8_t hash[KW_SHA256], kw_span spki, kw_span der)
{
    uint8_t plain[KW_SIGNATURE];
    kw_err e = kw_signature_from_der(der, plain);
    if (kw_failed(e))
        return e;
    EVP_PKEY *key = verify_key_of(spki);
    if (key == NULL)
        return kw_err_at(KW_CODE_BAD_INPUT, "public key");
    e = verify_hash(key, hash, der);
    EVP_PKEY_free(key);
    return e;
}

kw_err kw_checkpoint_verify(const struct kw_checkpoint *checkpoint, kw_span spki,
                            kw_span der)
{
    uint8_t hash[KW_SHA256];
    const kw_err e = kw_checkpoint_hash(checkpoint, hash);
    return kw_failed(e) ? e : verify_strictly(hash, spki, der);
}

kw_err kw_bundle_verify(kw_span manifest, kw_span spki, kw_span der)
{
    uint8_t hash[KW_SHA256];
    const kw_err e = kw_bundle_hash(manifest, hash);
    return kw_failed(e) ? e : verify_strictly(hash, spki, der);
}
