/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <math.h>

#include "given.h"

/* 1000, 1800, 1500 operations a second with 1, 2, 4 sessions. */
static struct kw_curve three(void)
{
    struct kw_curve c = {.count = 3};
    c.point[0] = (struct kw_curve_point){1, 1000, 900, 1800};
    c.point[1] = (struct kw_curve_point){2, 1800, 0, 0};
    c.point[2] = (struct kw_curve_point){4, 1500, 2000, 2000};
    return c;
}

static void sessions_for__more_than_it_ever_does__none(void **state)
{
    (void)state;
    struct kw_curve c = three();
    CHECK(kw_curve_sessions_for(&c, 1801) == 0);
}

static void sigma__unknown_or_no_spread__none(void **state)
{
    (void)state;
    struct kw_curve c = three();
    CHECK(kw_curve_sigma(&c, 2) == 0);
    CHECK(kw_curve_sigma(&c, 99) == 0);
}

static void ops__between_below_beyond__line_origin_flat(void **state)
{
    (void)state;
    struct kw_curve c = three();
    CHECK(near(kw_curve_ops_per_s(&c, 0.5), 500, 1e-6));
    CHECK(near(kw_curve_ops_per_s(&c, 1), 1000, 1e-6));
    CHECK(near(kw_curve_ops_per_s(&c, 1.5), 1400, 1e-6));
    CHECK(
        near(kw_curve_ops_per_s(&c, 3), 1650, 1e-6)); /* slower with more, as measured */
    CHECK(near(kw_curve_ops_per_s(&c, 400), 1500, 1e-6));
}

static void sessions_for__on_the_way_up__the_least(void **state)
{
    (void)state;
    struct kw_curve c = three();
    CHECK(near(kw_curve_sessions_for(&c, 500), 0.5, 1e-6));
    CHECK(near(kw_curve_sessions_for(&c, 1400), 1.5, 1e-6));
    CHECK(near(kw_curve_sessions_for(&c, 1500), 1.625, 1e-6));
}

static void sigma__percentiles_known__those_of_a_log_normal(void **state)
{
    (void)state;
    struct kw_curve c = three();
    CHECK(near(exp(2.3263478740408408 * kw_curve_sigma(&c, 1)), 2, 1e-6));
}

static void of_latency__round_trip_times_sessions(void **state)
{
    (void)state;
    struct kw_curve c;
    kw_curve_of_latency(2 * KW_MS_NS, 8, &c);
    CHECK(near(kw_curve_ops_per_s(&c, 1), 500, 1e-6));
    CHECK(near(kw_curve_ops_per_s(&c, 8), 4000, 1e-6));
    CHECK(near(kw_curve_ops_per_s(&c, 9), 4000, 1e-6));
}

static void of_rate__only_with_all_sessions(void **state)
{
    (void)state;
    struct kw_curve c;
    kw_curve_of_rate(1500, 32, &c);
    CHECK(near(kw_curve_ops_per_s(&c, 32), 1500, 1e-6));
    CHECK(near(kw_curve_ops_per_s(&c, 16), 750, 1e-6));
}

static void of_both__rate_or_sessions_bind(void **state)
{
    (void)state;
    struct kw_curve c;
    kw_curve_of_both(10 * KW_MS_NS, 1500, 32, &c);
    CHECK(near(kw_curve_ops_per_s(&c, 1), 100, 1e-6));
    CHECK(near(kw_curve_ops_per_s(&c, 32), 1500, 1e-6));
    kw_curve_of_both(10 * KW_MS_NS, 1500, 4, &c);
    CHECK(near(kw_curve_ops_per_s(&c, 32), 400, 1e-6));
}

KW_CASES("bench/plan/curve", CASE(sessions_for__more_than_it_ever_does__none),
         CASE(sigma__unknown_or_no_spread__none),
         CASE(ops__between_below_beyond__line_origin_flat),
         CASE(sessions_for__on_the_way_up__the_least),
         CASE(sigma__percentiles_known__those_of_a_log_normal),
         CASE(of_latency__round_trip_times_sessions),
         CASE(of_rate__only_with_all_sessions), CASE(of_both__rate_or_sessions_bind))
