/* SPDX-License-Identifier: Apache-2.0 */
/* A second, tiny thread: when the front is gone the process leaves, even if the module
 * never comes back from a call.  But not within C_Login, where a soft token rewrites its
 * files: leaving wants the gate that the login holds.  A login that hangs without anybody
 * left to ask holds it for so long and no longer.
 *
 * SIGTERM ends the reading of jobs: what lies in the socket is answered, then the process
 * leaves by itself. */
#include "worker_internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <keyward/mutex.h>

enum { LOGIN_GRACE_S = 60 };

static struct kw_mutex gate = KW_MUTEX_INIT;
static int watched, terms;

/* From hold to release the gate is held, across calls: no analysis follows that. */
void kw_guard_hold(void) KW_NO_THREAD_SAFETY
{
    kw_mutex_lock(&gate);
}

void kw_guard_release(void) KW_NO_THREAD_SAFETY
{
    kw_mutex_unlock(&gate);
}

static _Noreturn void guard_leave(void)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOGIN_GRACE_S;
    pthread_mutex_clocklock(&gate.native, CLOCK_MONOTONIC, &until);
    _exit(0);
}

static void *guard_watch(void *unused)
{
    (void)unused;
    struct pollfd fds[] = {{.fd = watched}, {.fd = terms, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            guard_leave();
        if ((fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
            guard_leave();
        if (fds[1].revents != 0) {
            shutdown(watched, SHUT_RD);
            fds[1].fd = -1; /* once is enough */
        }
    }
}

static kw_err guard_refused(int error, const char *where)
{
    return kw_err_native(KW_CODE_IO, (uint32_t)error, where);
}

kw_err kw_guard_start(int socket)
{
    sigset_t term, all, before;
    pthread_t thread;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    watched = socket;
    terms = signalfd(-1, &term, SFD_CLOEXEC);
    if (terms < 0)
        return guard_refused(errno, "signalfd");
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int rc = pthread_create(&thread, NULL, guard_watch, NULL);
    if (rc == 0)
        (void)pthread_setname_np(thread, "kw-guard");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_sigmask(SIG_BLOCK, &term, NULL);
    return rc == 0 ? KW_OK : guard_refused(rc, "pthread_create");
}
