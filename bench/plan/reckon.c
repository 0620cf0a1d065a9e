/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of a plan (plan.h says how it goes). */
#include "plan.h"

#include <math.h>

#include <keyward/clock.h>

static const double WEEK_S = 7 * 24 * 3600.0, DAY_S = 24 * 3600.0;

/* kube-apiserver's pause after a check that was bad. */
static const int64_t CHECK_RETRY_NS = 10 * KW_S_NS;

/* hsm.suspect and hsm.recover as they are unless somebody sets them. */
static const int64_t SUSPECT_NS = 10 * KW_S_NS, RECOVER_NS = 10 * KW_S_NS;

static double seconds(double ns)
{
    return ns / (double)KW_S_NS;
}

uint64_t kw_plan_hsms(const struct kw_plan *p)
{
    return p->hsms - (p->one_lost ? 1 : 0);
}

double kw_plan_ops_per_s(const struct kw_plan *p, double in_flight)
{
    double hsms = (double)kw_plan_hsms(p);
    double ours = 1 - (double)p->others_percent / 100;
    return ours * hsms * kw_curve_ops_per_s(&p->curve, in_flight / hsms);
}

static double least(double a, uint64_t bound)
{
    return bound > 0 && (double)bound < a ? (double)bound : a;
}

double kw_plan_in_flight_max(const struct kw_plan *p, uint64_t servers)
{
    double workers = (double)(servers * p->workers);
    return least(least(workers, p->sessions_max), p->connections_max);
}

/* A canary opens the check blob of every version; with the active one it also wraps
 * something fresh and opens that. */
static double canaries_per_s(const struct kw_plan *p, uint64_t servers)
{
    return (double)servers * (double)(p->versions + 2) / seconds((double)p->probe_ns);
}

double kw_plan_storm_ops_per_s(const struct kw_plan *p, uint64_t servers,
                               double in_flight)
{
    double all = kw_plan_ops_per_s(p, kw_plan_in_flight_max(p, servers));
    double left = 1 - canaries_per_s(p, servers) / all;
    /* With nothing left the plan has failed anyway; the figures stay finite. */
    return kw_plan_ops_per_s(p, in_flight) * (left > 0.01 ? left : 0.01);
}

uint64_t kw_plan_starting(const struct kw_plan *p, uint64_t servers)
{
    return p->rolling ? 1 : servers;
}

int64_t kw_plan_away_ns(const struct kw_plan *p)
{
    bool lost = p->failover_ns > p->deadline_ns + SUSPECT_NS;
    return p->failover_ns + (lost ? RECOVER_NS : 0);
}

int64_t kw_plan_patience_ns(const struct kw_plan *p)
{
    return p->timeout_ns < p->deadline_ns ? p->timeout_ns : p->deadline_ns;
}

uint64_t kw_plan_seeds(const struct kw_plan *p, uint64_t servers)
{
    if (p->seeds_given)
        return p->seeds;
    return servers * (1 + p->starts_per_week * p->weeks + p->rotations);
}

/* ---- needs ------------------------------------------------------------------------- */

void kw_plan_needs(const struct kw_plan *p, struct kw_plan_needs *ret_needs)
{
    double servers = (double)p->servers;
    double starting = (double)kw_plan_starting(p, p->servers);
    struct kw_plan_needs n = {.canaries_per_s = canaries_per_s(p, p->servers),
                              .sessions = p->servers * p->workers};
    n.encrypts_per_s = 2 * servers * (double)p->starts_per_week / WEEK_S;
    n.rereads_per_s = servers * (double)p->seeds / DAY_S;
    n.steady_per_s = n.canaries_per_s + n.encrypts_per_s + n.rereads_per_s;
    n.storm_ops = starting * (double)(p->seeds + 2);
    n.storm_per_s = n.storm_ops / seconds((double)p->within_ns);
    n.capacity_per_s = kw_plan_ops_per_s(p, kw_plan_in_flight_max(p, p->servers));
    n.steady_use = n.steady_per_s / n.capacity_per_s;
    n.storm_use = (n.storm_per_s + n.steady_per_s) / n.capacity_per_s;
    double hsms = (double)kw_plan_hsms(p);
    double ours = 1 - (double)p->others_percent / 100;
    n.sessions_at_work =
        ceil(hsms * kw_curve_sessions_for(&p->curve, (n.storm_per_s + n.steady_per_s) /
                                                         ours / hsms));
    *ret_needs = n;
}

/* ---- the storm -----------------------------------------------------------------------
 */

const char *kw_neck_words(enum kw_neck neck)
{
    switch (neck) {
    case KW_NECK_ROUNDS: return "the lists, which ask for one seed after the other";
    case KW_NECK_WORKERS: return "keyward's workers, one operation each";
    case KW_NECK_SESSIONS: return "the sessions or connections that the token grants";
    case KW_NECK_TOKEN: break;
    }
    return "the token, which does no more operations a second";
}

