/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a Decrypt, in order.  Read this list first. */
#define KW_DECRYPT_STEPS(STEP)                                                           \
    STEP(parse)    /* envelope: bytes from etcd -> checked fields                     */ \
    STEP(admit)    /* scope, class policy and health, the key_id's version            */ \
    STEP(recall)   /* cache: unwrapped lately?  then go to record                     */ \
    STEP(unwrap)   /* hsm: one job for all equal requests; here the call waits        */ \
    STEP(prove)    /* envelope: does the inner digest match?                          */ \
    STEP(remember) /* cache                                                           */ \
    STEP(record)   /* who asked, what came of it; may wait too                        */ \
    STEP(reply)    /* hand the seed to the response, then wipe                        */

#include "house.h"

#include <keyward/envelope.h>
#include <keyward/log.h>

enum { KW_DECRYPT_STEPS(KW_STEP_ENUM) };
KW_DECRYPT_STEPS(KW_STEP_PROTOTYPE)
static const struct kw_step_row rows[] = {KW_DECRYPT_STEPS(KW_STEP_ROW)};
const struct kw_way kw_way_decrypt = {"decrypt", rows, STEP_record};

static kw_err check_fields(const struct kw_call *call)
{
    if (call->has_annotations)
        return kw_err_at(KW_CODE_BAD_INPUT, "annotations");
    if (call->key_id.len == 0 || call->key_id.len > KW_WIRE_KEY_ID_MAX)
        return kw_err_at(KW_CODE_BAD_INPUT, "key_id");
    if (call->ciphertext.len == 0 || call->ciphertext.len > KW_CIPHERTEXT_MAX)
        return kw_err_at(KW_CODE_BAD_INPUT, "ciphertext size");
    return KW_OK;
}

static enum kw_turn parse(struct kw_kms *kms, struct kw_call *call)
{
    struct kw_envelope *env = &call->work.env;
    kw_err e = check_fields(call);
    (void)kms;
    if (!kw_failed(e))
        e = kw_envelope_parse(call->ciphertext, env);
    if (!kw_failed(e) && env->purpose != KW_PURPOSE_SEED)
        e = kw_err_at(KW_CODE_BAD_INPUT, "purpose");
    return kw_failed(e) ? kw_turn_fail(call, e) : KW_TURN_NEXT;
}

/* A wrong endpoint, a renamed class or a moved resource shows here; both names go to the
 * log, because configuration can cure it. */
static kw_err check_scope(struct kw_kms *kms, struct kw_call *call, kw_span sealed_scope)
{
    const struct kw_class_options *o = &kw_class_of(kms, call)->options;
    bool foreign = false;
    kw_err e = kw_policy_scope(sealed_scope, o->scope, o->accept_scopes, o->accept_count,
                               &foreign);
    if (kw_failed(e))
        kw_log(KW_LOG_WARN, "scope-refused", KW_STR("class", o->name),
               KW_STR("class_scope", o->scope), KW_PEER("sealed_scope", sealed_scope),
               KW_PEER("uid", call->uid));
    else if (foreign)
        kw_log(KW_LOG_INFO, "scope-accepted", KW_STR("class", o->name),
               KW_STR("class_scope", o->scope), KW_PEER("sealed_scope", sealed_scope),
               KW_PEER("uid", call->uid));
    return e;
}

/* What policy, health and keyring say, in one look. */
static kw_err look(struct kw_kms *kms, struct kw_call *call,
                   enum kw_verdict_kind *ret_kind)
{
    const struct kw_hsm_door *door = &kms->options.door;
    struct kw_hsm_health health;
    kw_lock_take(kms->options.lock);
    struct kw_policy_verdict v =
        kw_kms_judge(kms, KW_ASK_DECRYPT, kw_class_of(kms, call), &health);
    kw_err e = v.kind == KW_REFUSE ? v.err : KW_OK;
    if (!kw_failed(e))
        e = door->ops->version(door->hsm, call->key_id, &call->work.version);
    kw_lock_give(kms->options.lock);
    call->work.admitted_boot_ns = health.now_boot_ns;
    *ret_kind = v.kind;
    return e;
}

