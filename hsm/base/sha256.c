/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, as OpenSSL has it. */
#include <keyward/sha256.h>

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <unistd.h>

#include <keyward/alloc.h>

enum { SHA256_PIECE = 128 * 1024 };

/* Found once: looking for it takes as long as the hash of a few hundred bytes does
 * (crypto(7), "Performance"). */
static EVP_MD *sha256_found;

static void sha256_find(void)
{
    sha256_found = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static EVP_MD *sha256_digest(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    return pthread_once(&once, sha256_find) == 0 ? sha256_found : NULL;
}

static kw_err sha256_no_memory(void)
{
    return kw_err_at(KW_CODE_NO_MEMORY, "sha256");
}

kw_err kw_sha256(kw_span bytes, uint8_t ret_sha256[KW_SHA256])
{
    EVP_MD *md = sha256_digest();
    if (md == NULL || EVP_Digest(bytes.ptr, bytes.len, ret_sha256, NULL, md, NULL) != 1)
        return sha256_no_memory();
    return KW_OK;
}

static kw_err sha256_add_file(EVP_MD_CTX *ctx, int fd, uint64_t len, uint8_t *piece)
{
    uint64_t at = 0;
    while (at < len) {
        const uint64_t left = len - at;
        const size_t want = left < SHA256_PIECE ? (size_t)left : SHA256_PIECE;
        const ssize_t n = pread(fd, piece, want, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return kw_err_native(KW_CODE_IO, n < 0 ? (uint32_t)errno : 0, "sha256");
        if (EVP_DigestUpdate(ctx, piece, (size_t)n) != 1)
            return sha256_no_memory();
        at += (uint64_t)n;
    }
    return KW_OK;
}

kw_err kw_sha256_file(int fd, uint64_t len, uint8_t ret_sha256[KW_SHA256])
{
    EVP_MD *md = sha256_digest();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t *piece = kw_new(SHA256_PIECE, 1);
    kw_err e = sha256_no_memory();
    if (md != NULL && ctx != NULL && piece != NULL &&
        EVP_DigestInit_ex(ctx, md, NULL) == 1)
        e = sha256_add_file(ctx, fd, len, piece);
    if (!kw_failed(e) && EVP_DigestFinal_ex(ctx, ret_sha256, NULL) != 1)
        e = sha256_no_memory();
    kw_free(piece);
    EVP_MD_CTX_free(ctx);
    return e;
}

kw_err kw_hmac_sha256(const struct kw_secret *key, kw_span bytes,
                      uint8_t ret_mac[KW_SHA256])
{
    EVP_MD *md = sha256_digest();
    if (md == NULL ||
        HMAC(md, key->ptr, (int)key->len, bytes.ptr, bytes.len, ret_mac, NULL) == NULL)
        return sha256_no_memory();
    return KW_OK;
}