/* The k of k + call * X(k) = calls: what goes round is in the token or outside it. */
static double operations_in_flight(const struct kw_plan *p, uint64_t servers,
                                   double calls)
{
    double low = 0, high = calls, outside_s = seconds((double)p->call_ns);
    for (int i = 0; i < 60; i++) {
        double k = (low + high) / 2;
        if (k + outside_s * kw_plan_storm_ops_per_s(p, servers, k) < calls)
            low = k;
        else
            high = k;
    }
    return high;
}

/* What the token does at its best, whatever the number in flight. */
static double peak_per_s(const struct kw_plan *p)
{
    double most = 0;
    for (size_t i = 0; i < p->curve.count; i++) {
        double in_flight = p->curve.point[i].sessions * (double)kw_plan_hsms(p);
        double rate = kw_plan_ops_per_s(p, in_flight);
        most = rate > most ? rate : most;
    }
    return most;
}

static enum kw_neck neck_of(const struct kw_plan *p, double in_flight, double ceiling,
                            double workers)
{
    if (kw_plan_ops_per_s(p, in_flight) >= 0.99 * peak_per_s(p))
        return KW_NECK_TOKEN;
    if (in_flight < ceiling)
        return KW_NECK_ROUNDS;
    return ceiling < workers ? KW_NECK_SESSIONS : KW_NECK_WORKERS;
}

static double op_ns(const struct kw_plan *p, uint64_t servers, double in_flight)
{
    return in_flight / kw_plan_storm_ops_per_s(p, servers, in_flight) * 1e9;
}

/* From the start to the end of the first good check.  An Encrypt that the token does not
 * answer in time spoils a check, and the next one is not soon. */
static double first_check_ns(const struct kw_plan *p, double encrypt_ns)
{
    double patience = (double)kw_plan_patience_ns(p), call = (double)p->call_ns;
    double away = (double)kw_plan_away_ns(p), begin = 0;
    while (begin + call + patience < away + encrypt_ns && encrypt_ns < patience)
        begin += 2 * call + patience + (double)CHECK_RETRY_NS;
    double asked = begin + call;
    return (asked > away ? asked : away) + encrypt_ns + call;
}

void kw_plan_bound(const struct kw_plan *p, uint64_t servers, uint64_t seeds,
                   struct kw_bound *ret_bound)
{
    uint64_t starting = kw_plan_starting(p, servers);
    uint64_t parallel = p->parallel < seeds ? p->parallel : seeds;
    double calls = (double)(starting * parallel), call = (double)p->call_ns;
    double workers = (double)(starting * p->workers);
    double ceiling = kw_plan_in_flight_max(p, starting);
    struct kw_bound b = {.in_flight = operations_in_flight(p, servers, calls)};
    if (b.in_flight > ceiling)
        b.in_flight = ceiling;
    b.neck = neck_of(p, b.in_flight, ceiling, workers);
    b.ops_per_s = kw_plan_storm_ops_per_s(p, servers, b.in_flight);
    b.op_ns = op_ns(p, servers, b.in_flight);
    double round = calls / b.ops_per_s * 1e9;
    b.wait_ns = round > call + b.op_ns ? round - call : b.op_ns;
    double first = (double)starting < ceiling ? (double)starting : ceiling;
    b.first_ns = 2 * op_ns(p, servers, first) * (double)starting / first;
    b.ready_ns = first_check_ns(p, b.first_ns) +
                 ceil((double)seeds / (double)parallel) * (call + b.wait_ns);
    *ret_bound = b;
}

/* ---- limits ------------------------------------------------------------------------ */

static bool within(uint64_t needed, uint64_t bound)
{
    return bound == 0 || needed <= bound;
}

bool kw_plan_carries(const struct kw_plan *p, uint64_t servers, uint64_t seeds)
{
    struct kw_plan q = *p;
    struct kw_plan_needs n;
    struct kw_bound b;
    q.servers = servers;
    q.seeds = seeds;
    kw_plan_needs(&q, &n);
    kw_plan_bound(&q, servers, seeds, &b);
    return n.steady_use <= 1 && b.ready_ns <= (double)p->within_ns &&
           b.wait_ns <= (double)kw_plan_patience_ns(p) &&
           b.first_ns <= (double)kw_plan_patience_ns(p) &&
           within(n.sessions, p->sessions_max) &&
           within(n.sessions, p->connections_max) && within(servers, p->clients_max);
}

void kw_plan_limits(const struct kw_plan *p, struct kw_limits *ret_limits)
{
    struct kw_limits l = {0, 0};
    uint64_t none = UINT64_C(1) << 30; /* more than any etcd holds */
    while (l.servers < KW_PLAN_LIMIT_SERVERS &&
           kw_plan_carries(p, l.servers + 1, kw_plan_seeds(p, l.servers + 1)))
        l.servers++;
    while (none - l.seeds > 1) {
        uint64_t middle = l.seeds + (none - l.seeds) / 2;
        if (kw_plan_carries(p, p->servers, middle))
            l.seeds = middle;
        else
            none = middle;
    }
    *ret_limits = l;
}
