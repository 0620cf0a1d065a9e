/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "json.h"

static void check_text(const char *value, const char *want)
{
    struct kw_json j;
    kw_json_begin(&j);
    kw_json_str(&j, NULL, value);
    CHECK(j.text != NULL);
    CHECK_STR(j.text, want);
    kw_json_end(&j);
}

/* A reader of JSON refuses a document with such bytes, and a terminal obeys them. */
TEST(str__bytes_of_no_character_and_controls__replaced)
{
    check_text("a\xff"
               "b\xc3",
               "\"a?b?\"");
    check_text("\x1b[2J\xc2\x9b"
               "2J\n\x7f",
               "\"?[2J?2J??\"");
    check_text("\xe2\x80\x8f", "\"?\"");
}

TEST(str__quotes_and_letters__escaped_and_kept)
{
    check_text("say \"\\\" in Zürich 東京", "\"say \\\"\\\\\\\" in Zürich 東京\"");
    check_text("", "\"\"");
    check_text(NULL, "null");
}

TEST(document__members_in_order__commas_between)
{
    struct kw_json j;
    kw_json_begin(&j);
    kw_json_open(&j, NULL, '{');
    kw_json_int(&j, "n", -7);
    kw_json_open(&j, "list", '[');
    kw_json_bool(&j, NULL, true);
    kw_json_bool(&j, NULL, false);
    kw_json_close(&j, ']');
    kw_json_str(&j, "s", "x");
    kw_json_close(&j, '}');
    CHECK_STR(j.text, "{\"n\":-7,\"list\":[true,false],\"s\":\"x\"}");
    kw_json_end(&j);
}

KW_CASES("provider/daemon/json", CASE(str__bytes_of_no_character_and_controls__replaced),
         CASE(str__quotes_and_letters__escaped_and_kept),
         CASE(document__members_in_order__commas_between))
