/* SPDX-License-Identifier: Apache-2.0 */
#include "work.h"

#include <keyward/envelope.h>

static const char scope[] = "bench", domain[] = "bench";

/* What a real ciphertext under AES-256-GCM is longer than its seed: header and iv (18 and
 * the scope), inner digest, tag (docs/FORMATS.md).  echo frames its input to that length,
 * so that its messages are as long as those that it is compared with; so are the key_ids,
 * which have 30 bytes as keywardd's first ones do. */
enum { FRAME = 18 + sizeof scope - 1 + KW_INNER_DIGEST + KW_GCM_TAG };

/* length 2 | seed | zeros */
static kw_err frame(struct kw_request *call)
{
    static const uint8_t zeros[FRAME - 2];
    kw_dst out = kw_dst_of(call->out_ciphertext, sizeof call->out_ciphertext);
    if (!kw_dst_put_sized(&out, kw_secret_peek(&call->seed)) ||
        !kw_dst_put(&out, kw_span_of(zeros, sizeof zeros)))
        return kw_err_at(KW_CODE_BAD_INPUT, "echo");
    call->out_ciphertext_len = out.len;
    return KW_OK;
}

static kw_err unframe(struct kw_request *call)
{
    struct kw_src src = kw_src_of(call->ciphertext);
    kw_span seed = kw_src_sized(&src);
    (void)kw_src_take(&src, FRAME - 2);
    if (!kw_src_done(&src) || seed.len == 0 || seed.len > KW_SEED_MAX)
        return kw_err_at(KW_CODE_BAD_INPUT, "echo");
    return kw_secret_copy(&call->seed, seed);
}

/* Unwraps and proves, as a Decrypt does and an Encrypt that verifies. */
static kw_err reveal(struct kw_kms *kms, const struct kw_envelope *env, kw_span aad,
                     struct kw_secret *ret_seed)
{
    KW_AUTO_SECRET(inner);
    kw_err e = kms->cipher->unwrap(kms->ctx, env->iv, aad, env->sealed, &inner);
    if (!kw_failed(e))
        e = kw_envelope_prove(aad, env->seed_len, &inner);
    if (!kw_failed(e))
        kw_secret_move(ret_seed, &inner);
    return e;
}

static kw_err verify(struct kw_kms *kms, const struct kw_envelope *env, kw_span aad,
                     kw_span seed)
{
    KW_AUTO_SECRET(back);
    kw_err e = reveal(kms, env, aad, &back);
    if (!kw_failed(e) && !kw_equal_ct(kw_secret_peek(&back), seed))
        e = kw_err_at(KW_CODE_WRONG_ANSWER, "verify");
    return e;
}

static kw_err seal(struct kw_kms *kms, struct kw_envelope *env, kw_span aad, kw_span seed,
                   kw_dst *sealed)
{
    KW_AUTO_SECRET(inner);
    kw_err e = kw_envelope_inner(aad, seed, &inner);
    if (!kw_failed(e))
        e = kms->cipher->wrap(kms->ctx, env->iv, aad, kw_secret_peek(&inner), sealed);
    env->sealed = kw_dst_span(sealed);
    return e;
}

