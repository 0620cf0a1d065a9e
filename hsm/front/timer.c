/* SPDX-License-Identifier: Apache-2.0 */
/* What time does to jobs and workers. */
#include "front_internal.h"

#include <keyward/log.h>

#define TICK_BUSY_NS (20 * KW_MS_NS) /* no shorter: a nearer timer costs the hot path */
#define TICK_IDLE_NS (500 * KW_MS_NS)
#define BUSY_FOR_NS (200 * KW_MS_NS) /* after the last job */

/* ---- workers ----------------------------------------------------------------------- */

/* What the sessions are at.  An id that the worker was not given is its own affair. */
static void look_at_sessions(struct kw_worker *w, struct kw_worker_view *view,
                             int64_t now) KW_FREE
{
    struct kw_front *f = w->front;
    uint64_t motion = w->served;
    size_t busy = 0;
    kw_lock_take(f->lock);
    for (unsigned i = 0; i < w->pace.sessions; i++) {
        struct kw_page_job job = kw_page_job(w->process.page, i);
        motion += job.id * (i + 1);
        if (job.id == 0 || kw_channel_find(&w->channel, job.id) == NULL)
            continue;
        int64_t ns = job.start_ns > 0 ? now - job.start_ns : 0; /* its word: any number */
        busy++;
        view->overdue += ns > f->o.times.deadline_ns;
        if (ns > view->longest_ns)
            view->longest_ns = ns;
    }
    w->pace.stalled =
        view->overdue > 0 && (w->pace.stalled || view->overdue > w->pace.overdue);
    w->pace.overdue = view->overdue;
    view->sessions = w->pace.sessions;
    if (motion != w->watch.motion || busy > 0 || w->channel.count == 0)
        w->watch.moved_ns = now;
    kw_lock_give(f->lock);
    w->watch.motion = motion;
    view->idle_ns = now - w->watch.moved_ns;
    view->moved = motion != w->watch.stuck_motion;
}

static enum kw_order timer_judge(struct kw_worker *w, int64_t now) KW_FREE
{
    struct kw_front *f = w->front;
    const struct kw_worker_times times = {f->o.times.deadline_ns, f->o.times.patience_ns,
                                          f->o.times.login_grace_ns};
    struct kw_worker_view view = {
        .life = {kw_worker_state_by_main(w), kw_worker_process_by_main(w)},
        .since_ns = w->watch.since_ns,
        .phase = kw_page_phase(w->process.page)};
    look_at_sessions(w, &view, now);
    if (view.phase != w->watch.phase) {
        w->watch.phase = view.phase;
        w->watch.phase_since_ns = now;
    }
    view.phase_since_ns = w->watch.phase_since_ns;
    return kw_supervisor_judge(&view, &times, now);
}

static bool timer_refuses(struct kw_worker *w) KW_FREE
{
    kw_lock_take(w->front->lock);
    bool refuses = w->pace.refuses;
    kw_lock_give(w->front->lock);
    return refuses;
}

static void timer_look_at(struct kw_worker *w, int64_t now) KW_FREE
{
    if (kw_worker_process_by_main(w) == KW_PROCESS_GONE) {
        kw_front_worker_gone(w);
        return;
    }
    if (kw_worker_ended_by_main(w))
        kw_front_worker_close(w);
    if (kw_worker_state_by_main(w) == KW_WORKER_READY && timer_refuses(w))
        kw_front_worker_drain(w); /* at its end, though a session is not back */
    kw_front_recycle_outdated(w);
    kw_login_decide(w);
    enum kw_order order = timer_judge(w, now);
    if (order == KW_ORDER_STUCK || order == KW_ORDER_KILL) {
        kw_worker_read(w); /* we may be the late one: its answer lies there unread */
        order = timer_judge(w, now);
    }
    switch (order) {
    case KW_ORDER_NONE: break;
    case KW_ORDER_STUCK: kw_front_worker_stuck(w); break;
    case KW_ORDER_DRAIN: kw_front_worker_drain(w); break;
    case KW_ORDER_KILL: kw_front_worker_kill(w); break;
    }
}

