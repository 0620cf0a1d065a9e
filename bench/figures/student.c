/* SPDX-License-Identifier: Apache-2.0 */
#include "student.h"

#include <math.h>

#include <keyward/err.h>

enum { TERMS_MAX = 1000 };

/* The k-th coefficient of the fraction for I_x(a, b); k counts from 1. */
static double coefficient(int k, double a, double b, double x)
{
    double m = k / 2; /* NOLINT(bugprone-integer-division): the whole half is meant */
    if (k % 2 == 0)
        return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
}

/* 1 / (1 + d1 / (1 + d2 / …)), from the front with Lentz's two running quotients; for
 * x < (a + 1) / (a + b + 2) neither of them comes near 0. */
static double fraction(double a, double b, double x)
{
    double upper = 1, lower = 0, value = 1;
    for (int k = 1; k < TERMS_MAX; k++) {
        double d = coefficient(k, a, b, x);
        lower = 1 / (1 + d * lower);
        upper = 1 + d / upper;
        value *= upper * lower;
        if (fabs(upper * lower - 1) < 1e-15)
            break;
    }
    return 1 / value;
}

static double log_gamma(double v)
{
    int sign = 0;
    return lgamma_r(v, &sign);
}

static double beta_below(double a, double b, double x)
{
    if (x <= 0)
        return 0;
    if (x >= 1)
        return 1;
    double front =
        exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * fraction(a, b, x) / a;
    return 1 - front * fraction(b, a, 1 - x) / b;
}

double kw_student_above(double t, double freedom)
{
    KW_INVARIANT(freedom >= 1);
    double tail = beta_below(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2;
    return t >= 0 ? tail : 1 - tail;
}

static double density(double t, double freedom)
{
    double scale = log_gamma((freedom + 1) / 2) - log_gamma(freedom / 2) -
                   log(freedom * 3.14159265358979323846) / 2;
    return exp(scale - (freedom + 1) / 2 * log1p(t * t / freedom));
}

/* Newton from 0: the tail is convex above it, so that no step goes too far. */
double kw_student_at(double p, double freedom)
{
    double t = 0, step = 1;
    KW_INVARIANT(p > 0 && p <= 0.5);
    for (int i = 0; i < TERMS_MAX && step > 1e-13 * t; i++) {
        step = (kw_student_above(t, freedom) - p) / density(t, freedom);
        t += step;
    }
    return t;
}
