/* SPDX-License-Identifier: Apache-2.0 */
/* Answers and canaries: what they mean for a job, a version, the health record.
 *
 * An unwrap that failed for a reason that can be the data's or the token's fault is
 * decided by a canary of the same version, asked after that.  One transient error proves
 * nothing: when the HSM is well the job is tried once more, and FORGED is what fails
 * then. */
#include "front_internal.h"

#define DOUBT_NS KW_S_NS
#define PAUSE_LEAST_NS (100 * KW_MS_NS) /* `recover: 0s` is no reason to hammer */
#define LOOK_SELDOM_NS (600 * KW_S_NS)
#define REST_FIRST_NS (20 * KW_MS_NS)
enum { REST_DOUBLED_MAX = 6 }; /* 1.28 s */
enum { CANARY_SHARE = 50 };    /* one in fifty parts of a session's time, 2 % */

/* What a canary takes is taken from the calls, so it is asked seldomer when it takes long;
 * but a proof must be there before the health record is stale. */
static int64_t probe_every(const struct kw_front_token *t) KW_LOCKED
{
    const struct kw_front_options *o = &t->front->o;
    int64_t most = o->times.stale_after_ns / 2;
    int64_t pause =
        t->canary_ns < most / CANARY_SHARE ? t->canary_ns * CANARY_SHARE : most;
    return pause < o->times.probe_every_ns ? o->times.probe_every_ns : pause;
}

int64_t kw_front_token_probe_pause(const struct kw_front_token *t)
{
    const struct kw_front *f = t->front;
    bool doubt = t->health.state == KW_HSM_SUSPECT || t->health.state == KW_HSM_LOST;
    if (!doubt)
        return probe_every(t);
    /* The end of a loss is to be seen soon; three proofs are spread over `recover`. */
    int64_t pause =
        f->o.times.recover_ns / 2 < DOUBT_NS ? f->o.times.recover_ns / 2 : DOUBT_NS;
    return pause < PAUSE_LEAST_NS ? PAUSE_LEAST_NS : pause;
}

/* What is in daily use is looked at as often as it is asked for; of the others the check
 * blob is enough for a while. */
int64_t kw_front_look_pause(const struct kw_front *f, const struct kw_generation *g,
                            const struct kw_gen_version *v)
{
    bool used = v->v->n == g->active_n || kw_key_state_wraps(v->v->state);
    return used || f->o.times.probe_every_ns > LOOK_SELDOM_NS ? f->o.times.probe_every_ns
                                                              : LOOK_SELDOM_NS;
}

/* The active version's canaries do, and those of the others while its key is bad: then the
 * token is there all the same.  Not while it holds another key. */
static bool feeds_health(const struct kw_front_token *t,
                         const struct kw_gen_version *v) KW_LOCKED
{
    struct kw_generation *g = t->front->serving;
    const struct kw_gen_version *active = kw_gen_at(kw_front_token_of(g, t), g->active_n);
    return active == NULL || active == v || kw_gen_version_is_unusable(active);
}

/* What says whether the token is well, and what is bad, is asked often; of the rest a
 * canary now and then is enough. */
int64_t kw_front_rhythm(const struct kw_front_token *t, const struct kw_gen_version *v)
{
    int64_t pause = kw_front_token_probe_pause(t);
    bool often = feeds_health(t, v) || kw_failed(v->verdict.err) || !v->good;
    return often || pause > LOOK_SELDOM_NS ? pause : LOOK_SELDOM_NS;
}

/* Another version's last canary here was good, and is not old. */
static bool has_proven_another(const struct kw_front_token *t,
                               const struct kw_gen_version *v) KW_LOCKED
{
    const struct kw_front *f = t->front;
    const struct kw_gen_token *of = kw_front_token_of(f->serving, t);
    int64_t since = kw_front_boot(f) - probe_every(t) - f->o.times.deadline_ns;
    for (size_t i = 0; i < of->count; i++)
        if (&of->versions[i] != v && of->versions[i].answered && of->versions[i].good &&
            of->versions[i].answered_ns >= since)
            return true;
    return false;
}

/* The token is well: the canary was good, and no finding stands that this worker cannot take
 * back; or a key that may leave it opened its check blob; or the fault is the version's, as
 * another one's is good. */
static bool says_well(const struct kw_front_token *t, const struct kw_gen_version *v,
                      const struct kw_gen_result *result) KW_LOCKED
{
    kw_err e = result->err;
    if ((v->found & KW_WIRE_EXPOSED) != 0 &&
        (!kw_failed(e) || (result->findings & KW_WIRE_EXPOSED) != 0))
        return true;
    if (!kw_failed(e))
        return (v->found & KW_GEN_BAD) == 0;
    return !kw_is_other_key(e) && kw_is_verdict(e) && has_proven_another(t, v);
}

