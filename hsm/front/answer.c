/* SPDX-License-Identifier: Apache-2.0 */
/* Answers and canaries: what they mean for a job, a version, the health record.
 *
 * An unwrap that failed for a reason that can be the data's or the token's fault is
 * decided by a canary of the same version: FORGED only after it showed that the HSM is
 * well. */
#include "room.h"

#define PAUSE_LEAST_NS (100 * KW_MS_NS) /* `recover: 0s` is no reason to hammer */

int64_t kw_front_probe_pause(const struct kw_front *f)
{
    bool doubt = f->health.state == KW_HSM_SUSPECT || f->health.state == KW_HSM_LOST;
    /* Three proofs spread over `recover` end a loss. */
    int64_t pause = doubt ? f->o.recover_ns / 2 : f->o.probe_every_ns;
    return pause < PAUSE_LEAST_NS ? PAUSE_LEAST_NS : pause;
}

static bool feeds_health(const struct kw_front *f, const struct kw_gen_version *v)
{
    return f->serving->active_n == 0 || f->serving->active_n == v->v->n;
}

void kw_front_judge(struct kw_front *f, struct kw_gen_version *v, kw_err e,
                    const char *reason)
{
    int64_t boot = kw_front_boot(f);
    if (kw_gen_version_judge(v, e, reason, boot, kw_wall_ns(f->clock)))
        f->key_epoch++;
    if (feeds_health(f, v)) {
        if (!kw_failed(e))
            kw_health_proof(&f->health, boot);
        else if (kw_is_other_key(e))
            kw_health_lost(&f->health, e, boot);
        else {
            kw_health_asked(&f->health, boot);
            kw_health_failed(&f->health, e, boot);
        }
    }
    v->due_ns = kw_front_now(f) + kw_front_probe_pause(f);
}

/* What the jobs that wait for this version's canary become. */
static void decide(struct kw_front *f, const struct kw_gen_version *v, bool well)
{
    kw_err e = well ? kw_err_at(KW_CODE_FORGED, "canary")
                    : kw_err_at(KW_CODE_HSM_DOWN, "canary");
    for (struct kw_job *j = kw_queue_first(&f->queue, KW_JOB_DECIDING), *next; j != NULL;
         j = next) {
        next = j->next;
        if (kw_span_equal_str(kw_span_str(j->key_id), v->v->key_id))
            kw_queue_finish(&f->queue, j, e);
    }
}

static void canary_answered(struct kw_worker *w, const struct kw_lane_entry *e,
                            const struct kw_wire_answer *a)
{
    struct kw_front *f = w->front;
    if (f->serving == NULL || w->generation != f->serving->number)
        return;
    struct kw_gen_version *v = kw_generation_at(f->serving, e->n);
    if (v == NULL || v->asked_id != e->wire_id)
        return;
    v->asked_id = 0;
    if (a->err.code == KW_CODE_DEADLINE) {
        v->due_ns = kw_front_now(f); /* it came too late to be asked: no answer */
        return;
    }
    if (!kw_failed(a->err))
        w->proven_id = e->wire_id;
    w->opens[v - f->serving->versions] = !kw_failed(a->err);
    kw_front_judge(f, v, a->err, "");
    decide(f, v, !kw_failed(a->err));
}

/* The worker that says HSM_DOWN leaves: an input that makes the library say so may not
 * cost one worker after the other.  true: it is not given to another one. */
static bool too_costly(struct kw_worker *w, const struct kw_lane_entry *e)
{
    struct kw_queue *q = &w->front->queue;
    kw_span sample = kw_span_of(e->sample, e->sample_len);
    int64_t boot = kw_front_boot(w->front);
    if (e->sample_len == 0)
        return false;
    kw_quarantine_doubt(&q->quarantine, sample, w->proven_id, kw_queue_wire_id(q), boot);
    return kw_quarantine_holds(&q->quarantine, sample, boot);
}

