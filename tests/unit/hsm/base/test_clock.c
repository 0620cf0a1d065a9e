/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

TEST(duration__not_a_number_and_one_unit__false)
{
    static const char *const wrong[] = {"",      "s",    "ms",    "10",    "1.5s",
                                        "-1s",   "+1s",  " 1s",   "1s ",   "1 s",
                                        "1h30m", "10S",  "10sec", "1d",    "1us",
                                        "0x1s",  "1e3s", "1m\n",  "ten s", "1000000h0"};
    int64_t ns = 42;
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(!kw_duration_parse(wrong[i], &ns));
    CHECK(ns == 42);
}

TEST(duration__does_not_fit__false)
{
    int64_t ns = 42;
    CHECK(!kw_duration_parse("9223372037s", &ns));
    CHECK(!kw_duration_parse("2562048h", &ns));
    CHECK(!kw_duration_parse("9223372036855ms", &ns));
    CHECK(!kw_duration_parse("99999999999999999999999999s", &ns));
    CHECK(!kw_duration_parse("18446744073709551617ms", &ns)); /* 2^64 + 1 */
    CHECK(ns == 42);
    CHECK(kw_duration_parse("9223372036s", &ns));
    CHECK(ns == INT64_C(9223372036000000000));
}

TEST(duration__each_unit__its_nanoseconds)
{
    int64_t ns = -1;
    CHECK(kw_duration_parse("1500ms", &ns) && ns == 1500 * KW_MS_NS);
    CHECK(kw_duration_parse("10s", &ns) && ns == 10 * KW_S_NS);
    CHECK(kw_duration_parse("15m", &ns) && ns == 900 * KW_S_NS);
    CHECK(kw_duration_parse("1h", &ns) && ns == 3600 * KW_S_NS);
    CHECK(kw_duration_parse("0s", &ns) && ns == 0);
}

TEST(duration_text__any__shortest_that_reads_back)
{
    static const struct {
        int64_t ns;
        const char *text;
    } want[] = {{0, "0s"},
                {KW_MS_NS, "1ms"},
                {1500 * KW_MS_NS, "1500ms"},
                {KW_S_NS, "1s"},
                {90 * KW_S_NS, "90s"},
                {60 * KW_S_NS, "1m"},
                {3600 * KW_S_NS, "1h"},
                {5400 * KW_S_NS, "90m"},
                {INT64_C(9223372036854) * KW_MS_NS, "9223372036854ms"}};
    for (unsigned i = 0; i < sizeof want / sizeof want[0]; i++) {
        char text[32];
        int64_t back = -1;
        kw_duration_text(text, sizeof text, want[i].ns);
        CHECK_STR(text, want[i].text);
        CHECK(kw_duration_parse(text, &back) && back == want[i].ns);
    }
}

TEST(deadline__overflow__never)
{
    struct kw_fake_clock fake = {.now_ns = 5};
    struct kw_clock c = kw_fake_clock(&fake);
    CHECK(kw_deadline_in(&c, INT64_MAX).mono_ns == KW_NEVER.mono_ns);
    CHECK(kw_deadline_in(&c, INT64_MAX - 4).mono_ns == INT64_MAX);
    CHECK(!kw_deadline_over(KW_NEVER, INT64_MAX - 1));
}

TEST(deadline__time_passes__over_at_its_point)
{
    struct kw_fake_clock fake = {.now_ns = 100};
    struct kw_clock c = kw_fake_clock(&fake);
    kw_deadline d = kw_deadline_in(&c, 50);
    CHECK(d.mono_ns == 150);
    CHECK(!kw_deadline_over(d, 149) && kw_deadline_over(d, 150));
    CHECK(kw_deadline_over(kw_deadline_in(&c, 0), 100));
    CHECK(kw_deadline_first(d, KW_NEVER).mono_ns == 150);
    CHECK(kw_deadline_first(KW_NEVER, d).mono_ns == 150);
}

TEST(time_text__known_moments__rfc3339)
{
    char text[KW_TIME_TEXT];
    kw_time_text(text, 0);
    CHECK_STR(text, "1970-01-01T00:00:00.000000Z");
    kw_time_text(text, INT64_C(1769860800) * KW_S_NS);
    CHECK_STR(text, "2026-01-31T12:00:00.000000Z");
    kw_time_text(text, INT64_C(951782399) * KW_S_NS + 999999999);
    CHECK_STR(text, "2000-02-28T23:59:59.999999Z");
    kw_time_text(text, INT64_MAX);
    CHECK_STR(text, "2262-04-11T23:47:16.854775Z");
}

TEST(system__two_readings__never_backwards)
{
    const struct kw_clock *c = &kw_clock_system;
    int64_t mono = kw_mono_ns(c), boot = kw_boot_ns(c);
    CHECK(kw_mono_ns(c) >= mono && kw_boot_ns(c) >= boot);
    CHECK(kw_boot_ns(c) >= mono); /* suspended time counts */
    CHECK(kw_wall_ns(c) > INT64_C(1700000000) * KW_S_NS);
}

KW_CASES("hsm/base/clock", CASE(duration__not_a_number_and_one_unit__false),
         CASE(duration__does_not_fit__false), CASE(duration__each_unit__its_nanoseconds),
         CASE(duration_text__any__shortest_that_reads_back),
         CASE(deadline__overflow__never), CASE(deadline__time_passes__over_at_its_point),
         CASE(time_text__known_moments__rfc3339),
         CASE(system__two_readings__never_backwards))
