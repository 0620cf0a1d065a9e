/* SPDX-License-Identifier: Apache-2.0 */
/* keyer - {class, key_id, ciphertext} to the key of a cache entry
 *
 * Only equal requests may meet, so each part goes in with its length before it.  The key
 * is random per process: whoever reads the cache's table out of a core or by timing
 * cannot tell which ciphertext an entry belongs to.
 *
 * The context is prepared once and started over with the key it has (EVP_MAC_init with a
 * NULL key: EVP_MAC(3)): half the time of a context duplicated per request, and nothing
 * is allocated.  OpenSSL keeps a copy of this key in its own heap; it opens no seed. */
#include <keyward/cache.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <keyward/alloc.h>

#define KEYER_KEY_LEN 32u

struct kw_cache_keyer {
    EVP_MAC_CTX *ctx;
    struct kw_secret key;
};

static EVP_MAC_CTX *new_context(kw_span key)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac); /* the context holds its own reference */
    if (ctx != NULL && EVP_MAC_init(ctx, key.ptr, key.len, params) != 1) {
        EVP_MAC_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

kw_err kw_cache_keyer_new(struct kw_cache_keyer **ret_keyer)
{
    struct kw_cache_keyer *k = kw_new(1, sizeof *k);
    if (k == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "kw_cache_keyer_new");
    kw_err e = kw_secret_init(&k->key, KEYER_KEY_LEN);
    if (!kw_failed(e)) {
        kw_random(k->key.ptr, k->key.len);
        k->ctx = new_context(kw_secret_peek(&k->key));
        if (k->ctx == NULL)
            e = kw_err_at(KW_CODE_NO_MEMORY, "EVP_MAC_init");
    }
    if (kw_failed(e)) {
        kw_cache_keyer_free(k);
        return e;
    }
    *ret_keyer = k;
    return KW_OK;
}

void kw_cache_keyer_free(struct kw_cache_keyer *keyer)
{
    if (keyer == NULL)
        return;
    EVP_MAC_CTX_free(keyer->ctx);
    kw_secret_wipe(&keyer->key);
    kw_free(keyer);
}

static void feed(EVP_MAC_CTX *ctx, kw_span s)
{
    if (s.len > 0)
        KW_INVARIANT(EVP_MAC_update(ctx, s.ptr, s.len) == 1);
}

void kw_cache_keyer_make(struct kw_cache_keyer *keyer, uint32_t class_index,
                         kw_span key_id, kw_span ciphertext, struct kw_cache_key *ret_key)
{
    uint8_t head[4 + 8 + 8];
    kw_dst d = kw_dst_of(head, sizeof head);
    size_t len = 0;
    KW_INVARIANT(kw_dst_put_u32(&d, class_index) && kw_dst_put_u64(&d, key_id.len) &&
                 kw_dst_put_u64(&d, ciphertext.len));
    KW_INVARIANT(EVP_MAC_init(keyer->ctx, NULL, 0, NULL) == 1);
    feed(keyer->ctx, kw_dst_span(&d));
    feed(keyer->ctx, key_id);
    feed(keyer->ctx, ciphertext);
    KW_INVARIANT(EVP_MAC_final(keyer->ctx, ret_key->b, &len, sizeof ret_key->b) == 1 &&
                 len == sizeof ret_key->b);
}
