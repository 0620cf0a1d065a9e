/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/bytes.h>

TEST(word__no_room__false_and_empty)
{
    char word[8] = "before";
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

TEST(word__every_byte__as_it_is_only_when_a_shell_reads_no_more_into_it)
{
    for (int c = 1; c < 256; c++) {
        const char text[2] = {(char)c, '\0'};
        char word[8];
        CHECK(kw_shell_word(word, sizeof word, text));
        CHECK((word[0] != '\'') == ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                    (c >= '0' && c <= '9') ||
                                    strchr("/._-+@%:,=", c) != NULL));
    }
}

TEST(word__single_quotes__four_bytes_each)
{
    char word[16];
    CHECK(kw_shell_word(word, 11, "''"));
    CHECK_STR(word, "''\\'''\\'''");
    CHECK(!kw_shell_word(word, 10, "''"));
}

KW_CASES("hsm/base/shell", CASE(word__no_room__false_and_empty),
         CASE(word__every_byte__as_it_is_only_when_a_shell_reads_no_more_into_it),
         CASE(word__single_quotes__four_bytes_each))
