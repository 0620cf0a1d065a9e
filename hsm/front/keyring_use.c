/* SPDX-License-Identifier: Apache-2.0 */
/* A keyring is taken into use: it is handed over, a worker became ready with it, or did
 * not.
 *
 * The serving generation takes a worker's own checks as canaries, unless they miss a key
 * that another ready worker has just proven: then the newcomer is not taken.  A coming
 * one is swapped in by its first ready worker, if the active version is proven; else the
 * old one goes on serving and the reason stays visible. */
#include "front_internal.h"

#include <keyward/log.h>

static struct kw_generation *generation_of(struct kw_front *f, const struct kw_worker *w)
{
    struct kw_generation *serving = kw_front_serving_by_main(f);
    struct kw_generation *coming = kw_front_coming_by_main(f);
    if (serving != NULL && serving->number == w->generation)
        return serving;
    if (coming != NULL && coming->number == w->generation)
        return coming;
    return NULL;
}

/* A key that may leave the token ends its version also in the keyring that serves,
 * whatever becomes of the one that is coming up. */
static void judge_coming(struct kw_worker *w, struct kw_gen_version *v,
                         struct kw_gen_result *result) KW_LOCKED
{
    struct kw_front *f = w->front;
    struct kw_gen_version *serving =
        f->serving == NULL ? NULL
                           : kw_gen_find(kw_front_token_of(f->serving, w->token),
                                         kw_span_str(v->v->key_id));
    if (kw_gen_version_judge(v, result, kw_front_boot(f), kw_wall_ns(f->o.clock)))
        f->changes.news++;
    if ((result->findings & KW_WIRE_EXPOSED) != 0 && serving != NULL)
        kw_front_judge(w, serving, result);
}

static void judge_all(struct kw_front *f, struct kw_generation *g,
                      struct kw_worker *w) KW_LOCKED
{
    struct kw_gen_token *of = kw_front_token_of(g, w->token);
    int64_t now = kw_front_now(f);
    for (size_t i = 0; i < w->start.verdict_count; i++) {
        struct kw_wire_verdict *told = &w->start.verdicts[i];
        struct kw_gen_version *v = kw_gen_at(of, told->n);
        if (v == NULL || !kw_gen_version_is_probed(v))
            continue;
        if (!kw_failed(told->err))
            w->proofs.proven_id = w->proofs.started_id;
        w->proofs.opens[v - of->versions] = !kw_failed(told->err);
        struct kw_gen_result result = {.err = told->err,
                                       .reason = told->reason,
                                       .looked = true,
                                       .findings = told->findings,
                                       .worker = w->number,
                                       .newest = f->numbers.workers,
                                       .asked_id = w->proofs.started_id};
        if (g == f->serving) {
            kw_front_judge(w, v, &result);
            continue;
        }
        judge_coming(w, v, &result);
        v->due_ns = now + kw_front_rhythm(w->token, v);
        v->look_ns = now + kw_front_look_pause(f, g, v);
    }
}

/* Some ready worker opened this version's check blob when it was asked last, and the
 * newest canary is not older than the rhythm of canaries makes it. */
static bool is_opened(const struct kw_front_token *t,
                      const struct kw_gen_version *v) KW_LOCKED
{
    struct kw_front *f = t->front;
    const size_t at = (size_t)(v - kw_front_token_of(f->serving, t)->versions);
    int64_t most = kw_front_rhythm(t, v) + kw_canary_patience_ns(f->o.times.deadline_ns);
    if (!v->answered || !v->good || kw_front_boot(f) - v->answered_ns > most)
        return false;
    for (size_t i = 0; i < KW_FRONT_TOKEN_WORKERS; i++) {
        const struct kw_worker *w = t->workers[i];
        if (w != NULL && w->life.channel == KW_WORKER_READY &&
            w->generation == f->serving->number && w->proofs.opens[at])
            return true;
    }
    return false;
}

/* The verdict on a key that it misses, or cannot prove, while others work with it; NULL:
 * none.  The token's word against the token's: canaries decide, and until then nobody
 * works with a worker that lacks a key.  A second newcomer is believed: what is wrapped
 * under a key that only old workers see might never be opened again.  That a key may
 * leave the token is no lack, and believed at once. */
static const struct kw_wire_verdict *contradiction(const struct kw_worker *w) KW_LOCKED
{
    struct kw_gen_token *of = kw_front_token_of(w->front->serving, w->token);
    for (size_t i = 0; i < w->start.verdict_count; i++) {
        const struct kw_wire_verdict *told = &w->start.verdicts[i];
        struct kw_gen_version *v = kw_gen_at(of, told->n);
        bool lacks = told->err.code == KW_CODE_MISSING ||
                     (told->err.code == KW_CODE_KEY_BAD &&
                      (told->findings & KW_WIRE_EXPOSED) == 0);
        if (lacks && v != NULL && (v->found & KW_GEN_DISPUTED) == 0 &&
            is_opened(w->token, v))
            return told;
    }
    return NULL;
}