/* ---- starting ---------------------------------------------------------------------- */

struct census {
    size_t starting;        /* may log in yet, whatever they were told  */
    size_t serving, coming; /* workers that are starting or ready       */
};

/* It has said neither READY nor FAILED (and that is accounted for), nor was it ended. */
static bool timer_may_log_in(const struct kw_worker *w)
{
    return !w->start.was_ready && !(w->start.failed_told && w->start.accounted) &&
           kw_worker_process_by_main(w) == KW_PROCESS_RUNNING;
}

static struct census count(const struct kw_front_token *t)
{
    const struct kw_front *f = t->front;
    struct census c = {0};
    const struct kw_generation *serving = kw_front_serving_by_main(f);
    const struct kw_generation *coming = kw_front_coming_by_main(f);
    for (size_t i = 0; i < KW_FRONT_TOKEN_WORKERS; i++) {
        struct kw_worker *w = kw_front_token_worker_by_main(t, i);
        if (w == NULL)
            continue;
        enum kw_worker_channel state = kw_worker_state_by_main(w);
        c.starting += timer_may_log_in(w);
        if (state != KW_WORKER_STARTING && state != KW_WORKER_READY)
            continue;
        c.serving += serving != NULL && w->generation == serving->number && !w->recycled;
        c.coming += coming != NULL && w->generation == coming->number;
    }
    return c;
}

static bool may_start(struct kw_generation *g, const struct kw_front_token *t,
                      int64_t now)
{
    return g != NULL &&
           kw_supervisor_may_start(&kw_front_token_of(g, t)->supervisor, now);
}

/* One at a time.  A coming keyring wants one worker to prove it; a serving one without
 * any goes first, but not for ever. */
static struct kw_generation *next_to_start(struct kw_front_token *t, int64_t now)
{
    struct kw_front *f = t->front;
    struct census c = count(t);
    if (c.starting > 0 || f->stopping)
        return NULL;
    struct kw_generation *serving = kw_front_serving_by_main(f);
    struct kw_generation *coming = kw_front_coming_by_main(f);
    bool may_serving = c.serving < t->o.workers && may_start(serving, t, now);
    bool may_coming = c.coming < 1 && may_start(coming, t, now);
    if (may_serving && may_coming)
        return c.serving == 0 && t->last_started != serving->number ? serving : coming;
    return may_serving ? serving : may_coming ? coming : NULL;
}

static void start_worker(struct kw_front_token *t, int64_t now) KW_FREE
{
    struct kw_front *f = t->front;
    struct kw_generation *g = next_to_start(t, now);
    if (g == NULL)
        return;
    if (kw_latch_may_start(&t->latch)) {
        kw_front_worker_start(t, g);
        return;
    }
    struct kw_gen_token *of = kw_front_token_of(g, t);
    kw_lock_take(f->lock);
    of->failed = t->latch.why;
    kw_copy_str(of->reason, sizeof of->reason, kw_span_str(kw_latch_reason(&t->latch)));
    of->supervisor.not_before_ns = now + KW_S_NS; /* to look at the source again */
    if (g == f->serving)
        kw_front_token_not_started(t, of->failed);
    kw_lock_give(f->lock);
}

void kw_front_start_workers(struct kw_front *f)
{
    for (size_t i = 0; i < f->token_count; i++)
        start_worker(&f->tokens[i], kw_front_now(f));
}

/* ---- the tick ---------------------------------------------------------------------- */

/* While the token is in doubt, its canary is not left to the ordinary rhythm; one that
 * got no answer is asked again. */
