/* SPDX-License-Identifier: Apache-2.0 */
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include "check.h"

enum { AT_CALL = SIGTRAP | 0x80 }; /* PTRACE_O_TRACESYSGOOD */

/* The leak sanitizer traces its own process, which can have one tracer only. */
static void no_leak_check(void)
{
    char options[512];
    const char *had = getenv("ASAN_OPTIONS");
    snprintf(options, sizeof options, "%s:detect_leaks=0", had != NULL ? had : "");
    setenv("ASAN_OPTIONS", options, 1);
}

static _Noreturn void become(const struct syscalls_run *run)
{
    no_leak_check();
    int out = open("/dev/null", O_RDWR | O_CLOEXEC);
    int err = open(run->err_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    signal(run->signal, SIG_DFL); /* a shell's background jobs ignore SIGINT */
    if (out < 0 || err < 0 || dup2(out, STDIN_FILENO) < 0 ||
        dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0 ||
        ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)
        _exit(126);
    execv(run->argv[0], (char *const *)(uintptr_t)run->argv);
    _exit(127);
}

static pid_t start(const struct syscalls_run *run)
{
    int status = 0;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        become(run);
    CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
    uintptr_t options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                        PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    CHECK(ptrace(PTRACE_SETOPTIONS, pid, NULL, options) == 0);
    CHECK(ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0);
    return pid;
}

static void at_call(struct syscalls_run *run, pid_t first, pid_t caller)
{
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, caller, (void *)sizeof info, &info) <= 0)
        return; /* it was killed meanwhile */
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
        return;
    if (run->count < run->room)
        run->numbers[run->count] = (long)info.entry.nr;
    if (++run->count == run->at)
        CHECK(kill(run->to_first ? first : caller, run->signal) == 0);
}

/* What a stopped process is to be sent when it goes on. */
static int signal_of(int status)
{
    int sig = WSTOPSIG(status);
    bool of_ptrace = status >> 16 != 0 || sig == SIGTRAP || sig == SIGSTOP;
    return of_ptrace ? 0 : sig;
}

void syscalls_run(struct syscalls_run *run)
{
    int status = 0;
    pid_t pid, first = start(run);
    run->count = 0;
    while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
        if (pid < 0)
            continue;
        if (!WIFSTOPPED(status)) {
            if (pid == first)
                run->status =
                    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            continue;
        }
        int sig = 0;
        if (WSTOPSIG(status) == AT_CALL)
            at_call(run, first, pid);
        else
            sig = signal_of(status);
        bool over = run->at != 0 && run->count >= run->at;
        ptrace(over ? PTRACE_CONT : PTRACE_SYSCALL, pid, NULL, (uintptr_t)sig);
    }
    CHECK(errno == ECHILD);
}
