/* SPDX-License-Identifier: Apache-2.0 */
#include "gap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/clock.h>

extern char **environ;

static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes,
                   const char *log)
{
    int rc =
        posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO,
                                              log != NULL ? log : "/dev/null",
                                              O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(actions, STDOUT_FILENO, STDERR_FILENO);
    /* Ctrl-C is for us, who end it in order. */
    if (rc == 0)
        rc = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP);
    return rc;
}

kw_err kw_gap_child_start(struct kw_gap_child *c, const char *program, const char *log,
                          struct kw_note *note)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char *const argv[] = {(char *)(uintptr_t)program, NULL};
    pid_t pid = 0;
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc == 0)
        rc = posix_spawnattr_init(&attributes);
    if (rc == 0)
        rc = prepare(&actions, &attributes, log);
    c->began_ns = kw_mono_ns(&kw_clock_system);
    if (rc == 0)
        rc = posix_spawn(&pid, program, &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (rc != 0) {
        kw_note_set(note, "%s: %s: it wants an executable file that becomes the plugin",
                    program, strerror(rc));
        return kw_err_native(KW_CODE_MISSING, (uint32_t)rc, "posix_spawn");
    }
    c->pid = pid;
    return KW_OK;
}

bool kw_gap_child_runs(struct kw_gap_child *c)
{
    if (c->pid != 0 && waitpid(c->pid, &c->status, WNOHANG) == c->pid)
        c->pid = 0;
    return c->pid != 0;
}

void kw_gap_child_stop(struct kw_gap_child *c, int64_t patience_ns)
{
    if (c->pid == 0)
        return;
    (void)kill(c->pid, SIGTERM);
    int64_t until = kw_mono_ns(&kw_clock_system) + patience_ns;
    while (kw_gap_child_runs(c) && kw_mono_ns(&kw_clock_system) < until)
        (void)poll(NULL, 0, 1);
    if (c->pid == 0)
        return;
    (void)kill(c->pid, SIGKILL);
    while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
        continue;
    c->pid = 0;
}
