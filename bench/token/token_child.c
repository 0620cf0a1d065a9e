/* SPDX-License-Identifier: Apache-2.0 */
#include "token_child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/clock.h>

/* ---- inside ------------------------------------------------------------------------- */

enum { ARENA = 256 * 1024, ARENA_PER_THREAD = 8 * 1024 };

kw_err kw_token_child_open(const struct kw_token_plan *plan, bool read_write,
                           struct kw_token **ret_token, struct kw_note *note)
{
    const struct kw_token_options options = {.module = plan->module,
                                             .uri = plan->uri,
                                             .pin = plan->pin,
                                             .read_write = read_write};
    kw_err e =
        kw_arena_open(ARENA + plan->threads * ARENA_PER_THREAD, KW_ARENA_AUTO, note);
    return kw_failed(e) ? e : kw_token_open(&options, ret_token, note);
}

kw_err kw_token_child_check(const struct kw_token_plan *plan,
                            const struct kw_token_facts *facts, struct kw_note *note)
{
    if (facts->softhsm || plan->any_token)
        return KW_OK;
    kw_note_set(note,
                "token %s (%s %s) is no SoftHSM: this loads it as fast as it goes, or "
                "as --max-rate allows; say --yes when nobody else needs it",
                facts->label, facts->manufacturer, facts->model);
    return kw_err_at(KW_CODE_DENIED, "token");
}

kw_err kw_token_child_label(const struct kw_key_guard *guard,
                            char ret_label[KW_KEY_ID_MAX + 1], struct kw_note *note)
{
    const kw_span no_locator = {0};
    char label[KW_KEY_ID_MAX + 1];
    kw_token_throwaway_label(label);
    kw_err e = kw_key_guard_allows(guard, label, no_locator, note);
    if (!kw_failed(e))
        (void)kw_copy_str(ret_label, KW_KEY_ID_MAX + 1, kw_span_str(label));
    return e;
}

void kw_token_child_say(const struct kw_token_child_task *task, char what)
{
    /* A parent that is gone is seen at the next read. */
    (void)send(task->fd, &what, 1, MSG_NOSIGNAL);
}

bool kw_token_child_told(const struct kw_token_child_task *task)
{
    char what = 0;
    ssize_t n;
    do
        n = recv(task->fd, &what, 1, 0);
    while (n < 0 && errno == EINTR);
    return n == 1 && what == KW_TELL_GO;
}

/* ---- from outside ------------------------------------------------------------------- */

/* In the child: it follows the parent, not the terminal, and what a module prints is not
 * our output.  The parent's ends of the other sockets would keep their ends of file back.
 */
static void child_settle(const struct kw_token_child *all, size_t count)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    (void)dup2(STDERR_FILENO, STDOUT_FILENO);
    for (size_t i = 0; i < count; i++)
        if (all[i].pid > 0)
            close(all[i].fd);
}

kw_err kw_token_child_start(const struct kw_token_child *all, size_t count,
                            struct kw_token_child *c, kw_token_child_main *run,
                            struct kw_token_child_task *task)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "socketpair");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        child_settle(all, count);
        task->fd = ends[1];
        run(task);
        _exit(1); /* it does not come back */
    }
    int saved = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return kw_err_native(KW_CODE_IO, (uint32_t)saved, "fork");
    }
    c->pid = pid;
    c->fd = ends[0];
    return KW_OK;
}

void kw_token_child_look_up(struct kw_shared *s, int64_t *until_ns, int64_t patience_s)
{
    if (kw_stop_asked())
        atomic_store(&s->stop, true);
    if (atomic_load(&s->stop) && *until_ns == 0)
        *until_ns = kw_mono_ns(&kw_clock_system) + patience_s * KW_S_NS;
}

/* What it says next, 0 when it is dead; false: it says nothing KW_PATIENCE_SETUP_S after it
 * was asked to stop. */
static bool child_hear(const struct kw_token_child *c, struct kw_shared *s,
                       char *ret_what)
{
    struct pollfd polled = {c->fd, POLLIN, 0};
    int64_t until_ns = 0;
    for (;;) {
        kw_token_child_look_up(s, &until_ns, KW_PATIENCE_SETUP_S);
        if (poll(&polled, 1, KW_LOOK_MS) > 0) {
            *ret_what = 0;
            if (recv(c->fd, ret_what, 1, 0) >= 0 || errno != EINTR)
                return true;
        }
        if (until_ns != 0 && kw_mono_ns(&kw_clock_system) > until_ns)
            return false;
    }
}

int kw_token_child_reap(struct kw_token_child *c)
{
    int status = 0;
    close(c->fd);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    c->pid = 0;
    return status;
}

kw_err kw_token_child_died(const struct kw_token_child *c, int status,
                           struct kw_note *note)
{
    if (WIFSIGNALED(status))
        kw_note_set(note,
                    "%s died of signal %d (%s): the module crashed, or somebody killed "
                    "it",
                    c->name, WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        kw_note_set(note, "%s ended with status %d", c->name, WEXITSTATUS(status));
    return kw_err_at(KW_CODE_HSM_DOWN, "child");
}

kw_err kw_token_child_await(struct kw_token_child *c, struct kw_shared *s,
                            struct kw_note *note)
{
    char what = 0;
    if (!child_hear(c, s, &what)) {
        kw_note_set(
            note,
            "%s (pid %d) hangs in the module and is left alone: it ends by itself "
            "when the module lets it",
            c->name, (int)c->pid);
        close(c->fd);
        c->pid = 0;
        return kw_err_at(KW_CODE_DEADLINE, "child");
    }
    if (what == KW_SAY_READY)
        return KW_OK;
    int status = kw_token_child_reap(c);
    return what == KW_SAY_DONE ? KW_OK : kw_token_child_died(c, status, note);
}
