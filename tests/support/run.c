/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

extern char **environ;

struct stream {
    int fd;
    char *dst;
    size_t cap, len;
};

/* Reads what is there; what does not fit is dropped.  false at the end. */
static bool drain(struct stream *s)
{
    char rest[4096];
    bool fits = s->len < s->cap - 1;
    ssize_t n = fits ? read(s->fd, s->dst + s->len, s->cap - 1 - s->len)
                     : read(s->fd, rest, sizeof rest);
    if (n < 0)
        return errno == EINTR;
    if (fits)
        s->len += (size_t)n;
    s->dst[s->len] = '\0';
    return n > 0;
}

static void collect(struct stream s[2])
{
    struct pollfd p[2] = {{.fd = s[0].fd, .events = POLLIN},
                          {.fd = s[1].fd, .events = POLLIN}};
    while (p[0].fd >= 0 || p[1].fd >= 0) {
        int ready = poll(p, 2, -1);
        CHECK(ready > 0 || errno == EINTR);
        for (int i = 0; i < 2 && ready > 0; i++)
            if (p[i].fd >= 0 && p[i].revents != 0 && !drain(&s[i]))
                p[i].fd = -1;
    }
}

static pid_t start(const char *const argv[], int out, int err)
{
    posix_spawn_file_actions_t files;
    pid_t pid = 0;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);
    int rc =
        posix_spawn(&pid, argv[0], &files, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&files);
    if (rc != 0)
        fail_msg("cannot start %s: %s", argv[0], strerror(rc));
    return pid;
}

void kw_run(struct kw_run *ret_run, const char *const argv[])
{
    int out[2], err[2], status = 0;
    CHECK(pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0);
    pid_t pid = start(argv, out[1], err[1]);
    close(out[1]);
    close(err[1]);
    ret_run->out[0] = ret_run->err[0] = '\0';
    struct stream s[2] = {{out[0], ret_run->out, sizeof ret_run->out, 0},
                          {err[0], ret_run->err, sizeof ret_run->err, 0}};
    collect(s);
    close(out[0]);
    close(err[0]);
    while (waitpid(pid, &status, 0) < 0)
        CHECK(errno == EINTR);
    ret_run->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void kw_run_line(struct kw_run *ret_run, int want, const char *program, const char *fmt,
                 ...)
{
    enum { WORDS_MAX = 64 };
    char line[4096], *rest = NULL;
    const char *argv[WORDS_MAX] = {program};
    va_list ap;
    va_start(ap, fmt);
    CHECK((size_t)vsnprintf(line, sizeof line, fmt, ap) < sizeof line);
    va_end(ap);
    size_t n = 1;
    for (char *w = strtok_r(line, " ", &rest); w != NULL;
         w = strtok_r(NULL, " ", &rest)) {
        CHECK(n < WORDS_MAX - 1);
        argv[n++] = w;
    }
    kw_run(ret_run, argv);
    if (ret_run->status != want)
        fail_msg("%s: exit status %d, not %d\n%s%s", fmt, ret_run->status, want,
                 ret_run->out, ret_run->err);
}
