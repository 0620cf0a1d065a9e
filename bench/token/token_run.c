/* SPDX-License-Identifier: Apache-2.0 */
#include "token_bench.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <keyward/clock.h>

#include "token_child.h"

enum {
    START_MS = 20, /* from GO to the first operation: every process has heard it */
    PATIENCE_RUN_S = 10,
    CHILDREN = 1 + KW_PROCESSES_MAX, /* the owner, then the workers */
};

struct token_run {
    const struct kw_token_plan *plan;
    const struct kw_key_guard *guard;
    struct kw_shared *shared;
    size_t shared_bytes;
    struct kw_token_result *result;
    struct kw_token_child child[CHILDREN];
    struct kw_p99_watch watch;
};

static struct kw_token_child *owner_of(struct token_run *r)
{
    return &r->child[0];
}

static struct kw_token_child *worker_of(struct token_run *r, uint64_t i)
{
    return &r->child[1 + i];
}

/* Starts a child and waits until it is ready.  On failure it is reaped, and the error is
 * its own. */
static kw_err child_ready(struct token_run *r, struct kw_token_child *c,
                          kw_token_child_main *run, uint64_t process,
                          const struct kw_process_slot *slot)
{
    struct kw_token_child_task task = {r->plan, r->guard, r->shared, process, -1};
    struct kw_note *fault = &r->result->fault;
    kw_err e = kw_token_child_start(r->child, CHILDREN, c, run, &task);
    if (!kw_failed(e))
        e = kw_token_child_await(c, r->shared, fault);
    if (kw_failed(e) || c->pid > 0)
        return e;
    *fault = slot->note; /* done before it was ready */
    return kw_failed(slot->error) ? slot->error : kw_err_at(KW_CODE_BUG, "child");
}

/* ---- one point ---------------------------------------------------------------------- */

static void point_clear(struct token_run *r, const struct kw_token_point *p, size_t n)
{
    struct kw_shared *s = r->shared;
    s->point = n;
    s->processes = p->processes;
    s->threads = p->threads;
    for (uint64_t i = 0; i < KW_PROCESSES_MAX; i++) {
        s->process[i] = (struct kw_process_slot){0};
        worker_of(r, i)->name = "a measuring process";
    }
    for (size_t i = 0; i < p->processes * p->threads; i++)
        s->thread[i] = (struct kw_thread_slot){0};
    r->watch = (struct kw_p99_watch){.limit_ns = r->plan->stop_p99_ns};
}

/* One login after the other: a soft token rewrites its files at each. */
static kw_err workers_start(struct token_run *r)
{
    kw_err e = KW_OK;
    for (uint64_t i = 0; i < r->shared->processes && !kw_failed(e) && !kw_stop_asked();
         i++)
        e = child_ready(r, worker_of(r, i), kw_token_worker_main, i,
                        &r->shared->process[i]);
    return e;
}

static void workers_go(struct token_run *r)
{
    const char what = KW_TELL_GO;
    const struct kw_token_plan *p = r->plan;
    struct kw_shared *s = r->shared;
    s->start_ns = kw_mono_ns(&kw_clock_system) + START_MS * KW_MS_NS;
    s->from_ns = s->start_ns + p->ramp_ns + p->warmup_ns;
    s->until_ns = p->calls > 0 ? INT64_MAX : s->from_ns + p->seconds_ns;
    for (uint64_t i = 0; i < s->processes; i++)
        (void)send(worker_of(r, i)->fd, &what, 1, MSG_NOSIGNAL); /* a dead one is heard */
}

/* One worker has something to say: that it is done, or by its end that it is dead. */
static kw_err worker_heard(struct token_run *r, struct kw_token_child *c)
{
    char what = 0;
    ssize_t n = recv(c->fd, &what, 1, MSG_DONTWAIT);
    if (n < 0)
        return KW_OK;
    int status = kw_token_child_reap(c);
    if (n == 1)
        return KW_OK;
    atomic_store(&r->shared->stop, true);
    return kw_token_child_died(c, status, &r->result->fault);
}

static kw_err workers_kill(struct token_run *r)
{
    for (uint64_t i = 0; i < KW_PROCESSES_MAX; i++)
        if (worker_of(r, i)->pid > 0) {
            (void)kill(worker_of(r, i)->pid, SIGKILL);
            (void)kw_token_child_reap(worker_of(r, i));
        }
    kw_note_set(&r->result->fault,
                "an operation did not come back within %d s of being asked to stop; its "
                "process was killed",
                PATIENCE_RUN_S);
    return kw_err_at(KW_CODE_DEADLINE, "child");
}

/* Waits a moment for any child; how many workers are there still.  *first keeps the first
 * failure. */
static uint64_t workers_poll(struct token_run *r, kw_err *first)
{
    struct pollfd polled[CHILDREN];
    const uint64_t count = 1 + r->shared->processes;
    uint64_t there = 0;
    for (uint64_t i = 0; i < count; i++)
        polled[i] = (struct pollfd){r->child[i].pid > 0 ? r->child[i].fd : -1, POLLIN, 0};
    (void)poll(polled, count, KW_LOOK_MS);
    if (polled[0].revents != 0)
        atomic_store(&r->shared->stop, true); /* the owner's end is told at the end */
    for (uint64_t i = 1; i < count; i++) {
        kw_err e = polled[i].revents != 0 ? worker_heard(r, &r->child[i]) : KW_OK;
        *first = kw_failed(*first) ? *first : e;
        there += r->child[i].pid > 0;
    }
    return there;
}

