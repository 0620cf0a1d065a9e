/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of model.h.
 *
 * All calls have the same deadline and all answers the same way to go, so that both are
 * queues: the first is always the next one due. */
#include "model.h"

#include <math.h>

#include <keyward/alloc.h>

#include "list.h"

enum { WORKERS_MAX = 16 * KW_PLAN_SERVERS_MAX, CODE_DEADLINE_EXCEEDED = 4 };

enum call_state { CALL_NONE, CALL_WAITS, CALL_ANSWERED };

struct call {
    enum call_state state;
    uint32_t node, job; /* of CALL_WAITS */
    int64_t due_ns;     /* WAITS: deadline.  ANSWERED: arrival */
    struct kw_storm_reply reply;
};

enum job_state { JOB_FREE, JOB_QUEUED, JOB_RUNS };

struct job {
    enum job_state state;
    enum kw_method method;
    bool verifies; /* the second operation of an Encrypt */
    uint32_t node;
    size_t seed;
    struct kw_list waiters;
};

struct node {
    struct kw_list queue;
    uint64_t busy;    /* workers                                    */
    uint32_t *flight; /* [seeds]: the job that unwraps it, or nobody */
    uint8_t *cached;  /* [seeds]                                    */
};

struct worker {
    uint32_t job;   /* or nobody                            */
    int64_t end_ns; /* INT64_MAX: it waits inside the token */
};

struct kw_model {
    const struct kw_plan *plan;
    uint32_t askers, nodes, turn;    /* turn: the node that may begin first */
    size_t in_flight, in_flight_max; /* workers that work   */
    size_t served, served_max;       /* of them by the token */
    uint64_t random;
    struct kw_model_tally tally;
    double op_ns[WORKERS_MAX + 1], sigma[WORKERS_MAX + 1]; /* by operations in flight */
    struct worker worker[WORKERS_MAX];
    struct node node[KW_PLAN_SERVERS_MAX];
    struct call *call;                    /* [askers] */
    struct job *job;                      /* [askers + WORKERS_MAX] */
    struct kw_link *call_link, *job_link; /* waiting or answered; queued or free */
    struct kw_link *waiter_link;          /* of one job */
    struct kw_link worker_link[WORKERS_MAX];
    struct kw_list waiting, answered, unused, inside; /* inside: workers */
    uint32_t *flights;
    uint8_t *cache;
};

/* ---- chance --------------------------------------------------------------------------
 */

