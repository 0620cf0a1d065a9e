/* SPDX-License-Identifier: Apache-2.0 */
/* curve - what a token carries with so many operations in flight
 *
 * A curve is a few measured points, or a few figures from a data sheet brought into the
 * same form.  Between two points the rate is on a straight line, below the first one on
 * the line from nothing, above the last one it stays what it was: what nobody measured
 * is not promised.
 *
 * Threads:   plain values.
 * Blocking:  only kw_curve_read, on the disk.
 */
#ifndef KEYWARD_BENCH_CURVE_H
#define KEYWARD_BENCH_CURVE_H

#include <stddef.h>
#include <stdint.h>

#include <keyward/err.h>

enum { KW_CURVE_MAX = 64, KW_CURVE_FILE_MAX = 16 * 1024 * 1024 };

struct kw_curve_point {
    double sessions; /* operations in flight, at least 1 */
    double ops_per_s;
    double p50_us, p99_us; /* of one operation; both 0 when nobody knows */
};

struct kw_curve {
    struct kw_curve_point point[KW_CURVE_MAX]; /* ascending in sessions */
    size_t count;                              /* at least 1 once it is made */
    char words[320];                           /* where it comes from, for people */
};

/* Operations a second, in all, with `sessions` (0 and more) of them in flight. */
double kw_curve_ops_per_s(const struct kw_curve *c, double sessions);

/* Standard deviation of the logarithm of one operation's time near `sessions`: what a log
 * normal time has whose percentiles 50 and 99 are those of the curve.  0: unknown. */
double kw_curve_sigma(const struct kw_curve *c, double sessions);

/* The least number of operations in flight at which the token does `ops_per_s`; 0 when it
 * never does. */
double kw_curve_sessions_for(const struct kw_curve *c, double ops_per_s);

/* A token that answers after `latency_ns` (> 0), up to `sessions` (> 0) at once. */
void kw_curve_of_latency(int64_t latency_ns, double sessions, struct kw_curve *ret_curve);

/* A data sheet: `ops_per_s` (> 0) at its best, reached at `sessions` (> 0) in flight. */
void kw_curve_of_rate(double ops_per_s, double sessions, struct kw_curve *ret_curve);

/* Both: one operation takes `latency_ns`, and more than `ops_per_s` do not come.  More
 * than `sessions` are never served at once. */
void kw_curve_of_both(int64_t latency_ns, double ops_per_s, double sessions,
                      struct kw_curve *ret_curve);

/* Reads a document of `keyward-bench token --curve` or of `keyward-bench load`.
 * MISSING, IO   the file cannot be read
 * BAD_INPUT     it is no such document, of another schema, of a run that was cut short,
 *               answered wrongly or held its rate down, or its figures cannot be */
KW_MUST_USE kw_err kw_curve_read(const char *path, struct kw_curve *ret_curve,
                                 struct kw_note *note);

#endif