/* Waits for all workers, and looks at the limit meanwhile.  Gives the first failure. */
static kw_err workers_await(struct token_run *r)
{
    kw_err first = KW_OK;
    int64_t until_ns = 0;
    while (workers_poll(r, &first) > 0) {
        const int64_t now = kw_mono_ns(&kw_clock_system);
        const struct kw_operations done = kw_shared_operations(r->shared, now);
        kw_token_child_look_up(r->shared, &until_ns, PATIENCE_RUN_S);
        if (!kw_failed(first) && kw_p99_over(&r->watch, &done, &r->result->fault)) {
            atomic_store(&r->shared->stop, true);
            first = kw_err_at(KW_CODE_DEADLINE, "stop-p99");
        }
        if (until_ns != 0 && now > until_ns) {
            kw_err e = workers_kill(r);
            return kw_failed(first) ? first : e;
        }
    }
    return first;
}

/* Those that were set up for nothing are told to go. */
static void workers_dismiss(struct token_run *r)
{
    struct kw_note note;
    atomic_store(&r->shared->stop, true);
    for (uint64_t i = 0; i < KW_PROCESSES_MAX; i++) {
        struct kw_token_child *c = worker_of(r, i);
        if (c->pid == 0)
            continue;
        (void)shutdown(c->fd, SHUT_WR);
        kw_err e = kw_token_child_await(c, r->shared, &note);
        if (!kw_failed(e) && c->pid > 0)
            (void)kw_token_child_reap(c); /* it was ready just before */
    }
}

static kw_err point_measure(struct token_run *r, size_t n)
{
    struct kw_token_point *p = &r->result->point[n];
    struct kw_note note;
    point_clear(r, p, n);
    kw_err e = workers_start(r);
    if (kw_failed(e) || kw_stop_asked()) {
        workers_dismiss(r);
        p->partial = true;
        return e;
    }
    workers_go(r);
    e = workers_await(r);
    kw_point_sum(r->shared, p);
    kw_err of_threads = kw_shared_error(r->shared, &note);
    if (!kw_failed(e) && kw_failed(of_threads)) {
        e = of_threads;
        r->result->fault = note;
    }
    p->partial = kw_failed(e) || atomic_load(&r->shared->stop);
    return e;
}

/* ---- all of it ---------------------------------------------------------------------- */

static kw_err points_measure(struct token_run *r)
{
    const struct kw_token_plan *p = r->plan;
    const size_t points = p->curve.count > 0 ? p->curve.count : 1;
    struct kw_token_result *result = r->result;
    kw_err e = KW_OK;
    for (size_t i = 0; i < points && !kw_failed(e) && !kw_stop_asked(); i++) {
        result->point[i] = (struct kw_token_point){
            .processes = p->curve.count > 0 ? p->curve.at[i] : p->processes,
            .threads = p->threads,
            .sessions = p->sessions};
        result->count = i + 1;
        e = point_measure(r, i);
    }
    result->partial = kw_failed(e) || kw_stop_asked();
    return e;
}

/* Whoever watches shall know which key it is, also if nobody is left to destroy it. */
static void label_announce(struct token_run *r)
{
    const struct kw_shared *s = r->shared;
    (void)kw_copy_str(r->result->label, sizeof r->result->label, kw_span_str(s->label));
    if (!r->plan->json && s->label[0] != '\0')
        fprintf(stderr,
                "measuring with the key %s on token %s; it is destroyed at the end\n",
                s->label, s->facts.label);
}

static kw_err owner_end(struct token_run *r)
{
    struct kw_note *fault = &r->result->fault, note = {{0}};
    struct kw_token_child *c = owner_of(r);
    (void)shutdown(c->fd, SHUT_WR); /* told to go */
    atomic_store(&r->shared->stop, true);
    kw_err e = kw_token_child_await(c, r->shared, &note);
    if (e.code == KW_CODE_DEADLINE)
        kw_note_set(fault, "%s, and destroys the key %s then", note.text,
                    r->shared->label);
    else if (kw_failed(e))
        kw_note_set(fault, "%s; if %s is still on the token, --clean destroys it",
                    note.text, r->shared->label);
    if (kw_failed(e) || !kw_failed(r->shared->owner.error))
        return e;
    *fault = r->shared->owner.note;
    return r->shared->owner.error;
}

static kw_err shared_make(struct token_run *r)
{
    uint64_t threads = r->plan->processes * r->plan->threads;
    for (size_t i = 0; i < r->plan->curve.count; i++)
        if (r->plan->curve.at[i] > threads)
            threads = r->plan->curve.at[i];
    r->shared_bytes = sizeof *r->shared + threads * sizeof r->shared->thread[0];
    void *p = mmap(NULL, r->shared_bytes, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "mmap");
    r->shared = p;
    return KW_OK;
}

kw_err kw_token_run(const struct kw_token_plan *plan, const struct kw_key_guard *guard,
                    struct kw_token_result *ret_result)
{
    struct token_run r = {.plan = plan, .guard = guard, .result = ret_result};
    kw_err e = shared_make(&r);
    if (kw_failed(e))
        return e;
    owner_of(&r)->name = "the process that keeps the key";
    e = child_ready(&r, owner_of(&r), kw_token_owner_main, 0, &r.shared->owner);
    ret_result->facts = r.shared->facts;
    if (!kw_failed(e)) {
        label_announce(&r);
        e = points_measure(&r);
        kw_err gone = owner_end(&r);
        e = kw_failed(e) && !kw_failed(gone) ? e : gone;
    }
    ret_result->error = e;
    (void)munmap(r.shared, r.shared_bytes);
    return e;
}
