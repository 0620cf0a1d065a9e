/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>

#include "document.h"

static enum kw_exit judge(const char *text, struct kw_reasons *ret_why)
{
    json_t *d = json_loads(text, 0, NULL);
    CHECK(d != NULL);
    enum kw_exit code = kw_document_judge(d, ret_why);
    json_decref(d);
    return code;
}

#define UP_OF "\"health\": {\"state\": \"up\"}, \"pin_latched\": false, "
#define TOKEN(name, state, more)                                                         \
    "{\"name\": \"" name "\", \"state\": \"" state "\", \"reason\": \"why\"" more "}"
#define WELL ", \"out\": false, \"unproven\": 0"
#define UP UP_OF "\"tokens\": [" TOKEN("a", "up", WELL) "], "
#define FILES(rejected)                                                                  \
    "\"keyring\": {\"rejected\": null}, "                                                \
    "\"configuration\": {\"rejected\": " rejected ", \"changed\": [\"hsm.recover\"]}, "
#define KEYRING FILES("null")
#define ACTIVE "\"active\": {\"n\": 2, \"code\": \"ok\"}, "
#define VERSION(n, state, verdict)                                                       \
    "{\"n\": " #n ", \"state\": \"" state "\", \"verdict\": \"" verdict "\"}"

TEST(active_version_not_good__a_problem_though_all_is_up)
{
    struct kw_reasons why = {{0}};
    CHECK(judge("{" UP KEYRING "\"active\": {\"n\": 2, \"code\": \"key-bad\"},"
                "\"versions\": []}",
                &why) == KW_EXIT_PROBLEM);
    CHECK_HAS(why.text, "active version: key-bad");
    CHECK(judge("{" UP KEYRING "\"versions\": []}", &why) == KW_EXIT_PROBLEM);
    CHECK_HAS(why.text, "active version: unknown");
}

TEST(version_that_should_serve_is_not_good__a_problem_that_names_it)
{
    static const char *const bad[] = {
        VERSION(1, "retired", "key-bad"), VERSION(1, "accepted", "missing"),
        VERSION(1, "active", "forged"), VERSION(1, "new-state", "key-bad"), "{\"n\": 1}"};
    struct kw_reasons why = {{0}};
    char text[512];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "{" UP KEYRING ACTIVE "\"versions\": [%s, %s]}",
                 VERSION(2, "active", "ok"), bad[i]);
        CHECK(judge(text, &why) == KW_EXIT_PROBLEM);
        CHECK_HAS(why.text, "version 1 (");
    }
    CHECK(judge("{" UP KEYRING ACTIVE "\"x\": 1}", &why) == KW_EXIT_PROBLEM);
    CHECK_HAS(why.text, "versions");
}

TEST(something_found_at_the_token__a_problem_though_it_serves)
{
    struct kw_reasons why = {{0}};
    CHECK(judge("{" UP KEYRING ACTIVE
                "\"versions\": [{\"n\": 2, \"state\": \"active\", \"verdict\": \"ok\", "
                "\"found\": \"duplicate-label\"}]}",
                &why) == KW_EXIT_PROBLEM);
    CHECK_HAS(why.text, "version 2, found at the token: duplicate-label");
    CHECK(judge("{" UP KEYRING ACTIVE
                "\"versions\": [{\"n\": 2, \"state\": \"active\", \"verdict\": \"ok\", "
                "\"found\": null}]}",
                &why) == KW_EXIT_GOOD);
}

TEST(one_of_two_tokens_is_away__a_problem_that_names_it_though_all_is_up)
{
    static const char *const rows[][2] = {
        {TOKEN("b", "lost", WELL), "token b is lost: why"},
        {TOKEN("b", "up", ", \"out\": true, \"unproven\": 0"), "token b failed several"},
        {TOKEN("b", "up", ", \"out\": false, \"unproven\": 2"), "has not proven 2 of"},
        {TOKEN("b", "up", ""), "token b failed"},
        {TOKEN("b", "up", WELL), ""},
    };
    struct kw_reasons why = {{0}};
    char text[512];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(text, sizeof text,
                 "{" UP_OF KEYRING ACTIVE
                 "\"versions\": [" VERSION(2, "active", "ok") "], \"tokens\": [%s, %s]}",
                 TOKEN("a", "up", WELL), rows[i][0]);
        CHECK(judge(text, &why) ==
              (rows[i][1][0] == '\0' ? KW_EXIT_GOOD : KW_EXIT_PROBLEM));
        CHECK_HAS(why.text, rows[i][1]);
    }
}

