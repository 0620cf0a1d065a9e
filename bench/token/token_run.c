/* SPDX-License-Identifier: Apache-2.0 */
#include "token_bench.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/clock.h>

enum {
    LOOK_MS = 100, /* at Ctrl-C, and at --stop-p99 */
    START_MS = 20, /* from the word to the first operation: every process has heard it */
    PATIENCE_SETUP_S = 30,
    PATIENCE_RUN_S = 10,
    CHILDREN = 1 + KW_PROCESSES_MAX, /* the owner, then the workers */
};

struct token_child {
    pid_t pid; /* 0: there is none */
    int fd;
};

struct token_run {
    const struct kw_token_plan *plan;
    const struct kw_key_guard *guard;
    struct kw_shared *shared;
    struct kw_token_result *result;
    struct token_child child[CHILDREN];
    struct kw_p99_watch watch;
};

/* Stops all.  The first error is kept. */
static void run_fail(struct token_run *r, kw_err e, const struct kw_note *note)
{
    atomic_store(&r->shared->stop, true);
    if (kw_failed(r->result->error))
        return;
    r->result->error = e;
    r->result->fault = *note;
}

/* Ctrl-C becomes `stop`; *until_ns becomes the end of patience, once that is set. */
static bool run_is_patient(struct token_run *r, int64_t *until_ns, int64_t patience_s)
{
    const int64_t now = kw_mono_ns(&kw_clock_system);
    if (kw_stop_asked())
        atomic_store(&r->shared->stop, true);
    if (atomic_load(&r->shared->stop) && *until_ns == 0)
        *until_ns = now + patience_s * KW_S_NS;
    return *until_ns == 0 || now <= *until_ns;
}

/* ---- one child ---------------------------------------------------------------------- */

/* In the child: it follows the parent, not the terminal, and what a module prints is not
 * our output.  The parent's ends of the other sockets would keep their ends of file back.
 */
static void child_settle(const struct token_run *r)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    (void)dup2(STDERR_FILENO, STDOUT_FILENO);
    for (size_t i = 0; i < CHILDREN; i++)
        if (r->child[i].pid > 0)
            close(r->child[i].fd);
}

static kw_err child_start(struct token_run *r, struct token_child *c,
                          kw_token_child_main *run, uint64_t process)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "socketpair");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        const struct kw_token_task task = {r->plan, r->guard, r->shared, process,
                                           ends[1]};
        close(ends[0]);
        child_settle(r);
        run(&task);
        _exit(1); /* it does not come back */
    }
    kw_err e = pid > 0 ? KW_OK : kw_err_native(KW_CODE_IO, (uint32_t)errno, "fork");
    close(ends[1]);
    if (pid > 0)
        *c = (struct token_child){pid, ends[0]};
    else
        close(ends[0]);
    return e;
}

/* At its end of file.  HSM_DOWN when it did not come to its own end. */
static kw_err child_reap(const struct token_run *r, struct token_child *c,
                         struct kw_note *note)
{
    const char *name =
        c == r->child ? "the process that keeps the key" : "a measuring process";
    int status = 0;
    close(c->fd);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    c->pid = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == KW_CHILD_DONE)
        return KW_OK;
    if (WIFSIGNALED(status))
        kw_note_set(note,
                    "%s died of signal %d (%s): the module crashed, or somebody killed "
                    "it",
                    name, WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        kw_note_set(note, "%s ended with status %d", name, WEXITSTATUS(status));
    return kw_err_at(KW_CODE_HSM_DOWN, "child");
}

/* Waits until the child is ready, or gone: then its pid is 0.  One that hangs in the module
 * is left to itself: it goes, and the owner destroys its key, when the module lets it.
 * DEADLINE  it says nothing for so long after it was asked to stop
 * HSM_DOWN  it died */