static void keyring_use_refuse(struct kw_worker *w,
                               const struct kw_wire_verdict *told) KW_FREE
{
    struct kw_front *f = w->front;
    struct kw_gen_token *g = kw_front_token_of(kw_front_serving_by_main(f), w->token);
    struct kw_gen_version *v = kw_gen_at(g, told->n);
    uint64_t random;
    kw_random(&random, sizeof random);
    kw_lock_take(f->lock);
    g->failed = told->err;
    kw_copy_str(g->reason, sizeof g->reason, kw_span_str(told->reason));
    kw_supervisor_failed(&g->supervisor, true, kw_front_now(f), random);
    g->refused = true;
    v->due_ns = v->look_ns = kw_front_now(f);
    kw_gen_version_find(v, KW_GEN_DISPUTED, w->number, f->numbers.workers);
    f->changes.found = true;
    kw_lock_give(f->lock);
    kw_log(KW_LOG_ERROR, "worker-misses-key", KW_STR("token", w->token->o.name),
           KW_INT("pid", w->process.pid), KW_STR("key_id", v->v->key_id),
           KW_ERR("err", told->err), KW_STR("why", told->reason));
    kw_front_worker_drain(w);
}

/* Nothing is to be proven of an active version that is not there or not understood: the
 * ring serves what it can, and wraps nothing rather than with an older key. */
static bool has_active_to_prove(const struct kw_generation *g)
{
    const struct kw_version *active = kw_generation_active(g);
    return active != NULL && active->state != KW_KEY_UNKNOWN;
}

static bool is_proven(struct kw_generation *g, const struct kw_front_token *t) KW_LOCKED
{
    return !has_active_to_prove(g) ||
           !kw_failed(kw_gen_at(kw_front_token_of(g, t), g->active_n)->verdict.err);
}

static bool starts_or_is_ready(const struct kw_worker *w)
{
    enum kw_worker_channel state = kw_worker_state_by_main(w);
    return state == KW_WORKER_STARTING || state == KW_WORKER_READY;
}

static bool is_ready(const struct kw_worker *w)
{
    return kw_worker_state_by_main(w) == KW_WORKER_READY;
}

/* One of the token's workers became ready with the keyring in use: one of an earlier
 * keyring leaves for it, and all of them once there are enough.  What cannot serve any
 * more leaves at once. */
static void relieve(struct kw_front_token *t) KW_FREE
{
    const uint64_t serving = kw_front_serving_by_main(t->front)->number;
    struct kw_worker *old[KW_FRONT_TOKEN_WORKERS];
    size_t count = 0, fresh = 0;
    for (size_t i = 0; i < KW_FRONT_TOKEN_WORKERS; i++) {
        struct kw_worker *w = kw_front_token_worker_by_main(t, i);
        if (w == NULL || !starts_or_is_ready(w))
            continue;
        if (w->generation == serving)
            fresh += is_ready(w);
        else if (is_ready(w))
            old[count++] = w;
        else
            kw_front_worker_drain(w);
    }
    size_t most = fresh >= t->o.workers ? 0 : t->o.workers - fresh;
    while (count > most)
        kw_front_worker_drain(old[--count]);
}

/* The canaries that the old generation asked decide nothing any more: jobs that wait for
 * one get it from the new workers at once.  Those of another token, whose new workers come
 * later, are done by this one. */
static void ask_for_the_undecided(struct kw_front *f,
                                  const struct kw_front_token *first) KW_LOCKED
{
    for (struct kw_job *j = kw_queue_first(&f->queue, KW_JOB_DECIDING), *next; j != NULL;
         j = next) {
        next = j->next;
        struct kw_gen_version *v =
            kw_gen_find(kw_front_token_of(f->serving, first), kw_span_str(j->in.key_id));
        if (v != NULL && kw_gen_version_is_probed(v) && j->tries.at != first->index)
            kw_queue_elsewhere(&f->queue, j);
        else if (v != NULL && kw_gen_version_is_probed(v))
            v->due_ns = kw_front_now(f);
        else
            kw_queue_finish(&f->queue, j, kw_err_at(KW_CODE_KEY_BAD, "keyring"));
    }
}

/* By its own word, or from memory while its key is away. */
static bool may_be_served(const struct kw_gen_version *v) KW_LOCKED
{
    return v != NULL && (kw_gen_version_unwraps(v) || kw_gen_version_is_away(v));
}

/* What is cached of a version that may not be unwrapped with any more is to be wiped; of
 * one whose key is away now, where that is the rule. */
