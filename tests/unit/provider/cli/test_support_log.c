/* SPDX-License-Identifier: Apache-2.0 */
/* Which lines of the log are shown. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "support_look.h"

static struct kw_support_text shown;

TEST(log_lines__of_a_vendors_library__left_out_and_counted)
{
    char text[512] = "";
    kw_support_text_init(&shown, sizeof text - 1);
    CHECK(kw_support_log_lines(kw_span_str("a event=one\nb event=vendor-output text="
                                           "hunter2"
                                           "\n"
                                           "{\"event\":\"vendor-output\",\"text\":\""
                                           "hunter2"
                                           "\"}\nc\x1b[2J\nd"),
                               &shown) == 2);
    snprintf(text, sizeof text, "%.*s", (int)shown.len, shown.bytes);
    CHECK_HAS(text, "a event=one\nc");
    CHECK_HAS(text, "\nd\n");
    CHECK(strstr(text, "hunter2") == NULL && strchr(text, '\x1b') == NULL);
    kw_support_text_wipe(&shown);
}

TEST(log_lines__more_than_wanted__the_last)
{
    static char all[65536];
    size_t n = 0;
    for (int i = 0; i < KW_SUPPORT_LOG_LINES + 2; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "line %d\n", i);
    kw_support_text_init(&shown, sizeof all);
    CHECK(kw_support_log_lines(kw_span_of(all, n), &shown) == 0);
    CHECK(strncmp(shown.bytes, "line 2\n", 7) == 0);
    kw_support_text_wipe(&shown);
}

KW_CASES("provider/cli/support_log",
         CASE(log_lines__of_a_vendors_library__left_out_and_counted),
         CASE(log_lines__more_than_wanted__the_last))
