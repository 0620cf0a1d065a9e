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
#include <time.h>
#include <unistd.h>

#include <keyward/env.h>
#include <keyward/secret.h>

#include "interrupt.h"

enum { GROUPS_MAX = 64 };

/* `where` stays valid across fork: it is a literal of this very image. */
struct result {
    bool done;
    kw_err err;
    struct kw_note note;
};

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
    kw_interrupt_ignore(hold);
}

bool kw_child_limit(unsigned seconds)
{
    static timer_t timer;
    static bool made;
    struct sigevent end = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    const struct itimerspec after = {.it_value.tv_sec = (time_t)seconds};
    made = made || timer_create(CLOCK_MONOTONIC, &end, &timer) == 0;
    return made && timer_settime(timer, 0, &after, NULL) == 0;
}

static kw_err child_refused(struct kw_note *note, const char *what)
{
    int saved = errno;
    kw_note_set(note, "cannot change to the uid that owns the token's files: %s: %s",
                what, strerror(saved));
    return kw_err_native(KW_CODE_DENIED, (uint32_t)saved, "child");
}

/* The group that the user has of its own; never root's, whatever the files say. */
static kw_err own_group(const struct passwd *pw, uid_t uid, gid_t fallback,
                        gid_t *ret_gid, struct kw_note *note)
{
    gid_t gid = pw != NULL ? pw->pw_gid : fallback;
    if (gid == 0 && uid != 0) {
        kw_note_set(note,
                    pw != NULL
                        ? "uid %u has root's group as its own; give the daemon's user a "
                          "group of its own (usermod -g)"
                        : "uid %u is no user's, and the group of its files is root's; "
                          "make a user of it (useradd --system), or chgrp the state "
                          "directory",
                    (unsigned)uid);
        return kw_err_at(KW_CODE_DENIED, "child");
    }
    *ret_gid = gid;
    return KW_OK;
}

/* The further groups that a login of this user would have, less root's: a vendor's
 * library may want one of them. */
static size_t further_groups(const struct passwd *pw, uid_t uid, gid_t gid,
                             gid_t groups[GROUPS_MAX])
{
    int count = GROUPS_MAX;
    size_t kept = 0;
    groups[0] = gid;
    if (pw == NULL || getgrouplist(pw->pw_name, gid, groups, &count) < 0)
        return 1;
    for (int i = 0; i < count; i++)
        if (groups[i] != 0 || uid == 0)
            groups[kept++] = groups[i];
    return kept;
}

static kw_err child_become(uid_t uid, gid_t fallback, struct kw_note *note)
{
    gid_t groups[GROUPS_MAX], gid = fallback;
    const struct passwd *pw = getpwuid(uid);
    kw_err e = own_group(pw, uid, fallback, &gid, note);
    if (kw_failed(e))
        return e;
    size_t count = further_groups(pw, uid, gid, groups);
    if (setgroups(count, groups) != 0)
        return child_refused(note, "setgroups");
    if (setresgid(gid, gid, gid) != 0)
        return child_refused(note, "setresgid");
    if (setresuid(uid, uid, uid) != 0)
        return child_refused(note, "setresuid");
    if (uid != 0 && setuid(0) == 0)
        return child_refused(note, "setresuid does not hold");
    return KW_OK;
}

/* Nothing of the library may reach our standard output, and nothing may wait for
 * input. */
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
    if (setsid() < 0 || setrlimit(RLIMIT_CORE, &none) != 0 ||
        prctl(PR_SET_DUMPABLE, 0) != 0 || !quiet_streams())
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "child");
    kw_arena_forget();
    /* Before the change of uid: root may lock what the user may not, and it stays so. */
    kw_err e = KW_OK;
    if (child->arena_bytes > 0)
        e = kw_arena_open(child->arena_bytes, mlock ? KW_ARENA_MLOCK : KW_ARENA_AUTO,
                          note);
    if (!kw_failed(e) && geteuid() == 0 && (child->uid != 0 || getuid() != 0))
        e = child_become(child->uid, child->gid, note);
    /* Once more: a change of uid sets it to what fs.suid_dumpable says. */
    if (!kw_failed(e) && prctl(PR_SET_DUMPABLE, 0) != 0)
        e = kw_err_native(KW_CODE_IO, (uint32_t)errno, "child");
    if (kw_failed(e))
        return e;
    kw_env_clear();
    for (size_t i = 0; i < child->env_count; i++)
        if (!kw_env_give(child->env[i].name, child->env[i].value))
            return kw_err_at(KW_CODE_NO_MEMORY, "child");
    return KW_OK;
}

static _Noreturn void live(const struct kw_child *child, kw_child_work *work,
                           void *shared, const sigset_t *mask, struct result *result)
{
    kw_interrupt_ignore(child->stays);
    sigprocmask(SIG_SETMASK, mask, NULL);
    kw_err e = prepare(child, &result->note);
    if (!kw_failed(e))
        e = work(shared, &result->note);
    if (child->arena_bytes > 0 && !kw_failed(e))
        kw_arena_close();
    result->err = e;
    result->done = true;
    _exit(0);
}

static kw_err interrupted(int sig, const char *when, struct kw_note *note)
{
    const char *name = sigabbrev_np(sig);
    kw_note_set(note, "interrupted by SIG%s %s", name != NULL ? name : "?", when);
    return kw_err_at(KW_CODE_CANCELLED, "signal");
}

static kw_err child_judge(const struct result *result, int status, struct kw_note *note)
{
    if (result->done) {
        if (note != NULL && kw_failed(result->err))
            *note = result->note;
        return result->err;
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) == kw_interrupt_seen())
        return interrupted(WTERMSIG(status), "half-way", note);
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

/* The number is given back to the kernel only when no signal is sent to it any more: they
 * go to the `outer` child again, if one is attended. */
static kw_err wait_for(pid_t pid, pid_t outer, int *ret_status)
{
    siginfo_t info;
    sigset_t mask;
    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0)
        if (errno != EINTR)
            return kw_err_native(KW_CODE_IO, (uint32_t)errno, "waitid");
    kw_interrupt_block(&mask);
    kw_interrupt_pass_to(outer);
    pid_t reaped = waitpid(pid, ret_status, 0);
    int saved = errno;
    sigprocmask(SIG_SETMASK, &mask, NULL);
    return reaped == pid ? KW_OK : kw_err_native(KW_CODE_IO, (uint32_t)saved, "waitpid");
}

static kw_err child_run(const struct kw_child *child, kw_child_work *work, void *shared,
                        struct result *result, struct kw_note *note)
{
    sigset_t mask;
    int status = 0;
    kw_interrupt_block(&mask);
    if (!child->stays && kw_interrupt_refuses()) {
        sigprocmask(SIG_SETMASK, &mask, NULL);
        return interrupted(kw_interrupt_seen(), "before anything was begun", note);
    }
    pid_t pid = fork();
    if (pid == 0)
        live(child, work, shared, &mask, result);
    int saved = errno;
    pid_t outer = kw_interrupt_target();
    if (pid > 0 && !child->stays)
        kw_interrupt_pass_to(pid);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    if (pid < 0)
        return kw_err_native(KW_CODE_IO, (uint32_t)saved, "fork");
    if (child->attend != NULL)
        child->attend(shared);
    kw_err e = wait_for(pid, outer, &status);
    return kw_failed(e) ? e : child_judge(result, status, note);
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
    fflush(NULL);
    kw_interrupt_enter();
    kw_err e = child_run(child, work, shared, result, note);
    kw_interrupt_leave();
    kw_shared_free(result, sizeof *result);
    return e;
}
