/* SPDX-License-Identifier: Apache-2.0 */
/* A second, tiny thread: when the front is gone the process leaves, even if the module
 * never comes back from a call.  But not within C_Login, where a soft token rewrites its
 * files: leaving wants the gate that the login holds.  A login that hangs without anybody
 * left to ask holds it for so long and no longer. */
#include "worker_internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <keyward/mutex.h>

enum { LOGIN_GRACE_S = 60 };

static struct kw_mutex gate = KW_MUTEX_INIT;
static int watched;

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
    struct pollfd fd = {.fd = watched};
    for (;;) {
        if (poll(&fd, 1, -1) < 0 && errno != EINTR)
            guard_leave();
        if ((fd.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
            guard_leave();
    }
}

kw_err kw_guard_start(int socket)
{
    sigset_t all, before;
    pthread_t thread;
    watched = socket;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int rc = pthread_create(&thread, NULL, guard_watch, NULL);
    if (rc == 0)
        (void)pthread_setname_np(thread, "kw-guard");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? KW_OK : kw_err_native(KW_CODE_IO, (uint32_t)rc, "pthread_create");
}
