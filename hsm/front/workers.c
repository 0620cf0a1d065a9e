/* SPDX-License-Identifier: Apache-2.0 */
/* The workers: start, orders, end.
 *
 * A worker ends twice: its socket (no answer will come any more; what it was given goes
 * back into the queue), then its process (reaped, judged, forgotten). */
#include "front_internal.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/log.h>

/* What only we do: the table aborts when it cannot be. */
static void workers_happens(struct kw_worker *w, enum kw_life_event event) KW_FREE
{
    kw_lock_take(w->front->lock);
    KW_MUST(kw_life_happens(&w->life, event));
    w->watch.since_ns = kw_front_now(w->front);
    kw_front_token_recount(w->token);
    kw_lock_give(w->front->lock);
}

/* ---- start ------------------------------------------------------------------------- */

/* While a keyring comes up its workers stand beside those that serve. */
enum { GENERATIONS = 2 };
_Static_assert(GENERATIONS *KW_WORKERS_MAX <= UINT8_MAX, "parts of a brief");

static kw_span front_audit_pin(const struct kw_front *f)
{
    const struct kw_front_audit_key *key = &f->o.audit;
    return kw_span_of(key->sha256, key->label == NULL ? 0 : sizeof key->sha256);
}

static kw_err spawn(struct kw_front_token *t, struct kw_generation *g,
                    struct kw_spawned *ret)
{
    struct kw_front *f = t->front;
    struct kw_arena_info arena;
    KW_AUTO_SECRET(pin_key);
    kw_arena_info(&arena);
    kw_latch_key(&t->latch, &pin_key);
    const struct kw_brief brief = {.module = kw_span_str(t->o.module),
                                   .uri = kw_span_str(t->o.uri),
                                   .pin = kw_span_str(t->pin),
                                   .domain = kw_span_str(f->o.domain),
                                   .pin_key = kw_secret_peek(&pin_key),
                                   .production = f->o.production,
                                   .mlock = arena.backend == KW_ARENA_MLOCK,
                                   .active_n = g->active_n,
                                   .sessions = (uint8_t)t->o.sessions,
                                   .parts = (uint8_t)(GENERATIONS * t->o.workers),
                                   .audit_label = kw_span_str(f->o.audit.label),
                                   .audit_sha256 = front_audit_pin(f),
                                   .keyring = kw_blob_peek(&g->bytes)};
    return f->seams.spawn(f->o.worker_path, t->o.name, t->envp, &brief, ret);
}

/* Takes the socket over, also when it fails.  No lock: nobody else has it yet. */
static struct kw_worker *workers_adopt(struct kw_front_token *t, struct kw_generation *g,
                                       const struct kw_spawned *s) KW_NO_THREAD_SAFETY
{
    struct kw_front *f = t->front;
    struct kw_worker *w = kw_new(1, sizeof *w);
    int64_t now = kw_front_now(f);
    if (w == NULL) {
        close(s->socket);
        return NULL;
    }
    w->front = f;
    w->token = t;
    w->number = ++f->numbers.workers;
    w->generation = g->number;
    w->ring = kw_keyring_take(g->ring);
    w->active_n = g->active_n;
    w->process.pid = s->pid;
    w->process.pidfd = s->pidfd;
    w->process.output = s->output;
    w->process.page = s->page;
    w->pace.sessions = 1;
    w->life = (struct kw_life){KW_WORKER_STARTING, KW_PROCESS_RUNNING};
    w->watch.since_ns = w->watch.phase_since_ns = w->start.at_ns = w->watch.moved_ns =
        now;
    if (kw_failed(kw_channel_init(&w->channel, s->socket)) || kw_failed(kw_io_watch(w))) {
        kw_channel_wipe(&w->channel);
        kw_keyring_give(w->ring);
        kw_free(w);
        return NULL;
    }
    return w;
}

static void start_failed(struct kw_front_token *t, struct kw_generation *g,
                         kw_err e) KW_FREE
{
    struct kw_front *f = t->front;
    struct kw_gen_token *of = kw_front_token_of(g, t);
    int64_t now = kw_front_now(f);
    uint64_t random;
    kw_random(&random, sizeof random);
    kw_log(KW_LOG_ERROR, "worker-not-started", KW_STR("token", t->o.name),
           KW_STR("program", f->o.worker_path), KW_ERR("err", e),
           KW_STR("why", kw_errno_cure(e.native)));
    kw_lock_take(f->lock);
    kw_supervisor_failed(&of->supervisor, false, now, random);
    of->failed = e;
    kw_copy_str(of->reason, sizeof of->reason,
                kw_span_str("the worker program cannot be started; see the log"));
    if (g == f->serving)
        kw_front_token_failed(t, e);
    kw_lock_give(f->lock);
}

