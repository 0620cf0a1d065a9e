/* SPDX-License-Identifier: Apache-2.0 */
/* One measurement in a process of its own. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rounds.h"

extern char **environ;

const char *const kw_figure_names[KW_FIGURES] = {"calls_per_s", "p50_us",    "p99_us",
                                                 "cpu_us",      "server_us", "workers_us",
                                                 "switches",    "client_us"};

static kw_err start(struct kw_configuration *c, int out, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawn(ret_pid, "/proc/self/exe", &actions, NULL, c->words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return rc == 0 ? KW_OK : kw_err_native(KW_CODE_IO, (uint32_t)rc, "posix_spawn");
}

static void read_figures(const json_t *document, struct kw_configuration *c, size_t round)
{
    const json_t *figures = json_object_get(document, "figures");
    for (size_t i = 0; i < KW_FIGURES; i++) /* one that is not there counts as none: 0 */
        c->figure[i][round] =
            json_number_value(json_object_get(figures, kw_figure_names[i]));
}

static int wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

kw_err kw_configuration_measure(struct kw_configuration *c, size_t round,
                                struct kw_note *note)
{
    int ends[2];
    pid_t pid = 0;
    json_error_t why;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "pipe2");
    kw_err e = start(c, ends[1], &pid);
    close(ends[1]);
    json_t *document = kw_failed(e) ? NULL : json_loadfd(ends[0], 0, &why);
    close(ends[0]);
    int code = kw_failed(e) ? -1 : wait_for(pid);
    if (document != NULL) {
        read_figures(document, c, round);
        json_decref(document);
    }
    if (kw_failed(e) || code == KW_EXIT_GOOD)
        return e;
    kw_note_set(note, "%s ended with exit status %d", c->name, code);
    return kw_err_at(code == KW_EXIT_WRONG ? KW_CODE_WRONG_ANSWER : KW_CODE_IO, "child");
}
