/* SPDX-License-Identifier: Apache-2.0 */
#include "support_command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/clock.h>

enum { OUT, ERR, PIPES, PIECE = 4096 };

struct command {
    pid_t pid;
    int pidfd, from[PIPES]; /* -1: it is at its end */
    struct kw_support_text *to[PIPES];
    int64_t until_ns;
};

static kw_err command_failed(int error, const char *where)
{
    return kw_err_native(error == ENOENT ? KW_CODE_MISSING : KW_CODE_IO, (uint32_t)error,
                         where);
}

static void command_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- start ---- */

/* Its own group: what it starts ends with it. */
static int command_launch(const char *const argv[], const int to[PIPES], pid_t *ret_pid)
{
    static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
    char *const envp[] = {path, locale, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    int rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    for (int i = 0; rc == 0 && i < PIPES; i++)
        rc = posix_spawn_file_actions_adddup2(&actions, to[i], STDOUT_FILENO + i);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    if (rc == 0)
        rc = posix_spawnattr_setpgroup(&attr, 0);
    if (rc == 0)
        rc = posix_spawnattr_setsigmask(&attr, &none);
    if (rc == 0)
        rc = posix_spawnattr_setflags(&attr,
                                      POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    if (rc == 0)
        rc = posix_spawn(ret_pid, argv[0], &actions, &attr,
                         (char *const *)(uintptr_t)argv, envp);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

static kw_err command_start(struct command *c, const char *const argv[])
{
    int to[PIPES] = {-1, -1};
    kw_err e = KW_OK;
    for (int i = 0; i < PIPES && !kw_failed(e); i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) {
            e = command_failed(errno, "pipe2");
            continue;
        }
        c->from[i] = ends[0];
        to[i] = ends[1];
    }
    if (!kw_failed(e)) {
        const int rc = command_launch(argv, to, &c->pid);
        e = rc == 0 ? KW_OK : command_failed(rc, "posix_spawn");
    }
    for (int i = 0; i < PIPES; i++)
        command_close(&to[i]);
    if (!kw_failed(e)) {
        c->pidfd = pidfd_open(c->pid, 0);
        if (c->pidfd < 0)
            e = command_failed(errno, "pidfd_open");
    }
    return e;
}

/* ---- read ---- */

static int command_left_ms(const struct command *c)
{
    const int64_t left = c->until_ns - kw_mono_ns(&kw_clock_system);
    return left <= 0 ? 0 : (int)(left / KW_MS_NS) + 1;
}

static void command_take(struct command *c, int i)
{
    uint8_t piece[PIECE];
    const ssize_t n = read(c->from[i], piece, sizeof piece);
    if (n > 0)
        kw_support_put(c->to[i], kw_span_of(piece, (size_t)n));
    else if (n == 0 || errno != EINTR)
        command_close(&c->from[i]);
}

/* true: both are at their end, or the program has ended and nothing more is there. */
static bool command_read(struct command *c)
{
    for (;;) {
        struct pollfd fds[PIPES + 1];
        for (int i = 0; i < PIPES; i++)
            fds[i] = (struct pollfd){.fd = c->from[i], .events = POLLIN};
        fds[PIPES] = (struct pollfd){.fd = c->pidfd, .events = POLLIN};
        if (c->from[OUT] < 0 && c->from[ERR] < 0)
            return true;
        const int ready = poll(fds, PIPES + 1, command_left_ms(c));
        if (ready < 0 && errno != EINTR)
            return false;
        if (command_left_ms(c) == 0)
            return false;
        bool took = false;
        for (int i = 0; ready > 0 && i < PIPES; i++)
            if (fds[i].revents != 0) {
                command_take(c, i);
                took = true;
            }
        if (ready > 0 && !took && fds[PIPES].revents != 0)
            return true; /* somebody else holds the pipe still */
    }
}

static bool command_ended(struct command *c)
{
    struct pollfd fd = {.fd = c->pidfd, .events = POLLIN};
    int ready;
    do
        ready = poll(&fd, 1, command_left_ms(c));
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

static int command_reap(struct command *c)
{
    int status = 0;
    if (waitpid(c->pid, &status, 0) != c->pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static kw_err command_kill(struct command *c)
{
    enum { DYING_S = 1 };
    (void)kill(-c->pid, SIGKILL);
    c->until_ns = kw_mono_ns(&kw_clock_system) + DYING_S * KW_S_NS;
    if (c->pidfd < 0 || command_ended(c))
        (void)command_reap(c);
    return kw_err_at(KW_CODE_DEADLINE, "command");
}

kw_err kw_support_command(const char *const argv[], unsigned seconds,
                          struct kw_support_text *out, struct kw_support_text *said,
                          int *ret_status)
{
    struct command c = {.pidfd = -1, .from = {-1, -1}, .to = {out, said}};
    c.until_ns = kw_mono_ns(&kw_clock_system) + (int64_t)seconds * KW_S_NS;
    kw_err e = command_start(&c, argv);
    if (kw_failed(e) && c.pid > 0)
        (void)command_kill(&c);
    else if (!kw_failed(e) && command_read(&c) && command_ended(&c))
        *ret_status = command_reap(&c);
    else if (!kw_failed(e))
        e = command_kill(&c);
    for (int i = 0; i < PIPES; i++)
        command_close(&c.from[i]);
    command_close(&c.pidfd);
    return e;
}
