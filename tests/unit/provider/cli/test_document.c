/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "document.h"

static enum kw_exit judge(const char *text, struct kw_note *ret_why)
{
    json_t *d = json_loads(text, 0, NULL);
    CHECK(d != NULL);
    enum kw_exit code = kw_document_judge(d, ret_why);
    json_decref(d);
    return code;
}

static void hsm_not_up__a_problem_with_its_reason(void **state)
{
    struct kw_note why = {{0}};
    (void)state;
    CHECK(judge("{\"health\": {\"state\": \"lost\", \"reason\": \"no worker is ready\"},"
                "\"keyring\": {\"rejected\": null}, \"pin_latched\": false}",
                &why) == KW_EXIT_PROBLEM);
    CHECK_HAS(why.text, "lost");
    CHECK_HAS(why.text, "no worker is ready");
}

static void reload_rejected__a_problem_though_all_is_up(void **state)
{
    struct kw_note why = {{0}};
    (void)state;
    CHECK(
        judge(
            "{\"health\": {\"state\": \"up\"}, \"keyring\": {\"rejected\": \"serial 3 is "
            "lower than 4\"}, \"pin_latched\": false}",
            &why) == KW_EXIT_PROBLEM);
    CHECK_HAS(why.text, "serial 3 is lower than 4");
}

static void pin_latched_or_not_said__a_problem(void **state)
{
    struct kw_note why = {{0}};
    (void)state;
    CHECK(judge("{\"health\": {\"state\": \"up\"}, \"keyring\": {\"rejected\": null},"
                "\"pin_latched\": true}",
                &why) == KW_EXIT_PROBLEM);
    CHECK_HAS(why.text, "PIN");
    CHECK(judge("{\"health\": {\"state\": \"up\"}}", &why) == KW_EXIT_PROBLEM);
}

static void nothing_known__a_problem(void **state)
{
    struct kw_note why = {{0}};
    (void)state;
    CHECK(judge("{}", &why) == KW_EXIT_PROBLEM);
}

static void all_well__good(void **state)
{
    struct kw_note why = {{0}};
    (void)state;
    CHECK(judge("{\"health\": {\"state\": \"UP\", \"reason\": \"\"}, \"keyring\": "
                "{\"serial\":"
                "2, \"rejected\": null}, \"pin_latched\": false, \"something_new\": [1]}",
                &why) == KW_EXIT_GOOD);
    CHECK_STR(why.text, "");
}

KW_CASES("provider/cli/document", CASE(hsm_not_up__a_problem_with_its_reason),
         CASE(reload_rejected__a_problem_though_all_is_up),
         CASE(pin_latched_or_not_said__a_problem), CASE(nothing_known__a_problem),
         CASE(all_well__good))