static void unsure(struct kw_front *f, struct kw_job *j, kw_err e)
{
    int64_t now = kw_front_now(f);
    struct kw_gen_version *v =
        f->serving == NULL ? NULL
                           : kw_generation_find(f->serving, kw_span_str(j->key_id));
    if (v == NULL) {
        kw_queue_finish(&f->queue, j, kw_err_native(KW_CODE_KEY_BAD, e.native, e.where));
        return;
    }
    if (v->answered && kw_front_boot(f) - v->answered_ns < KW_CANARY_FRESH_NS) {
        enum kw_code code = v->good ? KW_CODE_FORGED : KW_CODE_HSM_DOWN;
        kw_queue_finish(&f->queue, j, kw_err_native(code, e.native, e.where));
        return;
    }
    kw_queue_decide(&f->queue, j);
    if (v->due_ns > now)
        v->due_ns = now;
}

/* The codes that the door promises. */
static kw_err for_the_door(kw_err e)
{
    switch (e.code) {
    case KW_CODE_OK:
    case KW_CODE_KEY_BAD:
    case KW_CODE_HSM_DOWN:
    case KW_CODE_HSM_CONFIG:
    case KW_CODE_PIN_STOP:
    case KW_CODE_DEADLINE:
    case KW_CODE_NO_MEMORY:
    case KW_CODE_WRONG_ANSWER: return e;
    case KW_CODE_MISSING:
    case KW_CODE_UNKNOWN_KEY:
    case KW_CODE_KEY_DISABLED: e.code = KW_CODE_KEY_BAD; return e;
    case KW_CODE_SESSION:
    case KW_CODE_HSM_BUSY:
    case KW_CODE_UNSURE:
    case KW_CODE_FORGED: e.code = KW_CODE_HSM_DOWN; return e;
    case KW_CODE_BAD_INPUT:
    case KW_CODE_DENIED:
    case KW_CODE_QUARANTINED:
    case KW_CODE_BUSY:
    case KW_CODE_CANCELLED:
    case KW_CODE_STARTING:
    case KW_CODE_IO:
    case KW_CODE_BUG:
    case KW_CODE_COUNT: break;
    }
    e.code = KW_CODE_BUG;
    return e;
}

/* Somebody joined who waits longer; or another worker, or this one's successor, may do
 * better. */
static bool goes_again(struct kw_worker *w, struct kw_job *j,
                       const struct kw_lane_entry *entry, kw_err e)
{
    struct kw_queue *q = &w->front->queue;
    if (e.code == KW_CODE_DEADLINE)
        return kw_queue_more_time(q, j, kw_front_now(w->front));
    return e.code == KW_CODE_HSM_DOWN && !too_costly(w, entry) && kw_queue_retry(q, j);
}

static void job_answered(struct kw_worker *w, struct kw_job *j,
                         const struct kw_lane_entry *entry,
                         const struct kw_wire_answer *a)
{
    struct kw_front *f = w->front;
    kw_err e = a->err;
    if (!kw_failed(e))
        e = kw_secret_copy(&j->output, a->output);
    j->hsm_ns = a->hsm_ns;
    j->token = f->token.name;
    j->worker = w->number;
    if (j->op == KW_HSM_UNWRAP && (e.code == KW_CODE_UNSURE || e.code == KW_CODE_FORGED))
        unsure(f, j, e);
    else if (!goes_again(w, j, entry, e))
        kw_queue_finish(&f->queue, j, for_the_door(e));
}

bool kw_answer(struct kw_worker *w, kw_span message)
{
    struct kw_front *f = w->front;
    struct kw_wire_answer a;
    const struct kw_lane_entry *e;
    if (kw_failed(kw_wire_get_answer(message, &a)) ||
        (e = kw_lane_oldest(&w->lane, a.id)) == NULL ||
        (!kw_failed(a.err) && a.output.len != e->want_len))
        return false;
    struct kw_job *j = kw_queue_by_wire(&f->queue, a.id);
    if (e->op == KW_WIRE_CANARY)
        canary_answered(w, e, &a);
    else if (j == NULL)
        f->late_answers++;
    else {
        if (!kw_failed(a.err) && e->sample_len > 0)
            kw_quarantine_clear(&f->queue.quarantine,
                                kw_span_of(e->sample, e->sample_len));
        job_answered(w, j, e, &a);
    }
    kw_lane_drop(&w->lane);
    w->served++;
    return true;
}
