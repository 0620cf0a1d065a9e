/* SPDX-License-Identifier: Apache-2.0 */
/* student - Student's t: how likely chance alone is to come so far out
 *
 * The tail is the regularized incomplete beta function, by its continued fraction (NIST
 * Digital Library of Mathematical Functions, 8.17.22), good to ten digits and more.
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_STUDENT_H
#define KEYWARD_BENCH_STUDENT_H

/* P(T > t) with `freedom` degrees of freedom, at least 1 and not necessarily whole.
 * t may be infinite. */
double kw_student_above(double t, double freedom);

/* The t >= 0 with P(T > t) = p; p is above 0 and at most 0.5. */
double kw_student_at(double p, double freedom);

#endif