static void answer_judge_health(struct kw_front_token *t, const struct kw_gen_version *v,
                                const struct kw_gen_result *result) KW_LOCKED
{
    kw_err e = result->err;
    if (says_well(t, v, result)) {
        kw_front_token_proof(t);
    } else if (kw_is_other_key(e)) {
        kw_front_token_lost(t, e);
    } else if (kw_failed(e)) {
        kw_front_token_asked(t);
        kw_front_token_failed(t, e);
    }
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

/* It failed here; another token may still do it, or it is over. */
static void elsewhere_or(struct kw_front_token *t, struct kw_job *j, kw_err e) KW_LOCKED
{
    if (kw_route_has_other(t, j))
        kw_queue_elsewhere(&t->front->queue, j);
    else
        kw_queue_finish(&t->front->queue, j, e);
}

/* What the jobs become that failed at this token before the version's canary was asked. */
static void answer_decide(struct kw_front_token *t, struct kw_gen_version *v,
                          uint64_t canary, bool well) KW_LOCKED
{
    struct kw_front *f = t->front;
    for (struct kw_job *j = kw_queue_first(&f->queue, KW_JOB_DECIDING), *next; j != NULL;
         j = next) {
        next = j->next;
        if (j->tries.at != t->index ||
            !kw_span_equal_str(kw_span_str(j->in.key_id), v->v->key_id))
            continue;
        if (!well)
            elsewhere_or(t, j, kw_err_at(KW_CODE_HSM_DOWN, "canary"));
        else if (j->tries.doubt < canary)
            kw_queue_vouch(&f->queue, j);
        else
            want_canary(f, v);
    }
}

void kw_front_judge(struct kw_worker *w, struct kw_gen_version *v,
                    struct kw_gen_result *result)
{
    struct kw_front *f = w->front;
    int64_t now = kw_front_now(f);
    unsigned before = v->found;
    const kw_span key_id = kw_span_str(v->v->key_id);
    result->worker = w->number;
    result->newest = f->numbers.workers;
    const struct kw_gen_version *before_word = kw_generation_word(f->serving, key_id);
    const bool was_open = kw_gen_version_unwraps(before_word);
    const bool could = was_open || kw_gen_version_is_away(before_word);
    if (kw_gen_version_judge(v, result, kw_front_boot(f), kw_wall_ns(f->o.clock)))
        f->changes.news++;
    const struct kw_gen_version *word = kw_generation_word(f->serving, key_id);
    bool away = kw_gen_version_is_away(word);
    f->changes.key_epoch += could && !kw_gen_version_unwraps(word) && !away;
    f->changes.away_epoch += was_open && away;
    if (v->found != before)
        f->changes.found = true;
    if ((word->found & KW_GEN_BAD) != 0)
        kw_queue_fail_key(&f->queue, word->v->key_id, word->verdict.err); /* no more */
    else if ((v->found & KW_GEN_BAD) != 0)
        answer_decide(w->token, v, 0, false);
    if (feeds_health(w->token, v))
        answer_judge_health(w->token, v, result);
    v->due_ns = now + kw_front_rhythm(w->token, v);
    if (result->looked)
        v->look_ns = now + kw_front_look_pause(f, f->serving, v);
    if (!kw_failed(
            result->err)) /* those that failed after it was asked want another one */
        answer_decide(w->token, v, result->asked_id, true);
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
    struct kw_gen_version *v = kw_gen_at(kw_front_token_of(f->serving, w->token), e->n);
    if (v == NULL || v->asked_id != e->wire_id)
        return;
    v->asked_id = 0;
    if (a->err.code == KW_CODE_MISSING && kw_front_is_outdated(w, v))
        return;
    if (a->err.code == KW_CODE_DEADLINE) {
        v->due_ns = kw_front_now(f); /* it came too late to be asked: no answer */
        return;
    }
    if (e->n == f->serving->active_n)
        w->token->canary_ns = a->hsm_ns;
    if (!kw_failed(a->err)) {
        w->proofs.proven_id = e->wire_id;
        kw_breaker_good(&w->token->breaker);
    }
    if (!kw_failed(a->err) && feeds_health(w->token, v))
        (void)kw_breaker_proven(&w->token->breaker, e->wire_id);
    w->proofs.opens[v - kw_front_token_of(f->serving, w->token)->versions] =
        !kw_failed(a->err);
    struct kw_gen_result result = {.err = a->err,
                                   .reason = reason_of(a, reason),
                                   .looked = a->looked,
                                   .findings = a->findings,
                                   .asked_id = e->wire_id};
    kw_front_judge(w, v, &result);
    if (kw_failed(a->err))
        answer_decide(w->token, v, e->wire_id, false);
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
    struct kw_gen_version *v = kw_gen_at(kw_front_token_of(f->serving, w->token), e->n);
    struct kw_gen_result result = {
        .looked = true, .findings = a->findings, .reason = reason_of(a, reason)};
    if (a->err.code == KW_CODE_KEY_BAD || a->err.code == KW_CODE_MISSING)
        result.err = a->err;
    if ((a->findings & KW_WIRE_REPLACED) != 0)
        result.err.code = KW_CODE_FORGED;
    if (v != NULL && (result.err.code != KW_CODE_MISSING || !kw_front_is_outdated(w, v)))
        kw_front_judge(w, v, &result);
}

/* What stands against the job's version, on all tokens or on this worker's; NULL: nothing,
 * or it is not in use any more. */
static const struct kw_gen_version *bad_version(const struct kw_worker *w,
                                                const struct kw_job *j) KW_LOCKED
{
    struct kw_generation *g = w->front->serving;
    const kw_span key_id = kw_span_str(j->in.key_id);
    if (g == NULL || kw_generation_word(g, key_id) == NULL)
        return NULL;
    const struct kw_gen_version *word = kw_generation_word(g, key_id);
    const struct kw_gen_version *own =
        kw_gen_find(kw_front_token_of(g, w->token), key_id);
    if ((word->found & KW_GEN_BAD) != 0)
        return word;
    return (own->found & KW_GEN_BAD) != 0 ? own : NULL;
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
    kw_quarantine_doubt(&q->quarantine, sample, w->proofs.proven_id, kw_queue_wire_id(q),
                        boot);
    return kw_quarantine_holds(&q->quarantine, sample, boot);
}

/* Another token's word is asked first, then this one's after a canary of its own: one that
 * denies twice is one word. */
static void unsure(struct kw_worker *w, struct kw_job *j, kw_err e) KW_LOCKED
{
    struct kw_front *f = w->front;
    struct kw_gen_version *v = f->serving == NULL
                                   ? NULL
                                   : kw_gen_find(kw_front_token_of(f->serving, w->token),
                                                 kw_span_str(j->in.key_id));
    bool bad = v != NULL && v->answered && !v->good &&
               kw_front_boot(f) - v->answered_ns < KW_CANARY_BAD_NS;
    const unsigned own = 1u << w->token->index;
    bool agreed = (j->tries.denied & ~own) != 0 && e.code == KW_CODE_FORGED;
    bool vouched = (j->tries.vouched & own) != 0;
    enum kw_code code = v == NULL           ? KW_CODE_KEY_BAD
                        : bad               ? KW_CODE_HSM_DOWN
                        : agreed || vouched ? KW_CODE_FORGED
                                            : KW_CODE_OK;
    if (v != NULL && code != KW_CODE_FORGED && kw_route_has_other(w->token, j)) {
        if (e.code == KW_CODE_FORGED)
            j->tries.denied |= own;
        else
            want_canary(f, v); /* forged ones alone would cost one each */
        kw_queue_elsewhere(&f->queue, j);
    } else if (code != KW_CODE_OK) {
        kw_queue_finish(&f->queue, j, kw_err_native(code, e.native, e.where));
    } else {
        kw_queue_decide(&f->queue, j);
        want_canary(f, v);
    }
}

/* One opened what another one had called forged: they have not the same key any more, and
 * which of them has another one, canaries say. */
static void ask_who_disagree(const struct kw_worker *w, const struct kw_job *j) KW_LOCKED
{
    struct kw_front *f = w->front;
    for (size_t i = 0; j->tries.denied != 0 && f->serving != NULL && i < f->token_count;
         i++) {
        struct kw_gen_version *v = kw_gen_find(
            kw_front_token_of(f->serving, &f->tokens[i]), kw_span_str(j->in.key_id));
        bool spoke = (j->tries.tried & 1u << i) != 0 || i == w->token->index;
        if (spoke && v != NULL)
            want_canary(f, v);
    }
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

/* The fault is neither ours nor the input's: another token may do it.  HSM_DOWN costs a
 * worker, and is tried once more at most. */
static bool is_tokens_fault(enum kw_code code)
{
    return code == KW_CODE_HSM_BUSY || code == KW_CODE_HSM_CONFIG ||
           code == KW_CODE_KEY_BAD || code == KW_CODE_MISSING ||
           code == KW_CODE_UNKNOWN_KEY || code == KW_CODE_KEY_DISABLED ||
           code == KW_CODE_SESSION || code == KW_CODE_UNSURE || code == KW_CODE_FORGED;
}

static void job_failed(struct kw_worker *w, struct kw_job *j,
                       const struct kw_channel_entry *entry, kw_err e) KW_LOCKED
{
    if (e.code == KW_CODE_HSM_DOWN || e.code == KW_CODE_HSM_BUSY ||
        e.code == KW_CODE_DEADLINE)
        kw_route_failed(w->token);
    if (goes_again(w, j, entry, e))
        return;
    if (is_tokens_fault(e.code))
        elsewhere_or(w->token, j, for_the_door(e));
    else
        kw_queue_finish(&w->front->queue, j, for_the_door(e));
}

static void job_answered(struct kw_worker *w, struct kw_job *j,
                         const struct kw_channel_entry *entry,
                         const struct kw_wire_answer *a) KW_LOCKED
{
    struct kw_front *f = w->front;
    const struct kw_gen_version *bad = bad_version(w, j);
    kw_err e = bad != NULL ? bad->verdict.err : a->err;
    if (!kw_failed(e))
        e = kw_secret_copy(&j->out.output, a->output);
    j->out.hsm_ns = a->hsm_ns;
    j->out.token = w->token->o.name;
    j->out.worker = w->number;
    bool forged = j->op == KW_HSM_UNWRAP && e.code == KW_CODE_FORGED;
    bool unknown = j->op == KW_HSM_UNWRAP && e.code == KW_CODE_UNSURE;
    if (forged && e.native == 0)
        kw_queue_finish(&f->queue, j, e); /* not the token's word: it was not asked */
    else if (forged || unknown)
        unsure(w, j, e);
    else if (kw_failed(e))
        job_failed(w, j, entry, e);
    else {
        ask_who_disagree(w, j);
        kw_queue_finish(&f->queue, j, e);
    }
}

static void work_answered(struct kw_worker *w, const struct kw_channel_entry *e,
                          const struct kw_wire_answer *a) KW_LOCKED
{
    struct kw_queue *q = &w->front->queue;
    struct kw_job *j = kw_queue_by_wire(q, a->id);
    if (j == NULL) {
        w->front->numbers.late_answers++;
        return;
    }
    if (!kw_failed(a->err))
        kw_breaker_good(&w->token->breaker);
    if (!kw_failed(a->err) && e->sample_len > 0)
        kw_quarantine_clear(&q->quarantine, kw_span_of(e->sample, e->sample_len));
    job_answered(w, j, e, a);
}

/* A token that has too much to do gets less, and is not logged in to once more for it. */
static void answer_rest(struct kw_worker *w) KW_LOCKED
{
    w->pace.rest_until_ns = kw_front_now(w->front) + (REST_FIRST_NS << w->pace.busy);
    if (w->pace.busy < REST_DOUBLED_MAX)
        w->pace.busy++;
}

/* What the answer says of the worker, whatever it was about. */
static void answer_of_worker(struct kw_worker *w, enum kw_wire_op op,
                             const struct kw_wire_answer *a) KW_LOCKED
{
    struct kw_generation *g = w->front->serving;
    w->served++;
    w->pace.stalled = false;
    if (a->err.code == KW_CODE_DEADLINE || op == KW_WIRE_SIGN)
        return; /* of another key, and of no job's time */
    w->pace.op_ns = a->hsm_ns;
    w->pace.down = a->err.code == KW_CODE_HSM_DOWN;
    if (a->err.code == KW_CODE_HSM_BUSY)
        answer_rest(w);
    if (kw_failed(a->err))
        return;
    w->pace.busy = 0;
    w->pace.rest_until_ns = 0;
    if (!w->pace.well && g != NULL && g->number == w->generation)
        kw_supervisor_served(&kw_front_token_of(g, w->token)->supervisor);
    w->pace.well = true;
}

bool kw_answer(struct kw_worker *w, kw_span message)
{
    struct kw_wire_answer a;
    const struct kw_channel_entry *e;
    if (kw_failed(kw_wire_decode_answer(message, &a)) ||
        (e = kw_channel_find(&w->channel, a.id)) == NULL ||
        (!kw_failed(a.err) && a.output.len != e->want_len))
        return false;
    const enum kw_wire_op op = e->op;
    kw_numbers_answered(&w->token->counts.numbers, op, &a);
    kw_pump_count(w, e); /* its sender may not be back yet */
    if (op != KW_WIRE_SIGN)
        found_on_the_way(w, e, &a);
    if (e->op == KW_WIRE_CANARY)
        canary_answered(w, e, &a);
    else if (op == KW_WIRE_SIGN)
        kw_sign_answered(w, e, &a);
    else
        work_answered(w, e, &a);
    kw_channel_drop(&w->channel, e);
    answer_of_worker(w, op, &a);
    return true;
}
