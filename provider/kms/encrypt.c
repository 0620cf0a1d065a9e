/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of an Encrypt, in order.  Read this list first.  Never served from memory. */
#include "kms_internal.h"

#include <string.h>

#include <keyward/envelope.h>
#include <keyward/log.h>

static kw_step encrypt_admit, encrypt_wrap, encrypt_seal, encrypt_verify, encrypt_judge;

/* clang-format off */
static const struct kw_step_row rows[] = {
    {"hold", kw_held_wait},     /* while starting: waits until the active version is proven */
    {"admit", encrypt_admit},   /* size, class policy and health, the active version   */
    {"wrap", encrypt_wrap},     /* hsm: under the active version; waits                */
    {"seal", encrypt_seal},     /* envelope: the bytes that kube-apiserver will store  */
    {"verify", encrypt_verify}, /* hsm: unwrap what was wrapped; waits.  Nobody upstream does */
    {"judge", encrypt_judge},   /* is it what we were given?  an unreadable ciphertext is
                                   data loss; if another version became active meanwhile,
                                   all is done once more with that one */
    /* From here on every request comes through, good or failed. */
    {"record", kw_record_put, .always = true},    /* audit: on disk before it is released; waits */
    {"settle", kw_record_settle, .always = true}, /* may it be released still?          */
    {"tell", kw_outcome_tell, .always = true},    /* count and log: who, and what came of it */
    {"reply", kw_outcome_reply, .always = true},   /* then wipe */
};
/* clang-format on */
const struct kw_steps kw_encrypt_steps = {"encrypt", rows};

static kw_err encrypt_look(struct kw_kms *kms, struct kw_request *request)
{
    struct kw_hsm_health health;
    kw_lock_take(kms->options.lock);
    struct kw_policy_verdict v =
        kw_kms_judge(kms, KW_METHOD_ENCRYPT, kw_class_of(kms, request), &health);
    kw_lock_give(kms->options.lock);
    if (v.kind != KW_ALLOW)
        return kw_verdict_err(&v);
    struct kw_hsm_version *version = &request->work.version;
    version->n = health.active_n;
    version->mechanism = health.active_mechanism;
    kw_copy_str(version->key_id, sizeof version->key_id,
                kw_span_str(health.active_key_id));
    return KW_OK;
}

/* Another version became active since this Encrypt was admitted: the one that it has may be
 * disabled by now, and what is sealed under it lost. */
static bool encrypt_is_outdated(struct kw_kms *kms, const struct kw_request *request)
{
    const struct kw_hsm_door *door = &kms->options.door;
    struct kw_hsm_health health;
    kw_lock_take(kms->options.lock);
    door->ops->health(door->hsm, &health);
    kw_lock_give(kms->options.lock);
    return strcmp(health.active_key_id, request->work.version.key_id) != 0;
}

static void encrypt_forget(struct kw_request *request)
{
    kw_secret_wipe(&request->work.inner);
    kw_secret_wipe(&request->work.wrapped);
    request->out_ciphertext_len = 0;
    request->err = KW_OK;
}

/* One IV twice under one key would give away the key stream: never sent out. */
static bool encrypt_iv_is_new(struct kw_kms *kms, const struct kw_request *request)
{
    static const uint8_t zero[KW_IV_MAX];
    kw_span iv = kw_span_of(request->work.iv, sizeof request->work.iv);
    kw_lock_take(kms->options.lock);
    bool fresh = !kw_span_equal(iv, kw_span_of(zero, sizeof zero)) &&
                 !kw_span_equal(iv, kw_span_of(kms->last_iv, sizeof kms->last_iv));
    kw_copy(kms->last_iv, sizeof kms->last_iv, iv);
    kw_lock_give(kms->options.lock);
    return fresh;
}

