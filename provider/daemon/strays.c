/* SPDX-License-Identifier: Apache-2.0 */
/* What a vendor's library started and left behind.
 *
 * A worker's process group ends with it (hsm/front).  What left the group (setsid) becomes
 * ours when its parent is gone, as we are the reaper of all below us: it may be shared by
 * workers, so it is let live, reaped and told when it ends, and ended when we end.  So is
 * what a script left running that was replaced by us (exec).  What leaves even so is for
 * the unit's cgroup. */
#include "daemon_internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/log.h>

/* Children of those that were ended come to us in their turn; a second is enough for all
 * that can end. */
enum { ROUNDS = 50, ROUND_MS = 20 };

kw_err kw_strays_adopt(struct kw_note *note)
{
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
        return KW_OK;
    kw_note_set(note, "cannot become the reaper of what a vendor's library starts: "
                      "prctl(PR_SET_CHILD_SUBREAPER)");
    return kw_err_native(KW_CODE_IO, (uint32_t)errno, "strays");
}

/* The next one that has ended; a worker is its front's to reap, and hides those behind it
 * until then.  0: none; -1: there are no children. */
static pid_t next_ended(const struct kw_daemon *d)
{
    siginfo_t info = {.si_pid = 0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return -1;
    bool worker =
        d->front != NULL && info.si_pid != 0 && kw_front_is_worker(d->front, info.si_pid);
    return worker ? 0 : info.si_pid;
}

static void reap_one(pid_t pid)
{
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) != pid)
        return;
    kw_log(KW_LOG_WARN, "stray-ended", KW_INT("pid", pid),
           KW_INT("status", WIFEXITED(status) ? WEXITSTATUS(status) : 0),
           KW_INT("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
}

/* false: there are no children. */
static bool reap_all(const struct kw_daemon *d)
{
    pid_t pid;
    while ((pid = next_ended(d)) > 0)
        reap_one(pid);
    return pid == 0;
}

void kw_strays_reap(struct kw_daemon *d)
{
    (void)reap_all(d);
}

/* Children of the main thread: whoever is adopted is given to that one. */
static void kill_children(void)
{
    char path[64];
    int pid;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return;
    while (fscanf(f, "%d", &pid) == 1)
        kill(pid, SIGKILL);
    fclose(f);
}

void kw_strays_end(struct kw_daemon *d)
{
    for (int i = 0; i < ROUNDS && reap_all(d); i++) {
        kill_children();
        (void)poll(NULL, 0, ROUND_MS);
    }
}
