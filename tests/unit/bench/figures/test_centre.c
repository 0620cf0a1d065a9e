/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <math.h>

#include "centre.h"

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

static void of__four_values__nothing_said(void **state)
{
    (void)state;
    const double v[] = {1, 2, 3, 4};
    struct kw_centre c = {7, 7, 7};
    CHECK(!kw_centre_of(v, 4, &c));
    CHECK(near(c.mean, 7) && near(c.error, 7) && near(c.freedom, 7));
}

static void of__no_number_among_them__nothing_said(void **state)
{
    (void)state;
    const double v[] = {1, 2, NAN, 4, 5}, w[] = {1, 2, 3, 4, INFINITY};
    struct kw_centre c = {7, 7, 7};
    CHECK(!kw_centre_of(v, 5, &c));
    CHECK(!kw_centre_of(w, 5, &c));
    CHECK(near(c.mean, 7));
}

/* Up to 6 values nothing is trimmed: the plain mean and its plain error. */
static void of__five__the_plain_mean(void **state)
{
    (void)state;
    const double v[] = {5, 1, 4, 2, 3};
    struct kw_centre c = {0};
    CHECK(kw_centre_of(v, 5, &c));
    CHECK(near(c.mean, 3) && near(c.error, sqrt(2.5 / 5)) && near(c.freedom, 4));
    CHECK(near(v[0], 5)); /* looked at, not sorted in place */
}

/* 8 values, one trimmed on each side.  By hand: Winsorized 2 2 3 4 5 6 7 7, mean 4.5,
 * squares 30, 6 values left. */
static void of__eight__trimmed_and_winsorized(void **state)
{
    (void)state;
    const double v[] = {1, 2, 3, 4, 5, 6, 7, 800};
    struct kw_centre c = {0};
    CHECK(kw_centre_of(v, 8, &c));
    CHECK(near(c.mean, 4.5) && near(c.error, sqrt(30.0 / (6 * 5))) && near(c.freedom, 5));
}

static void of__one_round_anywhere__the_centre_does_not_care(void **state)
{
    (void)state;
    double v[] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct kw_centre a = {0}, b = {0};
    CHECK(kw_centre_of(v, 8, &a));
    v[7] = 1e9;
    CHECK(kw_centre_of(v, 8, &b));
    CHECK(near(a.mean, b.mean) && near(a.error, b.error));
}

static void of__all_agree__no_error(void **state)
{
    (void)state;
    const double v[] = {2, 2, 2, 2, 2, 2};
    struct kw_centre c = {0};
    CHECK(kw_centre_of(v, 6, &c));
    CHECK(near(c.mean, 2) && near(c.error, 0));
    CHECK(near(kw_centre_above(&c, 1.5), 0));
    CHECK(near(kw_centre_above(&c, 2), 0.5));
    CHECK(near(kw_centre_above(&c, 2.5), 1));
    CHECK(near(kw_centre_reach(&c, 0.05), 0));
}

/* Welch's own: equal errors give the sum of both freedoms, one without error gives the
 * other's. */
static void between__two_samples__welch(void **state)
{
    (void)state;
    struct kw_centre a = {1, 3, 9}, b = {2, 4, 9}, none = {2, 0, 5};
    struct kw_centre c = kw_centre_between(a, a), d = kw_centre_between(a, b);
    CHECK(near(c.mean, 0) && near(c.error, sqrt(18)) && near(c.freedom, 18));
    CHECK(near(d.mean, 1) && near(d.error, 5));
    CHECK(near(d.freedom, 625.0 / (81.0 / 9 + 256.0 / 9)));
    d = kw_centre_between(none, a);
    CHECK(near(d.mean, -1) && near(d.error, 3) && near(d.freedom, 9));
    a.error = 1e-100;
    CHECK(near(kw_centre_between(a, a).freedom, 18));
}

static void reach__and_above__are_one_interval(void **state)
{
    (void)state;
    struct kw_centre c = {0.3, 0.1, 6.5};
    double reach = kw_centre_reach(&c, 0.05);
    CHECK(near(kw_centre_above(&c, c.mean - reach), 0.05));
    CHECK(near(kw_centre_above(&c, c.mean + reach), 0.95));
}

KW_CASES("bench/figures/centre", CASE(of__four_values__nothing_said),
         CASE(of__no_number_among_them__nothing_said), CASE(of__five__the_plain_mean),
         CASE(of__eight__trimmed_and_winsorized),
         CASE(of__one_round_anywhere__the_centre_does_not_care),
         CASE(of__all_agree__no_error), CASE(between__two_samples__welch),
         CASE(reach__and_above__are_one_interval))
