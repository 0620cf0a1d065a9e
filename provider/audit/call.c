/* SPDX-License-Identifier: Apache-2.0 */
/* What a request was, and what came of it, as a record. */
#include "call.h"

#include <string.h>

static const char *const sources[] = {[KW_SOURCE_NONE] = "none",
                                      [KW_SOURCE_HSM] = "hsm",
                                      [KW_SOURCE_JOINED] = "joined",
                                      [KW_SOURCE_CACHE] = "cache"};

const char *kw_audit_method(enum kw_method method)
{
    return method == KW_METHOD_ENCRYPT ? "encrypt" : "decrypt";
}

void kw_audit_peer(struct kw_audit_value dst[4], const struct kw_peer *peer)
{
    for (size_t i = 0; i < 4; i++)
        dst[i] = KW_AUDIT_NULL;
    if (peer->uid == KW_PEER_UNKNOWN)
        return;
    dst[0] = kw_audit_number(peer->uid);
    dst[1] = kw_audit_number(peer->gid);
    if (peer->pid >= 0)
        dst[2] = kw_audit_number((uint64_t)peer->pid);
    if (peer->pid_start != 0)
        dst[3] = kw_audit_number(peer->pid_start);
}

/* The key of an Encrypt is the one that was chosen, when it came so far. */
static kw_err call_names(struct kw_audit_record *r, const struct kw_request *request,
                         struct kw_audit_texts *texts)
{
    const kw_span key_id = request->method == KW_METHOD_DECRYPT
                               ? request->key_id
                               : kw_span_str(request->work.version.key_id);
    kw_err e = kw_audit_name(KW_AUDIT_REQUEST, request->uid, texts->request);
    r->value[KW_AUDIT_CALL_REQUEST] = kw_audit_text(texts->request);
    r->value[KW_AUDIT_CALL_KEY_ID] = KW_AUDIT_NULL;
    if (kw_failed(e) || key_id.len == 0)
        return e;
    e = kw_audit_name(KW_AUDIT_KEY_ID, key_id, texts->key_id);
    r->value[KW_AUDIT_CALL_KEY_ID] = kw_audit_text(texts->key_id);
    return e;
}

/* What PKCS#11 said, where it said something. */
static struct kw_audit_value call_ckr(const struct kw_request *request)
{
    const kw_err e = request->err;
    const bool by_token = e.where != NULL && strncmp(e.where, "C_", 2) == 0;
    if (kw_failed(e))
        return by_token ? kw_audit_number(e.native) : KW_AUDIT_NULL;
    return request->source == KW_SOURCE_HSM ? kw_audit_number(0) : KW_AUDIT_NULL;
}

static kw_err call_ciphertext(struct kw_audit_record *r, const struct kw_request *request,
                              struct kw_audit_texts *texts)
{
    uint8_t digest[KW_SHA256];
    const kw_span bytes =
        request->method == KW_METHOD_DECRYPT
            ? request->ciphertext
            : kw_span_of(request->out_ciphertext, request->out_ciphertext_len);
    r->value[KW_AUDIT_CALL_CIPHERTEXT] = KW_AUDIT_NULL;
    if (bytes.len == 0)
        return KW_OK;
    kw_err e = kw_sha256(bytes, digest);
    kw_hex(texts->ciphertext, sizeof texts->ciphertext, kw_span_of(digest, 8));
    r->value[KW_AUDIT_CALL_CIPHERTEXT] = kw_audit_text(texts->ciphertext);
    return e;
}

static void call_token(struct kw_audit_record *r, const struct kw_audit_writer_options *o,
                       const struct kw_request *request, struct kw_audit_texts *texts)
{
    texts->token[0] = '\0';
    if (request->token[0] != '\0')
        o->serial(o->ctx, request->token, texts->token);
    r->value[KW_AUDIT_CALL_TOKEN] =
        texts->token[0] == '\0' ? KW_AUDIT_NULL : kw_audit_text(texts->token);
}

kw_err kw_audit_call(const struct kw_audit_writer_options *o,
                     const struct kw_request *request, struct kw_audit_texts *texts,
                     struct kw_audit_record *ret_record)
{
    struct kw_audit_record *r = ret_record;
    const int64_t took = kw_mono_ns(o->clock) - request->arrived_ns;
    *r = (struct kw_audit_record){.kind = KW_AUDIT_CALL};
    r->value[KW_AUDIT_CALL_METHOD] = kw_audit_text(kw_audit_method(request->method));
    r->value[KW_AUDIT_CALL_CLASS] = kw_audit_text(o->class_names[request->class_index]);
    r->value[KW_AUDIT_CALL_SOURCE] = kw_audit_text(sources[request->source]);
    r->value[KW_AUDIT_CALL_CODE] = kw_audit_number(o->grpc_code(request->err.code));
    r->value[KW_AUDIT_CALL_REASON] = kw_audit_text(kw_code_name(request->err.code));
    r->value[KW_AUDIT_CALL_CKR] = call_ckr(request);
    r->value[KW_AUDIT_CALL_TOOK_US] =
        kw_audit_number(took < 0 ? 0 : (uint64_t)took / 1000);
    kw_audit_peer(&r->value[KW_AUDIT_CALL_PEER_UID], &request->peer);
    call_token(r, o, request, texts);
    kw_err e = call_names(r, request, texts);
    return kw_failed(e) ? e : call_ciphertext(r, request, texts);
}
