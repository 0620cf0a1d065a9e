/* SPDX-License-Identifier: Apache-2.0 */
/* The API server's rules, one function each. */
#include "rules.h"

#include <string.h>

const char *kw_rule_version(const struct kw_client_reply *status)
{
    return strcmp(status->version, "v2") == 0 || strcmp(status->version, "v2beta1") == 0
               ? NULL
               : "version must be v2 or v2beta1";
}

const char *kw_rule_healthz(const struct kw_client_reply *status)
{
    return strcmp(status->healthz, "ok") == 0 ? NULL : "healthz must be exactly ok";
}

const char *kw_rule_key_id(const struct kw_client_reply *reply)
{
    size_t len = strlen(reply->key_id);
    if (len == 0)
        return "key_id must not be empty";
    return len <= KW_WIRE_KEY_ID_MAX ? NULL : "key_id must have at most 1024 bytes";
}

const char *kw_rule_same_key_id(const struct kw_client_reply *status,
                                const struct kw_client_reply *encrypt)
{
    return strcmp(status->key_id, encrypt->key_id) == 0
               ? NULL
               : "the key_id of Encrypt must be the one of the Status before it, else "
                 "the "
                 "answer is thrown away";
}

const char *kw_rule_ciphertext(const struct kw_client_reply *encrypt, kw_span plaintext)
{
    kw_span c = kw_span_of(encrypt->ciphertext, encrypt->ciphertext_len);
    if (c.len == 0)
        return "the ciphertext must not be empty";
    if (c.len > KW_CIPHERTEXT_MAX)
        return "the ciphertext must have at most 1024 bytes";
    return kw_span_equal(c, plaintext) ? "the ciphertext is the plaintext" : NULL;
}

const char *kw_rule_annotations(const struct kw_client_reply *encrypt)
{
    return encrypt->annotation_count == 0
               ? NULL
               : "keyward makes no annotations; who answers here?";
}

const char *kw_rule_plaintext(const struct kw_client_reply *decrypt, kw_span plaintext)
{
    return kw_equal_ct(kw_secret_peek(&decrypt->plaintext), plaintext)
               ? NULL
               : "Decrypt must give back exactly the bytes that were encrypted";
}
