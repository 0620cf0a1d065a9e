/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/bytes.h>

static void word__no_room__false_and_empty(void **state)
{
    char word[8] = "before";
    (void)state;
    CHECK(!kw_shell_word(word, 4, "abcd"));
    CHECK_STR(word, "");
    CHECK(kw_shell_word(word, 5, "abcd"));
    CHECK_STR(word, "abcd");
    CHECK(!kw_shell_word(word, 5, "a b"));
    CHECK_STR(word, "");
    CHECK(!kw_shell_word(word, 1, "a") && !kw_shell_word(word, 2, ""));
    CHECK(kw_shell_word(word, 3, ""));
    CHECK_STR(word, "''");
}

static void word__every_byte__as_it_is_only_when_a_shell_reads_no_more_into_it(
    void **state)
{
    (void)state;
    for (int c = 1; c < 256; c++) {
        const char text[2] = {(char)c, '\0'};
        char word[8];
        CHECK(kw_shell_word(word, sizeof word, text));
        CHECK((word[0] != '\'') == ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                    (c >= '0' && c <= '9') ||
                                    strchr("/._-+@%:,=", c) != NULL));
    }
}

static void word__single_quotes__four_bytes_each(void **state)
{
    char word[16];
    (void)state;
    CHECK(kw_shell_word(word, 11, "''"));
    CHECK_STR(word, "''\\'''\\'''");
    CHECK(!kw_shell_word(word, 10, "''"));
}

KW_CASES("hsm/base/shell", CASE(word__no_room__false_and_empty),
         CASE(word__every_byte__as_it_is_only_when_a_shell_reads_no_more_into_it),
         CASE(word__single_quotes__four_bytes_each))
