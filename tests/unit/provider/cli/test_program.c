/* SPDX-License-Identifier: Apache-2.0 */
/* The program itself: its verb table and exit codes, without any token. */
#include "check.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

static struct kw_run r;
#define RUN(...) kw_run(&r, (const char *const[]){KEYWARD, __VA_ARGS__, NULL})

TEST(no_verb_or_an_unknown_one__two_and_the_list)
{
    kw_run(&r, (const char *const[]){KEYWARD, NULL});
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "usage: keyward");
    RUN("destroy");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "'destroy' is no verb");
    RUN("key", "explode");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "'key explode' is no verb");
    RUN("audit", "key", "burn", "it");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "'audit key burn' is no verb");
    RUN("", "create");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "'' is no verb");
}

TEST(group_alone__two_and_its_verbs)
{
    RUN("key");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "'key' is no verb; these begin so:");
    CHECK_HAS(r.err, "key create");
    CHECK(strstr(r.err, "keyring compare") == NULL);
    RUN("audit", "key");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "audit key create");
    CHECK(strstr(r.err, "audit show") == NULL);
}

TEST(nearly_a_verb__two_and_which_was_meant)
{
    RUN("key", "destory", "1");
    CHECK(r.status == 2);
    CHECK_STR(r.err, "keyward: 'key destory' is no verb; did you mean 'key destroy'?\n");
    RUN("stats");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "did you mean 'status'?");
    RUN("help", "statsu");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "did you mean 'status'?");
}

/* What --help says of these words, -h and help say too. */
static void is_helped(const char *first, const char *second)
{
    static char wanted[sizeof r.out];
    kw_run(&r, (const char *const[]){KEYWARD, first, second, "--help", NULL});
    CHECK(r.status == 0);
    snprintf(wanted, sizeof wanted, "%s", r.out);
    kw_run(&r, (const char *const[]){KEYWARD, first, second, "-h", NULL});
    CHECK(r.status == 0);
    CHECK_STR(r.out, wanted);
    kw_run(&r, (const char *const[]){KEYWARD, "help", first, second, NULL});
    CHECK(r.status == 0);
    CHECK_STR(r.out, wanted);
}

TEST(help__in_three_ways_of_a_verb_and_of_a_group)
{
    is_helped("key", "create");
    is_helped("audit", "key");
    RUN("help", "evidence");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "usage: keyward evidence [options]");
    RUN("help");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "usage: keyward VERB");
    RUN("-h");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "usage: keyward VERB");
    RUN("help", "key", "create", "more");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "'more' is one word too many");
}

TEST(version_and_help__good)
{
    RUN("--version");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "keyward ");
    RUN("--help");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "key activate");
    RUN("audit", "key", "--help");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "audit key create");
}

enum { VERB_END = 20 }; /* columns: where the list of verbs goes on with what they do */

static void check_width(const char *text)
{
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        const size_t len = strcspn(line, "\n");
        size_t columns = 0;
        for (size_t i = 0; i < len; i++)
            columns += ((unsigned char)line[i] & 0xc0) != 0x80;
        if (columns > 100)
            fail_msg("%zu columns: %.*s", columns, (int)len, line);
    }
}

/* "audit key create" */
static void check_help(char *verb)
{
    const char *words[6] = {KEYWARD};
    size_t count = 1;
    for (char *save = NULL, *word = strtok_r(verb, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save))
        words[count++] = word;
    words[count] = "--help";
    kw_run(&r, words);
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "usage: keyward ");
    CHECK_HAS(r.out, "--json");
    CHECK_HAS(r.out, "\nexit status: 0 ");
    CHECK(strcasestr(strstr(r.out, "\nexit status: ") + 1, "\nexit status") == NULL);
    CHECK_STR(r.err, "");
    check_width(r.out);
}

TEST(every_verb__has_help_with_its_exit_codes_in_100_columns)
{
    static char list[sizeof r.out];
    size_t verbs = 0;
    RUN("--help");
    check_width(r.out);
    memcpy(list, r.out, sizeof list);
    for (char *save = NULL, *line = strtok_r(list, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        if (strncmp(line, "  ", 2) != 0)
            continue;
        CHECK(strlen(line) > VERB_END && line[VERB_END] == ' ');
        line[VERB_END] = '\0';
        check_help(line);
        verbs++;
    }
    CHECK(verbs >= 25);
}

/* Those of a verb that has one more. */
TEST(exit_codes_of_its_own__in_place_of_every_verbs)
{
    RUN("audit", "verify", "--help");
    CHECK_HAS(r.out, "exit status: 0 sound, 1 broken");
    CHECK(strstr(r.out, "0 good") == NULL);
    RUN("etcd", "audit", "--help");
    CHECK_HAS(r.out, "exit status: 0 clean, 1 what is current");
    CHECK(strstr(r.out, "0 good") == NULL);
    RUN("key", "list", "--help");
    CHECK_HAS(r.out, "exit status: 0 good, 1 found a problem, 2 wrong usage, 3 could");
}

TEST(configuration_missing__three_and_its_name)
{
    RUN("key", "list", "--config", "/nonexistent/keyward.yaml");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "/nonexistent/keyward.yaml");
    CHECK_STR(r.out, "");
}