static kw_err child_await(struct token_run *r, struct token_child *c,
                          struct kw_note *note)
{
    struct pollfd polled = {c->fd, POLLIN, 0};
    int64_t until_ns = 0;
    while (run_is_patient(r, &until_ns, PATIENCE_SETUP_S)) {
        char what;
        if (poll(&polled, 1, LOOK_MS) <= 0)
            continue;
        ssize_t n = recv(c->fd, &what, 1, 0);
        if (n > 0)
            return KW_OK;
        if (n == 0 || errno != EINTR)
            return child_reap(r, c, note);
    }
    kw_note_set(note,
                "a process (pid %d) hangs in the module and is left alone: it ends by "
                "itself when the module lets it",
                (int)c->pid);
    close(c->fd);
    c->pid = 0;
    return kw_err_at(KW_CODE_DEADLINE, "child");
}

/* Starts a child and waits until it is ready; false: it is not, and why is kept. */
static bool child_is_ready(struct token_run *r, struct token_child *c,
                           kw_token_child_main *run, uint64_t process,
                           const struct kw_failure *failure)
{
    struct kw_note note = {{0}};
    kw_err e = child_start(r, c, run, process);
    if (!kw_failed(e))
        e = child_await(r, c, &note);
    if (!kw_failed(e) && c->pid > 0)
        return true;
    if (!kw_failed(e)) { /* it came to its end, and has said why */
        e = failure->error;
        note = failure->note;
    }
    run_fail(r, e, &note);
    return false;
}

/* ---- one point ---------------------------------------------------------------------- */

/* One login after the other: a soft token rewrites its files at each. */
static bool workers_are_ready(struct token_run *r)
{
    const struct kw_shared *s = r->shared;
    for (uint64_t i = 0; i < s->processes; i++)
        if (atomic_load(&s->stop) ||
            !child_is_ready(r, &r->child[1 + i], kw_token_worker_main, i, &s->failure))
            return false;
    return !atomic_load(&s->stop);
}

/* Those that were set up for nothing are told to go. */
static void workers_tell(struct token_run *r, bool go)
{
    const struct kw_token_plan *p = r->plan;
    struct kw_shared *s = r->shared;
    s->start_ns = kw_mono_ns(&kw_clock_system) + START_MS * KW_MS_NS;
    s->from_ns = s->start_ns + p->ramp_ns + p->warmup_ns;
    s->until_ns = p->calls > 0 ? INT64_MAX : s->from_ns + p->seconds_ns;
    for (uint64_t i = 1; i <= s->processes; i++) {
        if (r->child[i].pid > 0 && go)
            (void)send(r->child[i].fd, "G", 1, MSG_NOSIGNAL); /* a dead one is heard */
        else if (r->child[i].pid > 0)
            (void)shutdown(r->child[i].fd, SHUT_WR);
    }
}

/* Waits a moment for any child to end; how many workers are there still. */
static uint64_t workers_poll(struct token_run *r)
{
    struct pollfd polled[CHILDREN];
    const uint64_t count = 1 + r->shared->processes;
    struct kw_note note;
    uint64_t there = 0;
    for (uint64_t i = 0; i < count; i++)
        polled[i] = (struct pollfd){r->child[i].pid > 0 ? r->child[i].fd : -1, POLLIN, 0};
    (void)poll(polled, count, LOOK_MS);
    if (polled[0].revents != 0)
        atomic_store(&r->shared->stop, true); /* the owner's end is told at the end */
    for (uint64_t i = 1; i < count; i++) {
        kw_err e = polled[i].revents != 0 ? child_reap(r, &r->child[i], &note) : KW_OK;
        if (kw_failed(e))
            run_fail(r, e, &note);
        there += r->child[i].pid > 0;
    }
    return there;
}

static void workers_kill(struct token_run *r)
{
    struct kw_note note;
    kw_note_set(&note,
                "an operation did not come back within %d s of being asked to stop; its "
                "process was killed",
                PATIENCE_RUN_S);
    run_fail(r, kw_err_at(KW_CODE_DEADLINE, "child"), &note);
    for (uint64_t i = 1; i <= r->shared->processes; i++)
        if (r->child[i].pid > 0)
            (void)kill(r->child[i].pid, SIGKILL);
}

