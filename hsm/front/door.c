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

static void extend(struct kw_hsm *hsm, kw_hsm_ticket ticket, kw_deadline until) KW_LOCKED
{
    kw_queue_extend(&front_of(hsm)->queue, ticket, until);
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
    bool wake = f->tick_idle;
    f->tick_idle = false;
    kw_lock_give(f->lock);
    if (wake)
        kw_io_wake(f);
}

static void health(struct kw_hsm *hsm, struct kw_hsm_health *ret) KW_LOCKED
{
    struct kw_front *f = front_of(hsm);
    int64_t now = kw_front_boot(f);
    kw_health_tick(&f->health, now);
    *ret = (struct kw_hsm_health){.state = f->health.state,
                                  .since_boot_ns = f->health.since_ns,
                                  .now_boot_ns = now,
                                  .losses = f->health.losses,
                                  .key_epoch = f->key_epoch,
                                  .why = f->health.why};
    struct kw_gen_version *active =
        f->serving == NULL ? NULL : kw_generation_active(f->serving);
    if (active == NULL) {
        ret->active_err = kw_err_at(KW_CODE_KEY_DISABLED, "no active version");
        return;
    }
    ret->active_n = active->v->n;
    ret->active_mechanism = active->v->mechanism;
    ret->active_err = active->verdict.err;
    kw_copy_str(ret->active_key_id, sizeof ret->active_key_id,
                kw_span_str(active->v->key_id));
}

static kw_err unknown(struct kw_front *f, kw_span key_id) KW_LOCKED
{
    uint32_t n;
    if (kw_key_id_parse(key_id, &n) && n > kw_generation_highest(f->serving))
        f->want_look = true;
    return kw_err_at(KW_CODE_UNKNOWN_KEY, "keyring");
}

static kw_err version(struct kw_hsm *hsm, kw_span key_id,
                      struct kw_hsm_version *ret) KW_LOCKED
{
    struct kw_front *f = front_of(hsm);
    if (f->serving == NULL)
        return kw_err_at(KW_CODE_STARTING, "keyring");
    const struct kw_gen_version *v = kw_generation_find(f->serving, key_id);
    if (v == NULL)
        return unknown(f, key_id);
    if (!kw_key_state_unwraps(v->v->state))
        return kw_err_at(KW_CODE_KEY_DISABLED, "keyring");
    if (kw_failed(v->verdict.err))
        return v->verdict.err;
    ret->n = v->v->n;
    ret->mechanism = v->v->mechanism;
    kw_copy_str(ret->key_id, sizeof ret->key_id, kw_span_str(v->v->key_id));
    return KW_OK;
}

/* The answer under judgement is the one being handed over, if it is; else it was a ready
 * worker's, and nobody knows whose: all are replaced. */
static void distrust(struct kw_hsm *hsm, const char *token) KW_LOCKED
{
    struct kw_front *f = front_of(hsm);
    if (!kw_span_equal_str(kw_span_str(token), f->token.name))
        return;
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++) {
        struct kw_worker *w = f->workers[i];
        if (w != NULL && w->state == KW_WORKER_READY &&
            (f->delivering == 0 || f->delivering == w->number))
            w->distrusted = true;
    }
}

const struct kw_hsm_ops kw_front_ops = {.submit = submit,
                                        .extend = extend,
                                        .cancel = cancel,
                                        .flush = door_flush,
                                        .health = health,
                                        .version = version,
                                        .distrust = distrust};

struct kw_hsm_door kw_front_door(struct kw_front *front)
{
    return (struct kw_hsm_door){&kw_front_ops, (struct kw_hsm *)(void *)front};
}
