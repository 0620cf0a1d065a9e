/* SPDX-License-Identifier: Apache-2.0 */
/* Answers and canaries: what they mean for a job, a version, the health record.
 *
 * An unwrap that failed for a reason that can be the data's or the token's fault is
 * decided by a canary of the same version, asked after that.  One transient error proves
 * nothing: when the HSM is well the job is tried once more, and FORGED is what fails
 * then. */
#include "front_internal.h"

#define PAUSE_LEAST_NS (100 * KW_MS_NS) /* `recover: 0s` is no reason to hammer */
#define LOOK_SELDOM_NS (600 * KW_S_NS)
#define REST_FIRST_NS (20 * KW_MS_NS)
enum { REST_DOUBLED_MAX = 6 }; /* 1.28 s */

int64_t kw_front_probe_pause(const struct kw_front *f)
{
    bool doubt = f->health.state == KW_HSM_SUSPECT || f->health.state == KW_HSM_LOST;
    /* Three proofs spread over `recover` end a loss. */
    int64_t pause = doubt ? f->o.recover_ns / 2 : f->o.probe_every_ns;
    return pause < PAUSE_LEAST_NS ? PAUSE_LEAST_NS : pause;
}

/* What is in daily use is looked at as often as it is asked for; of the others the check
 * blob is enough for a while. */
int64_t kw_front_look_pause(const struct kw_front *f, const struct kw_generation *g,
                            const struct kw_gen_version *v)
{
    bool used = v->v->n == g->active_n || kw_key_state_wraps(v->v->state);
    return used || f->o.probe_every_ns > LOOK_SELDOM_NS ? f->o.probe_every_ns
                                                        : LOOK_SELDOM_NS;
}

static bool feeds_health(const struct kw_front *f,
                         const struct kw_gen_version *v) KW_LOCKED
{
    return f->serving->active_n == 0 || f->serving->active_n == v->v->n;
}

/* A key that may leave the token opened its check blob: the token is well.  While another
 * finding stands, a worker that cannot take it back proves nothing. */
static void answer_judge_health(struct kw_front *f, const struct kw_gen_version *v,
                                const struct kw_gen_result *result) KW_LOCKED
{
    int64_t boot = kw_front_boot(f);
    kw_err e = result->err;
    bool exposed = (v->found & KW_WIRE_EXPOSED) != 0;
    if ((!kw_failed(e) && (v->found & KW_GEN_BAD) == 0) ||
        (exposed && (!kw_failed(e) || (result->findings & KW_WIRE_EXPOSED) != 0)))
        kw_health_proof(&f->health, boot);
    else if (kw_is_other_key(e))
        kw_health_lost(&f->health, e, boot);
    else if (kw_failed(e)) {
        kw_health_asked(&f->health, boot);
        kw_health_failed(&f->health, e, boot);
    }
}

/* Nothing more is done under a key that is bad. */
static void end_jobs(struct kw_front *f, const struct kw_gen_version *v) KW_LOCKED
{
    static const enum kw_job_state states[] = {KW_JOB_WAITING, KW_JOB_DECIDING};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        for (struct kw_job *j = kw_queue_first(&f->queue, states[i]), *next; j != NULL;
             j = next) {
            next = j->next;
            if (kw_span_equal_str(kw_span_str(j->key_id), v->v->key_id))
                kw_queue_finish(&f->queue, j, v->verdict.err);
        }
}

void kw_front_judge(struct kw_worker *w, struct kw_gen_version *v,
                    struct kw_gen_result *result)
{
    struct kw_front *f = w->front;
    int64_t now = kw_front_now(f);
    unsigned before = v->found;
    result->worker = w->number;
    result->newest = f->numbers;
    bool could = kw_gen_version_unwraps(v);
    if (kw_gen_version_judge(v, result, kw_front_boot(f), kw_wall_ns(f->clock)))
        f->news++;
    if (could && !kw_gen_version_unwraps(v))
        f->key_epoch++;
    if (v->found != before)
        f->found_changed = true;
    if ((v->found & KW_GEN_BAD) != 0)
        end_jobs(f, v);
    if (feeds_health(f, v))
        answer_judge_health(f, v, result);
    v->due_ns = now + kw_front_probe_pause(f);
    if (result->looked)
        v->look_ns = now + kw_front_look_pause(f, f->serving, v);
}

/* A canary for the jobs that wait for one. */
static void want_canary(struct kw_front *f, struct kw_gen_version *v) KW_LOCKED
{
    int64_t due = v->asked_ns + KW_CANARY_DECIDES_NS, now = kw_front_now(f);
    if (due < now)
        due = now;
    if (v->due_ns > due)
        v->due_ns = due;
}

