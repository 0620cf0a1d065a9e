/* SPDX-License-Identifier: Apache-2.0 */
/* Is the prediction right?  A second simulation, which shares no line with the first,
 * measures what the plan foretells.
 *
 * It has no queues and no events.  Lists are taken in the order in which they ask; an
 * operation begins when the asker, a worker and a place in the token are all free, and
 * whoever serves first come first served needs to know no more than when each worker and
 * each place is free next (Lindley's recursion). */
#include "check.h"

#include "given.h"

enum { SERVERS = 4, LISTS = 64, WORKERS = 4, PLACES = 16, SEEDS = 2000 };

struct list {
    int64_t asks_ns;
    size_t server, seed, step;
};

static int64_t worker_free[SERVERS][WORKERS], place_free[PLACES], known[SERVERS][SEEDS];
static struct list lists[LISTS];

static int64_t *earliest(int64_t *v, size_t count)
{
    int64_t *first = v;
    for (size_t i = 1; i < count; i++)
        if (v[i] < *first)
            first = &v[i];
    return first;
}

static int64_t latest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* From `at` on; gives its end. */
static int64_t operate(size_t server, size_t workers, size_t places, int64_t at,
                       int64_t takes)
{
    int64_t *worker = earliest(worker_free[server], workers);
    int64_t *place = earliest(place_free, places);
    int64_t end = latest(latest(at, *worker), *place) + takes;
    *worker = *place = end;
    return end;
}

static int64_t decrypt(const struct kw_plan *p, const struct list *l, size_t places,
                       int64_t takes)
{
    int64_t *k = &known[l->server][l->seed];
    if (*k == 0)
        *k = operate(l->server, p->workers, places, l->asks_ns, takes);
    return latest(*k, l->asks_ns) + p->call_ns;
}

static struct list *next_list(size_t count, size_t seeds)
{
    struct list *next = NULL;
    for (size_t i = 0; i < count; i++)
        if (lists[i].seed < seeds && (next == NULL || lists[i].asks_ns < next->asks_ns))
            next = &lists[i];
    return next;
}

/* Status, then wrap and verify; then its lists begin. */
static void start(const struct kw_plan *p, size_t places, int64_t takes)
{
    int64_t wrapped[SERVERS];
    size_t count = 0;
    for (size_t s = 0; s < p->servers; s++)
        wrapped[s] = operate(s, p->workers, places, p->call_ns, takes);
    for (size_t s = 0; s < p->servers; s++) {
        int64_t from = operate(s, p->workers, places, wrapped[s], takes) + p->call_ns;
        for (size_t i = 0; i < p->parallel * p->readers; i++)
            lists[count++] = (struct list){from, s, i / p->readers, p->parallel};
    }
}

/* Nanoseconds until every list has come to its end; `places` operations in the token. */
static int64_t measure(const struct kw_plan *p, size_t places, int64_t takes)
{
    size_t count = p->servers * p->parallel * p->readers;
    int64_t ready = 0;
    struct list *l;
    CHECK(p->servers <= SERVERS && count <= LISTS && p->seeds <= SEEDS);
    CHECK(p->workers <= WORKERS && places <= PLACES);
    memset(worker_free, 0, sizeof worker_free);
    memset(place_free, 0, sizeof place_free);
    memset(known, 0, sizeof known);
    start(p, places, takes);
    while ((l = next_list(count, p->seeds)) != NULL) {
        int64_t replied = decrypt(p, l, places, takes);
        CHECK(replied - l->asks_ns < p->deadline_ns); /* it has no deadlines */
        l->asks_ns = replied;
        l->seed += l->step;
        ready = latest(ready, replied);
    }
    return ready;
}

static const struct {
    const char *name;
    uint64_t latency_ms, places, servers, parallel, readers, workers;
} storms[] = {
    {"2 ms, 1 server", 2, 8, 1, 1, 1, 2},
    {"2 ms, 3 servers", 2, 8, 3, 1, 1, 2},
    {"10 ms, 1 server", 10, 8, 1, 1, 1, 2},
    {"10 ms, 3 servers", 10, 8, 3, 1, 1, 2},
    {"2 ms, 1 server, many lists", 2, 8, 1, 7, 1, 2},
    {"2 ms, 3 servers, many lists", 2, 8, 3, 7, 3, 2},
    {"10 ms, 1 server, many lists", 10, 8, 1, 16, 4, 2},
    {"10 ms, 3 servers, many lists", 10, 8, 3, 10, 2, 4},
    {"2 ms, 3 servers, duplicate readers", 2, 8, 3, 1, 10, 2},
    {"2 ms, one operation at once, 3 servers", 2, 1, 3, 1, 1, 2},
    {"10 ms, two at once, 3 servers, many lists", 10, 2, 3, 5, 2, 2},
    {"10 ms, 3 at once, 4 servers", 10, 3, 4, 2, 1, 4},
};

static struct kw_plan plan_of(size_t i)
{
    struct kw_plan p = given();
    p.seeds = 500;
    p.servers = storms[i].servers;
    p.parallel = storms[i].parallel;
    p.readers = storms[i].readers;
    p.workers = storms[i].workers;
    kw_curve_of_latency((int64_t)storms[i].latency_ms * KW_MS_NS,
                        (double)storms[i].places, &p.curve);
    return p;
}

static void storms__foretold_by_both_ways__as_measured(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof storms / sizeof storms[0]; i++) {
        struct kw_plan p = plan_of(i);
        struct kw_bound b;
        struct kw_expected x;
        double measured = (double)measure(&p, storms[i].places,
                                          (int64_t)storms[i].latency_ms * KW_MS_NS);
        kw_plan_bound(&p, p.servers, p.seeds, &b);
        CHECK_OK(kw_plan_play(&p, &x));
        if (!x.ready || !near(x.ready_ns, measured, 25) ||
            !near(b.ready_ns, measured, 25))
            fail_msg("%s: measured %.1f ms, played %.1f, by arithmetic %.1f",
                     storms[i].name, measured / 1e6, x.ready_ns / 1e6, b.ready_ns / 1e6);
    }
}

/* A token whose time varies: the mean is what both were told. */
static void token_that_varies__foretold_by_both_ways__as_measured(void **state)
{
    (void)state;
    struct kw_plan p = plan_of(6);
    p.curve.point[0].p50_us = 9000;
    p.curve.point[0].p99_us = 20000;
    struct kw_bound b;
    struct kw_expected x;
    double measured = (double)measure(&p, 8, 10 * KW_MS_NS);
    kw_plan_bound(&p, p.servers, p.seeds, &b);
    CHECK_OK(kw_plan_play(&p, &x));
    CHECK(near(x.ready_ns, measured, 25));
    CHECK(near(b.ready_ns, measured, 25));
}

KW_CASES("bench/plan/honest", CASE(storms__foretold_by_both_ways__as_measured),
         CASE(token_that_varies__foretold_by_both_ways__as_measured))
