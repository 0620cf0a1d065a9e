/* SPDX-License-Identifier: Apache-2.0 */
/* The workers: start, orders, end.
 *
 * A worker ends twice: its socket (no answer will come any more; what it was given goes
 * back into the queue), then its process (reaped, judged, forgotten). */
#include "front_internal.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/log.h>

static void workers_enter(struct kw_worker *w, enum kw_worker_state state) KW_FREE
{
    kw_lock_take(w->front->lock);
    w->state = state;
    w->since_ns = kw_front_now(w->front);
    kw_front_recount(w->front);
    kw_lock_give(w->front->lock);
}

void kw_front_recount(struct kw_front *f)
{
    bool ready = false;
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++)
        if (f->workers[i] != NULL && f->workers[i]->state == KW_WORKER_READY &&
            f->serving != NULL && f->workers[i]->generation == f->serving->number)
            ready = true;
    kw_health_ready(&f->health, ready, kw_front_boot(f));
    /* Those are gone: the next newcomer, whose login is no risk, is waited for by all. */
    if (!ready && f->serving != NULL && f->serving->refused) {
        f->serving->refused = false;
        f->serving->supervisor.not_before_ns = kw_front_now(f);
    }
}

/* ---- start ------------------------------------------------------------------------- */

/* While a keyring comes up its workers stand beside those that serve. */
enum { GENERATIONS = 2 };
_Static_assert(GENERATIONS *KW_WORKERS_MAX <= UINT8_MAX, "parts of a brief");

static kw_err spawn(struct kw_front *f, struct kw_generation *g, struct kw_spawned *ret)
{
    struct kw_arena_info arena;
    KW_AUTO_SECRET(pin_key);
    kw_arena_info(&arena);
    kw_latch_key(&f->latch, &pin_key);
    const struct kw_brief brief = {.module = kw_span_str(f->token.module),
                                   .uri = kw_span_str(f->token.uri),
                                   .pin = kw_span_str(f->pin),
                                   .domain = kw_span_str(f->o.domain),
                                   .pin_key = kw_secret_peek(&pin_key),
                                   .production = f->o.production,
                                   .mlock = arena.backend == KW_ARENA_MLOCK,
                                   .active_n = g->active_n,
                                   .sessions = (uint8_t)f->token.sessions,
                                   .parts = (uint8_t)(GENERATIONS * f->token.workers),
                                   .keyring = kw_blob_peek(&g->bytes)};
    return f->seams.spawn(f->o.worker_path, f->token.name, f->envp, &brief, ret);
}

/* Takes the socket over, also when it fails.  No lock: nobody else has it yet. */
static struct kw_worker *workers_adopt(struct kw_front *f, struct kw_generation *g,
                                       const struct kw_spawned *s) KW_NO_THREAD_SAFETY
{
    struct kw_worker *w = kw_new(1, sizeof *w);
    int64_t now = kw_front_now(f);
    if (w == NULL) {
        close(s->socket);
        return NULL;
    }
    w->front = f;
    w->number = ++f->numbers;
    w->generation = g->number;
    w->pid = s->pid;
    w->pidfd = s->pidfd;
    w->output = s->output;
    w->page = s->page;
    w->sessions = 1;
    w->state = KW_WORKER_STARTING;
    w->since_ns = w->phase_since_ns = w->started_ns = w->moved_ns = now;
    if (kw_failed(kw_channel_init(&w->channel, s->socket)) || kw_failed(kw_io_watch(w))) {
        kw_channel_wipe(&w->channel);
        kw_free(w);
        return NULL;
    }
    return w;
}

static void start_failed(struct kw_front *f, struct kw_generation *g, kw_err e) KW_FREE
{
    int64_t now = kw_front_now(f);
    uint64_t random;
    kw_random(&random, sizeof random);
    kw_log(KW_LOG_ERROR, "worker-not-started", KW_STR("token", f->token.name),
           KW_STR("program", f->o.worker_path), KW_ERR("err", e));
    kw_lock_take(f->lock);
    kw_supervisor_failed(&g->supervisor, false, now, random);
    g->failed = e;
    kw_copy_str(g->reason, sizeof g->reason,
                kw_span_str("the worker program cannot be started; see the log"));
    if (g == f->serving)
        kw_health_failed(&f->health, e, kw_front_boot(f));
    kw_lock_give(f->lock);
}

static size_t free_place(const struct kw_front *f)
{
    size_t i = 0;
    while (i < KW_FRONT_WORKERS_MAX && kw_front_worker_by_main(f, i) != NULL)
        i++;
    return i;
}

