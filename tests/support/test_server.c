/* SPDX-License-Identifier: Apache-2.0 */
#include "test_server.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

extern char **environ;

void kw_test_server_make(struct kw_test_server *ret_server)
{
    *ret_server = (struct kw_test_server){.dir = "/tmp/kw-served-XXXXXX"};
    CHECK(mkdtemp(ret_server->dir) != NULL);
    snprintf(ret_server->socket, sizeof ret_server->socket, "%s/s", ret_server->dir);
}

void kw_test_server_start(struct kw_test_server *served, const char *program,
                          const char *const words[])
{
    enum { WORDS_MAX = 24 };
    int ends[2];
    char line[128];
    const char *argv[WORDS_MAX + 2] = {program};
    posix_spawn_file_actions_t actions;
    for (size_t i = 0; words[i] != NULL; i++) {
        CHECK(i < WORDS_MAX);
        argv[i + 1] = words[i];
    }
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    CHECK(posix_spawn_file_actions_init(&actions) == 0);
    CHECK(posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO) == 0);
    CHECK(posix_spawn(&served->pid, program, &actions, NULL,
                      (char *const *)(uintptr_t)argv, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    CHECK(read(ends[0], line, sizeof line) > 0);
    close(ends[0]);
}

int kw_test_server_stop(struct kw_test_server *served)
{
    int status = 0;
    char lock[112];
    CHECK(kill(served->pid, SIGTERM) == 0);
    CHECK(waitpid(served->pid, &status, 0) == served->pid);
    CHECK(access(served->socket, F_OK) != 0); /* it took its socket away */
    snprintf(lock, sizeof lock, "%s.lock", served->socket);
    (void)unlink(lock);
    CHECK(rmdir(served->dir) == 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
