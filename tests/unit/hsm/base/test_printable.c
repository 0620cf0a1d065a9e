/* SPDX-License-Identifier: Apache-2.0 */
/* What may be shown: every code point there is, and bytes that are none. */
#include "check.h"

#include <signal.h>

#include "test_child.h"

enum { POINTS = 0x110000 };

/* RFC 3629, section 3, also for what it forbids. */
static size_t encode(uint32_t c, uint8_t dst[4])
{
    size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    for (size_t i = more; i > 0; i--, c >>= 6)
        dst[i] = (uint8_t)(0x80 | (c & 0x3f));
    dst[0] = (uint8_t)(lead[more] | c);
    return more + 1;
}

/* The list as docs/FORMATS.md says it. */
static bool is_listed(uint32_t c)
{
    static const uint32_t single[] = {
        0x061c, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b,
        0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
        0x206a, 0x206b, 0x206c, 0x206d, 0x206e, 0x206f, 0xfeff,
    };
    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
        if (c == single[i])
            return true;
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >> 7) == (0xe0000 >> 7);
}

static bool is_surrogate(uint32_t c)
{
    return c >= 0xd800 && c <= 0xdfff;
}

TEST(all_points__those_listed_and_no_characters__not_printable)
{
    for (uint32_t c = 0; c < POINTS; c++)
        if (kw_is_printable_char(c) != !(is_listed(c) || is_surrogate(c)))
            fail_msg("U+%04X", c);
    CHECK(!kw_is_printable_char(POINTS));
    CHECK(!kw_is_printable_char(KW_NO_CHARACTER));
}

TEST(all_points__in_a_text__judged_alike)
{
    uint8_t text[6] = "<";
    for (uint32_t c = 0; c < POINTS; c++) {
        size_t n = 1 + encode(c, text + 1);
        text[n++] = '>';
        if (kw_is_printable_text(kw_span_of(text, n)) != kw_is_printable_char(c))
            fail_msg("U+%04X", c);
    }
}

TEST(all_points__copied__kept_or_one_mark)
{
    uint8_t text[6] = "<";
    char copy[8];
    for (uint32_t c = 0; c < POINTS; c++) {
        size_t n = 1 + encode(c, text + 1);
        text[n++] = '>';
        kw_span whole = kw_span_of(text, n);
        bool same = kw_copy_printable(copy, sizeof copy, whole);
        /* A surrogate is three bytes of no character. */
        kw_span want = kw_is_printable_char(c) ? whole
                       : is_surrogate(c)       ? kw_span_str("<\?\?\?>")
                                               : kw_span_str("<?>");
        if (!kw_span_equal(kw_span_str(copy), want) || same != kw_is_printable_char(c))
            fail_msg("U+%04X: %s", c, copy);
    }
}

TEST(first__each_point__its_bytes_and_value)
{
    uint8_t text[5];
    uint32_t point;
    for (uint32_t c = 0; c < POINTS; c++) {
        size_t n = encode(c, text);
        text[n] = 0x80; /* what follows is not taken with it */
        size_t took = kw_text_first(kw_span_of(text, n + 1), &point);
        if (is_surrogate(c) ? took != 1 || point != KW_NO_CHARACTER
                            : took != n || point != c)
            fail_msg("U+%04X: %zu bytes, U+%04X", c, took, point);
    }
}

TEST(first__torn_or_no_character__one_byte)
{
    static const char *const bad[] = {"\x80",         "\xc3",          "\xe2\x82",
                                      "\xf0\x9f\x98", "\xc0\x80",      "\xc3(",
                                      "\xe2(\xac",    "\xf0\x9f\x98(", "\xf4\x90\x80\x80",
                                      "\xff",         "\x9b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint32_t point = 0;
        CHECK(kw_text_first(kw_span_str(bad[i]), &point) == 1);
        CHECK(point == KW_NO_CHARACTER);
    }
}

