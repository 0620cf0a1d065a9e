/* SPDX-License-Identifier: Apache-2.0 */
/* What nothing can be cheaper than: a turn of the loop, and AES-256-GCM in software over
 * as many bytes as a wrap seals. */
#include <openssl/evp.h>

#include <keyward/limits.h>

#include "micro.h"

enum { IV = 12, AAD = 60 };

static void empty(struct kw_micro *m)
{
    while (kw_micro_next(m))
        kw_micro_keep(m);
}

static EVP_CIPHER_CTX *sealing, *opening;
static uint8_t key[32], iv[IV], aad[AAD], plain[KW_INNER_MAX], sealed[KW_INNER_MAX],
    tag[KW_GCM_TAG];

static void gcm_teardown(void)
{
    EVP_CIPHER_CTX_free(sealing);
    EVP_CIPHER_CTX_free(opening);
}

static bool gcm_setup(struct kw_micro *m)
{
    kw_micro_fill(key, sizeof key, 1);
    kw_micro_fill(iv, sizeof iv, 2);
    kw_micro_fill(aad, sizeof aad, 3);
    kw_micro_fill(plain, sizeof plain, 4);
    sealing = EVP_CIPHER_CTX_new();
    opening = EVP_CIPHER_CTX_new();
    if (sealing != NULL && opening != NULL &&
        EVP_EncryptInit_ex(sealing, EVP_aes_256_gcm(), NULL, key, NULL) == 1 &&
        EVP_DecryptInit_ex(opening, EVP_aes_256_gcm(), NULL, key, NULL) == 1)
        return true;
    gcm_teardown();
    kw_micro_fail(m, "OpenSSL has no AES-256-GCM context");
    return false;
}

/* The key is in the context already, as a token has it. */
static bool gcm_seal(int len)
{
    int n = 0;
    return EVP_EncryptInit_ex(sealing, NULL, NULL, NULL, iv) == 1 &&
           EVP_EncryptUpdate(sealing, NULL, &n, aad, AAD) == 1 &&
           EVP_EncryptUpdate(sealing, sealed, &n, plain, len) == 1 &&
           EVP_EncryptFinal_ex(sealing, sealed + n, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(sealing, EVP_CTRL_GCM_GET_TAG, KW_GCM_TAG, tag) == 1;
}

static bool gcm_open(int len)
{
    int n = 0;
    return EVP_DecryptInit_ex(opening, NULL, NULL, NULL, iv) == 1 &&
           EVP_CIPHER_CTX_ctrl(opening, EVP_CTRL_GCM_SET_TAG, KW_GCM_TAG, tag) == 1 &&
           EVP_DecryptUpdate(opening, NULL, &n, aad, AAD) == 1 &&
           EVP_DecryptUpdate(opening, plain, &n, sealed, len) == 1 &&
           EVP_DecryptFinal_ex(opening, plain + n, &n) == 1;
}

static void gcm_run(struct kw_micro *m, bool (*step)(int len))
{
    int len = (int)kw_micro_argument(m);
    bool good = gcm_seal(len);
    while (kw_micro_next(m))
        good &= step(len);
    if (!good)
        kw_micro_fail(m, "OpenSSL did not encrypt, or decrypt what it encrypted");
    kw_micro_bytes(m, kw_micro_iterations(m) * len);
}

static void gcm_encrypt(struct kw_micro *m)
{
    gcm_run(m, gcm_seal);
}

static void gcm_decrypt(struct kw_micro *m)
{
    gcm_run(m, gcm_open);
}

/* A seed of kube-apiserver with its inner digest, and the largest. */
static const int64_t lengths[] = {32 + KW_INNER_DIGEST, KW_INNER_MAX};
#define LENGTHS "bytes", lengths, 2
const struct kw_micro_case kw_micro_floor[] = {
    {.name = "floor/empty", .run = empty},
    {"floor/aes_256_gcm_encrypt", gcm_setup, gcm_encrypt, gcm_teardown, false, LENGTHS},
    {"floor/aes_256_gcm_decrypt", gcm_setup, gcm_decrypt, gcm_teardown, false, LENGTHS},
    {.name = NULL},
};
