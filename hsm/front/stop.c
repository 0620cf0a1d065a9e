/* SPDX-License-Identifier: Apache-2.0 */
/* The end: workers answer what they have, leave, and are killed when they do not. */
#include "front_internal.h"

#include <poll.h>

#include <keyward/log.h>

/* SIGKILL ends a process when the kernel's call that it is in comes back: a driver or a
 * network file system that has not let go of it by then does so in no useful time, and a
 * service manager waits 90 s for all of us. */
#define UNKILLABLE_NS (5 * KW_S_NS)

enum { FDS_MAX = 2 * KW_FRONT_WORKERS_MAX, WAIT_MS = 20 };

static struct kw_worker *one_left(struct kw_front *f)
{
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++)
        if (kw_front_worker_by_main(f, i) != NULL)
            return kw_front_worker_by_main(f, i);
    return NULL;
}

static void drain_all(struct kw_front *f) KW_FREE
{
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++) {
        struct kw_worker *w = kw_front_worker_by_main(f, i);
        if (w == NULL || kw_worker_ended_by_main(w))
            continue;
        /* How a login ends is worth waiting for: it would count as unclear. */
        bool busy = kw_worker_state_by_main(w) == KW_WORKER_READY ||
                    w->login.state == KW_LOGIN_GOING;
        kw_front_worker_drain(w);
        if (!busy) /* it waits for no answer: an end of file that its guard sees at once
                    */
            kw_front_worker_end_of_socket(w);
    }
}

/* Whoever is our parent reaps it one day.  A login that it is in stays remembered as one
 * that is going on, which it is. */
static void leave_behind(struct kw_worker *w) KW_FREE
{
    if (!kw_worker_ended_by_main(w))
        kw_front_worker_end_of_socket(w);
    if (!kw_front_worker_close(w))
        return; /* a sender is at it: the next turn */
    kw_log(KW_LOG_ERROR, "worker-left-behind", KW_STR("token", w->token->o.name),
           KW_INT("pid", w->process.pid),
           KW_INT("phase", kw_page_phase(w->process.page)));
    kw_front_worker_forget(w);
}

/* Never in LOGIN before its grace is over. */
static void kill_late(struct kw_front *f, int64_t since_ns, int64_t grace_ns) KW_FREE
{
    int64_t waited = kw_front_now(f) - since_ns;
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++) {
        struct kw_worker *w = kw_front_worker_by_main(f, i);
        if (w == NULL)
            continue;
        bool login = kw_page_phase(w->process.page) == KW_PAGE_LOGIN;
        if (kw_worker_process_by_main(w) == KW_PROCESS_KILLED &&
            kw_front_now(f) - w->watch.since_ns >= UNKILLABLE_NS)
            leave_behind(w);
        else if (waited >= (login ? f->o.times.login_grace_ns : grace_ns))
            kw_front_worker_kill(w);
    }
}

static void read_what_came(struct kw_front *f, int timeout_ms) KW_FREE
{
    struct pollfd fds[FDS_MAX];
    struct kw_worker *of[FDS_MAX];
    nfds_t n = 0;
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++) {
        struct kw_worker *w = kw_front_worker_by_main(f, i);
        if (w == NULL)
            continue;
        of[n] = w;
        fds[n++] = (struct pollfd){.fd = w->process.pidfd, .events = POLLIN};
        of[n] = w;
        int fd = kw_worker_ended_by_main(w) ? -1 : kw_worker_socket_by_main(w);
        fds[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    if (poll(fds, n, timeout_ms) <= 0)
        return;
    for (nfds_t i = 0; i < n; i += 2) {
        if (fds[i + 1].revents != 0)
            kw_worker_read(of[i]);
        kw_output_read(of[i]);
        if (fds[i].revents != 0)
            kw_front_worker_gone(of[i]);
    }
}

void kw_front_stop(struct kw_front *f, int64_t grace_ns)
{
    kw_err ended = kw_err_at(KW_CODE_HSM_DOWN, "stop"); /* the caller is still there */
    int64_t since = kw_front_now(f);
    f->stopping = true;
    kw_lock_take(f->lock);
    f->queue.closed = true;
    kw_queue_fail(&f->queue, KW_JOB_WAITING, ended);
    kw_queue_fail(&f->queue, KW_JOB_DECIDING, ended);
    kw_sign_stop(f, false, ended);
    kw_lock_give(f->lock);
    drain_all(f);
    kw_front_settle(f);
    while (one_left(f) != NULL) {
        kill_late(f, since, grace_ns);
        read_what_came(f, WAIT_MS);
        kw_front_settle(f);
    }
    for (size_t i = 0; i < f->token_count; i++)
        kw_latch_close(&f->tokens[i].latch);
    kw_lock_take(f->lock);
    kw_queue_fail(&f->queue, KW_JOB_WAITING, ended);
    kw_queue_fail(&f->queue, KW_JOB_SENT, ended);
    kw_queue_fail(&f->queue, KW_JOB_DECIDING, ended); /* no canary is coming */
    kw_sign_stop(f, true, ended);
    kw_lock_give(f->lock);
    kw_front_settle(f);
}
