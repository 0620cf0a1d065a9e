/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, as OpenSSL has it. */
#include <keyward/sha256.h>

#include <openssl/evp.h>
#include <pthread.h>

/* Found once: looking for it takes as long as the hash of a few hundred bytes does
 * (crypto(7), "Performance"). */
static EVP_MD *sha256_found;

static void sha256_find(void)
{
    sha256_found = EVP_MD_fetch(NULL, "SHA256", NULL);
}

kw_err kw_sha256(kw_span bytes, uint8_t ret_sha256[KW_SHA256])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (pthread_once(&once, sha256_find) != 0 || sha256_found == NULL ||
        EVP_Digest(bytes.ptr, bytes.len, ret_sha256, NULL, sha256_found, NULL) != 1)
        return kw_err_at(KW_CODE_NO_MEMORY, "sha256");
    return KW_OK;
}
