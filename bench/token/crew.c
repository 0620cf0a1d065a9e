/* SPDX-License-Identifier: Apache-2.0 */
#include "crew.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <keyward/clock.h>

#include "member.h"

enum {
    START_MS = 20, /* from GO to the first operation: every process has heard it */
    PATIENCE_RUN_S = 10,
};

struct crew {
    const struct kw_token_plan *plan;
    const struct kw_guard *guard;
    struct kw_board *board;
    size_t board_bytes;
    struct kw_token_result *result;
    struct kw_member member[1 + KW_PROCESSES_MAX]; /* the keeper, then the workers */
    struct kw_p99_watch watch;
};

static const char keeper_name[] = "the process that keeps the key";
static const char worker_name[] = "a measuring process";

static struct kw_member *keeper(struct crew *c)
{
    return &c->member[0];
}

static struct kw_member *worker(struct crew *c, uint64_t i)
{
    return &c->member[1 + i];
}

static kw_err start(struct crew *c, struct kw_member *m, kw_member_main *run,
                    uint64_t process)
{
    struct kw_errand errand = {c->plan, c->guard, c->board, process, -1};
    return kw_member_start(c->member, 1 + KW_PROCESSES_MAX, m, run, &errand);
}

/* Waits until the child is ready.  On failure it is reaped, and the error is its own. */
static kw_err await_ready(struct crew *c, struct kw_member *m, const char *name,
                          const struct kw_process_slot *slot)
{
    char what = 0;
    struct kw_note *fault = &c->result->fault;
    if (!kw_member_hear(m, c->board, &what))
        return kw_member_leave(m, name, fault);
    if (what == KW_SAY_READY)
        return KW_OK;
    int status = kw_member_reap(m);
    if (what != KW_SAY_DONE)
        return kw_member_died(status, name, fault);
    *fault = slot->note;
    return kw_failed(slot->error) ? slot->error : kw_err_at(KW_CODE_BUG, "child");
}

/* ---- one point ------------------------------------------------------------------ */

static void clear_point(struct crew *c, const struct kw_point *p, size_t n)
{
    struct kw_board *b = c->board;
    b->point = n;
    b->processes = p->processes;
    b->threads = p->threads;
    for (uint64_t i = 0; i < KW_PROCESSES_MAX; i++)
        b->process[i] = (struct kw_process_slot){0};
    for (size_t i = 0; i < p->processes * p->threads; i++)
        b->lane[i] = (struct kw_lane_slot){0};
    c->watch = (struct kw_p99_watch){.limit_ns = c->plan->stop_p99_ns};
}

/* One login after the other: a soft token rewrites its files at each. */
static kw_err start_workers(struct crew *c)
{
    kw_err e = KW_OK;
    for (uint64_t i = 0; i < c->board->processes && !kw_failed(e); i++) {
        e = start(c, worker(c, i), kw_worker_main, i);
        if (!kw_failed(e))
            e = await_ready(c, worker(c, i), worker_name, &c->board->process[i]);
        if (!kw_failed(e) && kw_stop_asked())
            break;
    }
    return e;
}

static void go(struct crew *c)
{
    const char what = KW_TELL_GO;
    struct kw_board *b = c->board;
    b->start_ns = kw_mono_ns(&kw_clock_system) + START_MS * KW_MS_NS;
    b->from_ns = b->start_ns + c->plan->ramp_ns + c->plan->warmup_ns;
    b->until_ns = c->plan->calls > 0 ? INT64_MAX : b->from_ns + c->plan->seconds_ns;
    for (uint64_t i = 0; i < b->processes; i++)
        (void)send(worker(c, i)->fd, &what, 1, MSG_NOSIGNAL); /* a dead one is heard */
}

/* One worker has something to say: that it is done, or by its end that it is dead. */
static kw_err heard(struct crew *c, struct kw_member *m)
{
    char what = 0;
    ssize_t n = recv(m->fd, &what, 1, MSG_DONTWAIT);
    if (n < 0)
        return KW_OK;
    int status = kw_member_reap(m);
    if (n == 1)
        return KW_OK;
    atomic_store(&c->board->stop, true);
    return kw_member_died(status, worker_name, &c->result->fault);
}

static kw_err kill_the_rest(struct crew *c)
{
    for (uint64_t i = 0; i < KW_PROCESSES_MAX; i++)
        if (worker(c, i)->pid > 0) {
            (void)kill(worker(c, i)->pid, SIGKILL);
            (void)kw_member_reap(worker(c, i));
        }
    kw_note_set(&c->result->fault,
                "an operation did not come back within %d s of being asked to stop; its "
                "process was killed",
                PATIENCE_RUN_S);
    return kw_err_at(KW_CODE_DEADLINE, "child");
}

/* Waits for all workers, and looks at the limit meanwhile.  Gives the first failure. */
static kw_err await_all(struct crew *c)
{
    struct pollfd polled[KW_PROCESSES_MAX + 1];
    const uint64_t count = c->board->processes;
    kw_err first = KW_OK;
    int64_t until_ns = 0;
    for (uint64_t there = count; there > 0;) {
        for (uint64_t i = 0; i < count; i++)
            polled[i] =
                (struct pollfd){worker(c, i)->pid > 0 ? worker(c, i)->fd : -1, POLLIN, 0};
        polled[count] = (struct pollfd){keeper(c)->fd, POLLIN, 0};
        (void)poll(polled, count + 1, KW_LOOK_MS);
        kw_member_look_up(c->board, &until_ns, PATIENCE_RUN_S);
        there = 0;
        for (uint64_t i = 0; i < count; i++) {
            kw_err e = polled[i].revents != 0 ? heard(c, worker(c, i)) : KW_OK;
            first = kw_failed(first) ? first : e;
            there += worker(c, i)->pid > 0;
        }
        const int64_t now = kw_mono_ns(&kw_clock_system);
        const struct kw_progress progress = kw_board_progress(c->board, now);
        if (polled[count].revents != 0)
            atomic_store(&c->board->stop, true); /* its end is told when it is ended */
        if (!kw_failed(first) && kw_p99_over(&c->watch, &progress, &c->result->fault)) {
            atomic_store(&c->board->stop, true);
            first = kw_err_at(KW_CODE_DEADLINE, "stop-p99");
        }
        if (there > 0 && until_ns != 0 && now > until_ns) {
            kw_err e = kill_the_rest(c);
            return kw_failed(first) ? first : e;
        }
    }
    return first;
}