static void swap_epochs(struct kw_front *f, const struct kw_generation *g,
                        const struct kw_generation *old) KW_LOCKED
{
    bool taken = false, away = false;
    for (size_t i = 0; i < old->ring->count; i++) {
        const struct kw_gen_version *had = kw_generation_word_at(old, i);
        const struct kw_gen_version *has =
            kw_generation_word(g, kw_span_str(had->v->key_id));
        taken = taken || (may_be_served(had) && !may_be_served(has));
        away = away || (kw_gen_version_unwraps(had) && has != NULL &&
                        kw_gen_version_is_away(has));
    }
    f->changes.key_epoch += taken;
    f->changes.away_epoch += away;
}

static void swap(struct kw_front *f, struct kw_worker *first) KW_FREE
{
    kw_lock_take(f->lock);
    struct kw_generation *old = f->serving, *g = f->coming;
    f->serving = g;
    f->coming = NULL;
    f->changes.news++;
    for (size_t i = 0; i < f->token_count; i++)
        kw_gen_carry(&g->tokens[i], &old->tokens[i]);
    kw_gen_inherit(kw_front_token_of(g, first->token),
                   kw_front_token_of(old, first->token), first->number);
    swap_epochs(f, g, old);
    KW_MUST(kw_life_happens(&first->life, KW_LIFE_READY));
    first->watch.since_ns = kw_front_now(f);
    for (size_t i = 0; i < f->token_count; i++)
        kw_front_token_recount(&f->tokens[i]);
    struct kw_gen_version *active =
        kw_gen_at(kw_front_token_of(g, first->token), g->active_n);
    if (active == NULL || (active->found & KW_GEN_BAD) == 0)
        kw_front_token_proof(first->token); /* else it looked before that was found */
    if (active != NULL)
        active->due_ns = kw_front_now(f) + f->o.times.probe_every_ns;
    ask_for_the_undecided(f, first->token);
    kw_lock_give(f->lock);
    kw_generation_free(old);
    kw_log(KW_LOG_INFO, "keyring-in-use", KW_INT("serial", g->ring->serial),
           KW_INT("active", g->active_n));
    for (size_t i = 0; i < f->token_count; i++)
        relieve(&f->tokens[i]);
}

static void not_good_enough(struct kw_generation *g, struct kw_worker *w) KW_FREE
{
    struct kw_front *f = w->front;
    struct kw_gen_token *of = kw_front_token_of(g, w->token);
    struct kw_gen_version *active = kw_gen_at(of, g->active_n);
    uint64_t random;
    kw_random(&random, sizeof random);
    kw_lock_take(f->lock);
    of->failed = active->verdict.err;
    kw_copy_str(of->reason, sizeof of->reason, kw_span_str(active->verdict.reason));
    kw_supervisor_failed(&of->supervisor, true, kw_front_now(f), random);
    kw_lock_give(f->lock);
    kw_log(KW_LOG_ERROR, "keyring-not-proven", KW_STR("token", w->token->o.name),
           KW_INT("serial", g->ring->serial), KW_INT("active", g->active_n),
           KW_ERR("err", of->failed), KW_STR("why", of->reason));
    kw_front_worker_drain(w);
}

/* No worker is needed to know: with nothing to canary, a ready worker is the proof. */
static void prove_by_presence(struct kw_front_token *t) KW_LOCKED
{
    struct kw_generation *serving = t->front->serving;
    if (kw_gen_next_due(kw_front_token_of(serving, t)) == INT64_MAX &&
        !has_active_to_prove(serving))
        kw_front_token_proof(t);
}

/* It may serve: what its own checks say counts, and nothing is held against starting
 * more. */
static void keyring_use_take(struct kw_generation *g, struct kw_worker *w,
                             bool serves) KW_LOCKED
{
    struct kw_gen_token *of = kw_front_token_of(g, w->token);
    if (serves) {
        KW_MUST(kw_life_happens(&w->life, KW_LIFE_READY));
        w->watch.since_ns = kw_front_now(w->front);
        kw_front_token_recount(w->token);
    }
    judge_all(w->front, g, w);
    if (!serves && !is_proven(g, w->token))
        return;
    of->ever_ready = true;
    of->refused = false;
    of->failed = KW_OK;
    of->reason[0] = '\0';
    kw_supervisor_ready(&of->supervisor);
}

static bool has_other_keyring(const struct kw_generation *g,
                              const struct kw_wire_ready *ready)
{
    return !kw_span_equal(kw_span_of(ready->keyring_sha256, 32),
                          kw_span_of(g->ring->sha256, 32));
}

