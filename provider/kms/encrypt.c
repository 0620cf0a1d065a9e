/* SPDX-License-Identifier: Apache-2.0 */
/* The way of an Encrypt, in order.  Read this list first.  Never served from memory. */
#define KW_ENCRYPT_STEPS(STEP)                                                           \
    STEP(admit)  /* size, class policy and health, the active version                 */ \
    STEP(wrap)   /* hsm: under the active version; here the call waits                */ \
    STEP(seal)   /* envelope: the bytes that kube-apiserver will store                */ \
    STEP(verify) /* hsm: unwrap what was wrapped; nobody upstream ever does           */ \
    STEP(judge)  /* is it what we were given?  an unreadable ciphertext is data loss  */ \
    STEP(record) /* who asked, what came of it; may wait too                          */ \
    STEP(reply)  /* then wipe                                                         */

#include "house.h"

#include <keyward/envelope.h>
#include <keyward/log.h>

enum { KW_ENCRYPT_STEPS(KW_STEP_ENUM) };
KW_ENCRYPT_STEPS(KW_STEP_PROTOTYPE)
static const struct kw_step_row rows[] = {KW_ENCRYPT_STEPS(KW_STEP_ROW)};
const struct kw_way kw_way_encrypt = {"encrypt", rows, STEP_record};

static kw_err look(struct kw_kms *kms, struct kw_call *call)
{
    struct kw_hsm_health health;
    kw_lock_take(kms->options.lock);
    struct kw_policy_verdict v =
        kw_kms_judge(kms, KW_ASK_ENCRYPT, kw_class_of(kms, call), &health);
    kw_lock_give(kms->options.lock);
    if (v.kind != KW_ALLOW)
        return kw_failed(v.err) ? v.err : kw_err_at(KW_CODE_HSM_DOWN, "policy");
    struct kw_hsm_version *version = &call->work.version;
    version->n = health.active_n;
    version->mechanism = health.active_mechanism;
    kw_copy_str(version->key_id, sizeof version->key_id,
                kw_span_str(health.active_key_id));
    return KW_OK;
}

/* One IV twice under one key would give away the key stream: never sent out. */
static bool iv_is_new(struct kw_kms *kms, const struct kw_call *call)
{
    static const uint8_t zero[KW_IV_MAX];
    kw_span iv = kw_span_of(call->work.iv, sizeof call->work.iv);
    kw_lock_take(kms->options.lock);
    bool fresh = !kw_span_equal(iv, kw_span_of(zero, sizeof zero)) &&
                 !kw_span_equal(iv, kw_span_of(kms->last_iv, sizeof kms->last_iv));
    kw_copy(kms->last_iv, sizeof kms->last_iv, iv);
    kw_lock_give(kms->options.lock);
    return fresh;
}

static enum kw_turn admit(struct kw_kms *kms, struct kw_call *call)
{
    struct kw_call_work *w = &call->work;
    kw_dst aad = kw_dst_of(w->aad, sizeof w->aad);
    kw_err e = KW_OK;
    if (call->seed.len == 0 || call->seed.len > KW_SEED_MAX)
        e = kw_err_at(KW_CODE_BAD_INPUT, "plaintext size");
    if (!kw_failed(e))
        e = look(kms, call);
    if (kw_failed(e))
        return kw_turn_fail(call, e);
    kw_envelope_iv(w->version.mechanism, kw_secret_peek(&call->seed), w->iv);
    if (!iv_is_new(kms, call))
        return kw_turn_fail(call, kw_err_at(KW_CODE_BUG, "iv used before"));
    w->env = (struct kw_envelope){
        .format = KW_FORMAT_1,
        .purpose = KW_PURPOSE_SEED,
        .mechanism = w->version.mechanism,
        .scope = kw_span_str(kw_class_of(kms, call)->options.scope),
        .seed_len = call->seed.len,
        .iv = kw_span_of(w->iv, kw_mechanism_iv_len(w->version.mechanism)),
    };
    e = kw_envelope_aad(&w->env, kw_span_str(w->version.key_id),
                        kw_span_str(kms->options.domain), &aad);
    w->aad_len = aad.len;
    if (!kw_failed(e))
        e = kw_envelope_inner(kw_span_of(w->aad, w->aad_len), kw_secret_peek(&call->seed),
                              &w->inner);
    return kw_failed(e) ? kw_turn_fail(call, e) : KW_TURN_NEXT;
}

static void answered(void *ctx, struct kw_hsm_answer *answer);