static enum kw_step_result encrypt_admit(struct kw_kms *kms, struct kw_request *request)
{
    struct kw_request_work *w = &request->work;
    kw_dst aad = kw_dst_of(w->aad, sizeof w->aad);
    kw_err e = KW_OK;
    if (request->seed.len == 0 || request->seed.len > KW_SEED_MAX)
        e = kw_err_at(KW_CODE_BAD_INPUT, "plaintext size");
    if (!kw_failed(e))
        e = encrypt_look(kms, request);
    if (kw_failed(e))
        return kw_step_fail(request, e);
    kw_envelope_iv(w->version.mechanism, kw_secret_peek(&request->seed), w->iv);
    if (!encrypt_iv_is_new(kms, request))
        return kw_step_fail(request, kw_err_at(KW_CODE_BUG, "iv used before"));
    w->env = (struct kw_envelope){
        .format = KW_FORMAT_1,
        .purpose = KW_PURPOSE_SEED,
        .mechanism = w->version.mechanism,
        .scope = kw_span_str(kw_class_of(kms, request)->options.scope),
        .seed_len = request->seed.len,
        .iv = kw_span_of(w->iv, kw_mechanism_iv_len(w->version.mechanism)),
    };
    e = kw_envelope_aad(&w->env, kw_span_str(w->version.key_id),
                        kw_span_str(kms->options.domain), &aad);
    w->aad_len = aad.len;
    if (!kw_failed(e))
        e = kw_envelope_inner(kw_span_of(w->aad, w->aad_len),
                              kw_secret_peek(&request->seed), &w->inner);
    return kw_failed(e) ? kw_step_fail(request, e) : KW_STEP_NEXT;
}

/* Parks the request behind one job; `done` takes it up again. */
static enum kw_step_result encrypt_submit(struct kw_kms *kms, struct kw_request *request,
                                          enum kw_hsm_op op, kw_span input,
                                          kw_hsm_done *done)
{
    const struct kw_hsm_door *door = &kms->options.door;
    struct kw_request_work *w = &request->work;
    struct kw_hsm_job job = {
        .op = op,
        .key_id = w->version.key_id,
        .share = request->class_index,
        .iv = w->env.iv,
        .aad = kw_span_of(w->aad, w->aad_len),
        .input = input,
        .verifies = op == KW_HSM_UNWRAP,
        .until = w->until,
        .done = done,
        .ctx = request,
    };
    w->kms = kms;
    kw_lock_take(kms->options.lock);
    /* hsm/front/door.c */
    kw_err e = door->ops->submit(door->hsm, &job, &w->ticket);
    if (!kw_failed(e))
        kw_park(kms, request);
    kw_lock_give(kms->options.lock);
    if (kw_failed(e))
        return kw_step_fail(request, e);
    door->ops->flush(door->hsm);
    return KW_STEP_WAIT;
}

/* The answer to either job; *ret_output takes it. */
static void encrypt_resume(struct kw_request *request, struct kw_hsm_answer *answer,
                           struct kw_secret *ret_output) KW_FREE
{
    struct kw_kms *kms = request->work.kms;
    kw_lock_take(kms->options.lock);
    kw_unpark(request);
    request->work.ticket = 0;
    kw_lock_give(kms->options.lock);
    request->token = answer->token;
    request->work.hsm_ns += answer->hsm_ns;
    request->err = answer->err;
    const char *whose = request->token;
    /* What was sealed a moment ago does not open: nobody's data is at fault, but who sealed
     * it, be it another token's word that it is not genuine. */
    if (request->err.code == KW_CODE_FORGED) {
        request->err.code = KW_CODE_WRONG_ANSWER;
        whose = request->work.wrapped_by;
    }
    if (request->err.code == KW_CODE_WRONG_ANSWER)
        kw_outcome_alarm(kms, request, whose, "wrap-unreadable");
    if (kw_failed(request->err) && encrypt_is_outdated(kms, request)) {
        encrypt_forget(request);
        kw_steps_begin(kms, request);
        return;
    }
    if (kw_failed(request->err)) {
        kw_steps_finish(kms, request);
        return;
    }
    kw_secret_move(ret_output, answer->output);
    kw_steps_resume(kms, request);
}

