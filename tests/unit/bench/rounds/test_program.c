/* SPDX-License-Identifier: Apache-2.0 */
/* The program: verbs, exit codes, and a measurement of its own echo. */
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

extern char **environ;

static struct kw_run r;
#define RUN(...) kw_run(&r, (const char *const[]){KEYWARD_BENCH, __VA_ARGS__, NULL})

static char folder[64], path[96];
static pid_t echo;

/* Serving when its first line has come. */
static void start_echo(void)
{
    int ends[2];
    char line[128];
    posix_spawn_file_actions_t actions;
    snprintf(folder, sizeof folder, "/tmp/kw-echo-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/echo.sock", folder);
    const char *const words[] = {KEYWARD_BENCH, "echo", path, NULL};
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    CHECK(posix_spawn(&echo, KEYWARD_BENCH, &actions, NULL,
                      (char *const *)(uintptr_t)words, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    CHECK(read(ends[0], line, sizeof line) > 0);
    close(ends[0]);
}

static void stop_echo(void)
{
    int status = 0;
    char lock[112];
    CHECK(kill(echo, SIGTERM) == 0);
    CHECK(waitpid(echo, &status, 0) == echo);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(access(path, F_OK) != 0); /* it took its socket away */
    snprintf(lock, sizeof lock, "%s.lock", path);
    (void)unlink(lock);
    CHECK(rmdir(folder) == 0);
}

static void no_verb_or_an_unknown_one__two(void **state)
{
    (void)state;
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, NULL});
    CHECK(r.status == 2);
    RUN("plan");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "'plan' is no verb");
}

static void every_verb__has_help_with_its_exit_codes(void **state)
{
    static const char *const verbs[] = {"load", "token", "echo", "rounds"};
    (void)state;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        RUN(verbs[i], "--help");
        CHECK(r.status == 0);
        CHECK_HAS(r.out, "usage: keyward-bench ");
        CHECK_HAS(r.out, "exit status: 0 good");
    }
}

static void bad_options__two_and_which(void **state)
{
    (void)state;
    RUN("load");
    CHECK(r.status == 2);
    RUN("load", "/x", "--in-flight", "513");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--in-flight 513");
    RUN("load", "/x", "--in-flight", "2", "--connections", "3");
    CHECK(r.status == 2);
    RUN("load", "/x", "--mix", "delete");
    CHECK(r.status == 2);
    RUN("load", "/x", "--ciphertexts", "distinct:0");
    CHECK(r.status == 2);
    RUN("load", "/x", "--seconds", "2");
    CHECK(r.status == 2);
    RUN("load", "/x", "--calls", "1", "--seconds", "1s");
    CHECK(r.status == 2);
    RUN("token", "--module", "/x");
    CHECK(r.status == 2);
    RUN("rounds", "load /x");
    CHECK(r.status == 2);
}

static void load__nobody_listens__three(void **state)
{
    (void)state;
    RUN("load", "/tmp/kw-no-such.sock");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "does a KMS plugin listen there?");
}

static void load__echo__every_mix_counts_right(void **state)
{
    static const char *const mixes[] = {"status", "encrypt", "decrypt"};
    (void)state;
    start_echo();
    for (size_t i = 0; i < 3; i++) {
        RUN("load", path, "--mix", mixes[i], "--calls", "500", "--warmup", "0s",
            "--in-flight", "7", "--connections", "3", "--ciphertexts", "distinct:10",
            "--json");
        CHECK(r.status == 0);
        CHECK_HAS(r.out, "\"wrong\": 0");
        CHECK_HAS(r.out, "\"failed\": 0");
        CHECK_HAS(r.out, "\"partial\": false");
        CHECK_HAS(r.out, "\"cpu_us\"");
    }
    stop_echo();
}

static void load__one_at_a_time_and_open_loop__good(void **state)
{
    (void)state;
    start_echo();
    RUN("load", path, "--calls", "300", "--warmup", "0s", "--in-flight", "1",
        "--ciphertexts", "same");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "p50");
    RUN("load", path, "--calls", "100", "--warmup", "0s", "--rate", "1000");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "calls due and not made");
    stop_echo();
}

static void rounds__echo__ratios_and_control(void **state)
{
    char first[160], second[160];
    (void)state;
    start_echo();
    snprintf(first, sizeof first, "a=load %s --calls 300 --warmup 0s", path);
    snprintf(second, sizeof second, "b=load %s --calls 300 --warmup 0s --mix status",
             path);
    RUN("rounds", "--rounds", "2", first, second);
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "control");
    CHECK_HAS(r.out, "ratio to first");
    RUN("rounds", "--rounds", "1", first, "c=load /tmp/kw-no-such.sock");
    CHECK(r.status == 3);
    CHECK_HAS(r.out, "PARTIAL: 0 of 1 rounds");
    stop_echo();
}

KW_CASES("bench/program", CASE(no_verb_or_an_unknown_one__two),
         CASE(every_verb__has_help_with_its_exit_codes), CASE(bad_options__two_and_which),
         CASE(load__nobody_listens__three), CASE(load__echo__every_mix_counts_right),
         CASE(load__one_at_a_time_and_open_loop__good),
         CASE(rounds__echo__ratios_and_control))
