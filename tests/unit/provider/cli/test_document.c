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

#define UP "\"health\": {\"state\": \"up\"}, \"pin_latched\": false, "
#define KEYRING "\"keyring\": {\"rejected\": null}, "
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

TEST(pin_latched_or_not_said__a_problem)
{
    struct kw_reasons why = {{0}};
    CHECK(judge("{\"health\": {\"state\": \"up\"}, \"keyring\": {\"rejected\": null},"
                "\"pin_latched\": true}",
                &why) == KW_EXIT_PROBLEM);
    CHECK_HAS(why.text, "PIN");
    CHECK(judge("{\"health\": {\"state\": \"up\"}}", &why) == KW_EXIT_PROBLEM);
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
                "2, \"rejected\": null}, \"pin_latched\": false, \"something_new\": "
                "[1]," ACTIVE "\"versions\": [" VERSION(2, "active", "ok") "]}",
                &why) == KW_EXIT_GOOD);
    CHECK_STR(why.text, "");
}

/* A remedy stands at the end of its reason. */
TEST(long_reasons__every_word_of_them)
{
    static const char *const members[] = {
        "health\": {\"state\": \"lost\", \"reason", "keyring\": {\"rejected",
        "keyring\": {\"last_good_refused", "keyring\": {\"unremembered"};
    char reason[480], text[640];
    struct kw_reasons why = {{0}};
    memset(reason, 'x', sizeof reason);
    memcpy(reason + sizeof reason - 7, "do so!", 7);
    for (size_t i = 0; i < 4; i++) {
        snprintf(text, sizeof text, "{\"%s\": \"%s\"}}", members[i], reason);
        CHECK(judge(text, &why) == KW_EXIT_PROBLEM);
        CHECK_HAS(why.text, "do so!. ");
    }
}

TEST(state_without_a_reason__no_colon_before_nothing)
{
    struct kw_reasons why = {{0}};
    CHECK(judge("{\"health\": {\"state\": \"starting\", \"reason\": \"\"}}", &why) ==
          KW_EXIT_PROBLEM);
    CHECK_HAS(why.text, "the HSM is starting. ");
}

KW_CASES("provider/cli/document", CASE(long_reasons__every_word_of_them),
         CASE(state_without_a_reason__no_colon_before_nothing),
         CASE(hsm_not_up__a_problem_with_its_reason),
         CASE(reload_rejected__a_problem_though_all_is_up),
         CASE(pin_latched_or_not_said__a_problem), CASE(nothing_known__a_problem),
         CASE(active_version_not_good__a_problem_though_all_is_up),
         CASE(version_that_should_serve_is_not_good__a_problem_that_names_it),
         CASE(something_found_at_the_token__a_problem_though_it_serves),
         CASE(version_that_nobody_uses_or_that_starts__good), CASE(all_well__good))
