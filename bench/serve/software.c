/* SPDX-License-Identifier: Apache-2.0 */
/* The least that a seed can cost: the same cipher without any token.
 *
 * Both contexts are prepared once with the key and started over with an iv alone
 * (EVP_EncryptInit_ex2 with a NULL key), so that no call pays for the key schedule.
 */
#include "cipher.h"

#include <openssl/evp.h>

#include <keyward/alloc.h>

enum { KEY = 32, IV = 12 };

struct kw_software {
    EVP_CIPHER *gcm;
    EVP_CIPHER_CTX *sealing, *opening;
};

static bool software_prepare(struct kw_software *s, kw_span key)
{
    s->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    s->sealing = EVP_CIPHER_CTX_new();
    s->opening = EVP_CIPHER_CTX_new();
    return s->gcm != NULL && s->sealing != NULL && s->opening != NULL &&
           EVP_EncryptInit_ex2(s->sealing, s->gcm, key.ptr, NULL, NULL) == 1 &&
           EVP_DecryptInit_ex2(s->opening, s->gcm, key.ptr, NULL, NULL) == 1;
}

kw_err kw_software_new(struct kw_software **ret_software)
{
    KW_AUTO_SECRET(key);
    kw_err e = kw_secret_init(&key, KEY);
    if (kw_failed(e))
        return e;
    kw_random(key.ptr, key.len);
    struct kw_software *s = kw_new(1, sizeof *s);
    if (s == NULL || !software_prepare(s, kw_secret_peek(&key))) {
        kw_software_free(s);
        return kw_err_at(KW_CODE_NO_MEMORY, "EVP_EncryptInit");
    }
    *ret_software = s;
    return KW_OK;
}

/* The contexts are wiped as they go: EVP_CIPHER_CTX_free(3). */
void kw_software_free(struct kw_software *software)
{
    if (software == NULL)
        return;
    EVP_CIPHER_CTX_free(software->sealing);
    EVP_CIPHER_CTX_free(software->opening);
    EVP_CIPHER_free(software->gcm);
    kw_free(software);
}

static kw_err software_wrap(void *ctx, kw_span iv, kw_span aad, kw_span inner,
                            kw_dst *dst)
{
    EVP_CIPHER_CTX *c = ((struct kw_software *)ctx)->sealing;
    uint8_t sealed[KW_SEALED_MAX];
    int n = 0, end = 0;
    if (iv.len != IV || inner.len > KW_INNER_MAX)
        return kw_err_at(KW_CODE_BAD_INPUT, "software wrap");
    bool good = EVP_EncryptInit_ex2(c, NULL, NULL, iv.ptr, NULL) == 1 &&
                EVP_EncryptUpdate(c, NULL, &n, aad.ptr, (int)aad.len) == 1 &&
                EVP_EncryptUpdate(c, sealed, &n, inner.ptr, (int)inner.len) == 1 &&
                EVP_EncryptFinal_ex(c, sealed + n, &end) == 1 &&
                EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, KW_GCM_TAG,
                                    sealed + inner.len) == 1;
    if (!good)
        return kw_err_at(KW_CODE_NO_MEMORY, "EVP_EncryptUpdate");
    return kw_dst_put(dst, kw_span_of(sealed, inner.len + KW_GCM_TAG))
               ? KW_OK
               : kw_err_at(KW_CODE_NO_MEMORY, "software wrap");
}

static kw_err software_unwrap(void *ctx, kw_span iv, kw_span aad, kw_span sealed,
                              struct kw_secret *ret_inner)
{
    EVP_CIPHER_CTX *c = ((struct kw_software *)ctx)->opening;
    KW_AUTO_SECRET(inner);
    uint8_t tag[KW_GCM_TAG];
    int n = 0, end = 0;
    if (iv.len != IV || sealed.len <= KW_GCM_TAG || sealed.len > KW_SEALED_MAX)
        return kw_err_at(KW_CODE_BAD_INPUT, "software unwrap");
    size_t len = sealed.len - KW_GCM_TAG;
    kw_copy(tag, sizeof tag, kw_span_of(sealed.ptr + len, KW_GCM_TAG));
    kw_err e = kw_secret_init(&inner, len);
    if (kw_failed(e))
        return e;
    bool good = EVP_DecryptInit_ex2(c, NULL, NULL, iv.ptr, NULL) == 1 &&
                EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, KW_GCM_TAG, tag) == 1 &&
                EVP_DecryptUpdate(c, NULL, &n, aad.ptr, (int)aad.len) == 1 &&
                EVP_DecryptUpdate(c, inner.ptr, &n, sealed.ptr, (int)len) == 1 &&
                EVP_DecryptFinal_ex(c, inner.ptr + n, &end) == 1;
    if (!good)
        return kw_err_at(KW_CODE_FORGED, "software unwrap");
    kw_secret_move(ret_inner, &inner);
    return KW_OK;
}

const struct kw_cipher kw_software_cipher = {"kw1-0-software-protects-little",
                                             software_wrap, software_unwrap};
