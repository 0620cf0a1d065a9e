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
    const struct kw_version *v =
        f->serving == NULL ? NULL : kw_keyring_by_key_id(f->serving->ring, m->key_id);
    enum kw_mechanism mech = v == NULL ? KW_MECH_AES_256_GCM : v->mechanism;
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
    return w->pace.sessions > 1 && f->queue.quarantine.used > 0 &&
           kw_queue_is_suspect(&f->queue, j, kw_front_boot(f));
}

static bool goes(const void *ctx, const struct kw_job *j) KW_LOCKED
{
    return kw_route_goes(ctx, j);
}

/* What it is that the token is asked for. */
static enum kw_checkpoint_count pump_counts_as(const struct kw_job *j)
{
    if (j->op == KW_HSM_WRAP)
        return KW_COUNT_WRAP;
    return j->verifies ? KW_COUNT_VERIFY : KW_COUNT_UNWRAP;
}

void kw_pump_count(struct kw_worker *w, const struct kw_channel_entry *e)
{
    if (kw_channel_tell(&w->channel, e))
        w->front->numbers.asked[e->counts_as]++;
}

/* Those that were answered meanwhile are counted, and gone. */
static void pump_sent(struct kw_worker *w, size_t sent) KW_LOCKED
{
    for (size_t i = 0; i < sent; i++) {
        const struct kw_channel_entry *e =
            kw_channel_find(&w->channel, w->channel.ids[i]);
        if (e != NULL)
            kw_pump_count(w, e);
    }
}

static size_t pump_load(struct kw_front *f, struct kw_worker *w, size_t limit) KW_LOCKED
{
    struct kw_job *j;
    while (w->channel.count - w->channel.canaries < limit &&
           (j = kw_queue_pick(&f->queue, goes, w)) != NULL) {
        struct kw_wire_job m;
        const bool alone = goes_alone(f, w, j);
        if ((alone || w->pace.alone) && w->channel.count > w->channel.canaries)
            break;
        w->pace.alone = alone;
        kw_queue_send(&f->queue, j, (unsigned)w->token->index,
                      kw_route_attempt(w->token, j), &m);
        if (!kw_channel_load(&w->channel, &m, pump_counts_as(j), want_len(f, &m),
                             limit)) {
            kw_queue_unsend(&f->queue, j);
            break;
        }
    }
    return w->channel.loaded;
}

