/* SPDX-License-Identifier: Apache-2.0 */
/* Fork, become somebody else, work, say how it went. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/env.h>
#include <keyward/secret.h>

static const int terminal_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { SIGNALS = sizeof terminal_signals / sizeof terminal_signals[0], GROUPS_MAX = 64 };

/* `where` stays valid across fork: it is a literal of this very image. */
struct result {
    bool done;
    kw_err err;
    struct kw_note note;
};

static volatile sig_atomic_t running_child;

void *kw_shared_new(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return p != MAP_FAILED ? p : NULL;
}

void kw_shared_free(void *p, size_t size)
{
    if (p != NULL)
        munmap(p, size);
}

void kw_child_hold(bool hold)
{
    for (size_t i = 0; i < SIGNALS; i++)
        signal(terminal_signals[i], hold ? SIG_IGN : SIG_DFL);
}

static void pass_on(int sig)
{
    pid_t pid = (pid_t)running_child;
    int saved = errno;
    if (pid > 0)
        kill(pid, sig);
    errno = saved;
}

static kw_err refused(struct kw_note *note, const char *what)
{
    int saved = errno;
    kw_note_set(note, "cannot change to the uid that owns the token's files: %s: %s",
                what, strerror(saved));
    return kw_err_native(KW_CODE_DENIED, (uint32_t)saved, "child");
}

/* The groups that a login of this user would have: a vendor's library may want its own.
 */
static kw_err become(uid_t uid, gid_t gid, struct kw_note *note)
{
    gid_t groups[GROUPS_MAX] = {gid};
    int count = GROUPS_MAX;
    const struct passwd *pw = getpwuid(uid);
    if (pw == NULL || getgrouplist(pw->pw_name, gid, groups, &count) < 0)
        count = 1;
    if (setgroups((size_t)count, groups) != 0)
        return refused(note, "setgroups");
    if (setresgid(gid, gid, gid) != 0)
        return refused(note, "setresgid");
    if (setresuid(uid, uid, uid) != 0)
        return refused(note, "setresuid");
    if (uid != 0 && setuid(0) == 0)
        return refused(note, "setresuid does not hold");
    return KW_OK;
}

/* Nothing of the library may reach our standard output, and nothing may wait for input.
 */
static bool quiet_streams(void)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
           dup2(STDERR_FILENO, STDOUT_FILENO) >= 0;
}

static kw_err prepare(const struct kw_child *child, struct kw_note *note)
{
    const struct rlimit none = {0, 0};
    const char *arena = kw_env_get(KW_ENV_ARENA);
    bool mlock = arena != NULL && strcmp(arena, "mlock") == 0;
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0 ||
        !quiet_streams())
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "child");
    /* Before the change of uid: root may lock what the user may not, and it stays so. */
    kw_err e = KW_OK;
    if (child->arena_bytes > 0)
        e = kw_arena_open(child->arena_bytes, mlock ? KW_ARENA_MLOCK : KW_ARENA_AUTO,
                          note);
    if (!kw_failed(e) && geteuid() == 0 && (child->uid != 0 || getuid() != 0))
        e = become(child->uid, child->gid, note);
    if (kw_failed(e))
        return e;
    kw_env_clear();
    for (size_t i = 0; i < child->env_count; i++)
        if (!kw_env_give(child->env[i].name, child->env[i].value))
            return kw_err_at(KW_CODE_NO_MEMORY, "child");
    return KW_OK;
}

static _Noreturn void live(const struct kw_child *child, kw_child_work *work,
                           void *shared, struct result *result)
{
    kw_child_hold(false);
    kw_err e = prepare(child, &result->note);
    if (!kw_failed(e))
        e = work(shared, &result->note);
    if (child->arena_bytes > 0 && !kw_failed(e))
        kw_arena_close();
    result->err = e;
    result->done = true;
    _exit(0);
}

static kw_err judge(const struct result *result, int status, struct kw_note *note)
{
    if (result->done) {
        if (note != NULL && kw_failed(result->err))
            *note = result->note;
        return result->err;
    }
    if (WIFSIGNALED(status))
        kw_note_set(note,
                    "the process that held the vendor library was ended by signal %d "
                    "(%s)",
                    WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        kw_note_set(note, "the vendor library ended the process (exit status %d)",
                    WEXITSTATUS(status));
    return kw_err_at(KW_CODE_HSM_DOWN, "child");
}

static kw_err wait_for(pid_t pid, int *ret_status)
{
    while (waitpid(pid, ret_status, 0) < 0)
        if (errno != EINTR)
            return kw_err_native(KW_CODE_IO, (uint32_t)errno, "waitpid");
    return KW_OK;
}

static kw_err run(const struct kw_child *child, kw_child_work *work, void *shared,
                  struct result *result, struct kw_note *note)
{
    struct sigaction old[SIGNALS], forward = {.sa_handler = pass_on};
    int status = 0;
    running_child = 0;
    fflush(NULL);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaction(terminal_signals[i], &forward, &old[i]);
    pid_t pid = fork();
    if (pid == 0)
        live(child, work, shared, result);
    running_child = (sig_atomic_t)pid;
    kw_err e = pid < 0 ? kw_err_native(KW_CODE_IO, (uint32_t)errno, "fork")
                       : wait_for(pid, &status);
    running_child = 0;
    for (size_t i = 0; i < SIGNALS; i++)
        sigaction(terminal_signals[i], &old[i], NULL);
    return kw_failed(e) ? e : judge(result, status, note);
}

kw_err kw_child_run(const struct kw_child *child, kw_child_work *work, void *shared,
                    struct kw_note *note)
{
    if (geteuid() != 0 && child->uid != geteuid()) {
        kw_note_set(note, "this wants uid %u; run keyward as that user or as root",
                    (unsigned)child->uid);
        return kw_err_at(KW_CODE_DENIED, "child");
    }
    struct result *result = kw_shared_new(sizeof *result);
    if (result == NULL)
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "mmap");
    kw_err e = run(child, work, shared, result, note);
    kw_shared_free(result, sizeof *result);
    return e;
}
