/* SPDX-License-Identifier: Apache-2.0 */
/* Which token a job goes to. */
#include "route.h"

#include "front_internal.h"

enum { ATTEMPTS = 3 }; /* of the deadline, while another token is left */

static bool serves_now(const struct kw_worker *w, uint64_t generation) KW_LOCKED
{
    return w != NULL && w->life.channel == KW_WORKER_READY &&
           w->generation == generation && !w->pace.refuses && !w->pace.outdated;
}

bool kw_route_in_rotation(const struct kw_front_token *t)
{
    const struct kw_front *f = t->front;
    if (f->serving == NULL || t->health.state != KW_HSM_UP || t->breaker.open)
        return false;
    for (size_t i = 0; i < KW_FRONT_TOKEN_WORKERS; i++)
        if (serves_now(t->workers[i], f->serving->number))
            return true;
    return false;
}

/* It has proven the key, or will when it is asked. */
static bool may_have(const struct kw_front_token *t, const struct kw_job *j) KW_LOCKED
{
    const struct kw_gen_version *v =
        kw_gen_find(kw_front_token_of(t->front->serving, t), kw_span_str(j->in.key_id));
    return v != NULL &&
           (!kw_failed(v->verdict.err) || v->verdict.err.code == KW_CODE_STARTING);
}

static bool may_try(const struct kw_front_token *t, const struct kw_job *j) KW_LOCKED
{
    return (j->tries.tried & 1u << t->index) == 0 && kw_route_in_rotation(t) &&
           may_have(t, j);
}

bool kw_route_all_for_the_first(const struct kw_front *f)
{
    const struct kw_front_token *t = &f->tokens[0];
    if (f->o.spread || f->queue.failed_once > 0 || !kw_route_in_rotation(t))
        return false;
    const struct kw_gen_token *of = kw_front_token_of(f->serving, t);
    for (size_t i = 0; i < of->count; i++)
        if (kw_gen_version_is_probed(&of->versions[i]) &&
            kw_failed(of->versions[i].verdict.err) &&
            of->versions[i].verdict.err.code != KW_CODE_STARTING)
            return false;
    return true;
}

bool kw_route_has_other(const struct kw_front_token *t, const struct kw_job *j)
{
    const struct kw_front *f = t->front;
    for (size_t i = 0; i < f->token_count; i++)
        if (i != t->index && may_try(&f->tokens[i], j))
            return true;
    return false;
}

/* By the state of its version in this keyring, whose active version that is. */
static bool allows(const struct kw_keyring *ring, uint32_t active_n,
                   const struct kw_job *j)
{
    const struct kw_version *v = kw_keyring_by_key_id(ring, kw_span_str(j->in.key_id));
    if (v == NULL)
        return false;
    return j->op == KW_HSM_WRAP ? v->n == active_n : kw_key_state_unwraps(v->state);
}

/* A worker of an earlier keyring goes on with what its own ring has and the one in use
 * allows; what that one does not, its own workers refuse. */
static bool knows(const struct kw_worker *w, const struct kw_job *j) KW_LOCKED
{
    const struct kw_generation *serving = w->front->serving;
    if (w->generation == serving->number)
        return true;
    if (!allows(serving->ring, serving->active_n, j) || !allows(w->ring, w->active_n, j))
        return false;
    const struct kw_version *v = kw_keyring_by_key_id(w->ring, kw_span_str(j->in.key_id));
    return j->op != KW_HSM_WRAP || w->proofs.opens[v - w->ring->versions];
}

bool kw_route_goes(const struct kw_worker *w, const struct kw_job *j)
{
    const struct kw_front *f = w->front;
    const struct kw_front_token *t = w->token;
    if (!knows(w, j))
        return false;
    if (f->token_count == 1)
        return true;
    if (!may_try(t, j))
        return may_have(t, j) && !kw_route_has_other(t, j);
    for (size_t i = 0; !f->o.spread && i < t->index; i++)
        if (may_try(&f->tokens[i], j))
            return false;
    return true;
}

kw_deadline kw_route_attempt(const struct kw_front_token *t, const struct kw_job *j)
{
    const struct kw_front *f = t->front;
    if (f->token_count == 1) /* no look at the clock for each job */
        return j->until;
    int64_t end = kw_front_now(f) + f->o.times.deadline_ns / ATTEMPTS;
    if (end >= j->until.mono_ns || !kw_route_has_other(t, j))
        return j->until;
    return (kw_deadline){end};
}

static void route_failed(struct kw_front_token *t, size_t most) KW_LOCKED
{
    struct kw_front *f = t->front;
    if (f->token_count == 1 ||
        !kw_breaker_failed(&t->breaker, most, kw_queue_wire_id(&f->queue)))
        return;
    /* It is asked at once whether that is over. */
    struct kw_gen_token *of = kw_front_token_of(f->serving, t);
    struct kw_gen_version *active = kw_gen_at(of, f->serving->active_n);
    if (active != NULL)
        active->due_ns = kw_front_now(f);
}

void kw_route_failed(struct kw_front_token *t)
{
    route_failed(t, SIZE_MAX);
}

/* At least one. */
static size_t route_sessions_of(const struct kw_front_token *t) KW_LOCKED
{
    size_t n = 0;
    for (size_t i = 0; i < KW_FRONT_TOKEN_WORKERS; i++)
        if (t->workers[i] != NULL && t->workers[i]->life.channel == KW_WORKER_READY)
            n += t->workers[i]->pace.sessions;
    return n > 0 ? n : 1;
}

void kw_route_expire(struct kw_front *f, int64_t now_ns)
{
    if (f->token_count == 1)
        return;
    for (struct kw_job *j = kw_queue_first(&f->queue, KW_JOB_SENT), *next; j != NULL;
         j = next) {
        next = j->next;
        struct kw_front_token *t = &f->tokens[j->tries.at];
        if (!kw_deadline_over(j->told, now_ns) || !kw_route_has_other(t, j))
            continue;
        kw_queue_elsewhere(&f->queue, j);
        route_failed(t, route_sessions_of(t)); /* no more than that can hang */
    }
}

static bool has_worker(const struct kw_front_token *t) KW_LOCKED
{
    for (size_t i = 0; i < KW_FRONT_TOKEN_WORKERS; i++)
        if (t->workers[i] != NULL && t->workers[i]->life.channel == KW_WORKER_READY)
            return true;
    return false;
}

/* It has proven the version, or may do so yet, and is there or may come back soon. */
static bool may_do_yet(const struct kw_front_token *t, const struct kw_job *j) KW_LOCKED
{
    const struct kw_gen_version *v =
        kw_gen_find(kw_front_token_of(t->front->serving, t), kw_span_str(j->in.key_id));
    bool denies = v == NULL ||
                  (kw_failed(v->verdict.err) && v->verdict.err.code != KW_CODE_STARTING);
    return !denies && (t->health.state != KW_HSM_LOST || has_worker(t));
}

static bool is_hopeless(const void *ctx, const struct kw_job *j) KW_LOCKED
{
    const struct kw_front *f = ctx;
    bool may = false;
    for (size_t i = 0; !may && i < f->token_count; i++)
        may = may_do_yet(&f->tokens[i], j);
    return !may;
}

/* The HSM is well, so nobody else refuses them, and they would fill the queue. */
void kw_route_give_up(struct kw_front *f)
{
    if (f->token_count > 1 && f->serving != NULL)
        kw_queue_fail_those(&f->queue, is_hopeless, f,
                            kw_err_at(KW_CODE_HSM_DOWN, "token"));
}
