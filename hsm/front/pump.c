/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs and canaries into the workers' sockets.
 *
 * One sender at a time per worker: the order of the channel is the order in the socket,
 * and nobody closes a descriptor that is being written to.  Whoever finds a sender at
 * work leaves its jobs to that one, who looks again before it goes. */
#include "front_internal.h"

#include <errno.h>

enum { CANARIES_MAX = 4 };

static size_t want_len(struct kw_front *f, const struct kw_wire_job *m) KW_LOCKED
{
    struct kw_gen_version *v =
        f->serving == NULL ? NULL : kw_generation_find(f->serving, m->key_id);
    enum kw_mechanism mech = v == NULL ? KW_MECH_AES_256_GCM : v->v->mechanism;
    size_t sealed = kw_mechanism_sealed_len(mech, m->input.len);
    size_t more = sealed - m->input.len;
    if (m->op == KW_WIRE_WRAP)
        return sealed;
    return m->input.len > more ? m->input.len - more : 0;
}

/* With several sessions a worker is at several inputs when it dies; one that was in flight
 * at a death before goes alone. */
static bool goes_alone(const struct kw_front *f, const struct kw_worker *w,
                       const struct kw_job *j) KW_LOCKED
{
    return w->sessions > 1 && f->queue.quarantine.used > 0 &&
           kw_queue_is_suspect(&f->queue, j, kw_front_boot(f));
}

static size_t pump_load(struct kw_front *f, struct kw_worker *w, size_t limit) KW_LOCKED
{
    struct kw_job *j;
    while (w->channel.count - w->channel.canaries < limit &&
           (j = kw_queue_first(&f->queue, KW_JOB_WAITING)) != NULL) {
        struct kw_wire_job m;
        const bool alone = goes_alone(f, w, j);
        if ((alone || w->alone) && w->channel.count > w->channel.canaries)
            break;
        w->alone = alone;
        kw_queue_send(&f->queue, j, &m);
        if (!kw_channel_load(&w->channel, &m, want_len(f, &m), limit)) {
            kw_queue_unsend(&f->queue, j);
            break;
        }
    }
    return w->channel.loaded;
}

static void take_back(void *ctx, const struct kw_channel_entry *e) KW_LOCKED
{
    struct kw_front *f = ctx;
    struct kw_job *j = kw_queue_by_wire(&f->queue, e->wire_id);
    if (j != NULL)
        kw_queue_unsend(&f->queue, j);
    if (e->op == KW_WIRE_CANARY && f->serving != NULL) {
        struct kw_gen_version *v = kw_generation_at(f->serving, e->n);
        if (v != NULL && v->asked_id == e->wire_id)
            v->asked_id = 0;
    }
}

/* The lock is given back while it sends.  false: not all of it went. */
static bool send_loaded(struct kw_front *f, struct kw_worker *w) KW_LOCKED
{
    size_t loaded = w->channel.loaded;
    w->sending = true;
    kw_lock_give(f->lock);
    size_t sent = kw_channel_send(&w->channel);
    kw_lock_take(f->lock);
    w->sending = false;
    w->refuses = sent < loaded && errno == EPIPE;
    kw_channel_settle(&w->channel, sent, take_back, f);
    return sent == loaded;
}

/* A worker of an earlier keyring stays ready for a moment after the swap, but it does not
 * know the versions that came with it. */
static bool serves(const struct kw_front *f, const struct kw_worker *w) KW_LOCKED
{
    return w != NULL && w->state == KW_WORKER_READY && f->serving != NULL &&
           w->generation == f->serving->number;
}

static bool takes_canaries(const struct kw_front *f, const struct kw_worker *w) KW_LOCKED
{
    return serves(f, w) && !w->sending && !w->ended && !w->refuses;
}

static bool takes_jobs(const struct kw_front *f, const struct kw_worker *w) KW_LOCKED
{
    return takes_canaries(f, w) &&
           (w->rest_until_ns == 0 || kw_front_now(f) >= w->rest_until_ns);
}