static void take_back(void *ctx, const struct kw_channel_entry *e) KW_LOCKED
{
    struct kw_worker *w = ctx;
    struct kw_front *f = w->front;
    struct kw_job *j = kw_queue_by_wire(&f->queue, e->wire_id);
    if (j != NULL)
        kw_queue_unsend(&f->queue, j);
    if (e->op == KW_WIRE_SIGN)
        kw_sign_unsend(f, e->wire_id);
    if (e->op == KW_WIRE_CANARY && f->serving != NULL) {
        struct kw_gen_version *v =
            kw_gen_at(kw_front_token_of(f->serving, w->token), e->n);
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
    w->pace.refuses = sent < loaded && errno == EPIPE;
    pump_sent(w, sent);
    kw_channel_settle(&w->channel, sent, take_back, w);
    return sent == loaded;
}

/* A worker of an earlier keyring goes on for a while with jobs that it knows (route.h);
 * canaries are for the keyring in use. */
static bool serves(const struct kw_front *f, const struct kw_worker *w) KW_LOCKED
{
    return w != NULL && w->life.channel == KW_WORKER_READY && f->serving != NULL &&
           !w->pace.refuses && !w->pace.outdated;
}

static bool takes_canaries(const struct kw_front *f, const struct kw_worker *w) KW_LOCKED
{
    return serves(f, w) && w->generation == f->serving->number && !w->sending;
}

static bool takes_jobs(const struct kw_front *f, const struct kw_worker *w) KW_LOCKED
{
    return serves(f, w) && !w->sending &&
           (w->pace.rest_until_ns == 0 || kw_front_now(f) >= w->pace.rest_until_ns);
}

/* Above that an operation is slow: what waits in the socket waits long. */
#define SLOW_NS KW_MS_NS
/* Above that the way to us and back is nothing beside it. */
#define VERY_SLOW_NS (10 * KW_MS_NS)

/* Client jobs in the worker's hands at most: its sessions, and a quarter more so that none
 * waits for us, whoever submits; what lies there has had its turn, so none more where an
 * operation takes long.  One session of a fast token takes whole batches.  While a session
 * hangs, and none has answered since, it gets one at a time: a lock in the library would
 * swallow them one after the other. */
static size_t most(const struct kw_worker *w, size_t limit) KW_LOCKED
{
    size_t more = w->pace.sessions < 4 ? 1 : w->pace.sessions / 4;
    if (w->pace.stalled)
        return w->pace.overdue + 1;
    if (w->pace.sessions == 1 && w->pace.op_ns <= SLOW_NS)
        return limit;
    if (w->pace.op_ns > VERY_SLOW_NS)
        return w->pace.sessions;
    return w->pace.sessions + more;
}

/* An even share of what is waiting and on its way, so that no worker idles beside a full
 * one of its token, or of any where they spread. */
static size_t fair(const struct kw_worker *w, size_t limit) KW_LOCKED
{
    const struct kw_front *f = w->front;
    size_t ready = 0, jobs = kw_queue_count(&f->queue, KW_JOB_WAITING);
    for (size_t i = 0; i < f->token_count * KW_FRONT_TOKEN_WORKERS; i++) {
        const struct kw_worker *other = kw_front_worker(f, i);
        if (!serves(f, other) || (!f->o.spread && other->token != w->token))
            continue;
        ready++;
        jobs += other->channel.count - other->channel.canaries;
    }
    size_t share = ready == 0 ? 0 : (jobs + ready - 1) / ready;
    return share < limit ? share : limit;
}

void kw_pump(struct kw_front *f, size_t limit)
{
    kw_lock_take(f->lock);
    const bool alone = f->token_count == 1 || kw_route_all_for_the_first(f);
    const size_t workers = (alone ? 1 : f->token_count) * KW_FRONT_TOKEN_WORKERS;
    for (size_t i = 0; i < workers; i++) {
        if (kw_queue_count(&f->queue, KW_JOB_WAITING) == 0)
            break;
        struct kw_worker *w = kw_front_worker(f, i);
        while (takes_jobs(f, w) && pump_load(f, w, fair(w, most(w, limit))) > 0)
            if (!send_loaded(f, w))
                break;
    }
    kw_lock_give(f->lock);
}

/* The free one that has least to do. */
static struct kw_worker *sign_worker(const struct kw_front *f) KW_LOCKED
{
    struct kw_worker *best = NULL;
    for (size_t i = 0; i < f->token_count * KW_FRONT_TOKEN_WORKERS; i++) {
        struct kw_worker *w = kw_front_worker(f, i);
        if (takes_jobs(f, w) && kw_sign_goes(f, w) &&
            !(w->pace.alone && w->channel.count > w->channel.canaries) &&
            (best == NULL || w->channel.count < best->channel.count))
            best = w;
    }
    return best;
}

void kw_pump_sign(struct kw_front *f)
{
    uint8_t fields[KW_CHECKPOINT_FIELDS_MAX];
    struct kw_wire_job m;
    kw_lock_take(f->lock);
    struct kw_worker *w =
        kw_queue_count(&f->queue, KW_JOB_WAITING) == 0 ? sign_worker(f) : NULL;
    if (w != NULL) {
        kw_sign_send(f, fields, &m);
        w->pace.alone = false;
        if (kw_channel_load(&w->channel, &m, KW_COUNT_SIGN, KW_WIRE_SIGNED,
                            KW_WIRE_JOBS_MAX))
            (void)send_loaded(f, w);
        else
            kw_sign_unsend(f, m.id);
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
    return a->proofs.asked[i] < b->proofs.asked[i];
}

/* Of versions that are not in daily use one at a time: a Decrypt does not wait for all. */
static struct kw_worker *canary_worker(struct kw_front_token *t,
                                       const struct kw_gen_version *v) KW_LOCKED
{
    struct kw_front *f = t->front;
    const size_t most = v->v->n == f->serving->active_n ? CANARIES_MAX : 1;
    const size_t at = (size_t)(v - kw_front_token_of(f->serving, t)->versions);
    struct kw_worker *best = NULL;
    for (size_t i = 0; i < KW_FRONT_TOKEN_WORKERS; i++) {
        struct kw_worker *w = t->workers[i];
        if (!takes_canaries(f, w) || w->channel.canaries >= most)
            continue;
        if (best == NULL || goes_before(w, best, v, at))
            best = w;
    }
    return best;
}

/* false: it cannot be asked now. */
static bool ask_canary(struct kw_worker *w, struct kw_gen_version *v,
                       int64_t now) KW_LOCKED
{
    struct kw_front *f = w->front;
    const uint32_t active = f->serving->active_n;
    const struct kw_wire_job m = {.id = kw_queue_wire_id(&f->queue),
                                  .op = KW_WIRE_CANARY,
                                  .until_ns =
                                      now + kw_canary_patience_ns(f->o.times.deadline_ns),
                                  .n = v->v->n,
                                  .also_wrap = v->v->n == active,
                                  .closely = v->look_ns <= now};
    if (!kw_channel_load(&w->channel, &m, KW_COUNT_CANARY, 0, 0))
        return false;
    v->asked_id = m.id;
    w->proofs.asked[v - kw_front_token_of(f->serving, w->token)->versions] = m.id;
    v->asked_ns = now;
    if (v->v->n == active || active == 0)
        kw_front_token_asked(w->token);
    return send_loaded(f, w);
}

/* The one that is due for the longest time; if it has no place yet, it does not keep away
 * the one that says whether the token is well.  NULL: none has a place. */
static struct kw_gen_version *next_canary(struct kw_front_token *t, int64_t now,
                                          struct kw_worker **ret_worker) KW_LOCKED
{
    struct kw_generation *g = t->front->serving;
    struct kw_gen_token *of = kw_front_token_of(g, t);
    struct kw_gen_version *v = kw_gen_due(of, now);
    struct kw_gen_version *active = kw_gen_at(of, g->active_n);
    *ret_worker = v == NULL ? NULL : canary_worker(t, v);
    if (*ret_worker == NULL && active != NULL && kw_gen_is_due(active, now)) {
        v = active;
        *ret_worker = canary_worker(t, v);
    }
    return *ret_worker == NULL ? NULL : v;
}

static void pump_token_canaries(struct kw_front_token *t) KW_LOCKED
{
    int64_t now = kw_front_now(t->front);
    struct kw_gen_version *v;
    struct kw_worker *w;
    while (t->front->serving != NULL && (v = next_canary(t, now, &w)) != NULL &&
           ask_canary(w, v, now))
        ;
}

void kw_pump_canaries(struct kw_front *f)
{
    kw_lock_take(f->lock);
    for (size_t i = 0; i < f->token_count; i++)
        pump_token_canaries(&f->tokens[i]);
    kw_lock_give(f->lock);
}
