/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include "kms_v2.pb-c.h"

static kw_err reply_bad(const char *where)
{
    return kw_err_at(KW_CODE_BAD_INPUT, where);
}

static bool reply_put(char *room, size_t cap, const char *text)
{
    return kw_copy_str(room, cap, kw_span_str(text));
}

kw_err kw_reply_status(kw_span message, struct kw_pb_block *block,
                       struct kw_client_reply *reply)
{
    const V2__StatusResponse *m =
        v2__status_response__unpack(&block->allocator, message.len, message.ptr);
    if (m == NULL)
        return reply_bad("status reply");
    if (!reply_put(reply->version, sizeof reply->version, m->version) ||
        !reply_put(reply->healthz, sizeof reply->healthz, m->healthz) ||
        !reply_put(reply->key_id, sizeof reply->key_id, m->key_id))
        return reply_bad("status reply: size");
    return KW_OK;
}

kw_err kw_reply_encrypt(kw_span message, struct kw_pb_block *block,
                        struct kw_client_reply *reply)
{
    const V2__EncryptResponse *m =
        v2__encrypt_response__unpack(&block->allocator, message.len, message.ptr);
    if (m == NULL)
        return reply_bad("encrypt reply");
    if (m->ciphertext.len > sizeof reply->ciphertext ||
        !reply_put(reply->key_id, sizeof reply->key_id, m->key_id))
        return reply_bad("encrypt reply: size");
    kw_copy(reply->ciphertext, sizeof reply->ciphertext,
            kw_span_of(m->ciphertext.data, m->ciphertext.len));
    reply->ciphertext_len = m->ciphertext.len;
    reply->annotation_count = m->n_annotations;
    return KW_OK;
}

kw_err kw_reply_decrypt(kw_span message, struct kw_pb_block *block,
                        struct kw_client_reply *reply)
{
    const V2__DecryptResponse *m =
        v2__decrypt_response__unpack(&block->allocator, message.len, message.ptr);
    if (m == NULL)
        return reply_bad("decrypt reply");
    if (m->plaintext.len == 0)
        return KW_OK;
    return kw_secret_copy(&reply->plaintext,
                          kw_span_of(m->plaintext.data, m->plaintext.len));
}
