/* SPDX-License-Identifier: Apache-2.0 */
/* digest - the two uses of SHA-256: the inner digest, and IVs that mix in the seed */
#include <keyward/envelope.h>

#include <pthread.h>

#include <openssl/evp.h>

enum { SHA256_LEN = 32 };

/* Fetched once for the life of the process: EVP_sha256() looks the algorithm up again in
 * every digest, which costs as much as the digest itself. */
static EVP_MD *sha256;

static void digest_fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

/* SHA-256(first | second).  false when the library has none or is out of memory.  It
 * clears the block it kept when the context is freed. */
static bool hash(kw_span first, kw_span second, uint8_t ret_digest[SHA256_LEN])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    KW_MUST(pthread_once(&once, digest_fetch) == 0);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && sha256 != NULL &&
              EVP_DigestInit_ex(ctx, sha256, NULL) == 1 &&
              EVP_DigestUpdate(ctx, first.ptr, first.len) == 1 &&
              EVP_DigestUpdate(ctx, second.ptr, second.len) == 1 &&
              EVP_DigestFinal_ex(ctx, ret_digest, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

void kw_envelope_iv(enum kw_mechanism m, kw_span seed, uint8_t *ret_iv)
{
    uint8_t fresh[SHA256_LEN];
    uint8_t mixed[SHA256_LEN];

    kw_random(fresh, sizeof fresh);
    /* Without the hedge the random bytes alone are still an IV. */
    const uint8_t *iv =
        hash(kw_span_of(fresh, sizeof fresh), seed, mixed) ? mixed : fresh;
    kw_copy(ret_iv, kw_mechanism_iv_len(m), kw_span_of(iv, kw_mechanism_iv_len(m)));
    kw_wipe(fresh, sizeof fresh);
    kw_wipe(mixed, sizeof mixed);
}

kw_err kw_envelope_inner(kw_span aad, kw_span seed, struct kw_secret *ret_inner)
{
    uint8_t digest[SHA256_LEN];
    KW_AUTO_SECRET(inner);

    if (seed.len < 1 || seed.len > KW_SEED_MAX)
        return kw_err_at(KW_CODE_BAD_INPUT, "seed length");
    kw_err e = kw_secret_init(&inner, seed.len + KW_INNER_DIGEST);
    if (kw_failed(e))
        return e;
    if (!hash(aad, seed, digest))
        return kw_err_at(KW_CODE_NO_MEMORY, "inner digest");
    kw_copy(inner.ptr, inner.len, seed);
    kw_copy(inner.ptr + seed.len, KW_INNER_DIGEST, kw_span_of(digest, KW_INNER_DIGEST));
    kw_wipe(digest, sizeof digest);
    kw_secret_move(ret_inner, &inner);
    return KW_OK;
}

/* WRONG_ANSWER, or NO_MEMORY when it cannot be told. */
static kw_err digest_judge(kw_span aad, size_t seed_len, kw_span inner)
{
    uint8_t digest[SHA256_LEN];

    if (seed_len < 1 || seed_len > KW_SEED_MAX || inner.len != seed_len + KW_INNER_DIGEST)
        return kw_err_at(KW_CODE_WRONG_ANSWER, "inner length");
    if (!hash(aad, kw_span_of(inner.ptr, seed_len), digest))
        return kw_err_at(KW_CODE_NO_MEMORY, "inner digest");
    bool same = kw_equal_ct(kw_span_of(inner.ptr + seed_len, KW_INNER_DIGEST),
                            kw_span_of(digest, KW_INNER_DIGEST));
    kw_wipe(digest, sizeof digest);
    return same ? KW_OK : kw_err_at(KW_CODE_WRONG_ANSWER, "inner digest");
}

kw_err kw_envelope_prove(kw_span aad, size_t seed_len, struct kw_secret *inner)
{
    kw_err e = digest_judge(aad, seed_len, kw_secret_peek(inner));
    if (kw_failed(e))
        kw_secret_wipe(inner);
    else
        kw_secret_shrink(inner, seed_len);
    return e;
}
