/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, as OpenSSL has it. */
#include <keyward/sha256.h>

#include <openssl/evp.h>

kw_err kw_sha256(kw_span bytes, uint8_t ret_sha256[KW_SHA256])
{
    if (EVP_Digest(bytes.ptr, bytes.len, ret_sha256, NULL, EVP_sha256(), NULL) != 1)
        return kw_err_at(KW_CODE_NO_MEMORY, "sha256");
    return KW_OK;
}
