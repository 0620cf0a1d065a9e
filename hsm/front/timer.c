/* SPDX-License-Identifier: Apache-2.0 */
/* What time does to jobs and workers. */
#include "front_internal.h"

#include <keyward/log.h>

#define TICK_BUSY_NS (20 * KW_MS_NS) /* no shorter: a nearer timer costs the hot path */
#define TICK_IDLE_NS (500 * KW_MS_NS)
#define BUSY_FOR_NS (200 * KW_MS_NS) /* after the last job */
#define RECYCLE_NS (30 * KW_S_NS)    /* a worker whose active key is bad */

/* ---- workers ----------------------------------------------------------------------- */

/* What the sessions are at.  An id that the worker was not given is its own affair. */
static void look_at_sessions(struct kw_worker *w, struct kw_worker_view *view,
                             int64_t now) KW_FREE
{
    struct kw_front *f = w->front;
    uint64_t motion = w->served;
    size_t busy = 0;
    kw_lock_take(f->lock);
    for (unsigned i = 0; i < w->sessions; i++) {
        struct kw_page_job job = kw_page_job(w->page, i);
        motion += job.id * (i + 1);
        if (job.id == 0 || kw_channel_find(&w->channel, job.id) == NULL)
            continue;
        int64_t ns = job.start_ns > 0 ? now - job.start_ns : 0; /* its word: any number */
        busy++;
        view->overdue += ns > f->o.deadline_ns;
        if (ns > view->longest_ns)
            view->longest_ns = ns;
    }
    w->stalled = view->overdue > 0 && (w->stalled || view->overdue > w->overdue);
    w->overdue = view->overdue;
    if (motion != w->motion || busy > 0 || w->channel.count == 0)
        w->moved_ns = now;
    kw_lock_give(f->lock);
    w->motion = motion;
    view->sessions = w->sessions;
    view->idle_ns = now - w->moved_ns;
    view->moved = motion != w->stuck_motion;
}

static enum kw_order timer_judge(struct kw_worker *w, int64_t now) KW_FREE
{
    struct kw_front *f = w->front;
    const struct kw_worker_times times = {f->o.deadline_ns, f->o.patience_ns,
                                          f->o.login_grace_ns};
    struct kw_worker_view view = {.state = kw_worker_state_by_main(w),
                                  .since_ns = w->since_ns,
                                  .phase = kw_page_phase(w->page)};
    look_at_sessions(w, &view, now);
    if (view.phase != w->phase) {
        w->phase = view.phase;
        w->phase_since_ns = now;
    }
    view.phase_since_ns = w->phase_since_ns;
    return kw_supervisor_judge(&view, &times, now);
}

static bool timer_refuses(struct kw_worker *w) KW_FREE
{
    kw_lock_take(w->front->lock);
    bool refuses = w->refuses;
    kw_lock_give(w->front->lock);
    return refuses;
}

static void timer_look_at(struct kw_worker *w, int64_t now) KW_FREE
{
    if (w->gone) {
        kw_front_worker_gone(w);
        return;
    }
    if (kw_worker_ended_by_main(w))
        kw_front_worker_close(w);
    if (kw_worker_state_by_main(w) == KW_WORKER_READY && timer_refuses(w))
        kw_front_worker_drain(w); /* at its end, though a session is not back */
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
    struct kw_worker *oldest_ready;
};

/* It has said neither READY nor FAILED (and that is accounted for), nor was it ended. */
static bool timer_may_log_in(const struct kw_worker *w)
{
    return !w->was_ready && !(w->failed_told && w->accounted) && !w->gone &&
           kw_worker_state_by_main(w) != KW_WORKER_KILLED;
}

static struct census count(const struct kw_front *f)
{
    struct census c = {0};
    const struct kw_generation *serving = kw_front_serving_by_main(f);
    const struct kw_generation *coming = kw_front_coming_by_main(f);
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++) {
        struct kw_worker *w = kw_front_worker_by_main(f, i);
        enum kw_worker_state state =
            w == NULL ? KW_WORKER_NONE : kw_worker_state_by_main(w);
        c.starting += w != NULL && timer_may_log_in(w);
        if (state != KW_WORKER_STARTING && state != KW_WORKER_READY)
            continue;
        c.serving += serving != NULL && w->generation == serving->number;
        c.coming += coming != NULL && w->generation == coming->number;
        if (state == KW_WORKER_READY &&
            (c.oldest_ready == NULL || w->since_ns < c.oldest_ready->since_ns))
            c.oldest_ready = w;
    }
    return c;
}

static bool may_start(struct kw_generation *g, int64_t now)
{
    return g != NULL && kw_supervisor_may_start(&g->supervisor, now);
}

/* One at a time.  A coming keyring wants one worker to prove it; a serving one without
 * any goes first, but not for ever. */
static struct kw_generation *next_to_start(struct kw_front *f, int64_t now)
{
    struct census c = count(f);
    if (c.starting > 0 || f->stopping)
        return NULL;
    struct kw_generation *serving = kw_front_serving_by_main(f);
    struct kw_generation *coming = kw_front_coming_by_main(f);
    bool may_serving = c.serving < f->token.workers && may_start(serving, now);
    bool may_coming = c.coming < 1 && may_start(coming, now);
    if (may_serving && may_coming)
        return c.serving == 0 && f->last_started != serving->number ? serving : coming;
    return may_serving ? serving : may_coming ? coming : NULL;
}

