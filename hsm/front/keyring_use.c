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
                           : kw_generation_find(f->serving, kw_span_str(v->v->key_id));
    if (kw_gen_version_judge(v, result, kw_front_boot(f), kw_wall_ns(f->clock)))
        f->news++;
    if ((result->findings & KW_WIRE_EXPOSED) != 0 && serving != NULL)
        kw_front_judge(w, serving, result);
}

static void judge_all(struct kw_front *f, struct kw_generation *g,
                      struct kw_worker *w) KW_LOCKED
{
    int64_t now = kw_front_now(f);
    for (size_t i = 0; i < w->verdict_count; i++) {
        struct kw_wire_verdict *told = &w->verdicts[i];
        struct kw_gen_version *v = kw_generation_at(g, told->n);
        if (v == NULL || !kw_gen_version_is_probed(v))
            continue;
        if (!kw_failed(told->err))
            w->proven_id = w->started_id;
        w->opens[v - g->versions] = !kw_failed(told->err);
        struct kw_gen_result result = {.err = told->err,
                                       .reason = told->reason,
                                       .looked = true,
                                       .findings = told->findings,
                                       .worker = w->number,
                                       .newest = f->numbers};
        if (g == f->serving)
            kw_front_judge(w, v, &result);
        else
            judge_coming(w, v, &result);
        v->due_ns = now + f->o.probe_every_ns;
        v->look_ns = now + kw_front_look_pause(f, g, v);
    }
}

/* Some ready worker opened this version's check blob when it was asked last, and the
 * newest canary is not older than the rhythm of canaries makes it. */
static bool is_opened(struct kw_front *f, const struct kw_gen_version *v) KW_LOCKED
{
    int64_t most = f->o.probe_every_ns + f->o.deadline_ns;
    if (!v->answered || !v->good || kw_front_boot(f) - v->answered_ns > most)
        return false;
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++) {
        const struct kw_worker *w = f->workers[i];
        if (w != NULL && w->state == KW_WORKER_READY &&
            w->generation == f->serving->number && w->opens[v - f->serving->versions])
            return true;
    }
    return false;
}

/* The verdict on a key that it misses, or cannot prove, while others work with it; NULL:
 * none.  The token's word against the token's: canaries decide, and until then nobody
 * works with a worker that lacks a key.  A second newcomer is believed: what is wrapped
 * under a key that only old workers see might never be opened again.  That a key may
 * leave the token is no lack, and believed at once. */
static const struct kw_wire_verdict *contradiction(struct kw_front *f,
                                                   const struct kw_worker *w) KW_LOCKED
{
    for (size_t i = 0; i < w->verdict_count; i++) {
        const struct kw_wire_verdict *told = &w->verdicts[i];
        struct kw_gen_version *v = kw_generation_at(f->serving, told->n);
        bool lacks = told->err.code == KW_CODE_MISSING ||
                     (told->err.code == KW_CODE_KEY_BAD &&
                      (told->findings & KW_WIRE_EXPOSED) == 0);
        if (lacks && v != NULL && (v->found & KW_GEN_DISPUTED) == 0 && is_opened(f, v))
            return told;
    }
    return NULL;
}

static void keyring_use_refuse(struct kw_front *f, struct kw_worker *w,
                               const struct kw_wire_verdict *told) KW_FREE
{
    struct kw_generation *g = kw_front_serving_by_main(f);
    struct kw_gen_version *v = kw_generation_at(g, told->n);
    uint64_t random;
    kw_random(&random, sizeof random);
    kw_lock_take(f->lock);
    g->failed = told->err;
    kw_copy_str(g->reason, sizeof g->reason, kw_span_str(told->reason));
    kw_supervisor_failed(&g->supervisor, true, kw_front_now(f), random);
    g->refused = true;
    v->due_ns = v->look_ns = kw_front_now(f);
    kw_gen_version_find(v, KW_GEN_DISPUTED, w->number, f->numbers);
    f->found_changed = true;
    kw_lock_give(f->lock);
    kw_log(KW_LOG_ERROR, "worker-misses-key", KW_STR("token", f->token.name),
           KW_INT("pid", w->pid), KW_STR("key_id", v->v->key_id),
           KW_ERR("err", told->err), KW_STR("why", told->reason));
    kw_front_worker_drain(w);
}

/* Nothing is to be proven of an active version that is not there or not understood: the
 * ring serves what it can, and wraps nothing rather than with an older key. */
static bool has_active_to_prove(struct kw_generation *g)
{
    struct kw_gen_version *active = kw_generation_active(g);
    return active != NULL && active->v->state != KW_KEY_UNKNOWN;
}