static size_t free_place(const struct kw_front_token *t)
{
    size_t i = 0;
    while (i < KW_FRONT_TOKEN_WORKERS && kw_front_token_worker_by_main(t, i) != NULL)
        i++;
    return i;
}

void kw_front_worker_start(struct kw_front_token *t, struct kw_generation *g)
{
    struct kw_front *f = t->front;
    struct kw_spawned s;
    size_t place = free_place(t);
    if (place == KW_FRONT_TOKEN_WORKERS)
        return; /* all are on their way out; their end makes room */
    kw_err e = spawn(t, g, &s);
    if (kw_failed(e)) {
        start_failed(t, g, e);
        return;
    }
    t->counts.started++;
    t->counts.numbers.started++;
    t->last_started = g->number;
    struct kw_worker *w = workers_adopt(t, g, &s);
    if (w == NULL) {
        f->seams.kill(s.pid); /* just started: not in LOGIN yet */
        f->seams.reap(s.pid);
        close(s.pidfd);
        close(s.output);
        kw_page_unmap(s.page);
        start_failed(t, g, kw_err_at(KW_CODE_NO_MEMORY, "worker"));
        return;
    }
    kw_lock_take(f->lock);
    w->proofs.started_id = kw_queue_wire_id(&f->queue);
    t->workers[place] = w;
    kw_lock_give(f->lock);
    kw_log(KW_LOG_INFO, "worker-started", KW_STR("token", t->o.name),
           KW_INT("pid", w->process.pid));
}

/* ---- orders ------------------------------------------------------------------------ */

void kw_front_worker_drain(struct kw_worker *w)
{
    int fd = kw_worker_socket_by_main(w);
    workers_happens(w, KW_LIFE_DRAIN);
    if (fd >= 0)
        shutdown(fd, SHUT_WR);
}

/* Before anybody thinks of starting another: what it was started for did not happen. */
static void account(struct kw_worker *w) KW_FREE
{
    if (w->start.was_ready || w->start.accounted)
        return;
    w->start.accounted = true;
    kw_front_not_ready(w);
}

void kw_front_worker_kill(struct kw_worker *w)
{
    if (kw_worker_process_by_main(w) != KW_PROCESS_RUNNING)
        return;
    const char *was = kw_worker_name_by_main(w);
    w->token->counts.killed++;
    kw_log(KW_LOG_WARN, "worker-killed", KW_STR("token", w->token->o.name),
           KW_INT("pid", w->process.pid), KW_STR("state", was));
    w->start.killed = true;
    workers_happens(w, KW_LIFE_KILL);
    account(w);
    w->front->seams.kill(w->process.pid);
}

bool kw_front_worker_is_at(const struct kw_worker *w, uint64_t wire_id)
{
    for (unsigned i = 0; i < kw_worker_sessions_by_main(w); i++)
        if (kw_page_job(w->process.page, i).id == wire_id)
            return true;
    return false;
}

static void give_back_one(struct kw_worker *w, const struct kw_channel_entry *e) KW_LOCKED
{
    struct kw_front *f = w->front;
    struct kw_job *j = kw_queue_by_wire(&f->queue, e->wire_id);
    struct kw_gen_version *v = NULL;
    if (e->op == KW_WIRE_CANARY && f->serving != NULL)
        v = kw_gen_at(kw_front_token_of(f->serving, w->token), e->n);
    if (v != NULL && v->asked_id == e->wire_id)
        v->asked_id = 0;
    if (e->op == KW_WIRE_SIGN)
        kw_sign_unsend(f, e->wire_id);
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
            give_back_one(w, e);
    }
    kw_lock_give(f->lock);
    kw_log(KW_LOG_WARN, "worker-stuck", KW_STR("token", w->token->o.name),
           KW_INT("pid", w->process.pid),
           KW_STR("in", in_operation ? "operation" : "socket"));
    workers_happens(w, KW_LIFE_STUCK);
    w->watch.stuck_motion = w->watch.motion;
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
        kw_quarantine_doubt(q, sample_of(e), w->proofs.proven_id, mark, kw_front_boot(f));
    kw_quarantine_others(q, sample_of(e), mark);
    struct kw_job *j = kw_queue_by_wire(&f->queue, e->wire_id);
    kw_route_failed(w->token);
    if (j != NULL && !kw_queue_retry(&f->queue, j))
        kw_queue_finish(&f->queue, j, kw_err_at(KW_CODE_HSM_DOWN, "worker"));
}

