/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "cli.h"
#include "report.h"

TEST(could_not_look__three)
{
    static const enum kw_code blind[] = {KW_CODE_MISSING,   KW_CODE_IO,
                                         KW_CODE_NO_MEMORY, KW_CODE_HSM_DOWN,
                                         KW_CODE_HSM_BUSY,  KW_CODE_DEADLINE};
    for (size_t i = 0; i < sizeof blind / sizeof blind[0]; i++)
        CHECK(kw_exit_for(blind[i]) == KW_EXIT_BLIND);
}

TEST(found_wrong__one)
{
    static const enum kw_code found[] = {
        KW_CODE_BAD_INPUT,  KW_CODE_DENIED,      KW_CODE_KEY_BAD, KW_CODE_PIN_STOP,
        KW_CODE_HSM_CONFIG, KW_CODE_UNKNOWN_KEY, KW_CODE_BUG};
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++)
        CHECK(kw_exit_for(found[i]) == KW_EXIT_PROBLEM);
    CHECK(kw_exit_for(KW_CODE_OK) == KW_EXIT_GOOD);
}

TEST(native_code__named_by_who_gave_it)
{
    char name[64];
    kw_native_name(kw_err_native(KW_CODE_PIN_STOP, 0xa0, "C_Login"), name);
    CHECK_STR(name, "CKR_PIN_INCORRECT");
    kw_native_name(kw_err_native(KW_CODE_DENIED, 13, "keyring"), name);
    CHECK_STR(name, "Permission denied");
    kw_native_name(kw_err_at(KW_CODE_DENIED, "C_Login"), name);
    CHECK_STR(name, "");
}

static int report_of(enum kw_found a, enum kw_found b)
{
    const struct kw_cli cli = {0};
    struct kw_report r;
    kw_report_begin(&r, &cli);
    kw_report_add(&r, KW_FOUND_OK, "first", NULL, "fine");
    kw_report_add(&r, a, "second", "do this", "so so");
    kw_report_add(&r, b, "third", "do that", "so so");
    return kw_report_end(&r, NULL);
}

TEST(report_with_a_failure__one_whatever_else)
{
    CHECK(report_of(KW_FOUND_FAIL, KW_FOUND_BLIND) == KW_EXIT_PROBLEM);
    CHECK(report_of(KW_FOUND_WARN, KW_FOUND_FAIL) == KW_EXIT_PROBLEM);
}

TEST(report_that_could_not_look__three)
{
    CHECK(report_of(KW_FOUND_WARN, KW_FOUND_BLIND) == KW_EXIT_BLIND);
}

TEST(report_with_warnings_only__good)
{
    CHECK(report_of(KW_FOUND_WARN, KW_FOUND_OK) == KW_EXIT_GOOD);
}

TEST(report_with_something_not_tried__good)
{
    CHECK(report_of(KW_FOUND_NOT_TRIED, KW_FOUND_OK) == KW_EXIT_GOOD);
    CHECK(report_of(KW_FOUND_NOT_TRIED, KW_FOUND_BLIND) == KW_EXIT_BLIND);
}

TEST(no_terminal__no_escape_sequences)
{
    const struct kw_cli plain = {.colour = false}, bright = {.colour = true};
    CHECK_STR(kw_tint(&plain, KW_TINT_BAD), "");
    CHECK(kw_tint(&bright, KW_TINT_BAD)[0] == '\033');
}

KW_CASES("provider/cli/exit", CASE(could_not_look__three), CASE(found_wrong__one),
         CASE(native_code__named_by_who_gave_it),
         CASE(report_with_a_failure__one_whatever_else),
         CASE(report_that_could_not_look__three), CASE(report_with_warnings_only__good),
         CASE(report_with_something_not_tried__good),
         CASE(no_terminal__no_escape_sequences))
