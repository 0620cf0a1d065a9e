/* SPDX-License-Identifier: Apache-2.0 */
#include "member.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/clock.h>

/* In the child: it follows the parent, not the terminal, and what a module prints is not
 * our output.  The parent's ends of the other sockets would keep their ends of file back.
 */
static void settle(const struct kw_member *all, size_t count)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    (void)dup2(STDERR_FILENO, STDOUT_FILENO);
    for (size_t i = 0; i < count; i++)
        if (all[i].pid > 0)
            close(all[i].fd);
}

kw_err kw_member_start(const struct kw_member *all, size_t count, struct kw_member *m,
                       kw_member_main *run, struct kw_errand *errand)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "socketpair");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        settle(all, count);
        errand->fd = ends[1];
        run(errand);
        _exit(1); /* it does not come back */
    }
    int saved = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return kw_err_native(KW_CODE_IO, (uint32_t)saved, "fork");
    }
    *m = (struct kw_member){pid, ends[0]};
    return KW_OK;
}

void kw_member_look_up(struct kw_board *b, int64_t *until_ns, int64_t patience_s)
{
    if (kw_stop_asked())
        atomic_store(&b->stop, true);
    if (atomic_load(&b->stop) && *until_ns == 0)
        *until_ns = kw_mono_ns(&kw_clock_system) + patience_s * KW_S_NS;
}

bool kw_member_hear(const struct kw_member *m, struct kw_board *b, char *ret_what)
{
    struct pollfd polled = {m->fd, POLLIN, 0};
    int64_t until_ns = 0;
    for (;;) {
        kw_member_look_up(b, &until_ns, KW_PATIENCE_SETUP_S);
        if (poll(&polled, 1, KW_LOOK_MS) > 0) {
            ssize_t n = recv(m->fd, ret_what, 1, 0);
            if (n == 1)
                return true;
            *ret_what = 0;
            if (n == 0 || errno != EINTR)
                return true;
        }
        if (until_ns != 0 && kw_mono_ns(&kw_clock_system) > until_ns)
            return false;
    }
}

int kw_member_reap(struct kw_member *m)
{
    int status = 0;
    close(m->fd);
    while (waitpid(m->pid, &status, 0) < 0 && errno == EINTR)
        ;
    m->pid = 0;
    return status;
}

kw_err kw_member_died(int status, const char *name, struct kw_note *note)
{
    if (WIFSIGNALED(status))
        kw_note_set(note,
                    "%s died of signal %d (%s): the module crashed, or somebody killed "
                    "it",
                    name, WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        kw_note_set(note, "%s ended with status %d", name, WEXITSTATUS(status));
    return kw_err_at(KW_CODE_HSM_DOWN, "child");
}

kw_err kw_member_leave(struct kw_member *m, const char *name, struct kw_note *note)
{
    kw_note_set(note,
                "%s (pid %d) hangs in the module and is left alone: it ends by itself "
                "when the module lets it",
                name, (int)m->pid);
    close(m->fd);
    m->pid = 0;
    return kw_err_at(KW_CODE_DEADLINE, "child");
}