void kw_front_worker_start(struct kw_front *f, struct kw_generation *g)
{
    struct kw_spawned s;
    size_t place = free_place(f);
    if (place == KW_FRONT_WORKERS_MAX)
        return; /* all are on their way out; their end makes room */
    kw_err e = spawn(f, g, &s);
    if (kw_failed(e)) {
        start_failed(f, g, e);
        return;
    }
    f->started++;
    f->last_started = g->number;
    struct kw_worker *w = workers_adopt(f, g, &s);
    if (w == NULL) {
        f->seams.kill(s.pid); /* just started: not in LOGIN yet */
        f->seams.reap(s.pid);
        close(s.pidfd);
        close(s.output);
        kw_page_unmap(s.page);
        start_failed(f, g, kw_err_at(KW_CODE_NO_MEMORY, "worker"));
        return;
    }
    kw_lock_take(f->lock);
    w->started_id = kw_queue_wire_id(&f->queue);
    f->workers[place] = w;
    kw_lock_give(f->lock);
    kw_log(KW_LOG_INFO, "worker-started", KW_STR("token", f->token.name),
           KW_INT("pid", w->pid));
}

/* ---- orders ------------------------------------------------------------------------ */

void kw_front_worker_drain(struct kw_worker *w)
{
    int fd = kw_worker_socket_by_main(w);
    workers_enter(w, KW_WORKER_DRAINING);
    if (fd >= 0)
        shutdown(fd, SHUT_WR);
}

/* Before anybody thinks of starting another: what it was started for did not happen. */
static void account(struct kw_worker *w) KW_FREE
{
    if (w->was_ready || w->accounted)
        return;
    w->accounted = true;
    kw_front_not_ready(w->front, w);
}

void kw_front_worker_kill(struct kw_worker *w)
{
    enum kw_worker_state state = kw_worker_state_by_main(w);
    if (state == KW_WORKER_KILLED)
        return;
    w->front->killed++;
    kw_log(KW_LOG_WARN, "worker-killed", KW_STR("token", w->front->token.name),
           KW_INT("pid", w->pid), KW_STR("state", kw_worker_state_name(state)));
    workers_enter(w, KW_WORKER_KILLED);
    account(w);
    w->front->seams.kill(w->pid);
}

bool kw_front_worker_is_at(const struct kw_worker *w, uint64_t wire_id)
{
    for (unsigned i = 0; i < w->sessions; i++)
        if (kw_page_job(w->page, i).id == wire_id)
            return true;
    return false;
}

static void give_back_one(struct kw_front *f, const struct kw_channel_entry *e) KW_LOCKED
{
    struct kw_job *j = kw_queue_by_wire(&f->queue, e->wire_id);
    struct kw_gen_version *v = NULL;
    if (e->op == KW_WIRE_CANARY && f->serving != NULL)
        v = kw_generation_at(f->serving, e->n);
    if (v != NULL && v->asked_id == e->wire_id)
        v->asked_id = 0;
    if (j == NULL)
        return;
    kw_queue_unsend(&f->queue, j);
    f->queue.requeued++;
}

/* Sessions hang at theirs; the others have not begun.  What the front gave back to the
 * queue keeps its channel entry: its answer will come late. */
void kw_front_worker_stuck(struct kw_worker *w)
{
    struct kw_front *f = w->front;
    bool in_operation = false;
    kw_lock_take(f->lock);
    for (size_t i = w->channel.count; i-- > 0;) {
        const struct kw_channel_entry *e = kw_channel_at(&w->channel, i);
        if (kw_front_worker_is_at(w, e->wire_id))
            in_operation = true;
        else
            give_back_one(f, e);
    }
    kw_lock_give(f->lock);
    kw_log(KW_LOG_WARN, "worker-stuck", KW_STR("token", f->token.name),
           KW_INT("pid", w->pid), KW_STR("in", in_operation ? "operation" : "socket"));
    workers_enter(w, KW_WORKER_STUCK);
    w->stuck_motion = w->motion;
}

/* ---- end --------------------------------------------------------------------------- */

static kw_span sample_of(const struct kw_channel_entry *e)
{
    return kw_span_of(e->sample, e->sample_len);
}

/* A session was at another input too. */
static bool not_alone(const struct kw_worker *w,
                      const struct kw_channel_entry *e) KW_LOCKED
{
    for (size_t i = 0; i < w->channel.count; i++) {
        const struct kw_channel_entry *other = kw_channel_at(&w->channel, i);
        if (other->op != KW_WIRE_CANARY && kw_front_worker_is_at(w, other->wire_id) &&
            !kw_span_equal(sample_of(other), sample_of(e)))
            return true;
    }
    return false;
}