static void encrypt_wrapped(void *ctx, struct kw_hsm_answer *answer) KW_FREE
{
    struct kw_request *request = ctx;
    encrypt_resume(request, answer, &request->work.wrapped);
}

static void encrypt_unwrapped(void *ctx, struct kw_hsm_answer *answer) KW_FREE
{
    struct kw_request *request = ctx;
    encrypt_resume(request, answer, &request->work.inner);
}

static enum kw_step_result encrypt_wrap(struct kw_kms *kms, struct kw_request *request)
{
    return encrypt_submit(kms, request, KW_HSM_WRAP, kw_secret_peek(&request->work.inner),
                          encrypt_wrapped);
}

static enum kw_step_result encrypt_seal(struct kw_kms *kms, struct kw_request *request)
{
    struct kw_request_work *w = &request->work;
    kw_dst out = kw_dst_of(request->out_ciphertext, sizeof request->out_ciphertext);
    kw_secret_wipe(&w->inner);
    w->env.sealed = kw_secret_peek(&w->wrapped);
    kw_err e = kw_envelope_write(&w->env, &out);
    if (kw_failed(e)) { /* the fields are ours and good: it is the sealed part's size */
        kw_outcome_alarm(kms, request, request->token, "wrap-unusable");
        return kw_step_fail(request, kw_err_at(KW_CODE_WRONG_ANSWER, e.where));
    }
    request->out_ciphertext_len = out.len;
    size_t sealed_len = w->env.sealed.len;
    w->env.sealed = kw_span_of(out.ptr + out.len - sealed_len, sealed_len);
    kw_secret_wipe(&w->wrapped);
    w->wrapped_by = request->token;
    return KW_STEP_NEXT;
}

static enum kw_step_result encrypt_verify(struct kw_kms *kms, struct kw_request *request)
{
    return encrypt_submit(kms, request, KW_HSM_UNWRAP, request->work.env.sealed,
                          encrypt_unwrapped);
}

/* Of several tokens another one may have unwrapped what this one wrapped. */
static void encrypt_tell_worked(struct kw_kms *kms, const struct kw_request *request)
{
    const struct kw_hsm_door *door = &kms->options.door;
    const char *key_id = request->work.version.key_id;
    bool same = strcmp(request->work.wrapped_by, request->token) == 0;
    kw_lock_take(kms->options.lock);
    door->ops->worked(door->hsm, request->token, key_id, same);
    if (!same)
        door->ops->worked(door->hsm, request->work.wrapped_by, key_id, true);
    kw_lock_give(kms->options.lock);
}

static enum kw_step_result encrypt_judge(struct kw_kms *kms, struct kw_request *request)
{
    struct kw_request_work *w = &request->work;
    kw_err e =
        kw_envelope_prove(kw_span_of(w->aad, w->aad_len), w->env.seed_len, &w->inner);
    if (!kw_failed(e) &&
        !kw_equal_ct(kw_secret_peek(&w->inner), kw_secret_peek(&request->seed)))
        e = kw_err_at(KW_CODE_WRONG_ANSWER, "verify");
    if (e.code == KW_CODE_WRONG_ANSWER)
        kw_outcome_alarm(kms, request, request->token, "wrap-unreadable");
    if (kw_failed(e))
        return kw_step_fail(request, e);
    if (encrypt_is_outdated(kms, request)) {
        encrypt_forget(request);
        return KW_STEP_AGAIN;
    }
    encrypt_tell_worked(kms, request);
    kw_copy_str(request->out_key_id, sizeof request->out_key_id,
                kw_span_str(w->version.key_id));
    request->source = KW_SOURCE_HSM;
    return KW_STEP_NEXT;
}