static void hurry_canaries(struct kw_front_token *t, int64_t now) KW_LOCKED
{
    struct kw_front *f = t->front;
    struct kw_gen_token *of =
        f->serving == NULL ? NULL : kw_front_token_of(f->serving, t);
    for (size_t i = 0; of != NULL && i < of->count; i++) {
        struct kw_gen_version *v = &of->versions[i];
        if (v->asked_id != 0 &&
            now - v->asked_ns >= kw_canary_patience_ns(f->o.times.deadline_ns))
            v->asked_id = 0;
        int64_t latest = now + kw_front_rhythm(t, v);
        if (v->due_ns > latest)
            v->due_ns = latest;
    }
    if (of != NULL && t->health.ready && of->count == 0)
        kw_front_token_proof(t);
}

/* A retry that was said does not wait for the pause after the last failure. */
static void look_at_latch(struct kw_front_token *t, int64_t now) KW_FREE
{
    struct kw_front *f = t->front;
    if (!kw_latch_look(&t->latch))
        return;
    kw_lock_take(f->lock);
    if (f->serving != NULL)
        kw_front_token_of(f->serving, t)->supervisor.not_before_ns = now;
    if (f->coming != NULL)
        kw_front_token_of(f->coming, t)->supervisor.not_before_ns = now;
    kw_lock_give(f->lock);
}

static void timer_look_at_token(struct kw_front_token *t, int64_t now) KW_FREE
{
    look_at_latch(t, now);
    for (size_t i = 0; i < KW_FRONT_TOKEN_WORKERS; i++)
        if (kw_front_token_worker_by_main(t, i) != NULL)
            timer_look_at(kw_front_token_worker_by_main(t, i), now);
    kw_front_recycle(t, now);
}

void kw_front_tick(struct kw_front *f)
{
    int64_t now = kw_front_now(f);
    kw_lock_take(f->lock);
    kw_queue_expire(&f->queue, now);
    kw_sign_expire(f, now);
    kw_route_expire(f, now);
    kw_route_give_up(f);
    for (size_t i = 0; i < f->token_count; i++)
        hurry_canaries(&f->tokens[i], now);
    kw_front_weigh(f);
    if (f->queue.total != f->tick.worked_total)
        f->tick.worked_ns = now;
    f->tick.worked_total = f->queue.total;
    kw_lock_give(f->lock);
    for (size_t i = 0; i < f->token_count; i++)
        timer_look_at_token(&f->tokens[i], now);
    kw_front_settle(f);
    kw_io_arm(f);
}

static void sooner(int64_t *at, int64_t when, int64_t now)
{
    if (when > now && when < *at)
        *at = when;
}

/* When something is due at this token by itself. */
static void token_next(const struct kw_front_token *t, int64_t now, int64_t *at,
                       bool *busy) KW_LOCKED
{
    const struct kw_generation *g = t->front->serving;
    for (size_t i = 0; i < KW_FRONT_TOKEN_WORKERS; i++)
        if (t->workers[i] != NULL && t->workers[i]->life.channel != KW_WORKER_READY)
            *busy = true;
    if (g == NULL)
        return;
    int64_t due = kw_gen_next_due(&g->tokens[t->index]);
    *at = due < *at ? due : *at;
    sooner(at, g->tokens[t->index].supervisor.not_before_ns, now);
}

/* Whoever submits while the next tick is far away wakes us (kw_io_wake). */
int64_t kw_front_next_tick(struct kw_front *f)
{
    int64_t now = kw_front_now(f), at = now + TICK_IDLE_NS;
    kw_lock_take(f->lock);
    bool busy = kw_queue_count(&f->queue, KW_JOB_FREE) < f->queue.max ||
                f->sign.state != KW_SIGN_NONE || now - f->tick.worked_ns < BUSY_FOR_NS;
    for (size_t i = 0; i < f->token_count; i++)
        token_next(&f->tokens[i], now, &at, &busy);
    int64_t wait = busy || at - now < TICK_BUSY_NS ? TICK_BUSY_NS : at - now;
    f->tick.armed_far = f->tick.idle = wait > TICK_BUSY_NS;
    kw_lock_give(f->lock);
    return wait;
}
