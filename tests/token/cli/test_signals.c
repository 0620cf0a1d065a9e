/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl-C and its like: never in a login, never in a ceremony, elsewhere at once.  The
 * module hangs where the case says, and its call log is a FIFO that tells when. */
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static struct site s;
static FILE *calls;

static void begin(const char *control)
{
    site_make_liar(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    CHECK(unlink(s.calls) == 0 || errno == ENOENT); /* of that ceremony */
    CHECK(mkfifo(s.calls, 0666) == 0 && chmod(s.calls, 0666) == 0);
    int fd =
        open(s.calls, O_RDWR | O_CLOEXEC); /* both ends, so that nobody waits for one */
    CHECK(fd >= 0 && (calls = fdopen(fd, "r")) != NULL);
    site_tell(&s, control);
}

/* Blocks until the module is in the n-th call of this function. */
static void await_call(const char *function, int n)
{
    char line[256], want[64];
    snprintf(want, sizeof want, "> %s ", function);
    while (n > 0) {
        CHECK(fgets(line, sizeof line, calls) != NULL);
        n -= strncmp(line, want, strlen(want)) == 0;
    }
}

static pid_t start(const char *first, const char *second)
{
    const char *const argv[] = {KEYWARD,
                                first,
                                second != NULL ? second : "--config",
                                second != NULL ? "--config" : s.config,
                                second != NULL ? s.config : NULL,
                                NULL};
    posix_spawn_file_actions_t files;
    pid_t pid = 0;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    CHECK(posix_spawn(&pid, argv[0], &files, NULL, (char *const *)(uintptr_t)argv,
                      environ) == 0);
    posix_spawn_file_actions_destroy(&files);
    return pid;
}

static int end(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        CHECK(errno == EINTR);
    fclose(calls);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void in_the_login__it_ends_first(void **state)
{
    (void)state;
    begin("C_Login hang\n");
    pid_t pid = start("check", NULL);
    await_call("C_Login", 1);
    CHECK(kill(pid, SIGTERM) == 0 && kill(pid, SIGINT) == 0);
    site_tell(&s, "\n");
    CHECK(end(pid) == 0); /* all was looked at */
    site_remove(&s);
}

static void after_the_login_of_a_look__at_once(void **state)
{
    (void)state;
    begin("C_EncryptInit hang\n");
    pid_t pid = start("check", NULL);
    await_call("C_EncryptInit", 1);
    CHECK(kill(pid, SIGTERM) == 0);
    CHECK(end(pid) == 3); /* nothing is told to the module: the child ended in its call */
    CHECK(site_sealed(s.tokens) >= 4);
    site_remove(&s);
}

static void in_a_ceremony__it_ends_first_and_the_token_is_sealed(void **state)
{
    (void)state;
    begin("C_GenerateKey hang skip=1\n"); /* the first is the self-test's */
    pid_t pid = start("key", "create");
    await_call("C_GenerateKey", 2);
    CHECK(kill(pid, SIGTERM) == 0 && kill(pid, SIGHUP) == 0);
    site_tell(&s, "\n");
    CHECK(end(pid) == 0);
    KEYWARD_MUST(&s, 0, "key", "show", "2");
    CHECK(site_sealed(s.tokens) >= 6);
    site_remove(&s);
}

KW_CASES("token/cli/signals", CASE(in_the_login__it_ends_first),
         CASE(after_the_login_of_a_look__at_once),
         CASE(in_a_ceremony__it_ends_first_and_the_token_is_sealed))