static enum kw_turn admit(struct kw_kms *kms, struct kw_call *call)
{
    enum kw_verdict_kind kind;
    struct kw_call_work *w = &call->work;
    kw_err e = check_scope(kms, call, w->env.scope);
    if (!kw_failed(e))
        e = look(kms, call, &kind);
    if (!kw_failed(e) && w->env.mechanism != w->version.mechanism)
        e = kw_err_at(KW_CODE_BAD_INPUT, "mechanism");
    if (kw_failed(e))
        return kw_turn_fail(call, e);
    w->cache_only = kind == KW_ALLOW_CACHE;
    return KW_TURN_NEXT;
}

static enum kw_turn recall(struct kw_kms *kms, struct kw_call *call)
{
    const struct kw_cache_key key = kw_call_key(call);
    kw_lock_take(kms->options.lock);
    bool hit = kw_cache_get(kw_class_of(kms, call)->cache, &key,
                            call->work.admitted_boot_ns, &call->seed);
    kw_lock_give(kms->options.lock);
    if (!hit)
        return call->work.cache_only
                   ? kw_turn_fail(call, kw_err_at(KW_CODE_HSM_DOWN, "not in the cache"))
                   : KW_TURN_NEXT;
    call->source = KW_SOURCE_CACHE;
    return KW_TURN_RECORD;
}

/* What the seed was sealed with, and the digest is proven with. */
static kw_err bind(struct kw_kms *kms, struct kw_call *call)
{
    struct kw_call_work *w = &call->work;
    kw_dst aad = kw_dst_of(w->aad, sizeof w->aad);
    kw_err e =
        kw_envelope_aad(&w->env, call->key_id, kw_span_str(kms->options.domain), &aad);
    w->aad_len = aad.len;
    return e;
}

static enum kw_turn unwrap(struct kw_kms *kms, struct kw_call *call)
{
    bool sent = false;
    kw_err e = bind(kms, call);
    if (kw_failed(e))
        return kw_turn_fail(call, e);
    kw_lock_take(kms->options.lock);
    struct kw_flight *flight = kw_flight_find(kms, call);
    if (flight != NULL) {
        atomic_fetch_add_explicit(&kw_class_of(kms, call)->joined, 1,
                                  memory_order_relaxed);
        kw_flight_join(flight, call);
    } else {
        e = kw_flight_start(kms, call);
        sent = true;
    }
    if (!kw_failed(e))
        kw_park(kms, call);
    kw_lock_give(kms->options.lock);
    if (kw_failed(e))
        return kw_turn_fail(call, e);
    if (sent)
        kms->options.door.ops->flush(kms->options.door.hsm);
    return KW_TURN_WAIT;
}

static enum kw_turn prove(struct kw_kms *kms, struct kw_call *call)
{
    struct kw_call_work *w = &call->work;
    kw_err e =
        kw_envelope_prove(kw_span_of(w->aad, w->aad_len), w->env.seed_len, &w->inner);
    if (e.code == KW_CODE_WRONG_ANSWER)
        kw_outcome_alarm(kms, call, "wrong-answer");
    if (kw_failed(e))
        return kw_turn_fail(call, e);
    kw_secret_move(&call->seed, &w->inner);
    return KW_TURN_NEXT;
}

static enum kw_turn remember(struct kw_kms *kms, struct kw_call *call)
{
    struct kw_hsm_health health;
    struct kw_class *class = kw_class_of(kms, call);
    const struct kw_cache_key key = kw_call_key(call);
    kw_lock_take(kms->options.lock);
    /* The HSM may have been lost while the answer was under way: then nothing is kept. */
    if (kw_kms_judge(kms, KW_ASK_DECRYPT, class, &health).kind == KW_ALLOW)
        kw_cache_put(class->cache, &key, kw_secret_peek(&call->seed), health.now_boot_ns);
    kw_lock_give(kms->options.lock);
    return KW_TURN_NEXT;
}

static enum kw_turn record(struct kw_kms *kms, struct kw_call *call)
{
    kw_flight_hand_out(kms, call);
    kw_outcome_record(kms, call);
    return KW_TURN_NEXT;
}

static enum kw_turn reply(struct kw_kms *kms, struct kw_call *call)
{
    (void)kms;
    kw_outcome_reply(call);
    return KW_TURN_DONE;
}
