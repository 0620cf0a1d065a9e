/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a Decrypt, in order.  Read this list first. */
#include "kms_internal.h"

#include <keyward/envelope.h>
#include <keyward/log.h>

static kw_step decrypt_parse, decrypt_admit, decrypt_recall, decrypt_unwrap,
    decrypt_prove, decrypt_remember, decrypt_share;

/* clang-format off */
static const struct kw_step_row rows[] = {
    {"parse", decrypt_parse},       /* envelope: bytes from etcd -> checked fields   */
    {"hold", kw_held_wait},         /* while starting: waits until its version is proven */
    {"admit", decrypt_admit},       /* scope, class policy and health, the version   */
    {"recall", decrypt_recall},     /* cache: unwrapped lately?  then go to share    */
    {"unwrap", decrypt_unwrap},     /* hsm: one job for all equal requests; waits    */
    {"prove", decrypt_prove},       /* envelope: does the inner digest match?        */
    /* From here on every request comes through, good or failed. */
    {"share", decrypt_share, .always = true},    /* who waited for the same unwrap gets
                                                    what came of it, and is run to its end */
    {"record", kw_record_put, .always = true},     /* audit: on disk before it is released; waits */
    {"settle", kw_record_settle, .always = true},  /* may it be released still?      */
    {"remember", decrypt_remember, .always = true}, /* cache: what is on record alone */
    {"tell", kw_outcome_tell, .always = true},     /* count and log: who, and what came of it */
    {"reply", kw_outcome_reply, .always = true},   /* the seed to the response, then wipe */
};
/* clang-format on */
const struct kw_steps kw_decrypt_steps = {"decrypt", rows};

static kw_err decrypt_check_fields(const struct kw_request *request)
{
    if (request->has_annotations)
        return kw_err_at(KW_CODE_BAD_INPUT, "annotations");
    if (request->key_id.len == 0 || request->key_id.len > KW_WIRE_KEY_ID_MAX)
        return kw_err_at(KW_CODE_BAD_INPUT, "key_id");
    if (request->ciphertext.len == 0 || request->ciphertext.len > KW_CIPHERTEXT_MAX)
        return kw_err_at(KW_CODE_BAD_INPUT, "ciphertext size");
    return KW_OK;
}

static enum kw_step_result decrypt_parse(struct kw_kms *kms, struct kw_request *request)
{
    struct kw_envelope *env = &request->work.env;
    kw_err e = decrypt_check_fields(request);
    (void)kms;
    if (!kw_failed(e))
        e = kw_envelope_parse(request->ciphertext, env);
    if (!kw_failed(e) && env->purpose != KW_PURPOSE_SEED)
        e = kw_err_at(KW_CODE_BAD_INPUT, "purpose");
    return kw_failed(e) ? kw_step_fail(request, e) : KW_STEP_NEXT;
}

/* A wrong endpoint, a renamed class or a moved resource shows here; both names go to the
 * log, because configuration can cure it. */
static kw_err decrypt_check_scope(struct kw_kms *kms, struct kw_request *request,
                                  kw_span sealed_scope)
{
    const struct kw_class_options *o = &kw_class_of(kms, request)->options;
    bool foreign = false;
    kw_err e = kw_policy_scope(sealed_scope, o->scope, o->accept_scopes, o->accept_count,
                               &foreign);
    if (kw_failed(e))
        kw_log(KW_LOG_WARN, "scope-refused", KW_STR("class", o->name),
               KW_STR("class_scope", o->scope), KW_PEER("sealed_scope", sealed_scope),
               KW_PEER("uid", request->uid));
    else if (foreign)
        kw_log(KW_LOG_INFO, "scope-accepted", KW_STR("class", o->name),
               KW_STR("class_scope", o->scope), KW_PEER("sealed_scope", sealed_scope),
               KW_PEER("uid", request->uid));
    return e;
}

/* What policy, health and keyring say, in one look. */
static kw_err decrypt_look(struct kw_kms *kms, struct kw_request *request,
                           enum kw_verdict_kind *ret_kind)
{
    const struct kw_hsm_door *door = &kms->options.door;
    struct kw_hsm_health health;
    kw_lock_take(kms->options.lock);
    struct kw_policy_verdict v =
        kw_kms_judge(kms, KW_METHOD_DECRYPT, kw_class_of(kms, request), &health);
    kw_err e = kw_verdict_err(&v);
    if (!kw_failed(e))
        e = door->ops->version(door->hsm, request->key_id, &request->work.version);
    if (e.code == KW_CODE_MISSING && kw_kms_bridges(kw_class_of(kms, request), &health)) {
        e = KW_OK; /* its key is away: as in an outage, what is in memory */
        v.kind = KW_ALLOW_CACHE;
    }
    kw_lock_give(kms->options.lock);
    request->work.admitted_boot_ns = health.now_boot_ns;
    *ret_kind = v.kind;
    return kw_door_err(e);
}