/* Parks the call behind one job; answered() takes it up again. */
static enum kw_turn ask(struct kw_kms *kms, struct kw_call *call, enum kw_hsm_op op,
                        kw_span input)
{
    const struct kw_hsm_door *door = &kms->options.door;
    struct kw_call_work *w = &call->work;
    struct kw_hsm_job job = {
        .op = op,
        .key_id = w->version.key_id,
        .share = call->class_index,
        .iv = w->env.iv,
        .aad = kw_span_of(w->aad, w->aad_len),
        .input = input,
        .until = w->until,
        .done = answered,
        .ctx = call,
    };
    call->work.kms = kms;
    kw_lock_take(kms->options.lock);
    kw_err e = door->ops->submit(door->hsm, &job, &w->ticket);
    if (!kw_failed(e))
        kw_park(kms, call);
    kw_lock_give(kms->options.lock);
    if (kw_failed(e))
        return kw_turn_fail(call, e);
    door->ops->flush(door->hsm);
    return KW_TURN_WAIT;
}

static void answered(void *ctx, struct kw_hsm_answer *answer)
{
    struct kw_call *call = ctx;
    struct kw_kms *kms = call->work.kms;
    kw_lock_take(kms->options.lock);
    kw_unpark(call);
    call->work.ticket = 0;
    kw_lock_give(kms->options.lock);
    call->token = answer->token;
    call->work.hsm_ns += answer->hsm_ns;
    call->err = answer->err;
    /* What this very token sealed a moment ago does not open: nobody's data is at fault.
     */
    if (call->err.code == KW_CODE_FORGED)
        call->err.code = KW_CODE_WRONG_ANSWER;
    if (call->err.code == KW_CODE_WRONG_ANSWER)
        kw_outcome_alarm(kms, call, "wrap-unreadable");
    if (kw_failed(call->err)) {
        kw_way_resume_at_record(kms, call);
        return;
    }
    kw_secret_move(&call->work.inner, answer->output);
    kw_way_resume(kms, call);
}

static enum kw_turn wrap(struct kw_kms *kms, struct kw_call *call)
{
    return ask(kms, call, KW_HSM_WRAP, kw_secret_peek(&call->work.inner));
}

static enum kw_turn seal(struct kw_kms *kms, struct kw_call *call)
{
    struct kw_call_work *w = &call->work;
    kw_dst out = kw_dst_of(call->out_ciphertext, sizeof call->out_ciphertext);
    w->env.sealed = kw_secret_peek(&w->inner); /* ciphertext: the answer of the wrap */
    kw_err e = kw_envelope_write(&w->env, &out);
    if (kw_failed(e)) { /* the fields are ours and good: it is the sealed part's size */
        kw_outcome_alarm(kms, call, "wrap-unusable");
        return kw_turn_fail(call, kw_err_at(KW_CODE_WRONG_ANSWER, e.where));
    }
    call->out_ciphertext_len = out.len;
    size_t sealed_len = w->env.sealed.len;
    w->env.sealed = kw_span_of(out.ptr + out.len - sealed_len, sealed_len);
    kw_secret_wipe(&w->inner);
    return KW_TURN_NEXT;
}

static enum kw_turn verify(struct kw_kms *kms, struct kw_call *call)
{
    return ask(kms, call, KW_HSM_UNWRAP, call->work.env.sealed);
}

static enum kw_turn judge(struct kw_kms *kms, struct kw_call *call)
{
    struct kw_call_work *w = &call->work;
    kw_err e =
        kw_envelope_prove(kw_span_of(w->aad, w->aad_len), w->env.seed_len, &w->inner);
    if (!kw_failed(e) &&
        !kw_equal_ct(kw_secret_peek(&w->inner), kw_secret_peek(&call->seed)))
        e = kw_err_at(KW_CODE_WRONG_ANSWER, "verify");
    if (e.code == KW_CODE_WRONG_ANSWER)
        kw_outcome_alarm(kms, call, "wrap-unreadable");
    if (kw_failed(e))
        return kw_turn_fail(call, e);
    kw_copy_str(call->out_key_id, sizeof call->out_key_id,
                kw_span_str(w->version.key_id));
    call->source = KW_SOURCE_HSM;
    return KW_TURN_NEXT;
}

static enum kw_turn record(struct kw_kms *kms, struct kw_call *call)
{
    kw_outcome_record(kms, call);
    return KW_TURN_NEXT;
}

static enum kw_turn reply(struct kw_kms *kms, struct kw_call *call)
{
    (void)kms;
    kw_outcome_reply(call);
    return KW_TURN_DONE;
}