TEST(version_that_nobody_uses_or_that_starts__good)
{
    struct kw_reasons why = {{0}};
    CHECK(judge("{" UP KEYRING ACTIVE
                "\"versions\": [" VERSION(1, "disabled", "key-disabled") "," VERSION(
                    3, "created",
                    "missing") "," VERSION(4, "destroyed",
                                           "missing") "," VERSION(5, "accepted",
                                                                  "starting") "]}",
                &why) == KW_EXIT_GOOD);
}

TEST(hsm_not_up__a_problem_with_its_reason)
{
    struct kw_reasons why = {{0}};
    CHECK(judge("{\"health\": {\"state\": \"lost\", \"reason\": \"no worker is ready\"},"
                "\"keyring\": {\"rejected\": null}, \"pin_latched\": false}",
                &why) == KW_EXIT_PROBLEM);
    CHECK_HAS(why.text, "lost");
    CHECK_HAS(why.text, "no worker is ready");
}

TEST(reload_rejected__a_problem_though_all_is_up)
{
    struct kw_reasons why = {{0}};
    CHECK(
        judge(
            "{\"health\": {\"state\": \"up\"}, \"keyring\": {\"rejected\": \"serial 3 is "
            "lower than 4\"}, \"pin_latched\": false}",
            &why) == KW_EXIT_PROBLEM);
    CHECK_HAS(why.text, "serial 3 is lower than 4");
}

TEST(configuration_broken_or_not_said__a_problem_and_what_only_differs_is_none)
{
    static const char *const rows[][2] = {
        {FILES("\"/c.yaml:3:1: hsm: has no value\""),
         "would fail: /c.yaml:3:1: hsm: has"},
        {"\"keyring\": {\"rejected\": null}, ", "would fail: nothing said"},
        {KEYRING, ""}};
    struct kw_reasons why = {{0}};
    char text[640];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(text, sizeof text, "{" UP "%s" ACTIVE "\"versions\": []}", rows[i][0]);
        CHECK(judge(text, &why) ==
              (rows[i][1][0] == '\0' ? KW_EXIT_GOOD : KW_EXIT_PROBLEM));
        CHECK_HAS(why.text, rows[i][1]);
    }
    CHECK_STR(why.text, "");
}

TEST(pin_latched_or_not_said__a_problem)
{
    struct kw_reasons why = {{0}};
    CHECK(judge("{\"health\": {\"state\": \"up\"}, \"keyring\": {\"rejected\": null},"
                "\"pin_latched\": true}",
                &why) == KW_EXIT_PROBLEM);
    CHECK_HAS(why.text, "PIN");
    CHECK(judge("{\"health\": {\"state\": \"up\"}}", &why) == KW_EXIT_PROBLEM);
}

TEST(inputs_quarantined__a_problem_with_its_end_and_the_way_out)
{
    struct kw_reasons why = {{0}};
    CHECK(judge("{\"health\": {\"state\": \"up\"}, \"quarantine\": [{\"input\": \"ab\","
                "\"until\": \"2026-01-31T12:10:00Z\"}, {\"input\": \"cd\", \"until\": "
                "\"2026-01-31T12:11:00Z\"}], \"pin_latched\": false}",
                &why) == KW_EXIT_PROBLEM);
    CHECK_HAS(why.text, "2 ciphertexts that cost workers are refused");
    CHECK_HAS(why.text, "2026-01-31T12:11:00Z");
    CHECK_HAS(why.text, "keyward quarantine clear");
    why = (struct kw_reasons){{0}};
    CHECK(judge("{\"health\": {\"state\": \"up\"}, \"quarantine\": []}", &why) ==
          KW_EXIT_PROBLEM);
    CHECK(strstr(why.text, "cost workers") == NULL);
}

TEST(nothing_known__a_problem)
{
    struct kw_reasons why = {{0}};
    CHECK(judge("{}", &why) == KW_EXIT_PROBLEM);
}

TEST(all_well__good)
{
    struct kw_reasons why = {{0}};
    CHECK(judge("{\"health\": {\"state\": \"UP\", \"reason\": \"\"}, \"keyring\": "
                "{\"serial\":"
                "2, \"rejected\": null}, \"pin_latched\": false, \"tokens\": [], "
                "\"configuration\": {\"rejected\": null}, \"something_new\": "
                "[1]," ACTIVE "\"versions\": [" VERSION(2, "active", "ok") "]}",
                &why) == KW_EXIT_GOOD);
    CHECK_STR(why.text, "");
}

