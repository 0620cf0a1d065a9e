/* SPDX-License-Identifier: Apache-2.0 */
#include "test_child.h"

#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { NOBODY = 65534 };

static int wait_for(pid_t pid)
{
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    return status;
}

/* A sanitizer's handlers would turn the signal into an exit status. */
static void die_plainly(void)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
}

int child_said(void (*fn)(void *arg), void *arg, char *said, size_t cap)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        die_plainly();
        dup2(ends[1], STDERR_FILENO);
        fn(arg);
        _exit(0);
    }
    close(ends[1]);
    size_t len = 0;
    for (ssize_t n; len + 1 < cap && (n = read(ends[0], said + len, cap - 1 - len)) > 0;)
        len += (size_t)n;
    said[len] = '\0';
    close(ends[0]);
    int status = wait_for(pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

int child_signal(void (*fn)(void *arg), void *arg)
{
    char said[512];
    return child_said(fn, arg, said, sizeof said);
}

int child_answer(int (*fn)(void *arg), void *arg)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(fn(arg));
    int status = wait_for(pid);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

void drop_rights(unsigned extra)
{
    const gid_t groups[] = {(gid_t)extra};
    if (geteuid() == 0 && (setgroups(extra ? 1 : 0, groups) != 0 ||
                           setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
                           setresuid(NOBODY, NOBODY, NOBODY) != 0))
        _exit(99);
}
