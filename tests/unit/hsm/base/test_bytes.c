/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <signal.h>

#include "test_child.h"

static kw_span lit(const char *s)
{
    return kw_span_str(s);
}

static bool is_a(uint8_t c)
{
    return c == 'a';
}

TEST(span_str__null__empty)
{
    CHECK(kw_span_str(NULL).len == 0);
    CHECK(kw_span_str("").len == 0);
    CHECK(kw_span_str("abc").len == 3);
}

TEST(equal__other_length_or_byte__different)
{
    CHECK(!kw_span_equal(lit("abc"), lit("ab")));
    CHECK(!kw_span_equal(lit("abc"), lit("abd")));
    CHECK(!kw_span_equal(kw_span_of("a\0b", 3), kw_span_of("a\0c", 3)));
    CHECK(!kw_span_equal_str(kw_span_of("a\0b", 3), "a"));
    CHECK(!kw_equal_ct(lit("abc"), lit("ab")));
    CHECK(!kw_equal_ct(lit("abc"), lit("bbc")));
    CHECK(!kw_equal_ct(lit("abc"), lit("abd")));
    CHECK(!kw_equal_ct(kw_span_of("a\0b", 3), kw_span_of("a\0c", 3)));
}

TEST(equal__same_bytes__equal)
{
    CHECK(kw_span_equal(lit("abc"), lit("abc")));
    CHECK(kw_span_equal(kw_span_of(NULL, 0), lit("")));
    CHECK(kw_span_equal_str(lit("abc"), "abc"));
    CHECK(kw_equal_ct(lit("abc"), lit("abc")));
    CHECK(kw_equal_ct(kw_span_of(NULL, 0), lit("")));
}

/* Differences must not cancel out: every single bit counts. */
TEST(equal_ct__any_bit__different)
{
    uint8_t a[4] = {1, 2, 3, 4}, b[4];
    for (unsigned bit = 0; bit < 32; bit++) {
        memcpy(b, a, sizeof b);
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(!kw_equal_ct(kw_span_of(a, 4), kw_span_of(b, 4)));
        b[(bit / 8 + 1) % 4] ^= (uint8_t)(1u << bit % 8); /* the same one again */
        CHECK(!kw_equal_ct(kw_span_of(a, 4), kw_span_of(b, 4)));
    }
}

TEST(all__one_refused__false)
{
    CHECK(!kw_span_all(lit("aab"), is_a));
    CHECK(kw_span_all(lit("aaa"), is_a));
    CHECK(kw_span_all(kw_span_of(NULL, 0), is_a));
}

static void copy_too_much(void *arg)
{
    kw_copy(arg, 2, lit("abc"));
}

TEST(copy__longer_than_cap__aborts)
{
    char dst[8] = "";
    CHECK(child_signal(copy_too_much, dst) == SIGABRT);
}

TEST(copy__fits__copied_also_from_itself)
{
    char dst[8] = "abcdef";
    kw_copy(dst + 1, 7, kw_span_of(dst, 6));
    CHECK(memcmp(dst, "aabcdef", 7) == 0);
    kw_copy(dst, 0, kw_span_of(NULL, 0));
    CHECK(dst[0] == 'a');
}

TEST(copy_str__too_long__cut_ended_and_false)
{
    char dst[4];
    CHECK(!kw_copy_str(dst, sizeof dst, lit("abcd")));
    CHECK_STR(dst, "abc");
    CHECK(!kw_copy_str(dst, 1, lit("a")));
    CHECK_STR(dst, "");
}

TEST(copy_str__holds_nul__false)
{
    char dst[8];
    CHECK(!kw_copy_str(dst, sizeof dst, kw_span_of("a\0b", 3)));
    CHECK(!kw_copy_str(dst, sizeof dst, kw_span_of("\0", 1)));
}

TEST(copy_str__fits__true)
{
    char dst[4] = "xxx";
    CHECK(kw_copy_str(dst, sizeof dst, lit("abc")));
    CHECK_STR(dst, "abc");
    CHECK(kw_copy_str(dst, sizeof dst, kw_span_of(NULL, 0)));
    CHECK_STR(dst, "");
}

TEST(put__no_room__nothing_written)
{
    uint8_t b[4] = {9, 9, 9, 9};
    kw_dst d = kw_dst_of(b, 3);
    CHECK(kw_dst_put_u8(&d, 1));
    CHECK(!kw_dst_put(&d, lit("abc")));
    CHECK(!kw_dst_put_u32(&d, 1));
    CHECK(!kw_dst_put_u64(&d, 1));
    CHECK(!kw_dst_put_sized(&d, lit("a")));
    CHECK(d.len == 1 && b[1] == 9 && b[2] == 9);
    CHECK(kw_dst_put_u16(&d, 0x0203));
    CHECK(!kw_dst_put_u8(&d, 1) && !kw_dst_put_u16(&d, 1));
    CHECK(d.len == 3 && b[3] == 9);
}