/* Waits for all workers, and looks at the limit meanwhile. */
static void workers_await(struct token_run *r)
{
    struct kw_shared *s = r->shared;
    struct kw_note note;
    int64_t until_ns = 0;
    while (workers_poll(r) > 0) {
        const struct kw_operations done =
            kw_shared_operations(s, kw_mono_ns(&kw_clock_system));
        if (!run_is_patient(r, &until_ns, PATIENCE_RUN_S))
            workers_kill(r);
        else if (kw_p99_over(&r->watch, &done, &note))
            run_fail(r, kw_err_at(KW_CODE_DEADLINE, "stop-p99"), &note);
    }
    if (kw_failed(s->failure.error))
        run_fail(r, s->failure.error, &s->failure.note);
}

static void point_measure(struct token_run *r, struct kw_token_point *p, size_t n)
{
    struct kw_shared *s = r->shared;
    s->point = n;
    s->processes = p->processes;
    s->threads = p->threads;
    for (uint64_t i = 0; i < KW_PROCESSES_MAX; i++)
        s->process[i] = (struct kw_process_slot){0};
    for (size_t i = 0; i < p->processes * p->threads; i++)
        s->thread[i] = (struct kw_thread_slot){0};
    r->watch = (struct kw_p99_watch){.limit_ns = r->plan->stop_p99_ns};
    workers_tell(r, workers_are_ready(r));
    workers_await(r);
    kw_point_sum(s, p);
    r->result->wrong += p->wrong;
    p->partial = atomic_load(&s->stop);
}

/* ---- all of it ---------------------------------------------------------------------- */

static void points_measure(struct token_run *r)
{
    const struct kw_token_plan *p = r->plan;
    const size_t points = p->curve.count > 0 ? p->curve.count : 1;
    struct kw_token_result *result = r->result;
    for (size_t i = 0; i < points && !atomic_load(&r->shared->stop); i++) {
        const struct kw_token_shape shape = kw_plan_shape(p, i);
        if (p->fits && shape.threads > kw_fit_granted(&result->facts, p->processes))
            continue;
        struct kw_token_point *point = &result->point[result->count++];
        point->processes = shape.processes;
        point->threads = shape.threads;
        point_measure(r, point, i);
    }
    result->partial = atomic_load(&r->shared->stop);
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

/* What it says of the key is graver than what the measurement failed of. */
static void owner_end(struct token_run *r)
{
    const struct kw_shared *s = r->shared;
    struct kw_note *fault = &r->result->fault, note = {{0}};
    (void)shutdown(r->child[0].fd, SHUT_WR); /* told to go */
    atomic_store(&r->shared->stop, true);
    kw_err e = child_await(r, &r->child[0], &note);
    if (e.code == KW_CODE_DEADLINE)
        kw_note_set(fault, "%s, and destroys the key %s then", note.text, s->label);
    else if (kw_failed(e))
        kw_note_set(fault, "%s; if %s is still on the token, --clean destroys it",
                    note.text, s->label);
    else if (kw_failed(s->owner.error))
        *fault = s->owner.note;
    if (!kw_failed(e))
        e = s->owner.error;
    if (kw_failed(e))
        r->result->error = e;
}

kw_err kw_token_run(const struct kw_token_plan *plan, const struct kw_key_guard *guard,
                    struct kw_token_result *ret_result)
{
    void *shared = mmap(NULL, sizeof(struct kw_shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (shared == MAP_FAILED)
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "mmap");
    struct token_run r = {
        .plan = plan, .guard = guard, .shared = shared, .result = ret_result};
    bool ready =
        child_is_ready(&r, &r.child[0], kw_token_owner_main, 0, &r.shared->owner);
    ret_result->facts = r.shared->facts;
    if (ready) {
        label_announce(&r);
        points_measure(&r);
        owner_end(&r);
    }
    (void)munmap(shared, sizeof(struct kw_shared));
    return ret_result->error;
}
