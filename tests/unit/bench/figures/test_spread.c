/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <math.h>

#include "spread.h"

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

static void median__none__zero(void **state)
{
    (void)state;
    CHECK(near(kw_median(NULL, 0), 0));
}

static void median__odd_and_even__middle_or_mean(void **state)
{
    (void)state;
    const double v[] = {9, 1, 5, 3};
    CHECK(near(kw_median(v, 3), 5));
    CHECK(near(kw_median(v, 4), 4));
    CHECK(near(v[0], 9)); /* looked at, not sorted in place */
}

static void median_of__nothing_known__zero(void **state)
{
    (void)state;
    const double v[] = {NAN, NAN};
    struct kw_ratio r = kw_median_of(v, 2);
    CHECK(near(r.mid, 0) && near(r.low, 0) && near(r.high, 0));
}

static void median_of__known_values__interval_around_the_middle(void **state)
{
    (void)state;
    const double v[] = {5, NAN, 1, 3};
    struct kw_ratio r = kw_median_of(v, 4);
    CHECK(near(r.mid, 3) && near(r.low, 1) && near(r.high, 5));
}

static void ratio__no_good_pair__zero(void **state)
{
    (void)state;
    const double a[] = {0, 2, -1}, b[] = {1, 0, 1};
    struct kw_ratio r = kw_ratio_of(a, b, 3);
    CHECK(near(r.mid, 0) && near(r.low, 0) && near(r.high, 0));
}

static void ratio__every_round_the_same__no_width(void **state)
{
    (void)state;
    const double a[] = {2, 20, 200}, b[] = {1, 10, 100};
    struct kw_ratio r = kw_ratio_of(a, b, 3);
    CHECK(near(r.mid, 2) && near(r.low, 2) && near(r.high, 2));
}

/* The machine got twice as slow from round to round; the pairs did not care. */
static void ratio__machine_drifts__pairs_hold(void **state)
{
    (void)state;
    double a[10], b[10];
    for (int i = 0; i < 10; i++) {
        b[i] = 100.0 * (i + 1);
        a[i] = b[i] * (i % 2 == 0 ? 1.18 : 1.22);
    }
    struct kw_ratio r = kw_ratio_of(a, b, 10);
    CHECK(near(r.mid, sqrt(1.18 * 1.22)));
    CHECK(near(r.low, 1.18) && near(r.high, 1.22));
}

static void ratio__twice__the_same_interval(void **state)
{
    (void)state;
    const double a[] = {1, 3, 2, 5, 4, 9, 7}, b[] = {2, 2, 2, 2, 2, 2, 2};
    struct kw_ratio x = kw_ratio_of(a, b, 7), y = kw_ratio_of(a, b, 7);
    CHECK(near(x.low, y.low) && near(x.high, y.high));
    CHECK(near(x.mid, 2) && x.low < 2 && x.high > 2);
    CHECK(x.low >= 0.5 && x.high <= 4.5);
}

KW_CASES("bench/figures/spread", CASE(median__none__zero),
         CASE(median__odd_and_even__middle_or_mean), CASE(median_of__nothing_known__zero),
         CASE(median_of__known_values__interval_around_the_middle),
         CASE(ratio__no_good_pair__zero), CASE(ratio__every_round_the_same__no_width),
         CASE(ratio__machine_drifts__pairs_hold), CASE(ratio__twice__the_same_interval))
