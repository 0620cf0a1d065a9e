/* SPDX-License-Identifier: Apache-2.0 */
/* Curves for the eye: the arithmetic, over what may grow. */
#include "plan.h"

#include <keyward/clock.h>

static void put(struct kw_plan_series *s, double x, double y)
{
    KW_INVARIANT(s->count < KW_PLAN_TEXT_MAX);
    s->point[s->count][0] = x;
    s->point[s->count++][1] = y;
}

/* To twice what there is, or a little beyond what is carried when that is near. */
static void over_seeds(const struct kw_plan *p, struct kw_plan_series *s)
{
    struct kw_limits most;
    struct kw_bound b;
    kw_plan_limits(p, &most);
    uint64_t top = 2 * p->seeds, beyond = most.seeds + most.seeds / 4;
    if (beyond > top)
        top = beyond < 20 * p->seeds ? beyond : 20 * p->seeds;
    for (uint64_t i = 1, last = 0; i <= KW_PLAN_TEXT_MAX; i++) {
        uint64_t seeds = top * i / KW_PLAN_TEXT_MAX;
        if (seeds == last || seeds == 0)
            continue;
        kw_plan_bound(p, p->servers, seeds, &b);
        put(s, (double)seeds, b.ready_ns / (double)KW_MS_NS);
        last = seeds;
    }
}

static void over_servers(const struct kw_plan *p, struct kw_plan_series *s)
{
    struct kw_plan q = *p;
    for (q.servers = 1; q.servers <= KW_PLAN_TEXT_MAX; q.servers++) {
        struct kw_plan_needs n;
        q.seeds = kw_plan_seeds(p, q.servers);
        kw_plan_needs(&q, &n);
        put(s, (double)q.servers, n.storm_use);
    }
}

static void over_sessions(const struct kw_plan *p, struct kw_plan_series *s)
{
    double hsms = (double)kw_plan_hsms(p);
    double top = hsms * p->curve.point[p->curve.count - 1].sessions;
    double ours = kw_plan_in_flight_max(p, p->servers);
    top = ours > top ? ours : top;
    double step = top > KW_PLAN_TEXT_MAX ? top / KW_PLAN_TEXT_MAX : 1;
    for (int i = 1; i <= KW_PLAN_TEXT_MAX && i * step < top + 1; i++)
        put(s, i * step, kw_plan_ops_per_s(p, i * step));
}

void kw_plan_series(const struct kw_plan *p,
                    struct kw_plan_series ret_series[KW_PLAN_SERIES])
{
    ret_series[0] = (struct kw_plan_series){
        .name = "ready_ms over seeds", .x = "seeds", .y = "ready_ms"};
    ret_series[1] = (struct kw_plan_series){
        .name = "utilisation over api servers", .x = "api servers", .y = "utilisation"};
    ret_series[2] = (struct kw_plan_series){.name = "operations a second over sessions",
                                            .x = "sessions at work",
                                            .y = "operations a second"};
    over_seeds(p, &ret_series[0]);
    over_servers(p, &ret_series[1]);
    over_sessions(p, &ret_series[2]);
}
