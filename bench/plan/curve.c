/* SPDX-License-Identifier: Apache-2.0 */
#include "curve.h"

#include <math.h>
#include <stdio.h>

#include <keyward/clock.h>

/* How far percentile 99 of the normal distribution lies from its middle. */
static const double Z99 = 2.3263478740408408;

static double on_line(struct kw_curve_point a, struct kw_curve_point b, double sessions)
{
    return a.ops_per_s + (b.ops_per_s - a.ops_per_s) * (sessions - a.sessions) /
                             (b.sessions - a.sessions);
}

double kw_curve_ops_per_s(const struct kw_curve *c, double sessions)
{
    struct kw_curve_point before = {0};
    for (size_t i = 0; i < c->count; i++) {
        if (sessions <= c->point[i].sessions)
            return on_line(before, c->point[i], sessions);
        before = c->point[i];
    }
    return before.ops_per_s;
}

double kw_curve_sigma(const struct kw_curve *c, double sessions)
{
    size_t i = 0;
    while (i + 1 < c->count && c->point[i].sessions < sessions)
        i++;
    const struct kw_curve_point *p = &c->point[i];
    return p->p50_us > 0 && p->p99_us > p->p50_us ? log(p->p99_us / p->p50_us) / Z99 : 0;
}

double kw_curve_sessions_for(const struct kw_curve *c, double ops_per_s)
{
    struct kw_curve_point before = {0};
    for (size_t i = 0; i < c->count; i++) {
        const struct kw_curve_point *p = &c->point[i];
        if (ops_per_s <= p->ops_per_s)
            return before.sessions + (p->sessions - before.sessions) *
                                         (ops_per_s - before.ops_per_s) /
                                         (p->ops_per_s - before.ops_per_s);
        before = *p;
    }
    return 0;
}

static double latency_ms(int64_t ns)
{
    return (double)ns / (double)KW_MS_NS;
}

void kw_curve_of_latency(int64_t latency_ns, double sessions, struct kw_curve *ret_curve)
{
    *ret_curve = (struct kw_curve){.count = 1};
    ret_curve->point[0] =
        (struct kw_curve_point){sessions, sessions * 1e9 / (double)latency_ns, 0, 0};
    snprintf(ret_curve->words, sizeof ret_curve->words,
             "an operation takes %g ms, %g of them at once [given, not measured]",
             latency_ms(latency_ns), sessions);
}

void kw_curve_of_rate(double ops_per_s, double sessions, struct kw_curve *ret_curve)
{
    *ret_curve = (struct kw_curve){.count = 1};
    ret_curve->point[0] = (struct kw_curve_point){sessions, ops_per_s, 0, 0};
    snprintf(
        ret_curve->words, sizeof ret_curve->words,
        "%g operations a second are reached with %g in flight and not before, so one "
        "takes %.3g ms: the data sheet's rate, the worst reading of its latency, which "
        "--latency corrects [given, not measured]",
        ops_per_s, sessions, sessions * 1e3 / ops_per_s);
}

void kw_curve_of_both(int64_t latency_ns, double ops_per_s, double sessions,
                      struct kw_curve *ret_curve)
{
    double knee = ops_per_s * (double)latency_ns / 1e9;
    if (knee > sessions)
        knee = sessions;
    *ret_curve = (struct kw_curve){.count = 1};
    ret_curve->point[0] =
        (struct kw_curve_point){knee, knee * 1e9 / (double)latency_ns, 0, 0};
    snprintf(ret_curve->words, sizeof ret_curve->words,
             "an operation takes %g ms and at most %g a second are done, %g at once "
             "[given, not measured]",
             latency_ms(latency_ns), ops_per_s, sessions);
}