static kw_err encrypt(struct kw_kms *kms, struct kw_request *call)
{
    uint8_t iv[KW_IV_MAX], aad_bytes[KW_AAD_MAX], sealed_bytes[KW_SEALED_MAX];
    kw_dst aad = kw_dst_of(aad_bytes, sizeof aad_bytes);
    kw_dst sealed = kw_dst_of(sealed_bytes, sizeof sealed_bytes);
    kw_dst out = kw_dst_of(call->out_ciphertext, sizeof call->out_ciphertext);
    kw_span seed = kw_secret_peek(&call->seed);
    struct kw_envelope env = {.format = KW_FORMAT_1,
                              .purpose = KW_PURPOSE_SEED,
                              .mechanism = KW_MECH_AES_256_GCM,
                              .scope = kw_span_str(scope),
                              .seed_len = seed.len};
    if (seed.len == 0 || seed.len > KW_SEED_MAX)
        return kw_err_at(KW_CODE_BAD_INPUT, "plaintext size");
    kw_envelope_iv(env.mechanism, seed, iv);
    env.iv = kw_span_of(iv, kw_mechanism_iv_len(env.mechanism));
    kw_err e = kw_envelope_aad(&env, kw_span_str(kms->key_id), kw_span_str(domain), &aad);
    if (!kw_failed(e))
        e = seal(kms, &env, kw_dst_span(&aad), seed, &sealed);
    if (!kw_failed(e))
        e = kw_envelope_write(&env, &out);
    if (!kw_failed(e) && !kms->no_verify)
        e = verify(kms, &env, kw_dst_span(&aad), seed);
    if (!kw_failed(e))
        call->out_ciphertext_len = out.len;
    return e;
}

static kw_err decrypt(struct kw_kms *kms, struct kw_request *call)
{
    uint8_t aad_bytes[KW_AAD_MAX];
    kw_dst aad = kw_dst_of(aad_bytes, sizeof aad_bytes);
    struct kw_envelope env;
    if (!kw_span_equal_str(call->key_id, kms->key_id))
        return kw_err_at(KW_CODE_UNKNOWN_KEY, "key_id");
    kw_err e = kw_envelope_parse(call->ciphertext, &env);
    if (!kw_failed(e) &&
        (env.purpose != KW_PURPOSE_SEED || !kw_span_equal_str(env.scope, scope)))
        e = kw_err_at(KW_CODE_BAD_INPUT, "purpose or scope");
    if (!kw_failed(e))
        e = kw_envelope_aad(&env, call->key_id, kw_span_str(domain), &aad);
    if (!kw_failed(e))
        e = reveal(kms, &env, kw_dst_span(&aad), &call->seed);
    return e;
}

void kw_kms_begin(struct kw_kms *kms, struct kw_request *call)
{
    kw_copy_str(call->out_key_id, sizeof call->out_key_id, kw_span_str(kms->key_id));
    call->err = KW_OK;
    if (call->method != KW_METHOD_STATUS && kms->cipher == NULL)
        call->err = call->method == KW_METHOD_ENCRYPT ? frame(call) : unframe(call);
    else if (call->method == KW_METHOD_ENCRYPT)
        call->err = encrypt(kms, call);
    else if (call->method == KW_METHOD_DECRYPT)
        call->err = decrypt(kms, call);
    if (kw_failed(call->err) || call->method != KW_METHOD_DECRYPT)
        kw_secret_wipe(&call->seed);
    call->done(call);
}

/* Nothing is ever parked. */
void kw_kms_cancel(struct kw_kms *kms, struct kw_request *call)
{
    (void)kms;
    (void)call;
}

kw_err kw_work_open(const struct kw_work_options *o, struct kw_work *ret_work,
                    struct kw_note *note)
{
    struct kw_work *w = ret_work;
    kw_err e = KW_OK;
    *w = (struct kw_work){
        .kms = {.key_id = "kw1-0-echo-protects-nothing---", .no_verify = o->no_verify}};
    if (o->kind == KW_WORK_SOFTWARE) {
        e = kw_software_new(&w->software);
        w->kms.key_id = "kw1-0-software-protects-little";
        w->kms.cipher = &kw_software_cipher;
        w->kms.ctx = w->software;
    } else if (o->kind == KW_WORK_TOKEN) {
        e = kw_inproc_open(o, &w->inproc, note);
        w->kms.key_id = "kw1-0-token-without-any-wall--";
        w->kms.cipher = &kw_inproc_cipher;
        w->kms.ctx = w->inproc;
    }
    return e;
}

kw_err kw_work_close(struct kw_work *work, struct kw_note *note)
{
    kw_err e = kw_inproc_close(work->inproc, note);
    kw_software_free(work->software);
    *work = (struct kw_work){0};
    return e;
}
