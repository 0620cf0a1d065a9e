/* SPDX-License-Identifier: Apache-2.0 */
/* Cells that no spreadsheet computes, nor breaks. */
#include <keyward/csv.h>

#include <stdlib.h>

#include "check.h"

static char *written;
static size_t written_len;

static const char *cell(kw_span text)
{
    free(written);
    FILE *out = open_memstream(&written, &written_len);
    CHECK(out != NULL);
    kw_csv_cell(out, text);
    CHECK(fclose(out) == 0);
    return written;
}

static void end(void)
{
    free(written);
    written = NULL;
}

TEST(cell__what_a_spreadsheet_computes__a_text)
{
    static const char *const rows[][2] = {
        {"=1+1", "\"'=1+1\""},
        {"+x", "\"'+x\""},
        {"-x", "\"'-x\""},
        {"@x", "\"'@x\""},
        {" =1", "\"' =1\""},
        {"   @x", "\"'   @x\""},
        {"\"=x", "\"\"\"=x\""},
        {"a=b", "\"a=b\""},
        {" a=b", "\" a=b\""},
        {"a;=1+1",
         "\"a\\x3b=1+1\""}, /* where cells end with a semicolon, quotes within one
                                         protect nothing */
        {"a\";\"=1", "\"a\"\"\\x3b\"\"=1\""},
        /* A tab or a line's end before the sign is none any more. */
        {"\t=1", "\"\\x09=1\""},
        {"\r\n=1", "\"\\x0d\\x0a=1\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_STR(cell(kw_span_str(rows[i][0])), rows[i][1]);
}

TEST(cell__plain_text__in_quotes)
{
    static const char *const rows[][2] = {
        {"", "\"\""},         {" ", "\" \""},
        {"a,b", "\"a,b\""},   {"a\"b", "\"a\"\"b\""},
        {"a\\b", "\"a\\b\""}, {"Schlüssel 鍵", "\"Schlüssel 鍵\""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_STR(cell(kw_span_str(rows[i][0])), rows[i][1]);
}

TEST(cell__every_byte__one_line_of_text)
{
    uint8_t bytes[256];
    for (unsigned i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    cell(kw_span_of(bytes, sizeof bytes));
    CHECK(strlen(written) == written_len); /* no NUL */
    for (size_t i = 0; i < written_len; i++)
        CHECK(written[i] >= ' ' && written[i] <= '~');
    CHECK_HAS(written, "\\x00\\x01\\x02");
    CHECK_HAS(written, "\\x7f\\x80\\x81");
    CHECK_HAS(written, "\\xfe\\xff");
}

KW_SUITE_AROUND("hsm/base/csv", NULL, end)
