/* SPDX-License-Identifier: Apache-2.0 */
/* One worker process with exactly what it may have. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOCKET, OUTPUT, BRIEF, PAGE, ENDS, LOWEST = 10 };

static kw_err spawn_refused(const char *where)
{
    return kw_err_native(KW_CODE_IO, (uint32_t)errno, where);
}

/* Out of the way of the numbers that the worker's descriptors get. */
static bool spawn_lift(int *fd)
{
    int high = fcntl(*fd, F_DUPFD_CLOEXEC, LOWEST);
    if (high < 0)
        return false;
    close(*fd);
    *fd = high;
    return true;
}

static void close_ends(int fds[ENDS])
{
    for (int i = 0; i < ENDS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static kw_err make_ends(const struct kw_brief *brief, int theirs[ENDS],
                        struct kw_spawned *ours)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return spawn_refused("socketpair");
    ours->socket = pair[0];
    theirs[SOCKET] = pair[1];
    if (pipe2(pair, O_CLOEXEC) != 0)
        return spawn_refused("pipe2");
    ours->output = pair[0];
    theirs[OUTPUT] = pair[1];
    fcntl(ours->output, F_SETFL, O_NONBLOCK);
    kw_err e = kw_brief_seal(brief, &theirs[BRIEF]);
    if (!kw_failed(e))
        e = kw_page_make(&theirs[PAGE], &ours->page);
    for (int i = 0; !kw_failed(e) && i < ENDS; i++)
        if (!spawn_lift(&theirs[i]))
            e = spawn_refused("F_DUPFD_CLOEXEC");
    return e;
}

static int set_actions(posix_spawn_file_actions_t *actions, const int theirs[ENDS])
{
    int rc = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    const int target[] = {1, 2, KW_WIRE_SOCKET_FD, KW_WIRE_BRIEF_FD, KW_WIRE_PAGE_FD};
    const int source[] = {theirs[OUTPUT], theirs[OUTPUT], theirs[SOCKET], theirs[BRIEF],
                          theirs[PAGE]};
    for (int i = 0; rc == 0 && i < 5; i++)
        rc = posix_spawn_file_actions_adddup2(actions, source[i], target[i]);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(actions, KW_WIRE_PAGE_FD + 1);
    return rc;
}

static int set_attributes(posix_spawnattr_t *attr)
{
    sigset_t term, all;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM); /* it means us, also when it is sent to all */
    sigfillset(&all);
    posix_spawnattr_setsigmask(attr, &term);
    posix_spawnattr_setsigdefault(attr, &all);
    posix_spawnattr_setpgroup(attr, 0); /* its own: its helpers end with it */
    return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
}

static int launch(const char *path, const char *label, char *const *envp,
                  const int theirs[ENDS], pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    char name[] = "keyward-hsm", token[64];
    kw_copy_str(token, sizeof token, kw_span_str(label));
    char *const argv[] = {name, token, NULL};
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    int rc = set_actions(&actions, theirs);
    if (rc == 0)
        rc = set_attributes(&attr);
    if (rc == 0)
        rc = posix_spawn(ret_pid, path, &actions, &attr, argv, envp);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

static void drop_ours(struct kw_spawned *s)
{
    if (s->socket >= 0)
        close(s->socket);
    if (s->output >= 0)
        close(s->output);
    kw_page_unmap(s->page);
}

kw_err kw_spawn(const char *path, const char *label, char *const *envp,
                const struct kw_brief *brief, struct kw_spawned *ret)
{
    int theirs[ENDS] = {-1, -1, -1, -1};
    struct kw_spawned s = {.pidfd = -1, .socket = -1, .output = -1};
    kw_err e = make_ends(brief, theirs, &s);
    if (!kw_failed(e)) {
        int rc = launch(path, label, envp, theirs, &s.pid);
        if (rc != 0)
            e = kw_err_native(KW_CODE_IO, (uint32_t)rc, "posix_spawn");
    }
    close_ends(theirs);
    if (!kw_failed(e)) {
        s.pidfd = pidfd_open(s.pid, 0);
        if (s.pidfd < 0) {
            e = spawn_refused("pidfd_open");
            kill(s.pid, SIGKILL); /* just started: not in LOGIN yet */
            waitpid(s.pid, NULL, 0);
        }
    }
    if (kw_failed(e)) {
        drop_ours(&s);
        return e;
    }
    *ret = s;
    return KW_OK;
}
