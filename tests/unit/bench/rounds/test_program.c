/* SPDX-License-Identifier: Apache-2.0 */
/* The program: verbs, exit codes, and a measurement of its own echo. */
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
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
    RUN("foretell");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "'foretell' is no verb");
}

static void every_verb__has_help_with_its_exit_codes(void **state)
{
    static const char *const verbs[] = {"load",   "token", "echo",
                                        "rounds", "storm", "plan"};
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

static char out[80], json[112], first[160];

/* The echo, and a folder for results that is not there yet. */
static void begin_rounds(void)
{
    start_echo();
    snprintf(out, sizeof out, "%s/a/b", folder);
    snprintf(json, sizeof json, "%s/results.json", out);
    snprintf(first, sizeof first, "a-64=load %s --calls 300 --warmup 0s", path);
}

static void end_rounds(void)
{
    char file[128];
    snprintf(file, sizeof file, "%s/results.csv", out);
    (void)unlink(file);
    (void)unlink(json);
    (void)rmdir(out);
    snprintf(file, sizeof file, "%s/a", folder);
    (void)rmdir(file);
    stop_echo();
}

static void rounds__bad_words__two_and_which(void **state)
{
    static const char good[] = "a=load /s";
    (void)state;
    RUN("rounds", "--rounds", "65", good);
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--rounds 65");
    RUN("rounds", "--until", "5", "b*=load /s", good);
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--until 5: it wants");
    RUN("rounds", "--until", "5%", "b*=load /s", good);
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "mark some behind the first");
    RUN("rounds", "--for", "1m", good);
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--for limits --until");
    RUN("rounds", "--until", "5%", "--rounds", "3", good, "b*=load /s");
    CHECK(r.status == 2);
    RUN("rounds", "--layout", "x", good);
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--layout x");
    RUN("rounds", "--layout", "x=client:1,server:0", "--cpu-client", "0", good);
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "the layout says client:1");
    RUN("rounds", "--note", "x", good);
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--note x");
    RUN("rounds", good, good);
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "given twice");
}

static void rounds__folder_cannot_be_made_or_has_results__three(void **state)
{
    (void)state;
    begin_rounds();
    RUN("rounds", "--out", "/proc/none/x", first);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "--out /proc/none/x");
    RUN("rounds", "--rounds", "1", "--out", out, first);
    CHECK(r.status == 0);
    RUN("rounds", "--rounds", "1", "--out", out, first);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "is there already: name another folder");
    end_rounds();
}

static void rounds__a_cell_s_wrong_usage__two(void **state)
{
    char bad[160];
    (void)state;
    begin_rounds();
    snprintf(bad, sizeof bad, "b=load %s --oops", path);
    RUN("rounds", "--rounds", "1", first, bad);
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "b: exit status 2: --oops is no option of this verb");
    CHECK_HAS(r.out, "PARTIAL: 0 rounds");
    end_rounds();
}

static void rounds__a_cell_fails__one_and_the_others_measured(void **state)
{
    (void)state;
    begin_rounds();
    RUN("rounds", "--rounds", "1", first, "c=load /tmp/kw-no-such.sock");
    CHECK(r.status == 1);
    CHECK_HAS(r.out, "c failed in 1 of 1 rounds; round 0: exit status 3: "
                     "/tmp/kw-no-such.sock: No such file");
    CHECK_HAS(r.out, "ratio to a-64");
    end_rounds();
}

static void rounds__results_cannot_be_printed__three(void **state)
{
    (void)state;
    begin_rounds();
    char line[400];
    snprintf(line, sizeof line, "exec \"$0\" rounds --rounds 1 '%s' >/dev/full", first);
    kw_run(&r, (const char *const[]){"/bin/sh", "-c", line, KEYWARD_BENCH, NULL});
    CHECK(r.status == 3);
    end_rounds();
}

/* Room for what the run writes before its first round and for each cell's own document
 * (about 2.5 KiB each), not for the figures of six cells (over 4.5 KiB); what was
 * measured is printed all the same. */
static void rounds__full_disk__three_and_told(void **state)
{
    char line[1000];
    (void)state;
    begin_rounds();
    snprintf(
        line, sizeof line,
        "ulimit -f 7; exec \"$0\" rounds --rounds 1 --out '%s' '%s' 'b%s' 'c%s' 'd%s' "
        "'e%s'",
        out, first, first + 1, first + 1, first + 1, first + 1);
    kw_run(&r, (const char *const[]){"/bin/sh", "-c", line, KEYWARD_BENCH, NULL});
    CHECK(r.status == 3);
    CHECK_HAS(r.err, json);
    CHECK_HAS(r.err, "File too large: the run goes on");
    CHECK_HAS(r.out, "ratio to a-64");
    end_rounds();
}