TEST(text__a_bare_c1_byte_or_csi__no)
{
    CHECK(!kw_is_printable_text(kw_span_str("\x9b"
                                            "31m")));
    CHECK(!kw_is_printable_text(kw_span_str("\xc2\x9b"
                                            "31m")));
    CHECK(!kw_is_printable_text(kw_span_str("\x1b[31m")));
    CHECK(!kw_is_printable_text(kw_span_of("a\0b", 3)));
    CHECK(!kw_is_printable_text(kw_span_str("admin\xe2\x80\x8f")));
}

TEST(text__words_of_the_world__yes)
{
    CHECK(kw_is_printable_text(kw_span_of(NULL, 0)));
    CHECK(kw_is_printable_text(kw_span_str(
        "Zürich, Łódź, 東京, עברית, می‌خواهم, 👍🏽")));
}

static void no_room(void *dst)
{
    kw_copy_printable(dst, 0, kw_span_str("x"));
}

TEST(copy__no_room_for_the_nul__aborts)
{
    char dst[1] = "";
    CHECK(child_signal(no_room, dst) == SIGABRT);
}

TEST(copy__does_not_fit__cut_between_characters)
{
    char dst[6];
    CHECK(!kw_copy_printable(dst, sizeof dst,
                             kw_span_str("ab\xe2\x82\xac"
                                         "c")));
    CHECK_STR(dst, "ab\xe2\x82\xac");
    CHECK(!kw_copy_printable(dst, sizeof dst,
                             kw_span_str("abc\xe2\x82\xac"
                                         "d")));
    CHECK_STR(dst, "abc");
    CHECK(!kw_copy_printable(dst, 1, kw_span_str("a")));
    CHECK_STR(dst, "");
    CHECK(kw_copy_printable(dst, sizeof dst, kw_span_str("12345")));
    CHECK_STR(dst, "12345");
}

TEST(copy__onto_itself__replaced_in_place)
{
    char text[32] = "a\x1b[2J\xc2\x9b"
                    "b\xe2\x80\x8f\xffü";
    CHECK(!kw_copy_printable(text, sizeof text, kw_span_str(text)));
    CHECK_STR(text, "a?[2J?b\?\?ü");
    CHECK(kw_copy_printable(text, sizeof text, kw_span_str(text)));
}

TEST(note__quotes_foreign_text__printable)
{
    struct kw_note note;
    kw_note_set(&note, "label \"%s\", %d",
                "\xc2\x9b"
                "2J\n\xe2\x80\x8f",
                7);
    CHECK_STR(note.text, "label \"?2J\?\?\", 7");
}

TEST(shown__each_character__itself_or_its_bytes)
{
    static const char *const rows[][2] = {
        {"a", "a"},
        {"\\", "\\"},
        {"ü", "ü"},
        {"\n", "\\x0a"},
        {"\xff", "\\xff"},
        {"\xe2\x80\x8f", "\\xe2\\x80\\x8f"},          /* RIGHT-TO-LEFT MARK  */
        {"\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81"}, /* TAG LATIN CAPITAL A */
    };
    char shown[KW_SHOWN_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK(kw_text_shown(kw_span_str(rows[i][0]), shown) == strlen(rows[i][0]));
        CHECK_STR(shown, rows[i][1]);
    }
    CHECK(kw_text_shown(kw_span_str("ab"), shown) == 1);
    CHECK(kw_text_shown(kw_span_of("\0", 1), shown) == 1);
    CHECK_STR(shown, "\\x00");
}

KW_CASES("hsm/base/printable",
         CASE(all_points__those_listed_and_no_characters__not_printable),
         CASE(all_points__in_a_text__judged_alike),
         CASE(all_points__copied__kept_or_one_mark),
         CASE(first__each_point__its_bytes_and_value),
         CASE(first__torn_or_no_character__one_byte),
         CASE(text__a_bare_c1_byte_or_csi__no), CASE(text__words_of_the_world__yes),
         CASE(copy__no_room_for_the_nul__aborts),
         CASE(copy__does_not_fit__cut_between_characters),
         CASE(copy__onto_itself__replaced_in_place),
         CASE(note__quotes_foreign_text__printable),
         CASE(shown__each_character__itself_or_its_bytes))
