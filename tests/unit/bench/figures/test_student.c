/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <math.h>

#include "student.h"

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

/* The density's integral from 0 to t by Simpson's rule: another way to the same tail. */
static double integrated_above(double t, double freedom)
{
    enum { STEPS = 20000 };
    double scale = exp(lgamma((freedom + 1) / 2) - lgamma(freedom / 2)) /
                   sqrt(freedom * 3.14159265358979323846);
    double width = t / STEPS, sum = 0;
    for (int i = 0; i <= STEPS; i++) {
        double x = width * i, f = pow(1 + x * x / freedom, -(freedom + 1) / 2);
        double weight = i % 2 == 1 ? 4 : 2;
        sum += i == 0 || i == STEPS ? f : weight * f;
    }
    return 0.5 - scale * sum * width / 3;
}

static void above__infinite__certain(void **state)
{
    (void)state;
    CHECK(near(kw_student_above(INFINITY, 5), 0));
    CHECK(near(kw_student_above(-INFINITY, 5), 1));
}

static void above__zero__half(void **state)
{
    (void)state;
    CHECK(near(kw_student_above(0, 1), 0.5));
    CHECK(near(kw_student_above(0, 17.5), 0.5));
}

/* 1 and 2 degrees of freedom have closed forms. */
static void above__closed_forms__met(void **state)
{
    (void)state;
    CHECK(near(kw_student_above(1, 1), 0.25));
    CHECK(near(kw_student_above(2, 2), (1 - 2 / sqrt(6)) / 2));
    CHECK(near(kw_student_above(-2, 2), 1 - (1 - 2 / sqrt(6)) / 2));
}

static void above__any__the_integral_of_the_density(void **state)
{
    (void)state;
    const double freedom[] = {1, 2.5, 5, 7.3, 20, 58}, t[] = {0.1, 0.7, 1.5, 3, 6};
    for (size_t i = 0; i < sizeof freedom / sizeof freedom[0]; i++)
        for (size_t k = 0; k < sizeof t / sizeof t[0]; k++)
            CHECK(near(kw_student_above(t[k], freedom[i]),
                       integrated_above(t[k], freedom[i])));
}

static void above__much_freedom__the_normal_tail(void **state)
{
    (void)state;
    CHECK(fabs(kw_student_above(1.959964, 1e7) - 0.025) < 1e-6);
}

static void at__printed_tables__met(void **state)
{
    (void)state;
    CHECK(fabs(kw_student_at(0.05, 5) - 2.015) < 0.0005);
    CHECK(fabs(kw_student_at(0.025, 10) - 2.228) < 0.0005);
    CHECK(fabs(kw_student_at(0.01, 7) - 2.998) < 0.0005);
    CHECK(fabs(kw_student_at(0.0005, 1) - 636.619) < 0.0005);
    CHECK(near(kw_student_at(0.5, 3), 0));
}

static void at__any__undoes_above(void **state)
{
    (void)state;
    for (int i = 0; i < 16; i++) {
        double p = 0.001 + 0.0313 * i;
        CHECK(near(kw_student_above(kw_student_at(p, 6.4), 6.4), p));
    }
}

KW_CASES("bench/figures/student", CASE(above__infinite__certain), CASE(above__zero__half),
         CASE(above__closed_forms__met), CASE(above__any__the_integral_of_the_density),
         CASE(above__much_freedom__the_normal_tail), CASE(at__printed_tables__met),
         CASE(at__any__undoes_above))