/* Those that were set up for nothing are told to go. */
static void dismiss(struct crew *c)
{
    char what = 0;
    struct kw_note note;
    atomic_store(&c->board->stop, true);
    for (uint64_t i = 0; i < KW_PROCESSES_MAX; i++) {
        if (worker(c, i)->pid == 0)
            continue;
        (void)shutdown(worker(c, i)->fd, SHUT_WR);
        if (kw_member_hear(worker(c, i), c->board, &what))
            (void)kw_member_reap(worker(c, i));
        else
            (void)kw_member_leave(worker(c, i), worker_name, &note);
    }
}

static kw_err measure(struct crew *c, size_t n)
{
    struct kw_point *p = &c->result->point[n];
    struct kw_note note;
    clear_point(c, p, n);
    kw_err e = start_workers(c);
    if (kw_failed(e) || kw_stop_asked()) {
        dismiss(c);
        p->partial = true;
        return e;
    }
    go(c);
    e = await_all(c);
    kw_point_sum(c->board, p);
    kw_err of_lanes = kw_board_error(c->board, &note);
    if (!kw_failed(e) && kw_failed(of_lanes)) {
        e = of_lanes;
        c->result->fault = note;
    }
    p->partial = kw_failed(e) || atomic_load(&c->board->stop);
    return e;
}

/* ---- all of it ------------------------------------------------------------------ */

static struct kw_point shape_of(const struct kw_token_plan *plan, size_t n)
{
    struct kw_point p = {.threads = plan->threads, .sessions = plan->sessions};
    p.processes = plan->curve_count > 0 ? plan->curve[n] : plan->processes;
    return p;
}

static kw_err measure_all(struct crew *c)
{
    const size_t points = c->plan->curve_count > 0 ? c->plan->curve_count : 1;
    struct kw_token_result *r = c->result;
    kw_err e = KW_OK;
    for (size_t i = 0; i < points && !kw_failed(e) && !kw_stop_asked(); i++) {
        r->point[i] = shape_of(c->plan, i);
        r->count = i + 1;
        e = measure(c, i);
    }
    r->partial = kw_failed(e) || kw_stop_asked();
    return e;
}

/* Whoever watches shall know which key it is, also if nobody is left to destroy it. */
static void announce(const struct crew *c)
{
    if (c->plan->json || c->board->label[0] == '\0')
        return;
    fprintf(stderr, "measuring with the key %s on token %s; it is destroyed at the end\n",
            c->board->label, c->board->facts.label);
}

static kw_err end_keeper(struct crew *c)
{
    char what = 0;
    struct kw_note *fault = &c->result->fault;
    struct kw_note note = {{0}};
    (void)shutdown(keeper(c)->fd, SHUT_WR); /* told to go */
    atomic_store(&c->board->stop, true);
    if (!kw_member_hear(keeper(c), c->board, &what)) {
        kw_err e = kw_member_leave(keeper(c), keeper_name, &note);
        kw_note_set(fault, "%s, and destroys the key %s then", note.text,
                    c->board->label);
        return e;
    }
    int status = kw_member_reap(keeper(c));
    if (what != KW_SAY_DONE) {
        kw_err e = kw_member_died(status, keeper_name, &note);
        kw_note_set(fault, "%s; if %s is still on the token, --clean destroys it",
                    note.text, c->board->label);
        return e;
    }
    if (kw_failed(c->board->keeper.error))
        *fault = c->board->keeper.note;
    return c->board->keeper.error;
}

static kw_err make_board(struct crew *c)
{
    uint64_t lanes = c->plan->processes * c->plan->threads;
    for (size_t i = 0; i < c->plan->curve_count; i++)
        if (c->plan->curve[i] > lanes)
            lanes = c->plan->curve[i];
    c->board_bytes = sizeof *c->board + lanes * sizeof c->board->lane[0];
    void *p = mmap(NULL, c->board_bytes, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "mmap");
    c->board = p;
    return KW_OK;
}

kw_err kw_crew_run(const struct kw_token_plan *plan, const struct kw_guard *guard,
                   struct kw_token_result *ret_result)
{
    struct crew c = {.plan = plan, .guard = guard, .result = ret_result};
    kw_err e = make_board(&c);
    if (kw_failed(e))
        return e;
    e = start(&c, keeper(&c), kw_keeper_main, 0);
    if (!kw_failed(e))
        e = await_ready(&c, keeper(&c), keeper_name, &c.board->keeper);
    ret_result->facts = c.board->facts;
    if (!kw_failed(e)) {
        (void)kw_copy_str(ret_result->label, sizeof ret_result->label,
                          kw_span_str(c.board->label));
        announce(&c);
        e = measure_all(&c);
        kw_err gone = end_keeper(&c);
        e = kw_failed(e) && !kw_failed(gone) ? e : gone;
    }
    ret_result->error = e;
    (void)munmap(c.board, c.board_bytes);
    return e;
}