/* Only the run itself is told, not what it started: it hands the word on, for else an
 * hour would have to pass.  The first results stand in the folder before the first round.
 */
static void rounds__interrupted__three_and_partial(void **state)
{
    (void)state;
    begin_rounds();
    char cell[160], parent[80], event[4096];
    snprintf(cell, sizeof cell, "a=load %s --seconds 3600s --warmup 0s", path);
    snprintf(parent, sizeof parent, "%s/a", folder);
    CHECK(mkdir(parent, 0700) == 0 && mkdir(out, 0700) == 0);
    const int seen = inotify_init1(IN_CLOEXEC);
    CHECK(seen >= 0 && inotify_add_watch(seen, out, IN_MOVED_TO) >= 0);
    const char *const words[] = {KEYWARD_BENCH, "rounds", "--json", "--out",
                                 out,           cell,     NULL};
    posix_spawn_file_actions_t actions;
    pid_t run = 0;
    int status = 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    CHECK(posix_spawn(&run, KEYWARD_BENCH, &actions, NULL,
                      (char *const *)(uintptr_t)words, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    CHECK(read(seen, event, sizeof event) > 0);
    close(seen);
    CHECK(kill(run, SIGINT) == 0);
    CHECK(waitpid(run, &status, 0) == run);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    kw_run(&r, (const char *const[]){"/bin/cat", json, NULL});
    CHECK_HAS(r.out, "\"partial\": true");
    CHECK_HAS(r.out, "round 1 does not count: interrupted");
    end_rounds();
}

static void rounds__dry_run__commands_and_time(void **state)
{
    (void)state;
    RUN("rounds", "--dry-run", "--rounds", "3", "--out", "/nonexistent/x",
        "a=load /s --seconds 1s --warmup 1s", "b*=load /s --calls 3");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "a: keyward-bench load /s --seconds 1s --warmup 1s  (2 s)\n");
    CHECK_HAS(r.out, "b*: keyward-bench load /s --calls 3  (nobody knows how long)\n");
    CHECK_HAS(r.out, "one round of 3 cells, the control among them: 4 s and what 1");
    CHECK_HAS(r.out, "3 rounds: more than 12 s\n");
    CHECK(access("/nonexistent", F_OK) != 0);
}

static void rounds__echo__ratios_and_control(void **state)
{
    char second[160];
    (void)state;
    begin_rounds();
    snprintf(second, sizeof second, "b=load %s --calls 300 --warmup 0s --mix status",
             path);
    RUN("rounds", "--rounds", "2", first, second);
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "control");
    CHECK_HAS(r.out, "ratio to a-64");
    CHECK_HAS(r.out, "noise floor");
    end_rounds();
}

/* The document of a real run is what its schema says, and says what was told. */
static void rounds__kept__as_the_schema_says(void **state)
{
    (void)state;
    begin_rounds();
    RUN("rounds", "--rounds", "2", "--out", out, "--note", "token=none", "--note",
        "commit=abc", "--layout", "apart=client:0,server:1", first,
        "b*=load /tmp/kw-no-such.sock");
    CHECK(r.status == 1);
    kw_run(&r, (const char *const[]){"/usr/bin/python3", KW_JSON_SCHEMA_PY, KW_SCHEMA,
                                     json, NULL});
    CHECK_STR(r.err, "");
    CHECK(r.status == 0);
    kw_run(&r, (const char *const[]){"/bin/cat", json, NULL});
    CHECK_HAS(r.out, "\"notes\": {\"token\": \"none\"}");
    CHECK_HAS(r.out, "\"commit\": \"abc\"");
    CHECK_HAS(r.out, "they share none");
    CHECK_HAS(r.out, "\"grpc\": \"");
    CHECK_HAS(r.out, "\"rounds\": 2,");
    CHECK_HAS(r.out, "\"partial\": false");
    CHECK_HAS(r.out, "\"name\": \"b\", \"primary\": true");
    end_rounds();
}

KW_CASES("bench/program", CASE(no_verb_or_an_unknown_one__two),
         CASE(every_verb__has_help_with_its_exit_codes), CASE(bad_options__two_and_which),
         CASE(load__nobody_listens__three), CASE(load__echo__every_mix_counts_right),
         CASE(load__one_at_a_time_and_open_loop__good),
         CASE(rounds__bad_words__two_and_which),
         CASE(rounds__folder_cannot_be_made_or_has_results__three),
         CASE(rounds__a_cell_s_wrong_usage__two),
         CASE(rounds__a_cell_fails__one_and_the_others_measured),
         CASE(rounds__results_cannot_be_printed__three),
         CASE(rounds__full_disk__three_and_told),
         CASE(rounds__interrupted__three_and_partial),
         CASE(rounds__dry_run__commands_and_time), CASE(rounds__echo__ratios_and_control),
         CASE(rounds__kept__as_the_schema_says))
