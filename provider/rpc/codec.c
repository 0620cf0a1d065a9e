/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes are checked here and meaning in kms: an empty plaintext or ciphertext passes, and
 * so does an annotation, of which kms needs to know only that there is one. */
#include "codec.h"

#include "kms_v2.pb-c.h"
#include "text.h"

static const uint32_t decrypt_strings = 1u << 2 | 1u << 3;
static const uint32_t encrypt_strings = 1u << 2;

static kw_err codec_bad(const char *where)
{
    return kw_err_at(KW_CODE_BAD_INPUT, where);
}

static kw_span data(ProtobufCBinaryData d)
{
    return kw_span_of(d.data, d.len);
}

static kw_err decode_status(kw_span message, struct kw_pb_block *block)
{
    if (v2__status_request__unpack(&block->allocator, message.len, message.ptr) == NULL)
        return codec_bad("status request");
    return KW_OK;
}

static kw_err decode_encrypt(kw_span message, struct kw_pb_block *block,
                             struct kw_codec_fields *ret_fields)
{
    if (!kw_wire_strings_are_text(message, encrypt_strings))
        return codec_bad("encrypt request: text");
    const V2__EncryptRequest *m =
        v2__encrypt_request__unpack(&block->allocator, message.len, message.ptr);
    if (m == NULL)
        return codec_bad("encrypt request");
    if (m->plaintext.len > KW_SEED_MAX)
        return codec_bad("plaintext: size");
    *ret_fields =
        (struct kw_codec_fields){.uid = kw_span_str(m->uid), .bytes = data(m->plaintext)};
    return KW_OK;
}

static kw_err decode_decrypt(kw_span message, struct kw_pb_block *block,
                             struct kw_codec_fields *ret_fields)
{
    if (!kw_wire_strings_are_text(message, decrypt_strings))
        return codec_bad("decrypt request: text");
    const V2__DecryptRequest *m =
        v2__decrypt_request__unpack(&block->allocator, message.len, message.ptr);
    if (m == NULL)
        return codec_bad("decrypt request");
    if (m->ciphertext.len > KW_CIPHERTEXT_MAX)
        return codec_bad("ciphertext: size");
    kw_span key_id = kw_span_str(m->key_id);
    if (key_id.len > KW_WIRE_KEY_ID_MAX)
        return codec_bad("key_id: size");
    *ret_fields = (struct kw_codec_fields){.uid = kw_span_str(m->uid),
                                           .key_id = key_id,
                                           .bytes = data(m->ciphertext),
                                           .has_annotations = m->n_annotations > 0};
    return KW_OK;
}

kw_err kw_codec_decode(enum kw_method method, kw_span message, struct kw_pb_block *block,
                       struct kw_codec_fields *ret_fields)
{
    KW_INVARIANT(block->used == 0);
    switch (method) {
    case KW_METHOD_STATUS:
        *ret_fields = (struct kw_codec_fields){0};
        return decode_status(message, block);
    case KW_METHOD_ENCRYPT: return decode_encrypt(message, block, ret_fields);
    case KW_METHOD_DECRYPT: return decode_decrypt(message, block, ret_fields);
    }
    return kw_err_at(KW_CODE_BUG, "codec");
}

static kw_err codec_pack(const ProtobufCMessage *m, kw_dst *reply)
{
    size_t len = protobuf_c_message_get_packed_size(m);
    if (len > reply->cap - reply->len)
        return kw_err_at(KW_CODE_BUG, "reply: size");
    reply->len += protobuf_c_message_pack(m, reply->ptr + reply->len);
    return KW_OK;
}

/* protobuf-c's structs have no const; packing reads only. */
static uint8_t *codec_lend(const uint8_t *p)
{
    return (uint8_t *)(uintptr_t)p;
}
static char *lend_str(const char *p)
{
    return (char *)(uintptr_t)p;
}

static kw_err encode_status(const struct kw_request *request, kw_dst *reply)
{
    V2__StatusResponse m;
    v2__status_response__init(&m);
    m.version = lend_str("v2");
    m.healthz = lend_str("ok");
    m.key_id = lend_str(request->out_key_id);
    return codec_pack(&m.base, reply);
}

static kw_err encode_encrypt(const struct kw_request *request, kw_dst *reply)
{
    V2__EncryptResponse m;
    v2__encrypt_response__init(&m);
    m.ciphertext = (ProtobufCBinaryData){request->out_ciphertext_len,
                                         codec_lend(request->out_ciphertext)};
    m.key_id = lend_str(request->out_key_id);
    return codec_pack(&m.base, reply);
}

static kw_err encode_decrypt(const struct kw_request *request, kw_dst *reply)
{
    V2__DecryptResponse m;
    v2__decrypt_response__init(&m);
    m.plaintext = (ProtobufCBinaryData){request->seed.len, request->seed.ptr};
    return codec_pack(&m.base, reply);
}

kw_err kw_codec_encode(const struct kw_request *request, kw_dst *reply)
{
    switch (request->method) {
    case KW_METHOD_STATUS: return encode_status(request, reply);
    case KW_METHOD_ENCRYPT: return encode_encrypt(request, reply);
    case KW_METHOD_DECRYPT: return encode_decrypt(request, reply);
    }
    return kw_err_at(KW_CODE_BUG, "codec");
}