/* Above that an operation is slow: what waits in the socket waits long. */
#define SLOW_NS KW_MS_NS

/* Client jobs in the worker's hands at most: its sessions, and a quarter more so that none
 * waits for us, whoever submits.  One session of a fast token takes whole batches.  While a session hangs,
 * and none has answered since, it gets one at a time: a lock in the library would swallow
 * them one after the other. */
static size_t most(const struct kw_worker *w, size_t limit) KW_LOCKED
{
    size_t more = w->sessions < 4 ? 1 : w->sessions / 4;
    if (w->stalled)
        return w->overdue + 1;
    if (w->sessions == 1 && w->op_ns <= SLOW_NS)
        return limit;
    return w->sessions + more;
}

/* An even share of what is waiting and on its way, so that no worker idles beside a full
 * one. */
static size_t fair(const struct kw_front *f, size_t limit) KW_LOCKED
{
    size_t ready = 0, jobs = kw_queue_count(&f->queue, KW_JOB_WAITING);
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++)
        if (serves(f, f->workers[i])) {
            ready++;
            jobs += f->workers[i]->channel.count - f->workers[i]->channel.canaries;
        }
    size_t share = ready == 0 ? 0 : (jobs + ready - 1) / ready;
    return share < limit ? share : limit;
}

void kw_pump(struct kw_front *f, size_t limit)
{
    kw_lock_take(f->lock);
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++) {
        if (kw_queue_count(&f->queue, KW_JOB_WAITING) == 0)
            break;
        struct kw_worker *w = f->workers[i];
        while (takes_jobs(f, w) && pump_load(f, w, fair(f, most(w, limit))) > 0)
            if (!send_loaded(f, w))
                break;
    }
    kw_lock_give(f->lock);
}

/* For the canary of a version against which something stands, a worker that can take it
 * back goes before one that cannot; then the one that has least to do; then the one whose
 * last canary of this version is the oldest: each holds a handle of its own to each key.
 */
static bool goes_before(const struct kw_worker *a, const struct kw_worker *b,
                        const struct kw_gen_version *v, size_t i) KW_LOCKED
{
    bool may = kw_gen_version_may_lift(v, a->number);
    if (may != kw_gen_version_may_lift(v, b->number))
        return may;
    if (a->channel.count != b->channel.count)
        return a->channel.count < b->channel.count;
    return a->asked[i] < b->asked[i];
}

static struct kw_worker *canary_worker(struct kw_front *f,
                                       const struct kw_gen_version *v) KW_LOCKED
{
    struct kw_worker *best = NULL;
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++) {
        struct kw_worker *w = f->workers[i];
        if (!takes_canaries(f, w) || w->channel.canaries >= CANARIES_MAX)
            continue;
        if (best == NULL || goes_before(w, best, v, (size_t)(v - f->serving->versions)))
            best = w;
    }
    return best;
}

void kw_pump_canaries(struct kw_front *f)
{
    kw_lock_take(f->lock);
    int64_t now = kw_front_now(f);
    struct kw_gen_version *v;
    struct kw_worker *w;
    while (f->serving != NULL && (v = kw_generation_due(f->serving, now)) != NULL &&
           (w = canary_worker(f, v)) != NULL) {
        const struct kw_wire_job m = {.id = kw_queue_wire_id(&f->queue),
                                      .op = KW_WIRE_CANARY,
                                      .until_ns = now + f->o.deadline_ns,
                                      .n = v->v->n,
                                      .also_wrap = v->v->n == f->serving->active_n,
                                      .closely = v->look_ns <= now};
        if (!kw_channel_load(&w->channel, &m, 0, 0))
            break;
        v->asked_id = w->asked[v - f->serving->versions] = m.id;
        v->asked_ns = now;
        if (v->v->n == f->serving->active_n || f->serving->active_n == 0)
            kw_health_asked(&f->health, kw_front_boot(f));
        if (!send_loaded(f, w))
            break;
    }
    kw_lock_give(f->lock);
}