void kw_front_ready(struct kw_worker *w, const struct kw_wire_ready *ready)
{
    struct kw_front *f = w->front;
    struct kw_generation *g = generation_of(f, w);
    w->start.was_ready = true;
    f->numbers.self_tests++;
    if (g == NULL) {
        kw_front_worker_drain(w);
        return;
    }
    if (has_other_keyring(g, ready)) {
        w->start.was_ready = false;
        kw_log(KW_LOG_ERROR, "worker-other-keyring", KW_INT("pid", w->process.pid));
        kw_front_worker_kill(w);
        return;
    }
    const bool serves = g == kw_front_serving_by_main(f);
    kw_lock_take(f->lock);
    w->pace.sessions = ready->sessions;
    const struct kw_wire_verdict *missed = serves ? contradiction(w) : NULL;
    kw_lock_give(f->lock);
    if (missed != NULL) {
        keyring_use_refuse(w, missed);
        return;
    }
    kw_log(KW_LOG_INFO, "worker-ready", KW_STR("token", w->token->o.name),
           KW_INT("pid", w->process.pid),
           KW_INT("ms", (kw_front_now(f) - w->start.at_ns) / KW_MS_NS));
    kw_lock_take(f->lock);
    keyring_use_take(g, w, serves);
    bool proven = is_proven(g, w->token);
    if (serves)
        prove_by_presence(w->token);
    kw_lock_give(f->lock);
    if (serves)
        relieve(w->token);
    else if (proven)
        swap(f, w);
    else
        not_good_enough(g, w);
}

void kw_front_not_ready(struct kw_worker *w)
{
    struct kw_front *f = w->front;
    struct kw_front_token *t = w->token;
    struct kw_generation *g = generation_of(f, w);
    kw_err e = w->start.failed_told ? w->start.failed.err
                                    : kw_err_at(KW_CODE_HSM_DOWN, "worker");
    uint64_t random;
    kw_random(&random, sizeof random);
    if (g == NULL || f->stopping)
        return;
    struct kw_gen_token *of = kw_front_token_of(g, t);
    bool spent =
        kw_page_logins(w->process.page) > 0 &&
        (w->start.failed_told || kw_page_phase(w->process.page) == KW_PAGE_LOGIN);
    kw_lock_take(f->lock);
    kw_supervisor_failed(&of->supervisor, spent, kw_front_now(f), random);
    of->failed = e;
    kw_copy_str(of->reason, sizeof of->reason,
                kw_span_str(w->start.failed_told ? w->start.failed.note.text
                                                 : "a worker ended before it was ready"));
    if (g == f->serving)
        kw_front_token_not_started(t, e);
    kw_lock_give(f->lock);
}

void kw_front_login_in_vain(struct kw_worker *w)
{
    struct kw_front *f = w->front;
    struct kw_generation *g = generation_of(f, w);
    uint64_t random;
    kw_random(&random, sizeof random);
    if (g == NULL || f->stopping)
        return;
    kw_lock_take(f->lock);
    kw_supervisor_in_vain(&kw_front_token_of(g, w->token)->supervisor, kw_front_now(f),
                          random);
    kw_lock_give(f->lock);
}

/* Workers that start for a keyring that will not be taken.  Those of earlier ones that are
 * ready serve on until they are relieved. */
static void drop_orphans(struct kw_front *f) KW_FREE
{
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++) {
        struct kw_worker *w = kw_front_worker_by_main(f, i);
        if (w != NULL && generation_of(f, w) == NULL &&
            kw_worker_state_by_main(w) == KW_WORKER_STARTING)
            kw_front_worker_drain(w);
    }
}

kw_err kw_front_use(struct kw_front *f, struct kw_keyring *ring, kw_span bytes,
                    uint32_t active_n)
{
    if (active_n != 0 && kw_keyring_by_n(ring, active_n) == NULL)
        return kw_err_at(KW_CODE_BUG, "keyring");
    struct kw_generation *g;
    kw_err e = kw_generation_new(ring, bytes, active_n, f->numbers.generations + 1,
                                 f->token_count, &g);
    if (kw_failed(e))
        return e;
    f->numbers.generations++;
    kw_lock_take(f->lock);
    /* A keyring that nobody has been ready with holds nothing that must go on. */
    bool at_once = f->serving == NULL || !kw_generation_was_ready(f->serving);
    struct kw_generation **place = at_once ? &f->serving : &f->coming;
    struct kw_generation *old = *place;
    *place = g;
    f->changes.news++;
    for (size_t i = 0; i < f->token_count; i++)
        kw_front_token_recount(&f->tokens[i]);
    kw_lock_give(f->lock);
    kw_generation_free(old);
    kw_log(KW_LOG_INFO, at_once ? "keyring-in-use" : "keyring-coming-up",
           KW_INT("serial", ring->serial), KW_INT("active", active_n));
    drop_orphans(f);
    kw_front_settle(f);
    kw_io_arm(f);
    return KW_OK;
}