/* splitmix64: every seed is a good one. */
static uint64_t draw(struct kw_model *m)
{
    uint64_t z = m->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Above 0 and at most 1. */
static double draw_unit(struct kw_model *m)
{
    return ((double)(draw(m) >> 11) + 1) / 9007199254740992.0;
}

/* Log normal with mean 1 (Box and Muller). */
static double draw_factor(struct kw_model *m, double sigma)
{
    if (sigma <= 0)
        return 1;
    double far = sqrt(-2 * log(draw_unit(m)));
    double z = far * cos(2 * 3.14159265358979323846 * draw_unit(m));
    return exp(sigma * z - sigma * sigma / 2);
}

/* ---- answers
 * --------------------------------------------------------------------------- */

static void answer(struct kw_model *m, int64_t now_ns, uint32_t asker,
                   enum kw_storm_outcome outcome)
{
    struct call *c = &m->call[asker];
    c->state = CALL_ANSWERED;
    c->due_ns = now_ns + m->plan->call_ns;
    c->reply = (struct kw_storm_reply){.outcome = outcome, .key_id = 1};
    if (outcome != KW_STORM_GOOD)
        c->reply.code = CODE_DEADLINE_EXCEEDED;
    kw_list_append(&m->answered, asker);
}

/* ---- operations
 * ------------------------------------------------------------------------ */

static uint32_t new_job(struct kw_model *m, uint32_t node, enum kw_method method,
                        size_t seed)
{
    uint32_t i = m->unused.first;
    KW_INVARIANT(i != KW_NOBODY);
    kw_list_remove(&m->unused, i);
    m->job[i] = (struct job){.state = JOB_QUEUED,
                             .method = method,
                             .node = node,
                             .seed = seed,
                             .waiters = kw_list_of(m->waiter_link)};
    kw_list_append(&m->node[node].queue, i);
    if (method == KW_DECRYPT)
        m->node[node].flight[seed] = i;
    return i;
}

static void forget_job(struct kw_model *m, uint32_t i)
{
    m->job[i].state = JOB_FREE;
    kw_list_append(&m->unused, i);
}

static void serve(struct kw_model *m, int64_t now_ns, struct worker *w)
{
    size_t k = ++m->served;
    double took = m->op_ns[k] * draw_factor(m, m->sigma[k]);
    int64_t from = now_ns > kw_plan_away_ns(m->plan) ? now_ns : kw_plan_away_ns(m->plan);
    w->end_ns = from + (int64_t)llround(took);
}

static void start(struct kw_model *m, int64_t now_ns, struct node *n)
{
    uint32_t w = 0, i = n->queue.first;
    while (m->worker[w].job != KW_NOBODY)
        w++;
    kw_list_remove(&n->queue, i);
    m->job[i].state = JOB_RUNS;
    n->busy++;
    m->in_flight++;
    m->worker[w] = (struct worker){i, INT64_MAX};
    if (m->served < m->served_max)
        serve(m, now_ns, &m->worker[w]);
    else
        kw_list_append(&m->inside, w);
}

static void end_service(struct kw_model *m, int64_t now_ns)
{
    uint32_t next = m->inside.first;
    m->served--;
    if (next == KW_NOBODY)
        return;
    kw_list_remove(&m->inside, next);
    serve(m, now_ns, &m->worker[next]);
}

/* Whoever has work and a worker begins; when sessions are few, by turns. */
static void start_all(struct kw_model *m, int64_t now_ns)
{
    for (uint32_t idle = 0; idle < m->nodes && m->in_flight < m->in_flight_max;) {
        struct node *n = &m->node[m->turn];
        m->turn = (m->turn + 1) % m->nodes;
        bool begins = n->queue.first != KW_NOBODY && n->busy < m->plan->workers;
        if (begins)
            start(m, now_ns, n);
        idle = begins ? 0 : idle + 1;
    }
}

/* An Encrypt has its second operation before it; the call's deadline stays. */
static void verify(struct kw_model *m, uint32_t wrapped)
{
    uint32_t asker = m->job[wrapped].waiters.first;
    uint32_t i = new_job(m, m->job[wrapped].node, KW_ENCRYPT, 0);
    m->job[i].verifies = true;
    kw_list_append(&m->job[i].waiters, asker);
    m->call[asker].job = i;
}

static void hand_out(struct kw_model *m, int64_t now_ns, struct job *j)
{
    uint32_t asker;
    while ((asker = j->waiters.first) != KW_NOBODY) {
        kw_list_remove(&j->waiters, asker);
        kw_list_remove(&m->waiting, asker);
        answer(m, now_ns, asker, KW_STORM_GOOD);
    }
}

static void finish(struct kw_model *m, int64_t now_ns, struct worker *w)
{
    uint32_t i = w->job;
    struct job *j = &m->job[i];
    struct node *n = &m->node[j->node];
    bool wanted = j->waiters.first != KW_NOBODY;
    w->job = KW_NOBODY;
    n->busy--;
    m->in_flight--;
    end_service(m, now_ns);
    m->tally.operations++;
    m->tally.wasted += !wanted;
    if (wanted && j->method == KW_DECRYPT) {
        n->flight[j->seed] = KW_NOBODY;
        n->cached[j->seed] = 1;
    }
    if (wanted && j->method == KW_ENCRYPT && !j->verifies)
        verify(m, i);
    else
        hand_out(m, now_ns, j);
    forget_job(m, i);
}

/* ---- calls
 * ----------------------------------------------------------------------------- */

static void wait_for(struct kw_model *m, int64_t now_ns, uint32_t asker, uint32_t i)
{
    struct call *c = &m->call[asker];
    c->state = CALL_WAITS;
    c->job = i;
    c->due_ns = now_ns + m->plan->deadline_ns;
    kw_list_append(&m->job[i].waiters, asker);
    kw_list_append(&m->waiting, asker);
}

void kw_model_call(struct kw_model *m, int64_t now_ns, const struct kw_storm_call *call)
{
    struct node *n = &m->node[call->socket];
    bool decrypt = call->method == KW_DECRYPT;
    KW_INVARIANT(m->call[call->asker].state == CALL_NONE);
    m->call[call->asker].node = call->socket;
    bool known = decrypt && n->cached[call->seed];
    uint32_t i = decrypt ? n->flight[call->seed] : KW_NOBODY;
    m->tally.saved += known || i != KW_NOBODY;
    if (call->method == KW_STATUS || known) {
        answer(m, now_ns, call->asker, KW_STORM_GOOD);
        return;
    }
    if (i == KW_NOBODY)
        i = new_job(m, call->socket, call->method, call->seed);
    wait_for(m, now_ns, call->asker, i);
    start_all(m, now_ns);
}

/* The last one to leave takes the operation along, unless it has begun; then nobody joins
 * it any more. */
static void leave(struct kw_model *m, uint32_t asker)
{
    uint32_t i = m->call[asker].job;
    struct job *j = &m->job[i];
    struct node *n = &m->node[j->node];
    kw_list_remove(&m->waiting, asker);
    kw_list_remove(&j->waiters, asker);
    if (j->waiters.first != KW_NOBODY)
        return;
    if (j->method == KW_DECRYPT)
        n->flight[j->seed] = KW_NOBODY;
    if (j->state != JOB_QUEUED)
        return;
    kw_list_remove(&n->queue, i);
    forget_job(m, i);
}

void kw_model_cancel(struct kw_model *m, uint32_t asker)
{
    struct call *c = &m->call[asker];
    if (c->state == CALL_WAITS)
        leave(m, asker);
    else if (c->state == CALL_ANSWERED)
        kw_list_remove(&m->answered, asker);
    c->state = CALL_NONE;
}

/* ---- time
 * ------------------------------------------------------------------------------ */

/* The worker that ends first; WORKERS_MAX: none works. */
static size_t first_worker(const struct kw_model *m)
{
    size_t first = WORKERS_MAX;
    for (size_t w = 0, seen = 0; seen < m->in_flight; w++) {
        if (m->worker[w].job == KW_NOBODY)
            continue;
        seen++;
        if (first == WORKERS_MAX || m->worker[w].end_ns < m->worker[first].end_ns)
            first = w;
    }
    return first;
}

static int64_t due_of(const struct kw_model *m, const struct kw_list *l)
{
    return l->first == KW_NOBODY ? INT64_MAX : m->call[l->first].due_ns;
}

int64_t kw_model_wakes(const struct kw_model *m)
{
    size_t w = first_worker(m);
    int64_t first = w == WORKERS_MAX ? INT64_MAX : m->worker[w].end_ns;
    if (due_of(m, &m->waiting) < first)
        first = due_of(m, &m->waiting);
    return due_of(m, &m->answered) < first ? due_of(m, &m->answered) : first;
}

bool kw_model_answer(struct kw_model *m, int64_t now_ns, uint32_t *ret_asker,
                     struct kw_storm_reply *ret_reply)
{
    size_t w;
    while ((w = first_worker(m)) < WORKERS_MAX && m->worker[w].end_ns <= now_ns)
        finish(m, now_ns, &m->worker[w]);
    while (due_of(m, &m->waiting) <= now_ns) {
        uint32_t late = m->waiting.first;
        leave(m, late);
        answer(m, now_ns, late, KW_STORM_FAILED);
    }
    start_all(m, now_ns);
    if (due_of(m, &m->answered) > now_ns)
        return false;
    *ret_asker = m->answered.first;
    *ret_reply = m->call[*ret_asker].reply;
    m->call[*ret_asker].state = CALL_NONE;
    kw_list_remove(&m->answered, *ret_asker);
    return true;
}

struct kw_model_tally kw_model_tally(const struct kw_model *m)
{
    return m->tally;
}

/* ---- birth and death
 * --------------------------------------------------------------------- */

static size_t served_max(const struct kw_plan *p)
{
    double most =
        ceil((double)kw_plan_hsms(p) * p->curve.point[p->curve.count - 1].sessions);
    return most < WORKERS_MAX ? (size_t)most : WORKERS_MAX;
}

static void furnish(struct kw_model *m)
{
    const struct kw_plan *p = m->plan;
    double hsms = (double)kw_plan_hsms(p);
    for (size_t k = 1; k <= WORKERS_MAX; k++) {
        double rate = kw_plan_storm_ops_per_s(p, p->servers, (double)k);
        m->op_ns[k] = (double)k / rate * 1e9;
        m->sigma[k] = kw_curve_sigma(&p->curve, (double)k / hsms);
        m->worker[k - 1].job = KW_NOBODY;
    }
    m->waiting = m->answered = kw_list_of(m->call_link);
    m->unused = kw_list_of(m->job_link);
    m->inside = kw_list_of(m->worker_link);
    for (uint32_t i = 0; i < m->askers + WORKERS_MAX; i++)
        kw_list_append(&m->unused, i);
    for (uint32_t i = 0; i < m->nodes; i++)
        m->node[i] = (struct node){.queue = kw_list_of(m->job_link),
                                   .flight = m->flights + i * p->seeds,
                                   .cached = m->cache + i * p->seeds};
    for (size_t i = 0; i < m->nodes * p->seeds; i++)
        m->flights[i] = KW_NOBODY;
}

kw_err kw_model_new(const struct kw_plan *plan, uint32_t askers,
                    struct kw_model **ret_model)
{
    struct kw_model *m = kw_new(1, sizeof *m);
    if (m == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "model");
    uint64_t nodes = kw_plan_starting(plan, plan->servers);
    m->plan = plan;
    m->askers = askers;
    m->nodes = (uint32_t)nodes;
    m->random = plan->random;
    m->served_max = served_max(plan);
    m->in_flight_max = (size_t)kw_plan_in_flight_max(plan, nodes);
    m->call = kw_new(askers, sizeof m->call[0]);
    m->job = kw_new(askers + WORKERS_MAX, sizeof m->job[0]);
    m->call_link = kw_new(askers, sizeof m->call_link[0]);
    m->waiter_link = kw_new(askers, sizeof m->waiter_link[0]);
    m->job_link = kw_new(askers + WORKERS_MAX, sizeof m->job_link[0]);
    m->flights = kw_new(nodes * plan->seeds, sizeof m->flights[0]);
    m->cache = kw_new(nodes, plan->seeds);
    if (m->call == NULL || m->job == NULL || m->call_link == NULL ||
        m->waiter_link == NULL || m->job_link == NULL || m->flights == NULL ||
        m->cache == NULL) {
        kw_model_free(m);
        return kw_err_at(KW_CODE_NO_MEMORY, "model");
    }
    furnish(m);
    *ret_model = m;
    return KW_OK;
}

void kw_model_free(struct kw_model *m)
{
    if (m == NULL)
        return;
    kw_free(m->call);
    kw_free(m->job);
    kw_free(m->call_link);
    kw_free(m->waiter_link);
    kw_free(m->job_link);
    kw_free(m->flights);
    kw_free(m->cache);
    kw_free(m);
}