void kw_front_start_workers(struct kw_front *f)
{
    int64_t now = kw_front_now(f);
    struct kw_generation *g = next_to_start(f, now);
    if (g == NULL)
        return;
    if (kw_latch_may_start(&f->latch)) {
        kw_front_worker_start(f, g);
        return;
    }
    kw_lock_take(f->lock);
    g->failed = f->latch.why;
    kw_copy_str(g->reason, sizeof g->reason, kw_span_str(kw_latch_reason(&f->latch)));
    g->supervisor.not_before_ns = now + KW_S_NS; /* to look at the source again */
    if (g == f->serving && g->failed.code == KW_CODE_PIN_STOP)
        kw_health_lost(&f->health, g->failed, kw_front_boot(f));
    else if (g == f->serving)
        kw_health_failed(&f->health, g->failed, kw_front_boot(f));
    kw_lock_give(f->lock);
}

static bool misses_active(struct kw_front *f) KW_FREE
{
    kw_lock_take(f->lock);
    const struct kw_gen_version *active =
        f->serving == NULL ? NULL : kw_generation_active(f->serving);
    bool misses = active != NULL && active->verdict.err.code == KW_CODE_KEY_BAD &&
                  (active->found & KW_WIRE_EXPOSED) == 0;
    kw_lock_give(f->lock);
    return misses;
}

/* Some libraries see only the keys that were there when they were initialised: a worker
 * that misses the active one makes room for a new one now and then. */
static void recycle(struct kw_front *f, int64_t now) KW_FREE
{
    struct census c = count(f);
    if (misses_active(f) && c.starting == 0 && c.oldest_ready != NULL &&
        now - c.oldest_ready->since_ns >= RECYCLE_NS)
        kw_front_worker_drain(c.oldest_ready);
}

/* ---- the tick ---------------------------------------------------------------------- */

/* While the HSM is in doubt, its canary is not left to the ordinary rhythm; one that got
 * no answer is asked again. */
static void hurry_canaries(struct kw_front *f, int64_t now) KW_LOCKED
{
    struct kw_generation *g = f->serving;
    int64_t latest = now + kw_front_probe_pause(f);
    for (size_t i = 0; g != NULL && i < g->count; i++) {
        struct kw_gen_version *v = &g->versions[i];
        if (v->asked_id != 0 && now - v->asked_ns >= f->o.deadline_ns)
            v->asked_id = 0;
        if (v->due_ns > latest)
            v->due_ns = latest;
    }
}

/* A retry that was said does not wait for the pause after the last failure. */
static void look_at_latch(struct kw_front *f, int64_t now) KW_FREE
{
    if (!kw_latch_look(&f->latch))
        return;
    kw_lock_take(f->lock);
    if (f->serving != NULL)
        f->serving->supervisor.not_before_ns = now;
    if (f->coming != NULL)
        f->coming->supervisor.not_before_ns = now;
    kw_lock_give(f->lock);
}

void kw_front_tick(struct kw_front *f)
{
    int64_t now = kw_front_now(f);
    kw_lock_take(f->lock);
    kw_queue_expire(&f->queue, now);
    hurry_canaries(f, now);
    if (f->serving != NULL && f->health.ready && f->serving->count == 0)
        kw_health_proof(&f->health, kw_front_boot(f));
    kw_health_tick(&f->health, kw_front_boot(f));
    if (f->queue.total != f->worked_total)
        f->worked_ns = now;
    f->worked_total = f->queue.total;
    kw_lock_give(f->lock);
    look_at_latch(f, now);
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++)
        if (kw_front_worker_by_main(f, i) != NULL)
            timer_look_at(kw_front_worker_by_main(f, i), now);
    recycle(f, now);
    kw_front_settle(f);
    kw_io_arm(f);
}

/* Whoever submits while the next tick is far away wakes us (kw_io_wake). */
int64_t kw_front_next_tick(struct kw_front *f)
{
    int64_t now = kw_front_now(f), wait = TICK_IDLE_NS;
    kw_lock_take(f->lock);
    struct kw_generation *g = f->serving;
    bool busy = kw_queue_count(&f->queue, KW_JOB_FREE) < f->queue.max ||
                now - f->worked_ns < BUSY_FOR_NS;
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++)
        if (f->workers[i] != NULL && f->workers[i]->state != KW_WORKER_READY)
            busy = true;
    if (g != NULL && kw_generation_next_due(g) - now < wait)
        wait = kw_generation_next_due(g) - now;
    if (g != NULL && g->supervisor.not_before_ns > now &&
        g->supervisor.not_before_ns - now < wait)
        wait = g->supervisor.not_before_ns - now;
    if (busy || wait < TICK_BUSY_NS)
        wait = TICK_BUSY_NS;
    f->armed_far = f->tick_idle = wait > TICK_BUSY_NS;
    kw_lock_give(f->lock);
    return wait;
}
