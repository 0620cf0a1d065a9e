/* SPDX-License-Identifier: Apache-2.0 */
/* What nothing can be cheaper than: a turn of the loop, and AES-256-GCM in software over
 * as many bytes as a wrap seals. */
#include <openssl/evp.h>

#include <keyward/limits.h>

#include "micro.h"

enum { IV = 12, AAD = 60 };

static void empty(struct kw_micro *m, void *fixture)
{
    (void)fixture;
    while (kw_micro_next(m))
        kw_micro_keep(m);
}

struct gcm {
    EVP_CIPHER_CTX *encrypt, *decrypt;
    uint8_t key[32], iv[IV], aad[AAD], plain[KW_INNER_MAX], sealed[KW_INNER_MAX],
        tag[KW_GCM_TAG];
};

static struct gcm gcm;

static void *gcm_setup(struct kw_micro *m)
{
    kw_micro_fill(gcm.key, sizeof gcm.key, 1);
    kw_micro_fill(gcm.iv, sizeof gcm.iv, 2);
    kw_micro_fill(gcm.aad, sizeof gcm.aad, 3);
    kw_micro_fill(gcm.plain, sizeof gcm.plain, 4);
    gcm.encrypt = EVP_CIPHER_CTX_new();
    gcm.decrypt = EVP_CIPHER_CTX_new();
    if (gcm.encrypt != NULL && gcm.decrypt != NULL &&
        EVP_EncryptInit_ex(gcm.encrypt, EVP_aes_256_gcm(), NULL, gcm.key, NULL) == 1 &&
        EVP_DecryptInit_ex(gcm.decrypt, EVP_aes_256_gcm(), NULL, gcm.key, NULL) == 1)
        return &gcm;
    EVP_CIPHER_CTX_free(gcm.encrypt);
    EVP_CIPHER_CTX_free(gcm.decrypt);
    kw_micro_fail(m, "OpenSSL has no AES-256-GCM context");
    return NULL;
}

static void gcm_teardown(void *fixture)
{
    struct gcm *g = fixture;
    EVP_CIPHER_CTX_free(g->encrypt);
    EVP_CIPHER_CTX_free(g->decrypt);
}

/* The key is in the context already, as a token has it. */
static bool seal(struct gcm *g, int len)
{
    int n = 0;
    return EVP_EncryptInit_ex(g->encrypt, NULL, NULL, NULL, g->iv) == 1 &&
           EVP_EncryptUpdate(g->encrypt, NULL, &n, g->aad, AAD) == 1 &&
           EVP_EncryptUpdate(g->encrypt, g->sealed, &n, g->plain, len) == 1 &&
           EVP_EncryptFinal_ex(g->encrypt, g->sealed + n, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(g->encrypt, EVP_CTRL_GCM_GET_TAG, KW_GCM_TAG, g->tag) == 1;
}

static bool open_sealed(struct gcm *g, int len)
{
    int n = 0;
    return EVP_DecryptInit_ex(g->decrypt, NULL, NULL, NULL, g->iv) == 1 &&
           EVP_CIPHER_CTX_ctrl(g->decrypt, EVP_CTRL_GCM_SET_TAG, KW_GCM_TAG, g->tag) ==
               1 &&
           EVP_DecryptUpdate(g->decrypt, NULL, &n, g->aad, AAD) == 1 &&
           EVP_DecryptUpdate(g->decrypt, g->plain, &n, g->sealed, len) == 1 &&
           EVP_DecryptFinal_ex(g->decrypt, g->plain + n, &n) == 1;
}

static void gcm_encrypt(struct kw_micro *m, void *fixture)
{
    struct gcm *g = fixture;
    int len = (int)kw_micro_argument(m);
    bool good = true;
    while (kw_micro_next(m))
        good &= seal(g, len);
    if (!good)
        kw_micro_fail(m, "OpenSSL did not encrypt");
    kw_micro_bytes(m, kw_micro_iterations(m) * len);
}

static void gcm_decrypt(struct kw_micro *m, void *fixture)
{
    struct gcm *g = fixture;
    int len = (int)kw_micro_argument(m);
    bool good = seal(g, len);
    while (kw_micro_next(m))
        good &= open_sealed(g, len);
    if (!good)
        kw_micro_fail(m, "OpenSSL did not decrypt what it encrypted");
    kw_micro_bytes(m, kw_micro_iterations(m) * len);
}

/* A seed of kube-apiserver with its inner digest, and the largest. */
static const int64_t lengths[] = {32 + KW_INNER_DIGEST, KW_INNER_MAX};
static const struct kw_micro_case cases[] = {
    {.name = "floor/empty", .run = empty},
    {.name = "floor/aes_256_gcm_encrypt",
     .setup = gcm_setup,
     .run = gcm_encrypt,
     .teardown = gcm_teardown,
     .argument = "bytes",
     .values = lengths,
     .value_count = 2},
    {.name = "floor/aes_256_gcm_decrypt",
     .setup = gcm_setup,
     .run = gcm_decrypt,
     .teardown = gcm_teardown,
     .argument = "bytes",
     .values = lengths,
     .value_count = 2},
};

void kw_micro_floor(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        kw_micro_register(&cases[i]);
}
