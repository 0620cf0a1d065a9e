/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <signal.h>

#include "test_child.h"

static bool text(const char *s)
{
    return kw_is_text(kw_span_str(s));
}

static void hex_too_small(void *arg)
{
    kw_hex(arg, 6, kw_span_of("abc", 3)); /* wants 7 */
}

TEST(hex__no_room_for_the_nul__aborts)
{
    char dst[8];
    CHECK(child_signal(hex_too_small, dst) == SIGABRT);
}

TEST(hex__bytes__lower_case)
{
    char dst[9] = "xxxxxxxx";
    kw_hex(dst, sizeof dst, kw_span_of("\x00\x9f\xAB\xff", 4));
    CHECK_STR(dst, "009fabff");
    kw_hex(dst, 1, kw_span_of(NULL, 0));
    CHECK_STR(dst, "");
}

TEST(unhex__wrong_length_or_digit__false_and_untouched)
{
    uint8_t dst[2] = {7, 7};
    static const char *const wrong[] = {"",     "0",    "000",  "00000", "000000",
                                        "00AB", "00g0", "0x00", " 000",  "000 ",
                                        "00-1", "00/0", "00:0", "00`0",  "00\xff\x30"};
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(!kw_unhex(dst, 2, kw_span_str(wrong[i])));
    CHECK(dst[0] == 7 && dst[1] == 7);
}

TEST(unhex__what_hex_wrote__reads_back)
{
    uint8_t all[256], back[256];
    char digits[513];
    for (unsigned i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    kw_hex(digits, sizeof digits, kw_span_of(all, 256));
    CHECK(kw_unhex(back, 256, kw_span_str(digits)));
    CHECK(memcmp(all, back, 256) == 0);
    CHECK(kw_unhex(back, 0, kw_span_str("")));
}

TEST(text__nul__no)
{
    CHECK(!kw_is_text(kw_span_of("\0", 1)));
    CHECK(!kw_is_text(kw_span_of("ab\0", 3)));
    CHECK(!kw_is_text(kw_span_of("a\0b", 3)));
}

TEST(text__overlong__no)
{
    CHECK(!text("\xc0\x80"));         /* NUL in two bytes      */
    CHECK(!text("\xc1\xbf"));         /* U+007F in two bytes   */
    CHECK(!text("\xe0\x9f\xbf"));     /* U+07FF in three bytes */
    CHECK(!text("\xf0\x8f\xbf\xbf")); /* U+FFFF in four bytes  */
}

TEST(text__surrogate_or_beyond_unicode__no)
{
    CHECK(!text("\xed\xa0\x80"));     /* U+D800   */
    CHECK(!text("\xed\xbf\xbf"));     /* U+DFFF   */
    CHECK(!text("\xf4\x90\x80\x80")); /* U+110000 */
    CHECK(!text("\xf5\x80\x80\x80"));
    CHECK(!text("\xff"));
}

TEST(text__torn_character__no)
{
    CHECK(!text("\x80"));
    CHECK(!text("\xc3"));
    CHECK(!text("\xe2\x82"));
    CHECK(!text("\xf0\x9f\x98"));
    CHECK(!text("\xc3(")); /* no continuation            */
    CHECK(!text("\xe2\x82("));
    CHECK(!text("\xf0\x9f\x98("));
    CHECK(!text("\xe2(\xac"));
}

TEST(text__valid__yes)
{
    CHECK(kw_is_text(kw_span_of(NULL, 0)));
    CHECK(text("plain\x01\x7f"));
    CHECK(text("\xc2\x80\xdf\xbf"));                 /* U+0080, U+07FF    */
    CHECK(text("\xe0\xa0\x80\xed\x9f\xbf"));         /* U+0800, U+D7FF    */
    CHECK(text("\xee\x80\x80\xef\xbf\xbf"));         /* U+E000, U+FFFF    */
    CHECK(text("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")); /* U+10000, U+10FFFF */
}

KW_CASES("hsm/base/text", CASE(hex__no_room_for_the_nul__aborts),
         CASE(hex__bytes__lower_case),
         CASE(unhex__wrong_length_or_digit__false_and_untouched),
         CASE(unhex__what_hex_wrote__reads_back), CASE(text__nul__no),
         CASE(text__overlong__no), CASE(text__surrogate_or_beyond_unicode__no),
         CASE(text__torn_character__no), CASE(text__valid__yes))
