/* SPDX-License-Identifier: Apache-2.0 */
/* The program itself: its verb table and exit codes, without any token. */
#include "check.h"

#include "run.h"

static struct kw_run r;
#define RUN(...) kw_run(&r, (const char *const[]){KEYWARD, __VA_ARGS__, NULL})

static void no_verb_or_an_unknown_one__two_and_the_list(void **state)
{
    (void)state;
    kw_run(&r, (const char *const[]){KEYWARD, NULL});
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "usage: keyward");
    RUN("destroy");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "'destroy' is no verb");
    RUN("key", "explode");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "'key explode' is no verb");
    RUN("key");
    CHECK(r.status == 2);
}

static void version_and_help__good(void **state)
{
    (void)state;
    RUN("--version");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "keyward ");
    RUN("--help");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "key activate");
}

static void every_verb__has_help_with_its_exit_codes(void **state)
{
    static const char *const verbs[][2] = {
        {"init"},          {"check"},          {"probe"},
        {"status"},        {"key", "create"},  {"key", "list"},
        {"key", "show"},   {"key", "accept"},  {"key", "activate"},
        {"key", "retire"}, {"key", "disable"}, {"key", "enable"},
        {"key", "destroy"}};
    (void)state;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (verbs[i][1] == NULL)
            RUN(verbs[i][0], "--help");
        else
            RUN(verbs[i][0], verbs[i][1], "--help");
        CHECK(r.status == 0);
        CHECK_HAS(r.out, "usage: keyward ");
        CHECK_HAS(r.out, "--json");
        CHECK_HAS(r.out, "exit status: 0 good");
        CHECK_STR(r.err, "");
    }
}

static void configuration_missing__three_and_its_name(void **state)
{
    (void)state;
    RUN("key", "list", "--config", "/nonexistent/keyward.yaml");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "/nonexistent/keyward.yaml");
    CHECK_STR(r.out, "");
}

static void configuration_missing_json__a_document_all_the_same(void **state)
{
    (void)state;
    RUN("check", "--json", "--config", "/nonexistent/keyward.yaml");
    CHECK(r.status == 3);
    CHECK_HAS(r.out, "\"ok\": false");
    RUN("status", "--json", "--config", "/nonexistent/keyward.yaml");
    CHECK(r.status == 3);
    CHECK_HAS(r.out, "\"ok\": false");
    CHECK_HAS(r.out, "\"code\": \"missing\"");
}

static void nobody_answers_on_a_socket__three(void **state)
{
    (void)state;
    RUN("probe", "/nonexistent/secrets.sock");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "is keywardd running?");
    RUN("status", "--socket", "/nonexistent/status.sock");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "is keywardd running?");
}

static void activate_without_a_word_on_copies__two(void **state)
{
    (void)state;
    RUN("key", "activate", "1", "--config", "/nonexistent/keyward.yaml");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--only-copy");
    RUN("key", "activate", "1", "--only-copy", "--second-copy", "x");
    CHECK(r.status == 2);
}

static void init_half_said__two(void **state)
{
    (void)state;
    RUN("init", "--dir", "/nonexistent/x");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--pin-file");
    RUN("init", "--softhsm", "--pin-file", "/x");
    CHECK(r.status == 2);
    RUN("init", "--softhsm", "--domain", "Not A Domain");
    CHECK(r.status == 2);
    RUN("probe");
    CHECK(r.status == 2);
    RUN("probe", "/x", "--rounds", "many");
    CHECK(r.status == 2);
}

static void output_is_no_terminal__no_colour(void **state)
{
    (void)state;
    RUN("check", "--config", "/nonexistent/keyward.yaml");
    CHECK(strchr(r.out, '\033') == NULL);
}

KW_CASES("provider/cli/program", CASE(no_verb_or_an_unknown_one__two_and_the_list),
         CASE(version_and_help__good), CASE(every_verb__has_help_with_its_exit_codes),
         CASE(configuration_missing__three_and_its_name),
         CASE(configuration_missing_json__a_document_all_the_same),
         CASE(nobody_answers_on_a_socket__three),
         CASE(activate_without_a_word_on_copies__two), CASE(init_half_said__two),
         CASE(output_is_no_terminal__no_colour))