/* What the jobs become that failed before this version's canary was asked. */
static void answer_decide(struct kw_front *f, struct kw_gen_version *v, uint64_t canary,
                          bool well) KW_LOCKED
{
    for (struct kw_job *j = kw_queue_first(&f->queue, KW_JOB_DECIDING), *next; j != NULL;
         j = next) {
        next = j->next;
        if (!kw_span_equal_str(kw_span_str(j->key_id), v->v->key_id))
            continue;
        if (!well)
            kw_queue_finish(&f->queue, j, kw_err_at(KW_CODE_HSM_DOWN, "canary"));
        else if (j->doubt < canary)
            kw_queue_vouch(&f->queue, j);
        else
            want_canary(f, v);
    }
}

static const char *reason_of(const struct kw_wire_answer *a, char dst[KW_NOTE_MAX])
{
    kw_copy_str(dst, KW_NOTE_MAX, a->reason);
    return dst;
}

static void canary_answered(struct kw_worker *w, const struct kw_channel_entry *e,
                            const struct kw_wire_answer *a) KW_LOCKED
{
    struct kw_front *f = w->front;
    char reason[KW_NOTE_MAX];
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
    struct kw_gen_result result = {.err = a->err,
                                   .reason = reason_of(a, reason),
                                   .looked = a->looked,
                                   .findings = a->findings};
    kw_front_judge(w, v, &result);
    answer_decide(f, v, e->wire_id, !kw_failed(a->err));
}

/* The handle died in the middle of a job, and the key was proven again: its outcome is
 * about the key, that of the job may be about the data.  A worker of an earlier keyring
 * is heard only when it says that a key may leave the token. */
static void found_on_the_way(struct kw_worker *w, const struct kw_channel_entry *e,
                             const struct kw_wire_answer *a) KW_LOCKED
{
    struct kw_front *f = w->front;
    char reason[KW_NOTE_MAX];
    bool ours = f->serving != NULL && w->generation == f->serving->number;
    bool exposed = (a->findings & KW_WIRE_EXPOSED) != 0;
    if (!a->looked || f->serving == NULL || (ours ? e->op == KW_WIRE_CANARY : !exposed))
        return;
    struct kw_gen_version *v = kw_generation_at(f->serving, e->n);
    struct kw_gen_result result = {
        .looked = true, .findings = a->findings, .reason = reason_of(a, reason)};
    if (a->err.code == KW_CODE_KEY_BAD)
        result.err = a->err;
    if ((a->findings & KW_WIRE_REPLACED) != 0)
        result.err.code = KW_CODE_FORGED;
    if (v != NULL)
        kw_front_judge(w, v, &result);
}

/* NULL: its version is not in use any more, or nothing is known to be wrong with it. */
static const struct kw_gen_version *bad_version(struct kw_front *f,
                                                const struct kw_job *j) KW_LOCKED
{
    struct kw_gen_version *v =
        f->serving == NULL ? NULL
                           : kw_generation_find(f->serving, kw_span_str(j->key_id));
    return v != NULL && (v->found & KW_GEN_BAD) != 0 ? v : NULL;
}

/* The worker that says HSM_DOWN leaves: an input that makes the library say so may not
 * cost one worker after the other.  true: it is not given to another one. */
static bool too_costly(struct kw_worker *w, const struct kw_channel_entry *e) KW_LOCKED
{
    struct kw_queue *q = &w->front->queue;
    kw_span sample = kw_span_of(e->sample, e->sample_len);
    int64_t boot = kw_front_boot(w->front);
    if (e->sample_len == 0)
        return false;
    kw_quarantine_doubt(&q->quarantine, sample, w->proven_id, kw_queue_wire_id(q), boot);
    return kw_quarantine_holds(&q->quarantine, sample, boot);
}

static void unsure(struct kw_front *f, struct kw_job *j, kw_err e) KW_LOCKED
{
    struct kw_gen_version *v =
        f->serving == NULL ? NULL
                           : kw_generation_find(f->serving, kw_span_str(j->key_id));
    bool bad = v != NULL && v->answered && !v->good &&
               kw_front_boot(f) - v->answered_ns < KW_CANARY_BAD_NS;
    enum kw_code code = v == NULL    ? KW_CODE_KEY_BAD
                        : bad        ? KW_CODE_HSM_DOWN
                        : j->vouched ? KW_CODE_FORGED
                                     : KW_CODE_OK;
    if (code != KW_CODE_OK) {
        kw_queue_finish(&f->queue, j, kw_err_native(code, e.native, e.where));
        return;
    }
    kw_queue_decide(&f->queue, j);
    want_canary(f, v);
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
    case KW_CODE_AUDIT:
    case KW_CODE_BUG:
    case KW_CODE_COUNT: break;
    }
    e.code = KW_CODE_BUG;
    return e;
}