static bool is_proven(struct kw_generation *g) KW_LOCKED
{
    return !has_active_to_prove(g) || !kw_failed(kw_generation_active(g)->verdict.err);
}

static bool starts_or_is_ready(const struct kw_worker *w)
{
    enum kw_worker_state state = kw_worker_state_by_main(w);
    return state == KW_WORKER_STARTING || state == KW_WORKER_READY;
}

/* All workers of the old generation answer what they have and leave. */
static void drain_others(struct kw_front *f, uint64_t number) KW_FREE
{
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++) {
        struct kw_worker *w = kw_front_worker_by_main(f, i);
        if (w != NULL && w->generation != number && starts_or_is_ready(w))
            kw_front_worker_drain(w);
    }
}

/* The canaries that the old generation asked decide nothing any more: jobs that wait for
 * one get it from the new workers at once. */
static void ask_for_the_undecided(struct kw_front *f) KW_LOCKED
{
    for (struct kw_job *j = kw_queue_first(&f->queue, KW_JOB_DECIDING), *next; j != NULL;
         j = next) {
        next = j->next;
        struct kw_gen_version *v = kw_generation_find(f->serving, kw_span_str(j->key_id));
        if (v != NULL && kw_gen_version_is_probed(v))
            v->due_ns = kw_front_now(f);
        else
            kw_queue_finish(&f->queue, j, kw_err_at(KW_CODE_KEY_BAD, "keyring"));
    }
}

/* What is cached of a version that may not be unwrapped with any more is to be wiped. */
static bool takes_a_right(struct kw_generation *g, struct kw_generation *old) KW_LOCKED
{
    for (size_t i = 0; i < old->count; i++) {
        const struct kw_gen_version *had = &old->versions[i];
        const struct kw_gen_version *has =
            kw_generation_find(g, kw_span_str(had->v->key_id));
        if (kw_gen_version_unwraps(had) && (has == NULL || !kw_gen_version_unwraps(has)))
            return true;
    }
    return false;
}

static void swap(struct kw_front *f, struct kw_worker *first) KW_FREE
{
    kw_lock_take(f->lock);
    struct kw_generation *old = f->serving, *g = f->coming;
    f->serving = g;
    f->coming = NULL;
    f->news++;
    kw_generation_inherit(g, old, first->number);
    f->key_epoch += takes_a_right(g, old);
    first->state = KW_WORKER_READY;
    first->since_ns = kw_front_now(f);
    kw_front_recount(f);
    struct kw_gen_version *active = kw_generation_active(g);
    kw_health_proof(&f->health, kw_front_boot(f));
    if (active != NULL)
        active->due_ns = kw_front_now(f) + f->o.probe_every_ns;
    ask_for_the_undecided(f);
    kw_lock_give(f->lock);
    kw_generation_free(old);
    kw_log(KW_LOG_INFO, "keyring-in-use", KW_INT("serial", g->ring->serial),
           KW_INT("active", g->active_n));
    drain_others(f, g->number);
}

static void not_good_enough(struct kw_front *f, struct kw_generation *g,
                            struct kw_worker *w) KW_FREE
{
    struct kw_gen_version *active = kw_generation_active(g);
    uint64_t random;
    kw_random(&random, sizeof random);
    kw_lock_take(f->lock);
    g->failed = active->verdict.err;
    kw_copy_str(g->reason, sizeof g->reason, kw_span_str(active->verdict.reason));
    kw_supervisor_failed(&g->supervisor, true, kw_front_now(f), random);
    kw_lock_give(f->lock);
    kw_log(KW_LOG_ERROR, "keyring-not-proven", KW_INT("serial", g->ring->serial),
           KW_INT("active", g->active_n), KW_ERR("err", g->failed),
           KW_STR("why", g->reason));
    kw_front_worker_drain(w);
}

/* No worker is needed to know: with nothing to canary, a ready worker is the proof. */
static void prove_by_presence(struct kw_front *f) KW_LOCKED
{
    if (kw_generation_next_due(f->serving) == INT64_MAX &&
        !has_active_to_prove(f->serving))
        kw_health_proof(&f->health, kw_front_boot(f));
}