TEST(configuration_missing_json__a_document_all_the_same)
{
    RUN("check", "--json", "--config", "/nonexistent/keyward.yaml");
    CHECK(r.status == 3);
    CHECK_HAS(r.out, "\"ok\": false");
    RUN("status", "--json", "--config", "/nonexistent/keyward.yaml");
    CHECK(r.status == 3);
    CHECK_HAS(r.out, "\"ok\": false");
    CHECK_HAS(r.out, "\"code\": \"missing\"");
}

TEST(nobody_answers_on_a_socket__three)
{
    RUN("probe", "/nonexistent/secrets.sock");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "is keywardd running?");
    RUN("status", "--socket", "/nonexistent/status.sock");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "is keywardd running?");
}

TEST(activate_with_two_words_on_copies__two)
{
    RUN("key", "activate", "1", "--only-copy", "--second-copy", "x");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "exclude each other");
}

TEST(init_half_said__two)
{
    RUN("init", "--dir", "/nonexistent/x");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--pin-file");
    RUN("init", "--softhsm", "--pin-file", "/x");
    CHECK(r.status == 2);
    RUN("init", "--first", "--softhsm", "--domain", "Not A Domain");
    CHECK(r.status == 2);
    RUN("init", "--first", "--softhsm", "--module", "/x/softhsm.so", "--dir",
        "/nonexistent/x");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--domain");
    CHECK_HAS(r.err, "never changes");
    RUN("init", "--first", "--softhsm", "--module", "/x.so", "--domain", "a", "--env",
        "NAME");
    CHECK(r.status == 2);
    RUN("init", "--first", "--softhsm", "--module", "/x.so", "--domain", "a", "--env",
        "A=1", "--env", "A=2");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "twice");
    RUN("init", "--first", "--module", "relative.so", "--label", "x", "--pin-file", "/x",
        "--domain", "a");
    CHECK(r.status == 2);
    RUN("probe");
    CHECK(r.status == 2);
    RUN("probe", "/x", "--rounds", "many");
    CHECK(r.status == 2);
}

TEST(init_first_or_join__one_of_them)
{
    RUN("init", "--softhsm", "--module", "/x.so", "--domain", "a");
    CHECK(r.status == 2); /* and no terminal to ask at */
    CHECK_HAS(r.err, "--first or --join KEYRING");
    RUN("init", "--first", "--join", "/x", "--module", "/x.so", "--label", "x",
        "--pin-file", "/x", "--domain", "a");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "exclude each other");
    RUN("init", "--join", "/x", "--softhsm", "--module", "/x.so");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "none of the keyring's keys");
    RUN("init", "--join", "/nonexistent/x", "--module", "/x.so", "--label", "x",
        "--pin-file", "/x");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "/nonexistent: cannot open");
}

TEST(output_is_no_terminal__no_colour)
{
    RUN("check", "--config", "/nonexistent/keyward.yaml");
    CHECK(strchr(r.out, '\033') == NULL);
}

/* The same on a terminal: what `check` prints there, with these variables. */
static void on_a_terminal(const char *term, const char *no_color, char *dst, size_t cap)
{
    char *const env[] = {(char *)(uintptr_t)term, (char *)(uintptr_t)no_color, NULL};
    const char *const argv[] = {KEYWARD, "check", "--config", "/nonexistent/keyward.yaml",
                                NULL};
    posix_spawn_file_actions_t files;
    pid_t pid = 0;
    size_t len = 0;
    ssize_t n;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, ptsname(master),
                                     O_WRONLY | O_NOCTTY, 0);
    CHECK(posix_spawn(&pid, argv[0], &files, NULL, (char *const *)(uintptr_t)argv, env) ==
          0);
    posix_spawn_file_actions_destroy(&files);
    /* EIO when the last one has closed the other side. */
    while (len < cap - 1 && (n = read(master, dst + len, cap - 1 - len)) > 0)
        len += (size_t)n;
    dst[len] = '\0';
    close(master);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

TEST(output_is_a_terminal__colour_unless_no_color)
{
    char text[4096];
    on_a_terminal("TERM=xterm", NULL, text, sizeof text);
    CHECK_HAS(text, "configuration");
    CHECK(strchr(text, '\033') != NULL);
    on_a_terminal("TERM=xterm", "NO_COLOR=1", text, sizeof text);
    CHECK_HAS(text, "configuration");
    CHECK(strchr(text, '\033') == NULL);
    on_a_terminal("TERM=dumb", NULL, text, sizeof text);
    CHECK(strchr(text, '\033') == NULL);
}

KW_CASES("provider/cli/program", CASE(no_verb_or_an_unknown_one__two_and_the_list),
         CASE(version_and_help__good),
         CASE(every_verb__has_help_with_its_exit_codes_in_100_columns),
         CASE(exit_codes_of_its_own__in_place_of_every_verbs),
         CASE(configuration_missing__three_and_its_name),
         CASE(configuration_missing_json__a_document_all_the_same),
         CASE(nobody_answers_on_a_socket__three),
         CASE(activate_with_two_words_on_copies__two), CASE(init_half_said__two),
         CASE(init_first_or_join__one_of_them), CASE(output_is_no_terminal__no_colour),
         CASE(output_is_a_terminal__colour_unless_no_color))