static enum kw_step_result decrypt_admit(struct kw_kms *kms, struct kw_request *request)
{
    enum kw_verdict_kind kind;
    struct kw_request_work *w = &request->work;
    kw_err e = decrypt_check_scope(kms, request, w->env.scope);
    if (!kw_failed(e))
        e = decrypt_look(kms, request, &kind);
    if (!kw_failed(e) && w->env.mechanism != w->version.mechanism)
        e = kw_err_at(KW_CODE_BAD_INPUT, "mechanism");
    if (kw_failed(e))
        return kw_step_fail(request, e);
    w->cache_only = kind == KW_ALLOW_CACHE;
    return KW_STEP_NEXT;
}

static enum kw_step_result decrypt_recall(struct kw_kms *kms, struct kw_request *request)
{
    const struct kw_cache_key key = kw_request_key(request);
    kw_lock_take(kms->options.lock);
    bool hit = kw_cache_get(kw_class_of(kms, request)->cache, &key,
                            request->work.admitted_boot_ns, &request->seed);
    kw_lock_give(kms->options.lock);
    if (!hit)
        return request->work.cache_only
                   ? kw_step_fail(request,
                                  kw_err_at(KW_CODE_HSM_DOWN, "not in the cache"))
                   : KW_STEP_NEXT;
    request->source = KW_SOURCE_CACHE;
    return KW_STEP_KNOWN;
}

/* What the seed was sealed with, and the digest is proven with. */
static kw_err decrypt_bind(struct kw_kms *kms, struct kw_request *request)
{
    struct kw_request_work *w = &request->work;
    kw_dst aad = kw_dst_of(w->aad, sizeof w->aad);
    kw_err e =
        kw_envelope_aad(&w->env, request->key_id, kw_span_str(kms->options.domain), &aad);
    w->aad_len = aad.len;
    return e;
}

static enum kw_step_result decrypt_unwrap(struct kw_kms *kms, struct kw_request *request)
{
    bool sent = false;
    kw_err e = decrypt_bind(kms, request);
    if (kw_failed(e))
        return kw_step_fail(request, e);
    kw_lock_take(kms->options.lock);
    struct kw_flight *flight = kw_flight_find(kms, request);
    if (flight != NULL) {
        atomic_fetch_add_explicit(&kw_class_of(kms, request)->joined, 1,
                                  memory_order_relaxed);
        kw_flight_join(flight, request);
    } else {
        e = kw_flight_start(kms, request);
        sent = true;
    }
    if (!kw_failed(e))
        kw_park(kms, request);
    kw_lock_give(kms->options.lock);
    if (kw_failed(e))
        return kw_step_fail(request, e);
    if (sent)
        kms->options.door.ops->flush(kms->options.door.hsm);
    return KW_STEP_WAIT;
}

static enum kw_step_result decrypt_prove(struct kw_kms *kms, struct kw_request *request)
{
    struct kw_request_work *w = &request->work;
    kw_err e =
        kw_envelope_prove(kw_span_of(w->aad, w->aad_len), w->env.seed_len, &w->inner);
    if (e.code == KW_CODE_WRONG_ANSWER)
        kw_outcome_alarm(kms, request, request->token, "wrong-answer");
    if (kw_failed(e))
        return kw_step_fail(request, e);
    kw_secret_move(&request->seed, &w->inner);
    kw_lock_take(kms->options.lock);
    kms->options.door.ops->worked(kms->options.door.hsm, request->token,
                                  w->version.key_id, false);
    kw_lock_give(kms->options.lock);
    return KW_STEP_NEXT;
}

/* The HSM may have been lost while the answer was under way, or the version disabled: then
 * nothing is kept. */
static bool decrypt_may_keep(struct kw_kms *kms, const struct kw_request *request,
                             struct kw_hsm_health *ret_health) KW_LOCKED
{
    const struct kw_hsm_door *door = &kms->options.door;
    struct kw_hsm_version ignored;
    return kw_kms_policy(kms, KW_METHOD_DECRYPT, kw_class_of(kms, request), ret_health)
                   .kind == KW_ALLOW &&
           !kw_failed(door->ops->version(
               door->hsm, kw_span_str(request->work.version.key_id), &ignored));
}

static enum kw_step_result decrypt_remember(struct kw_kms *kms,
                                            struct kw_request *request)
{
    struct kw_hsm_health health;
    struct kw_class *class = kw_class_of(kms, request);
    const struct kw_cache_key key = kw_request_key(request);
    if (kw_failed(request->err) || request->source != KW_SOURCE_HSM)
        return KW_STEP_NEXT;
    kw_lock_take(kms->options.lock);
    if (decrypt_may_keep(kms, request, &health))
        kw_cache_put(class->cache, &key, kw_secret_peek(&request->seed),
                     health.now_boot_ns);
    kw_lock_give(kms->options.lock);
    return KW_STEP_NEXT;
}

static enum kw_step_result decrypt_share(struct kw_kms *kms, struct kw_request *request)
{
    kw_flight_share(kms, request);
    return KW_STEP_NEXT;
}