void kw_front_ready(struct kw_worker *w, const struct kw_wire_ready *ready)
{
    struct kw_front *f = w->front;
    struct kw_generation *g = generation_of(f, w);
    if (g == NULL) {
        w->was_ready = true;
        kw_front_worker_drain(w);
        return;
    }
    if (!kw_span_equal(kw_span_of(ready->keyring_sha256, 32),
                       kw_span_of(g->ring->sha256, 32))) {
        kw_log(KW_LOG_ERROR, "worker-other-keyring", KW_INT("pid", w->pid));
        kw_front_worker_kill(w);
        return;
    }
    w->was_ready = true;
    w->sessions = ready->sessions;
    const bool serves = g == kw_front_serving_by_main(f);
    kw_lock_take(f->lock);
    const struct kw_wire_verdict *missed = serves ? contradiction(f, w) : NULL;
    kw_lock_give(f->lock);
    if (missed != NULL) {
        keyring_use_refuse(f, w, missed);
        return;
    }
    kw_log(KW_LOG_INFO, "worker-ready", KW_STR("token", f->token.name),
           KW_INT("pid", w->pid),
           KW_INT("ms", (kw_front_now(f) - w->started_ns) / KW_MS_NS));
    kw_lock_take(f->lock);
    if (serves) {
        w->state = KW_WORKER_READY;
        w->since_ns = kw_front_now(f);
        kw_front_recount(f);
    }
    judge_all(f, g, w);
    bool proven = is_proven(g);
    if (serves || proven) {
        g->ever_ready = true;
        g->refused = false;
        g->failed = KW_OK;
        g->reason[0] = '\0';
        kw_supervisor_ready(&g->supervisor);
    }
    if (serves)
        prove_by_presence(f);
    kw_lock_give(f->lock);
    if (!serves && proven)
        swap(f, w);
    else if (!serves)
        not_good_enough(f, g, w);
}

void kw_front_not_ready(struct kw_front *f, struct kw_worker *w)
{
    struct kw_generation *g = generation_of(f, w);
    kw_err e = w->failed_told ? w->failed.err : kw_err_at(KW_CODE_HSM_DOWN, "worker");
    uint64_t random;
    kw_random(&random, sizeof random);
    if (g == NULL || f->stopping)
        return;
    bool spent = kw_page_logins(w->page) > 0 &&
                 (w->failed_told || kw_page_phase(w->page) == KW_PAGE_LOGIN);
    kw_lock_take(f->lock);
    kw_supervisor_failed(&g->supervisor, spent, kw_front_now(f), random);
    g->failed = e;
    kw_copy_str(g->reason, sizeof g->reason,
                kw_span_str(w->failed_told ? w->failed.note.text
                                           : "a worker ended before it was ready"));
    bool latched = f->latch.why.code == KW_CODE_PIN_STOP;
    if (g == f->serving && (latched || e.code == KW_CODE_PIN_STOP))
        kw_health_lost(&f->health, latched ? f->latch.why : e, kw_front_boot(f));
    else if (g == f->serving)
        kw_health_failed(&f->health, e, kw_front_boot(f));
    kw_lock_give(f->lock);
}

void kw_front_login_in_vain(struct kw_front *f, struct kw_worker *w)
{
    struct kw_generation *g = generation_of(f, w);
    uint64_t random;
    kw_random(&random, sizeof random);
    if (g == NULL || f->stopping)
        return;
    kw_lock_take(f->lock);
    kw_supervisor_in_vain(&g->supervisor, kw_front_now(f), random);
    kw_lock_give(f->lock);
}

/* Workers that belong to no generation any more. */
static void drop_orphans(struct kw_front *f) KW_FREE
{
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++) {
        struct kw_worker *w = kw_front_worker_by_main(f, i);
        if (w != NULL && generation_of(f, w) == NULL && starts_or_is_ready(w))
            kw_front_worker_drain(w);
    }
}

kw_err kw_front_use(struct kw_front *f, struct kw_keyring *ring, kw_span bytes,
                    uint32_t active_n)
{
    if (active_n != 0 && kw_keyring_by_n(ring, active_n) == NULL)
        return kw_err_at(KW_CODE_BUG, "keyring");
    struct kw_generation *g;
    kw_err e = kw_generation_new(ring, bytes, active_n, f->generations + 1, &g);
    if (kw_failed(e))
        return e;
    f->generations++;
    kw_lock_take(f->lock);
    /* A keyring that nobody has been ready with holds nothing that must go on. */
    bool at_once = f->serving == NULL || !f->serving->ever_ready;
    struct kw_generation **place = at_once ? &f->serving : &f->coming;
    struct kw_generation *old = *place;
    *place = g;
    f->news++;
    kw_front_recount(f);
    kw_lock_give(f->lock);
    kw_generation_free(old);
    kw_log(KW_LOG_INFO, at_once ? "keyring-in-use" : "keyring-coming-up",
           KW_INT("serial", ring->serial), KW_INT("active", active_n));
    drop_orphans(f);
    kw_front_settle(f);
    kw_io_arm(f);
    return KW_OK;
}
