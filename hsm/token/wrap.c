/* SPDX-License-Identifier: Apache-2.0 */
/* wrap - one wrap or unwrap under a found key, and what may leave the module of it */
#include "token_internal.h"

#include <string.h>

static bool is_zero(uint8_t byte)
{
    return byte == 0;
}

static kw_err check_job(enum kw_mechanism m, kw_span iv, kw_span aad, kw_span text,
                        size_t text_max)
{
    if (m != KW_MECH_AES_256_GCM)
        return kw_err_at(KW_CODE_BAD_INPUT, "mechanism");
    if (iv.len != KW_GCM_IV)
        return kw_err_at(KW_CODE_BAD_INPUT, "iv");
    if (aad.len > KW_AAD_MAX)
        return kw_err_at(KW_CODE_BAD_INPUT, "aad");
    if (text.len == 0 || text.len > text_max)
        return kw_err_at(KW_CODE_BAD_INPUT, "text");
    return KW_OK;
}

/* Besides a seed an inner plaintext has a digest of 16 bytes: chance does not do that. */
static bool shows(kw_span sealed, kw_span inner)
{
    return inner.len >= KW_INNER_DIGEST &&
           memmem(sealed.ptr, sealed.len, inner.ptr, inner.len) != NULL;
}

/* The IV is already written into the header that the AAD authenticates: a token that
 * used another one gave us bytes that nobody could open. */
static kw_err judge_sealed(kw_span iv, const uint8_t iv_after[KW_GCM_IV], kw_span sealed,
                           kw_span inner)
{
    if (!kw_span_equal(iv, kw_span_of(iv_after, KW_GCM_IV)) ||
        sealed.len == inner.len + KW_GCM_TAG + 16)
        return kw_err_at(KW_CODE_HSM_CONFIG, "C_Encrypt");
    if (sealed.len != inner.len + KW_GCM_TAG || shows(sealed, inner))
        return kw_err_at(KW_CODE_WRONG_ANSWER, "C_Encrypt");
    return KW_OK;
}

static kw_err wrap(struct kw_token *t, const struct kw_gcm *op, kw_dst *dst)
{
    uint8_t iv_after[KW_GCM_IV];
    KW_AUTO_SECRET(sealed);
    kw_err e = kw_gcm_encrypt(t, op, iv_after, &sealed);
    if (!kw_failed(e))
        e = judge_sealed(op->iv, iv_after, kw_secret_peek(&sealed), op->text);
    if (!kw_failed(e) && !kw_dst_put(dst, kw_secret_peek(&sealed)))
        e = kw_err_at(KW_CODE_BUG, "wrap"); /* its room was looked at before */
    return e;
}

kw_err kw_wrap(struct kw_token *token, struct kw_token_key *key, enum kw_mechanism m,
               kw_span iv, kw_span aad, kw_span inner, kw_dst *dst)
{
    kw_err e = check_job(m, iv, aad, inner, KW_INNER_MAX);
    if (kw_failed(e))
        return e;
    /* A zero IV goes into the module in the self-test only, and never under a KEK. */
    if (kw_span_all(iv, is_zero))
        return kw_err_at(KW_CODE_BAD_INPUT, "iv");
    if (dst->cap - dst->len < inner.len + KW_GCM_TAG)
        return kw_err_at(KW_CODE_NO_MEMORY, "wrap");
    e = kw_key_ready(token, key);
    if (!kw_failed(e))
        e = wrap(token, &(struct kw_gcm){token->session, key->handle, iv, aad, inner},
                 dst);
    return kw_session_after(token, key, e);
}

static kw_err unwrap(struct kw_token *t, const struct kw_gcm *op,
                     struct kw_secret *ret_inner)
{
    KW_AUTO_SECRET(inner);
    kw_err e = kw_gcm_decrypt(t, op, &inner);
    if (!kw_failed(e) && inner.len != op->text.len - KW_GCM_TAG)
        e = kw_err_at(KW_CODE_WRONG_ANSWER, "C_Decrypt");
    if (!kw_failed(e))
        kw_secret_move(ret_inner, &inner);
    return e;
}

kw_err kw_unwrap(struct kw_token *token, struct kw_token_key *key, enum kw_mechanism m,
                 kw_span iv, kw_span aad, kw_span sealed, struct kw_secret *ret_inner)
{
    kw_err e = check_job(m, iv, aad, sealed, KW_INNER_MAX + KW_GCM_TAG);
    if (kw_failed(e))
        return e;
    if (sealed.len <= KW_GCM_TAG)
        return kw_err_at(KW_CODE_BAD_INPUT, "text");
    if (kw_span_all(iv, is_zero))
        return kw_err_at(KW_CODE_FORGED, "iv"); /* stored data, which we never sealed */
    e = kw_key_ready(token, key);
    if (!kw_failed(e))
        e = unwrap(token, &(struct kw_gcm){token->session, key->handle, iv, aad, sealed},
                   ret_inner);
    return kw_session_after(token, key, e);
}

kw_err kw_token_wrap(struct kw_token *token, struct kw_token_key *key,
                     enum kw_mechanism m, kw_span iv, kw_span aad, kw_span inner,
                     kw_dst *dst)
{
    kw_phase_set(token, KW_PHASE_OP);
    kw_err e = kw_wrap(token, key, m, iv, aad, inner, dst);
    kw_phase_set(token, KW_PHASE_IDLE);
    return e;
}

kw_err kw_token_unwrap(struct kw_token *token, struct kw_token_key *key,
                       enum kw_mechanism m, kw_span iv, kw_span aad, kw_span sealed,
                       struct kw_secret *ret_inner)
{
    kw_phase_set(token, KW_PHASE_OP);
    kw_err e = kw_unwrap(token, key, m, iv, aad, sealed, ret_inner);
    kw_phase_set(token, KW_PHASE_IDLE);
    return e;
}
