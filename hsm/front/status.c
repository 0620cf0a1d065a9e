/* SPDX-License-Identifier: Apache-2.0 */
/* What the status document shows of the front. */
#include "front_internal.h"

static size_t fill_workers(struct kw_front *f) KW_LOCKED
{
    size_t n = 0;
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++) {
        const struct kw_worker *w = f->workers[i];
        if (w != NULL)
            f->worker_rows[n++] = (struct kw_front_worker_status){
                .pid = w->pid,
                .state = kw_worker_state_name(w->state),
                .sessions = w->was_ready ? (unsigned)w->sessions : 0,
                .hanging = (unsigned)w->overdue,
                .served = w->served};
    }
    return n;
}

static size_t fill_versions(struct kw_front *f) KW_LOCKED
{
    size_t n = f->serving == NULL ? 0 : f->serving->count;
    for (size_t i = 0; i < n; i++) {
        const struct kw_gen_version *v = &f->serving->versions[i];
        kw_copy_str(f->version_keys[i], sizeof f->version_keys[i],
                    kw_span_str(v->v->key_id));
        kw_copy_str(f->version_reasons[i], sizeof f->version_reasons[i],
                    kw_span_str(v->verdict.reason));
        kw_gen_found_text(v->found, f->version_found[i]);
        kw_copy_str(f->version_origins[i], sizeof f->version_origins[i],
                    kw_span_str(v->v->origin));
        f->version_rows[i] =
            (struct kw_front_version_status){.n = v->v->n,
                                             .key_id = f->version_keys[i],
                                             .state = kw_key_state_name(v->v->state),
                                             .origin = f->version_origins[i],
                                             .verdict = v->verdict.err,
                                             .reason = f->version_reasons[i],
                                             .found = f->version_found[i],
                                             .proven_wall_ns = v->proven_wall_ns};
    }
    return n;
}

/* The most useful word: why no worker starts, why the new keyring does not come up, why
 * the active version will not do. */
static const char *reason(const struct kw_front *f) KW_LOCKED
{
    const struct kw_gen_version *active =
        f->serving == NULL ? NULL : kw_generation_active(f->serving);
    if (kw_latch_is_latched(&f->latch))
        return kw_latch_reason(&f->latch);
    if (f->coming != NULL && f->coming->reason[0] != '\0')
        return f->coming->reason;
    if (active != NULL && f->serving->reason[0] == '\0')
        return active->verdict.reason;
    return f->serving == NULL ? "" : f->serving->reason;
}

void kw_front_status(struct kw_front *f, struct kw_front_status *ret)
{
    *ret = (struct kw_front_status){.token = f->token.name,
                                    .token_label = f->facts.label,
                                    .token_serial = f->facts.serial,
                                    .token_model = f->facts.model,
                                    .token_firmware = f->facts.firmware,
                                    .library = f->facts.library,
                                    .workers = f->worker_rows,
                                    .versions = f->version_rows,
                                    .pin_latched = kw_latch_is_latched(&f->latch),
                                    .workers_started = f->started,
                                    .workers_died = f->died,
                                    .workers_killed = f->killed};
    kw_lock_take(f->lock);
    kw_front_ops.health((struct kw_hsm *)(void *)f, &ret->health);
    kw_copy_str(ret->reason, sizeof ret->reason, kw_span_str(reason(f)));
    ret->worker_count = fill_workers(f);
    ret->version_count = fill_versions(f);
    if (f->serving != NULL) {
        ret->keyring_serial = f->serving->ring->serial;
        kw_hex(ret->keyring_sha256, sizeof ret->keyring_sha256,
               kw_span_of(f->serving->ring->sha256, 32));
    }
    ret->coming_up = f->coming != NULL;
    if (f->coming != NULL)
        kw_copy_str(ret->coming_reason, sizeof ret->coming_reason,
                    kw_span_str(f->coming->reason));
    ret->queued = kw_queue_count(&f->queue, KW_JOB_WAITING) +
                  kw_queue_count(&f->queue, KW_JOB_DECIDING);
    ret->sent = kw_queue_count(&f->queue, KW_JOB_SENT);
    ret->jobs = f->queue.total;
    ret->requeued = f->queue.requeued;
    ret->late_answers = f->late_answers;
    kw_lock_give(f->lock);
}