TEST(put_sized__over_65535__nothing_written)
{
    static uint8_t big[70000], room[80000];
    kw_dst d = kw_dst_of(room, sizeof room);
    CHECK(!kw_dst_put_sized(&d, kw_span_of(big, 65536)));
    CHECK(d.len == 0);
    CHECK(kw_dst_put_sized(&d, kw_span_of(big, 65535)));
    CHECK(d.len == 65537);
}

TEST(put__numbers__big_endian)
{
    uint8_t b[32];
    kw_dst d = kw_dst_of(b, sizeof b);
    CHECK(kw_dst_put_u8(&d, 0x01) && kw_dst_put_u16(&d, 0x0203) &&
          kw_dst_put_u32(&d, 0x04050607) && kw_dst_put_u64(&d, 0x08090a0b0c0d0e0f) &&
          kw_dst_put_sized(&d, lit("hi")));
    static const uint8_t want[] = {1,  2,  3,  4,  5,  6, 7, 8,   9,  10,
                                   11, 12, 13, 14, 15, 0, 2, 'h', 'i'};
    CHECK(kw_span_equal(kw_dst_span(&d), kw_span_of(want, sizeof want)));
}

TEST(put__empty__always_fits)
{
    kw_dst d = kw_dst_of(NULL, 0);
    CHECK(kw_dst_put(&d, kw_span_of(NULL, 0)));
    CHECK(d.len == 0);
}

TEST(take__past_the_end__bad_for_good)
{
    struct kw_src src = kw_src_of(kw_span_of("\1\2\3", 3));
    CHECK(kw_src_u32(&src) == 0);
    CHECK(src.bad);
    CHECK(kw_src_u8(&src) == 0 && kw_src_u16(&src) == 0 && kw_src_u64(&src) == 0);
    CHECK(kw_src_take(&src, 1).len == 0 && kw_src_take(&src, 0).ptr == NULL);
    CHECK(kw_src_sized(&src).len == 0);
    CHECK(src.bad && !kw_src_done(&src));
}

TEST(take_sized__length_lies__bad)
{
    struct kw_src src = kw_src_of(kw_span_of("\0\5abcd", 6));
    CHECK(kw_src_sized(&src).len == 0);
    CHECK(src.bad);
    src = kw_src_of(kw_span_of("\0", 1));
    CHECK(kw_src_sized(&src).len == 0 && src.bad);
}

TEST(take__bytes_left__not_done)
{
    struct kw_src src = kw_src_of(kw_span_of("ab", 2));
    CHECK(kw_src_u8(&src) == 'a');
    CHECK(!src.bad && !kw_src_done(&src));
}

TEST(take__what_was_put__reads_back)
{
    uint8_t b[32];
    kw_dst d = kw_dst_of(b, sizeof b);
    CHECK(kw_dst_put_u8(&d, 0xfe) && kw_dst_put_u16(&d, 0xfedc) &&
          kw_dst_put_u32(&d, 0xfedcba98) && kw_dst_put_u64(&d, 0xfedcba9876543210) &&
          kw_dst_put_sized(&d, lit("hi")));
    struct kw_src src = kw_src_of(kw_dst_span(&d));
    CHECK(kw_src_u8(&src) == 0xfe && kw_src_u16(&src) == 0xfedc);
    CHECK(kw_src_u32(&src) == 0xfedcba98 && kw_src_u64(&src) == 0xfedcba9876543210);
    kw_span hi = kw_src_sized(&src);
    CHECK(kw_span_equal_str(hi, "hi") && hi.ptr == b + 17); /* borrowed, no copy */
    CHECK(kw_src_done(&src));
}

TEST(random__any_length__fills_all_of_it_and_no_more)
{
    uint8_t a[64] = {0}, b[64] = {0};
    kw_random(a, 0);
    CHECK(a[0] == 0);
    kw_random(a, 32);
    kw_random(b, 32);
    CHECK(memcmp(a, b, 32) != 0);
    for (unsigned i = 32; i < 64; i++)
        CHECK(a[i] == 0);
    unsigned seen = 0; /* each byte is set: 16 draws all zero never happen */
    for (unsigned draw = 0; draw < 16; draw++) {
        kw_random(a, 32);
        seen |= a[31];
    }
    CHECK(seen != 0);
}

KW_CASES("hsm/base/bytes", CASE(span_str__null__empty),
         CASE(equal__other_length_or_byte__different), CASE(equal__same_bytes__equal),
         CASE(equal_ct__any_bit__different), CASE(all__one_refused__false),
         CASE(copy__longer_than_cap__aborts), CASE(copy__fits__copied_also_from_itself),
         CASE(copy_str__too_long__cut_ended_and_false), CASE(copy_str__holds_nul__false),
         CASE(copy_str__fits__true), CASE(put__no_room__nothing_written),
         CASE(put_sized__over_65535__nothing_written), CASE(put__numbers__big_endian),
         CASE(put__empty__always_fits), CASE(take__past_the_end__bad_for_good),
         CASE(take_sized__length_lies__bad), CASE(take__bytes_left__not_done),
         CASE(take__what_was_put__reads_back),
         CASE(random__any_length__fills_all_of_it_and_no_more))
