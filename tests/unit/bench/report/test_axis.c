/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <math.h>

#include "axis.h"

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9 * fmax(1, fabs(b));
}

static void number__each_unit__three_digits_and_its_unit(void **state)
{
    static const struct {
        double v;
        enum kw_unit unit;
        const char *want;
    } cases[] = {
        {(double)NAN, KW_UNIT_COUNT, "–"},
        {0, KW_UNIT_COUNT, "0"},
        {0.42, KW_UNIT_COUNT, "0.42"},
        {9.996, KW_UNIT_COUNT, "10"},
        {99.96, KW_UNIT_COUNT, "100"},
        {999.6, KW_UNIT_COUNT, "1,000"},
        {1234567, KW_UNIT_COUNT, "1,234,567"},
        {-1234, KW_UNIT_COUNT, "-1,234"},
        {1e18, KW_UNIT_COUNT, "1e+18"},
        {0.0782, KW_UNIT_US, "78.2\u00a0ns"},
        {0, KW_UNIT_US, "0"},
        {1900, KW_UNIT_MS, "1.9\u00a0s"},
        {12.34, KW_UNIT_US, "12.3\u00a0µs"},
        {999.6, KW_UNIT_US, "1\u00a0ms"},
        {2500000, KW_UNIT_US, "2.5\u00a0s"},
        {0.318, KW_UNIT_PERCENT, "31.8\u00a0%"},
        {1, KW_UNIT_RATIO, "1.00×"},
        {12.34, KW_UNIT_RATIO, "12.3×"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[KW_NUMBER_MAX];
        kw_number_text(text, cases[i].v, cases[i].unit);
        CHECK_STR(text, cases[i].want);
    }
}

static void fit__linear__from_zero_in_round_steps(void **state)
{
    (void)state;
    struct kw_axis a = {.scale = KW_SCALE_LINEAR, .unit = KW_UNIT_COUNT};
    kw_axis_fit(&a, 19000, 61000);
    CHECK(near(a.low, 0) && near(a.high, 70000));
    CHECK(a.tick_count == 8);
    CHECK_STR(a.tick[1].text, "10,000");
    CHECK(near(kw_axis_place(&a, 35000), 0.5));
}

static void fit__all_the_same__still_a_range(void **state)
{
    static const enum kw_scale scales[] = {KW_SCALE_LINEAR, KW_SCALE_LOG2, KW_SCALE_LOG10,
                                           KW_SCALE_PERCENTILE};
    static const double values[] = {1, 3, 10, 64, 1000, 123456};
    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 6; k++) {
            struct kw_axis a = {.scale = scales[i], .unit = KW_UNIT_COUNT};
            kw_axis_fit(&a, values[k], values[k]);
            CHECK(a.high > a.low && a.low <= values[k] && a.high >= values[k]);
            CHECK(a.tick_count >= 1 || scales[i] == KW_SCALE_LOG2);
        }
    struct kw_axis zero = {.scale = KW_SCALE_LINEAR};
    kw_axis_fit(&zero, 0, 0);
    CHECK(zero.high > zero.low);
}

static void fit__concurrency__powers_of_two(void **state)
{
    (void)state;
    struct kw_axis a = {.scale = KW_SCALE_LOG2, .unit = KW_UNIT_COUNT};
    kw_axis_fit(&a, 1, 64);
    CHECK(a.low < 1 && a.high > 64 && a.tick_count == 7);
    CHECK_STR(a.tick[0].text, "1");
    CHECK_STR(a.tick[6].text, "64");
    kw_axis_fit(&a, 1, 65536); /* thinned */
    CHECK(a.tick_count <= 9);
}

static void fit__times__decades_or_one_two_five(void **state)
{
    (void)state;
    struct kw_axis a = {.scale = KW_SCALE_LOG10, .unit = KW_UNIT_US};
    kw_axis_fit(&a, 130, 47000);
    CHECK(near(a.low, 100) && near(a.high, 50000));
    CHECK(a.tick_count == 3);
    CHECK_STR(a.tick[1].text, "1\u00a0ms");
    kw_axis_fit(&a, 2100, 9000);
    CHECK(near(a.low, 2000) && near(a.high, 10000) && a.tick_count == 3);
}

static void fit__far_apart__never_more_ticks_than_there_is_room(void **state)
{
    (void)state;
    struct kw_axis a = {.scale = KW_SCALE_LOG10, .unit = KW_UNIT_COUNT};
    kw_axis_fit(&a, 1e-20, 1e20);
    CHECK(a.tick_count <= KW_TICKS_MAX);
}

static void fit__percentiles__nines(void **state)
{
    (void)state;
    struct kw_axis a = {.scale = KW_SCALE_PERCENTILE};
    kw_axis_fit(&a, 1, 4000);
    CHECK(near(a.low, 1) && near(a.high, 4000) && a.tick_count == 5);
    CHECK_STR(a.tick[4].text, "99.9\u00a0%");
    CHECK(near(kw_axis_place(&a, 1), 0) && near(kw_axis_place(&a, 4000), 1));
}

static void spread__far_enough__left_alone(void **state)
{
    (void)state;
    double place[] = {0.9, 0.1, 0.5};
    kw_spread_out(place, 3, 0.1);
    CHECK(near(place[0], 0.9) && near(place[1], 0.1) && near(place[2], 0.5));
    kw_spread_out(place, 0, 0.1);
}

static void spread__on_top_of_each_other__apart_in_their_order_and_inside(void **state)
{
    (void)state;
    double place[] = {1.0, 0.99, 0.98, 0.02, 0.01};
    kw_spread_out(place, 5, 0.1);
    CHECK(place[0] <= 1 + 1e-9 && place[4] >= -1e-9);
    for (size_t i = 0; i + 1 < 5; i++)
        CHECK(place[i] - place[i + 1] > 0.1 - 1e-9);
}

static void spread__no_room__evenly(void **state)
{
    (void)state;
    double place[] = {0.5, 0.5, 0.5, 0.5, 0.5};
    kw_spread_out(place, 5, 0.9);
    for (size_t i = 0; i < 5; i++)
        CHECK(near(place[i], (double)i / 4));
}

KW_CASES("bench/report/axis", CASE(number__each_unit__three_digits_and_its_unit),
         CASE(fit__all_the_same__still_a_range),
         CASE(fit__linear__from_zero_in_round_steps),
         CASE(fit__concurrency__powers_of_two), CASE(fit__times__decades_or_one_two_five),
         CASE(fit__far_apart__never_more_ticks_than_there_is_room),
         CASE(fit__percentiles__nines), CASE(spread__far_enough__left_alone),
         CASE(spread__on_top_of_each_other__apart_in_their_order_and_inside),
         CASE(spread__no_room__evenly))