/* Somebody joined who waits longer; or another worker, or this one's successor, may do
 * better. */
static bool goes_again(struct kw_worker *w, struct kw_job *j,
                       const struct kw_channel_entry *entry, kw_err e) KW_LOCKED
{
    struct kw_queue *q = &w->front->queue;
    if (e.code == KW_CODE_DEADLINE)
        return kw_queue_more_time(q, j, kw_front_now(w->front));
    if (e.code == KW_CODE_HSM_BUSY)
        return kw_queue_retry(q, j);
    return e.code == KW_CODE_HSM_DOWN && !too_costly(w, entry) && kw_queue_retry(q, j);
}

static void job_answered(struct kw_worker *w, struct kw_job *j,
                         const struct kw_channel_entry *entry,
                         const struct kw_wire_answer *a) KW_LOCKED
{
    struct kw_front *f = w->front;
    const struct kw_gen_version *bad = bad_version(f, j);
    kw_err e = bad != NULL ? bad->verdict.err : a->err;
    if (!kw_failed(e))
        e = kw_secret_copy(&j->output, a->output);
    j->hsm_ns = a->hsm_ns;
    j->token = f->token.name;
    j->worker = w->number;
    bool forged = j->op == KW_HSM_UNWRAP && e.code == KW_CODE_FORGED;
    bool unknown = j->op == KW_HSM_UNWRAP && e.code == KW_CODE_UNSURE;
    if (forged && e.native == 0)
        kw_queue_finish(&f->queue, j, e); /* not the token's word: it was not asked */
    else if (forged || unknown)
        unsure(f, j, e);
    else if (!goes_again(w, j, entry, e))
        kw_queue_finish(&f->queue, j, for_the_door(e));
}

static void work_answered(struct kw_worker *w, const struct kw_channel_entry *e,
                          const struct kw_wire_answer *a) KW_LOCKED
{
    struct kw_queue *q = &w->front->queue;
    struct kw_job *j = kw_queue_by_wire(q, a->id);
    if (j == NULL) {
        w->front->late_answers++;
        return;
    }
    if (!kw_failed(a->err) && e->sample_len > 0)
        kw_quarantine_clear(&q->quarantine, kw_span_of(e->sample, e->sample_len));
    job_answered(w, j, e, a);
}

/* A token that has too much to do gets less, and is not logged in to once more for it. */
static void answer_rest(struct kw_worker *w) KW_LOCKED
{
    w->rest_until_ns = kw_front_now(w->front) + (REST_FIRST_NS << w->busy);
    if (w->busy < REST_DOUBLED_MAX)
        w->busy++;
}

/* What the answer says of the worker, whatever it was about. */
static void answer_of_worker(struct kw_worker *w,
                             const struct kw_wire_answer *a) KW_LOCKED
{
    struct kw_generation *g = w->front->serving;
    w->served++;
    w->stalled = false;
    if (a->err.code == KW_CODE_DEADLINE)
        return;
    w->op_ns = a->hsm_ns;
    w->down = a->err.code == KW_CODE_HSM_DOWN;
    if (a->err.code == KW_CODE_HSM_BUSY)
        answer_rest(w);
    if (kw_failed(a->err))
        return;
    w->busy = 0;
    w->rest_until_ns = 0;
    if (!w->well && g != NULL && g->number == w->generation)
        kw_supervisor_served(&g->supervisor);
    w->well = true;
}

bool kw_answer(struct kw_worker *w, kw_span message)
{
    struct kw_wire_answer a;
    const struct kw_channel_entry *e;
    if (kw_failed(kw_wire_decode_answer(message, &a)) ||
        (e = kw_channel_find(&w->channel, a.id)) == NULL ||
        (!kw_failed(a.err) && a.output.len != e->want_len))
        return false;
    found_on_the_way(w, e, &a);
    if (e->op == KW_WIRE_CANARY)
        canary_answered(w, e, &a);
    else
        work_answered(w, e, &a);
    kw_channel_drop(&w->channel, e);
    answer_of_worker(w, &a);
    return true;
}
