/* SPDX-License-Identifier: Apache-2.0 */
#include <keyward/etcd_object.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

enum { OBJECT_KEY = 32, OBJECT_INFO = 32, OBJECT_NONCE = 12, OBJECT_TAG = 16 };
enum { OBJECT_PIECE = 4096 }; /* of plaintext, at a time */

static kw_err object_no_memory(void)
{
    return kw_err_at(KW_CODE_NO_MEMORY, "object");
}

/* HKDF-Expand alone: upstream extracts nothing, and uses no salt. */
static kw_err object_derive(const struct kw_secret *seed, kw_span info,
                            struct kw_secret *ret_key)
{
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, seed->ptr, seed->len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
                                          (void *)(uintptr_t)info.ptr, info.len),
        OSSL_PARAM_construct_end(),
    };
    kw_err e = kw_secret_init(ret_key, OBJECT_KEY);
    if (kw_failed(e))
        return e;
    EVP_KDF *hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = hkdf != NULL ? EVP_KDF_CTX_new(hkdf) : NULL;
    if (ctx == NULL || EVP_KDF_derive(ctx, ret_key->ptr, ret_key->len, params) != 1)
        e = object_no_memory();
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(hkdf);
    return e;
}

static bool object_begin(EVP_CIPHER_CTX *ctx, const struct kw_secret *key, kw_span nonce,
                         kw_span etcd_key)
{
    int len;
    return EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->ptr, nonce.ptr) == 1 &&
           etcd_key.len <= INT32_MAX &&
           EVP_DecryptUpdate(ctx, NULL, &len, etcd_key.ptr, (int)etcd_key.len) == 1;
}

/* Piece by piece over the same bytes: only the tag is wanted. */
static bool object_pass(EVP_CIPHER_CTX *ctx, kw_span sealed, struct kw_secret *piece)
{
    int len;
    while (sealed.len > 0) {
        const size_t now = sealed.len < piece->len ? sealed.len : piece->len;
        if (EVP_DecryptUpdate(ctx, piece->ptr, &len, sealed.ptr, (int)now) != 1)
            return false;
        sealed = kw_span_of(sealed.ptr + now, sealed.len - now);
    }
    return true;
}

static kw_err object_verify(const struct kw_secret *key, kw_span nonce, kw_span etcd_key,
                            kw_span sealed, kw_span tag)
{
    KW_AUTO_SECRET(piece);
    kw_err e = kw_secret_init(&piece, OBJECT_PIECE);
    if (kw_failed(e))
        return e;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len;
    if (ctx == NULL || !object_begin(ctx, key, nonce, etcd_key) ||
        !object_pass(ctx, sealed, &piece) ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, (int)tag.len,
                            (void *)(uintptr_t)tag.ptr) != 1)
        e = object_no_memory();
    else if (EVP_DecryptFinal_ex(ctx, piece.ptr, &len) != 1)
        e = kw_err_at(KW_CODE_FORGED, "object");
    EVP_CIPHER_CTX_free(ctx);
    return e;
}

kw_err kw_etcd_object_open(const struct kw_secret *seed, kw_span etcd_key,
                           const struct kw_stored *stored)
{
    struct kw_src src = kw_src_of(stored->data);
    const bool is_seed = stored->type == KW_STORED_TYPE_SEED;
    const kw_span info = kw_src_take(&src, is_seed ? OBJECT_INFO : 0);
    const kw_span nonce = kw_src_take(&src, OBJECT_NONCE);
    KW_AUTO_SECRET(derived);
    if (src.bad || kw_src_left(&src) < OBJECT_TAG || seed->len != OBJECT_KEY)
        return kw_err_at(KW_CODE_BAD_INPUT, "object");
    const kw_span sealed = kw_src_take(&src, kw_src_left(&src) - OBJECT_TAG);
    const kw_span tag = kw_src_rest(&src);
    kw_err e = is_seed ? object_derive(seed, info, &derived) : KW_OK;
    return kw_failed(e)
               ? e
               : object_verify(is_seed ? &derived : seed, nonce, etcd_key, sealed, tag);
}