/* A remedy stands at the end of its reason. */
TEST(long_reasons__every_word_of_them)
{
    static const char *const members[] = {
        "health\": {\"state\": \"lost\", \"reason", "keyring\": {\"rejected",
        "keyring\": {\"last_good_refused", "keyring\": {\"unremembered",
        "configuration\": {\"rejected"};
    char reason[480], text[640];
    struct kw_reasons why = {{0}};
    memset(reason, 'x', sizeof reason);
    memcpy(reason + sizeof reason - 7, "do so!", 7);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        snprintf(text, sizeof text, "{\"%s\": \"%s\"}}", members[i], reason);
        CHECK(judge(text, &why) == KW_EXIT_PROBLEM);
        CHECK_HAS(why.text, "do so!\n");
    }
}

TEST(reasons__a_line_each_with_what_to_do_and_counted)
{
    struct kw_reasons why = {{0}};
    size_t lines = 0;
    CHECK(
        judge(
            "{\"health\": {\"state\": \"lost\", \"reason\": \"gone\"}, "
            "\"pin_latched\": true, \"tokens\": [], \"versions\": [], "
            "\"keyring\": {\"rejected\": null}, \"configuration\": {\"rejected\": null}, "
            "\"active\": {\"code\": \"ok\"}, \"audit\": null}",
            &why) == KW_EXIT_PROBLEM);
    assert_int_equal(why.count, 2);
    for (const char *at = why.text; *at != '\0'; at += strcspn(at, "\n") + 1, lines++)
        CHECK((strncmp(at, KW_REASON_REMEDY, strlen(KW_REASON_REMEDY)) == 0) ==
              (lines % 2 == 1));
    assert_int_equal(lines, 4);
    CHECK_HAS(why.text, "the HSM is lost: gone\n" KW_REASON_REMEDY "keyward check");
    CHECK_HAS(why.text, "keyward pin retry");
}

/* More than anybody has: none is cut within. */
TEST(reasons_that_do_not_fit__counted_and_left_out_whole)
{
    static char text[1 << 16];
    struct kw_reasons why = {{0}};
    size_t len = (size_t)snprintf(text, sizeof text, "{\"versions\": [");
    for (unsigned i = 0; i < 400; i++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "%s{\"n\": %u, \"state\": \"retired\", \"verdict\": "
                                "\"missing\", \"reason\": \"%050u\"}",
                                i > 0 ? ", " : "", i, i);
    snprintf(text + len, sizeof text - len, "]}");
    CHECK(judge(text, &why) == KW_EXIT_PROBLEM);
    CHECK(why.count > 400);
    CHECK(strlen(why.text) > sizeof why.text - 512);
    CHECK(why.text[strlen(why.text) - 1] == '\n');
}

TEST(state_without_a_reason__no_colon_before_nothing)
{
    struct kw_reasons why = {{0}};
    CHECK(judge("{\"health\": {\"state\": \"starting\", \"reason\": \"\"}}", &why) ==
          KW_EXIT_PROBLEM);
    CHECK_HAS(why.text, "the HSM is starting\n");
}

KW_CASES("provider/cli/document", CASE(long_reasons__every_word_of_them),
         CASE(state_without_a_reason__no_colon_before_nothing),
         CASE(reasons__a_line_each_with_what_to_do_and_counted),
         CASE(reasons_that_do_not_fit__counted_and_left_out_whole),
         CASE(hsm_not_up__a_problem_with_its_reason),
         CASE(reload_rejected__a_problem_though_all_is_up),
         CASE(inputs_quarantined__a_problem_with_its_end_and_the_way_out),
         CASE(configuration_broken_or_not_said__a_problem_and_what_only_differs_is_none),
         CASE(pin_latched_or_not_said__a_problem), CASE(nothing_known__a_problem),
         CASE(active_version_not_good__a_problem_though_all_is_up),
         CASE(version_that_should_serve_is_not_good__a_problem_that_names_it),
         CASE(something_found_at_the_token__a_problem_though_it_serves),
         CASE(one_of_two_tokens_is_away__a_problem_that_names_it_though_all_is_up),
         CASE(version_that_nobody_uses_or_that_starts__good), CASE(all_well__good))