/* An equal one was counted before: one death is one. */
static bool counted(const struct kw_worker *w, size_t at) KW_LOCKED
{
    kw_span sample = sample_of(kw_channel_at(&w->channel, at));
    for (size_t i = at + 1; i < w->channel.count; i++) {
        const struct kw_channel_entry *other = kw_channel_at(&w->channel, i);
        if (kw_front_worker_is_at(w, other->wire_id) &&
            kw_span_equal(sample_of(other), sample))
            return true;
    }
    return false;
}

/* A session was at entry `at` when the process ended. */
static void strike(struct kw_worker *w, size_t at) KW_LOCKED
{
    struct kw_front *f = w->front;
    struct kw_quarantine *q = &f->queue.quarantine;
    const struct kw_channel_entry *e = kw_channel_at(&w->channel, at);
    uint64_t mark = kw_queue_wire_id(&f->queue);
    if (e->sample_len > 0 && not_alone(w, e))
        kw_quarantine_suspect(q, sample_of(e), mark, kw_front_boot(f));
    else if (e->sample_len > 0 && !counted(w, at))
        kw_quarantine_strike(q, sample_of(e), mark, kw_front_boot(f));
    struct kw_job *j = kw_queue_by_wire(&f->queue, e->wire_id);
    if (j != NULL && !kw_queue_retry(&f->queue, j))
        kw_queue_finish(&f->queue, j, kw_err_at(KW_CODE_HSM_DOWN, "worker"));
}

/* No answer will come any more. */
static void workers_give_back(struct kw_worker *w) KW_LOCKED
{
    struct kw_front *f = w->front;
    for (size_t i = w->channel.count; i-- > 0;) {
        const struct kw_channel_entry *e = kw_channel_at(&w->channel, i);
        if (w->distrusted || e->op == KW_WIRE_CANARY ||
            !kw_front_worker_is_at(w, e->wire_id))
            give_back_one(f, e);
        else
            strike(w, i);
    }
}

bool kw_front_worker_close(struct kw_worker *w)
{
    struct kw_front *f = w->front;
    kw_lock_take(f->lock);
    bool can = !w->sending;
    if (can && !w->closed) {
        workers_give_back(w);
        kw_channel_wipe(&w->channel);
        w->closed = true;
    }
    kw_lock_give(f->lock);
    return can;
}

/* Its login brought nothing: the token ended it before it did any good.  A crash has rules
 * of its own (quarantine.h), and whoever killed it from outside is no reason to wait. */
static bool brought_nothing(const struct kw_worker *w) KW_LOCKED
{
    return w->state == KW_WORKER_READY && !w->well && w->down;
}

void kw_front_worker_end_of_socket(struct kw_worker *w)
{
    kw_io_forget_socket(w);
    kw_lock_take(w->front->lock);
    bool in_vain = brought_nothing(w);
    w->ended = true;
    kw_lock_give(w->front->lock);
    if (in_vain)
        kw_front_login_in_vain(w->front, w);
    if (kw_worker_state_by_main(w) != KW_WORKER_KILLED)
        workers_enter(
            w, KW_WORKER_DRAINING); /* judged by its patience until the process ends */
    account(w);
    kw_front_worker_close(w);
}

static void workers_log_end(const struct kw_worker *w, int status)
{
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    kw_log(good ? KW_LOG_INFO : KW_LOG_WARN, "worker-ended",
           KW_STR("token", w->front->token.name), KW_INT("pid", w->pid),
           KW_INT("status", WIFEXITED(status) ? WEXITSTATUS(status) : 0),
           KW_INT("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
           KW_INT("phase", kw_page_phase(w->page)), KW_INT("served", w->served));
}

static void forget(struct kw_worker *w) KW_FREE
{
    struct kw_front *f = w->front;
    kw_io_forget(w);
    kw_lock_take(f->lock);
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++)
        if (f->workers[i] == w)
            f->workers[i] = NULL;
    kw_front_recount(f);
    kw_lock_give(f->lock);
    close(w->pidfd);
    close(w->output);
    kw_page_unmap(w->page);
    kw_free(w);
}

void kw_front_worker_gone(struct kw_worker *w)
{
    struct kw_front *f = w->front;
    w->gone = true;
    kw_io_forget_process(w);
    if (!kw_worker_ended_by_main(w))
        kw_worker_read(w); /* answers may still lie there */
    if (!kw_worker_ended_by_main(w))
        kw_front_worker_end_of_socket(w);
    if (!kw_front_worker_close(w))
        return; /* the tick tries again */
    kw_login_gone(w);
    kw_output_read(w);
    int status = f->seams.reap(w->pid);
    f->died += !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    workers_log_end(w, status);
    forget(w);
}
