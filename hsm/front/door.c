/* SPDX-License-Identifier: Apache-2.0 */
/* The table of calls that the upper layer sees. */
#include "front_internal.h"

/* One lone call costs no extra hop; a backlog is left to the main thread, which sends
 * larger batches when it reaps. */
enum { FLUSH_JOBS = 4 };

static struct kw_front *front_of(struct kw_hsm *hsm)
{
    return (struct kw_front *)(void *)hsm;
}

static kw_err submit(struct kw_hsm *hsm, const struct kw_hsm_job *job,
                     kw_hsm_ticket *ret_ticket) KW_LOCKED
{
    struct kw_front *f = front_of(hsm);
    int64_t boot = f->queue.quarantine.used > 0 ? kw_front_boot(f) : 0;
    return kw_queue_add(&f->queue, job, boot, ret_ticket);
}

static bool extend(struct kw_hsm *hsm, kw_hsm_ticket ticket, kw_deadline until) KW_LOCKED
{
    return kw_queue_extend(&front_of(hsm)->queue, ticket, until);
}

static bool cancel(struct kw_hsm *hsm, kw_hsm_ticket ticket) KW_LOCKED
{
    return kw_queue_cancel(&front_of(hsm)->queue, ticket);
}

static void door_flush(struct kw_hsm *hsm) KW_FREE
{
    struct kw_front *f = front_of(hsm);
    kw_pump(f, FLUSH_JOBS);
    kw_lock_take(f->lock);
    bool wake = f->tick.idle || f->sign.state == KW_SIGN_WAITING;
    f->tick.idle = false;
    kw_lock_give(f->lock);
    if (wake)
        kw_io_wake(f);
}

static void health(struct kw_hsm *hsm, struct kw_hsm_health *ret) KW_LOCKED
{
    struct kw_front *f = front_of(hsm);
    kw_front_weigh(f);
    *ret = (struct kw_hsm_health){.state = f->whole.state,
                                  .since_boot_ns = f->whole.since_ns,
                                  .now_boot_ns = kw_front_boot(f),
                                  .losses = f->whole.losses,
                                  .key_epoch = f->changes.key_epoch,
                                  .away_epoch = f->changes.away_epoch,
                                  .why = f->whole.why};
    if (f->serving == NULL && f->coming == NULL && !kw_failed(ret->why))
        ret->why = kw_err_at(KW_CODE_STARTING, "keyring");
    const struct kw_version *active =
        f->serving == NULL ? NULL : kw_generation_active(f->serving);
    if (active == NULL) {
        ret->active_err = kw_err_at(KW_CODE_KEY_DISABLED, "no active version");
        return;
    }
    const kw_span key_id = kw_span_str(active->key_id);
    ret->active_n = active->n;
    ret->active_mechanism = active->mechanism;
    ret->active_err = kw_gen_version_verdict(kw_generation_word(f->serving, key_id));
    kw_copy_str(ret->active_key_id, sizeof ret->active_key_id, key_id);
}

static kw_err unknown(struct kw_front *f, kw_span key_id) KW_LOCKED
{
    uint32_t n;
    if (kw_key_id_parse(key_id, &n) && n > kw_generation_highest(f->serving))
        f->look.wanted = true;
    return kw_err_at(KW_CODE_UNKNOWN_KEY, "keyring");
}

static enum kw_hsm_refusal door_refusal(enum kw_key_state state)
{
    switch (state) {
    case KW_KEY_ACCEPTED:
    case KW_KEY_ACTIVE:
    case KW_KEY_RETIRED: return KW_HSM_NOT_REFUSED;
    case KW_KEY_CREATED: return KW_HSM_REFUSED_CREATED;
    case KW_KEY_DISABLED: return KW_HSM_REFUSED_DISABLED;
    case KW_KEY_DESTROYED: return KW_HSM_REFUSED_DESTROYED;
    case KW_KEY_UNKNOWN: break;
    }
    return KW_HSM_REFUSED_UNKNOWN;
}

static kw_err version(struct kw_hsm *hsm, kw_span key_id,
                      struct kw_hsm_version *ret) KW_LOCKED
{
    struct kw_front *f = front_of(hsm);
    if (f->serving == NULL)
        return kw_err_at(KW_CODE_STARTING, "keyring");
    const struct kw_gen_version *v = kw_generation_word(f->serving, key_id);
    if (v == NULL)
        return unknown(f, key_id);
    ret->n = v->v->n;
    ret->mechanism = v->v->mechanism;
    ret->refusal = door_refusal(v->v->state);
    kw_copy_str(ret->key_id, sizeof ret->key_id, kw_span_str(v->v->key_id));
    if (!kw_key_state_unwraps(v->v->state))
        return kw_err_at(KW_CODE_KEY_DISABLED, "keyring");
    /* What no worker was asked for yet is proven by the first one that gets a job of it. */
    kw_err e = kw_gen_version_verdict(v);
    if (e.code == KW_CODE_STARTING && kw_generation_was_ready(f->serving))
        e = KW_OK;
    if (e.code == KW_CODE_KEY_BAD || e.code == KW_CODE_MISSING)
        ret->refusal = KW_HSM_REFUSED_KEY_BAD;
    return e;
}

static bool is_of(const struct kw_worker *w, const char *token)
{
    return kw_span_equal_str(kw_span_str(token), w->token->o.name);
}

/* The worker whose answer is being handed over, unless that shows another token's to be
 * false; 0: nobody knows whose it was. */
static uint64_t answered_by(struct kw_front *f, const char *token) KW_LOCKED
{
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++) {
        const struct kw_worker *w = kw_front_worker(f, i);
        if (w != NULL && w->number == f->numbers.delivering && !is_of(w, token))
            return 0;
    }
    return f->numbers.delivering;
}

/* When nobody knows whose it was, every ready worker of the token is replaced. */
static void distrust(struct kw_hsm *hsm, const char *token) KW_LOCKED
{
    struct kw_front *f = front_of(hsm);
    const uint64_t number = answered_by(f, token);
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++) {
        struct kw_worker *w = kw_front_worker(f, i);
        if (w != NULL && w->life.channel == KW_WORKER_READY && is_of(w, token) &&
            (number == 0 || number == w->number))
            w->distrusted = true;
    }
}

static void worked(struct kw_hsm *hsm, const char *token, const char *key_id,
                   bool wrapped) KW_LOCKED
{
    struct kw_front *f = front_of(hsm);
    const struct kw_version *active =
        f->serving == NULL ? NULL : kw_generation_active(f->serving);
    if (active == NULL || !kw_span_equal_str(kw_span_str(key_id), active->key_id))
        return;
    for (size_t i = 0; i < f->token_count; i++)
        if (kw_span_equal_str(kw_span_str(token), f->tokens[i].o.name))
            kw_front_token_worked(&f->tokens[i], wrapped);
}

static kw_err door_sign(struct kw_hsm *hsm, const struct kw_hsm_sign *sign) KW_LOCKED
{
    return kw_sign_add(front_of(hsm), sign);
}

const struct kw_hsm_ops kw_front_ops = {.submit = submit,
                                        .extend = extend,
                                        .cancel = cancel,
                                        .flush = door_flush,
                                        .health = health,
                                        .version = version,
                                        .distrust = distrust,
                                        .worked = worked,
                                        .sign = door_sign};

struct kw_hsm_door kw_front_door(struct kw_front *front)
{
    return (struct kw_hsm_door){&kw_front_ops, (struct kw_hsm *)(void *)front};
}
