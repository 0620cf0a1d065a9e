/* SPDX-License-Identifier: Apache-2.0 */
/* plan - can this token carry this cluster?
 *
 * What is given (kw_plan), what the token has to do (kw_needs), how long a restart of the
 * API servers takes by arithmetic alone (kw_bound) and by playing it (kw_expected), and
 * how far the token reaches (kw_limits).  All of it is figures: nothing is measured here.
 *
 * The arithmetic.  A server has P lists that want different seeds, each one Decrypt at a
 * time, so S servers have S * P calls going round.  A round is one operation of the token
 * and `call_ns` outside it.  With k operations in flight the token does X(k) a second,
 * so that k + call * X(k) = S * P says how many are in flight, unless workers or sessions
 * are fewer; a storm of S * D operations then takes S * D / X(k), after one Status and
 * one Encrypt (two operations) of each server.  Equal Decrypts share an operation.
 *
 * Threads:   plain values.
 * Blocking:  never, but kw_plan_play computes for as long as the storm has calls.
 */
#ifndef KEYWARD_BENCH_PLAN_H
#define KEYWARD_BENCH_PLAN_H

#include "curve.h"

enum {
    KW_PLAN_SERVERS_MAX = 16,
    KW_PLAN_SEEDS_MAX = 100000,
    KW_PLAN_LISTS_MAX = 256,      /* of one server: parallel x readers */
    KW_PLAN_LIMIT_SERVERS = 1000, /* kw_plan_limits looks no further */
    KW_PLAN_TEXT_MAX = 16,        /* findings, and points of a curve   */
};

/* Times are in nanoseconds. */
struct kw_plan {
    /* the cluster */
    uint64_t servers;  /* API servers, each with a keyward of its own; 1 and more  */
    bool rolling;      /* restarted one after the other, not together              */
    uint64_t seeds;    /* distinct ones in etcd; 1 and more                        */
    uint64_t parallel; /* lists of one server that want seeds of their own         */
    uint64_t readers;  /* lists that want the very same seeds                      */
    int64_t timeout_ns, list_retry_ns, within_ns;
    int64_t call_ns;           /* of a Decrypt outside the token                    */
    uint64_t starts_per_week;  /* of one API server: restarts and reloads           */
    uint64_t weeks, rotations; /* since etcd was last rewritten under one seed     */
    bool seeds_given;          /* `seeds` does not come from the four above        */
    /* keyward */
    uint64_t workers, versions;
    int64_t deadline_ns, probe_ns;
    /* the token */
    struct kw_curve curve; /* of one HSM */
    uint64_t hsms;         /* bought           */
    bool one_lost;         /* plan without one */
    uint64_t others_percent;
    uint64_t sessions_max, connections_max, clients_max; /* 0: no such bound */
    int64_t failover_ns; /* nothing is answered for so long when the storm begins */
    uint64_t random;     /* where the drawing of operation times begins           */
};

/* The token as it serves us: HSMs that are left, what other tenants leave. */
uint64_t kw_plan_hsms(const struct kw_plan *p);
double kw_plan_ops_per_s(const struct kw_plan *p, double in_flight);
/* The most operations that can be in flight with `servers` API servers. */
double kw_plan_in_flight_max(const struct kw_plan *p, uint64_t servers);
/* What a storm gets of the token: the canaries of `servers` keywards go on meanwhile. */
double kw_plan_storm_ops_per_s(const struct kw_plan *p, uint64_t servers,
                               double in_flight);
/* Servers that start at once, of so many. */
uint64_t kw_plan_starting(const struct kw_plan *p, uint64_t servers);
/* How long the token is gone for us, keyward's own caution included. */
int64_t kw_plan_away_ns(const struct kw_plan *p);
/* The time after which a call is given up, by the API server or by keyward. */
int64_t kw_plan_patience_ns(const struct kw_plan *p);
/* Seeds in etcd when there are so many servers: each start of one leaves one. */
uint64_t kw_plan_seeds(const struct kw_plan *p, uint64_t servers);

/* What the token has to do. */
struct kw_plan_needs {
    double canaries_per_s, encrypts_per_s, rereads_per_s;
    double steady_per_s;     /* the three together, operations */
    double storm_ops;        /* of one storm */
    double storm_per_s;      /* to be ready in time */
    double capacity_per_s;   /* with all workers busy */
    double steady_use;       /* steady_per_s / capacity_per_s */
    double storm_use;        /* the same of both together */
    uint64_t sessions;       /* that keyward opens, on every HSM */
    double sessions_at_work; /* that storm_per_s takes; 0: no number does */
};
void kw_plan_needs(const struct kw_plan *p, struct kw_plan_needs *ret_needs);

/* What bounds the storm. */
enum kw_neck { KW_NECK_ROUNDS, KW_NECK_WORKERS, KW_NECK_SESSIONS, KW_NECK_TOKEN };
const char *kw_neck_words(enum kw_neck neck);

/* The storm by arithmetic, nothing being lost. */
struct kw_bound {
    double in_flight; /* operations in the token */
    double ops_per_s;
    double op_ns;    /* one operation's time   */
    double wait_ns;  /* of a call in the plugin, queue and operation */
    double first_ns; /* of the servers' first Encrypts, all together */
    double ready_ns;
    enum kw_neck neck;
};
void kw_plan_bound(const struct kw_plan *p, uint64_t servers, uint64_t seeds,
                   struct kw_bound *ret_bound);

/* The storm played on a simulated clock. */
struct kw_expected {
    bool ready;                    /* else it was given up at played_ns */
    double ready_ns;               /* the last server's                 */
    double played_ns;              /* an hour at most                   */
    double p50_ns, p99_ns;         /* of good Decrypts; 0: none was good      */
    uint64_t decrypts, good, lost; /* calls; lost: over their time     */
    uint64_t duplicates;           /* joined, or answered by the cache        */
    uint64_t operations, wasted;   /* of the token; wasted: nobody waited any more */
    double goodput;                /* operations that were not wasted / all   */
    double per_s;                  /* seeds unwrapped a second                */
};
/* NO_MEMORY; on failure the output is untouched. */
KW_MUST_USE kw_err kw_plan_play(const struct kw_plan *p,
                                struct kw_expected *ret_expected);

/* In time, no call given up, no ceiling of the token reached: by the arithmetic. */
bool kw_plan_carries(const struct kw_plan *p, uint64_t servers, uint64_t seeds);

/* The largest cluster that is carried; 0: not even one. */
struct kw_limits {
    uint64_t servers; /* with this many seeds, or what so many servers leave */
    uint64_t seeds;   /* with this many servers                              */
};
void kw_plan_limits(const struct kw_plan *p, struct kw_limits *ret_limits);

/* Curves for the eye, each over one thing that may grow. */
struct kw_plan_series {
    const char *name, *x, *y;
    double point[KW_PLAN_TEXT_MAX][2];
    size_t count;
};
enum { KW_PLAN_SERIES = 3 };
void kw_plan_series(const struct kw_plan *p,
                    struct kw_plan_series ret_series[KW_PLAN_SERIES]);

struct kw_lines {
    char text[KW_PLAN_TEXT_MAX][400];
    size_t count;
};
/* Why it does not fit, and what would; none: it fits. */
void kw_plan_findings(const struct kw_plan *p, const struct kw_plan_needs *n,
                      const struct kw_bound *b, const struct kw_expected *x,
                      struct kw_lines *ret_lines);
/* What was taken for granted, each with its source. */
void kw_plan_assumptions(const struct kw_plan *p, struct kw_lines *ret_lines);

#endif