/* No answer will come any more. */
static void workers_give_back(struct kw_worker *w) KW_LOCKED
{
    for (size_t i = w->channel.count; i-- > 0;) {
        const struct kw_channel_entry *e = kw_channel_at(&w->channel, i);
        bool at = !w->distrusted && kw_front_worker_is_at(w, e->wire_id);
        const bool is_job = e->op != KW_WIRE_CANARY && e->op != KW_WIRE_SIGN;
        if (at && e->op == KW_WIRE_SIGN)
            kw_sign_died(w->front, e->wire_id);
        if (at && !is_job)
            kw_quarantine_others(&w->front->queue.quarantine, sample_of(e),
                                 kw_queue_wire_id(&w->front->queue));
        if (at && is_job)
            strike(w, i);
        else
            give_back_one(w, e);
    }
}

bool kw_front_worker_close(struct kw_worker *w)
{
    struct kw_front *f = w->front;
    kw_lock_take(f->lock);
    bool can = !w->sending;
    if (can && w->life.channel != KW_WORKER_CLOSED) {
        workers_give_back(w);
        kw_channel_wipe(&w->channel);
        KW_MUST(kw_life_happens(&w->life, KW_LIFE_CLOSE));
    }
    kw_lock_give(f->lock);
    return can;
}

/* Its login brought nothing. */
static bool brought_nothing(const struct kw_worker *w) KW_LOCKED
{
    return w->life.channel == KW_WORKER_READY && !w->pace.well;
}

/* It said so itself, and that is known at once; of any other one when it has ended. */
static bool has_said_so(const struct kw_worker *w) KW_LOCKED
{
    return w->pace.down;
}

/* It crashed, left without a word, or lied.  Whoever killed it from outside is no reason
 * to wait. */
static bool ended_in_vain(const struct kw_worker *w, int status)
{
    bool from_outside =
        WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !w->start.killed;
    return w->start.vain && !from_outside;
}

void kw_front_worker_end_of_socket(struct kw_worker *w)
{
    kw_io_forget_socket(w);
    kw_lock_take(w->front->lock);
    bool in_vain = brought_nothing(w) && has_said_so(w);
    w->start.vain = brought_nothing(w) && !in_vain;
    kw_lock_give(w->front->lock);
    workers_happens(w, KW_LIFE_END); /* judged by its patience until the process ends */
    if (in_vain)
        kw_front_login_in_vain(w);
    account(w);
    kw_front_worker_close(w);
}

static void workers_log_end(const struct kw_worker *w, int status)
{
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    kw_log(good ? KW_LOG_INFO : KW_LOG_WARN, "worker-ended",
           KW_STR("token", w->token->o.name), KW_INT("pid", w->process.pid),
           KW_INT("status", WIFEXITED(status) ? WEXITSTATUS(status) : 0),
           KW_INT("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
           KW_INT("phase", kw_page_phase(w->process.page)), KW_INT("served", w->served));
}

void kw_front_worker_forget(struct kw_worker *w)
{
    struct kw_front *f = w->front;
    kw_io_forget(w);
    kw_lock_take(f->lock);
    for (size_t i = 0; i < KW_FRONT_TOKEN_WORKERS; i++)
        if (w->token->workers[i] == w)
            w->token->workers[i] = NULL;
    kw_front_token_recount(w->token);
    kw_lock_give(f->lock);
    close(w->process.pidfd);
    close(w->process.output);
    kw_page_unmap(w->process.page);
    kw_keyring_give(w->ring);
    kw_free(w);
}

void kw_front_worker_gone(struct kw_worker *w)
{
    struct kw_front *f = w->front;
    if (kw_worker_process_by_main(w) != KW_PROCESS_GONE)
        workers_happens(w, KW_LIFE_EXIT);
    kw_io_forget_process(w);
    if (!kw_worker_ended_by_main(w))
        kw_worker_read(w); /* answers may still lie there */
    if (!kw_worker_ended_by_main(w))
        kw_front_worker_end_of_socket(w);
    if (!kw_front_worker_close(w))
        return; /* the tick tries again */
    kw_login_gone(w);
    kw_output_read(w);
    int status = f->seams.reap(w->process.pid);
    const bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    w->token->counts.died += !good;
    w->token->counts.numbers.ended[kw_numbers_end_of(w, good)]++;
    workers_log_end(w, status);
    if (ended_in_vain(w, status))
        kw_front_login_in_vain(w);
    kw_front_worker_forget(w);
}
