/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

#include "traffic.h"

static void begin(struct world *w)
{
    world_make(w);
    world_start(w);
    world_until(w, two_ready);
}

/* ---- as the rpc thread does it ----------------------------------------------------- */

enum { RPC_JOBS = 4000, RPC_IN_FLIGHT = 64 };
struct rpc {
    struct load *load;
    sem_t room;
    _Atomic size_t landed;
};
struct rpc_flight {
    struct rpc *rpc;
    size_t kind;
};

static void rpc_landed(void *ctx, struct kw_hsm_answer *a)
{
    struct rpc_flight *f = ctx;
    struct load *l = f->rpc->load;
    const struct parcel *p = &l->parcels[f->kind];
    bool right =
        !kw_failed(a->err) &&
        kw_span_equal(kw_secret_peek(a->output), kw_span_of(p->plain, sizeof p->plain));
    *(right ? &l->good : kw_failed(a->err) ? &l->failed : &l->wrong) += 1;
    f->rpc->landed++;
    sem_post(&f->rpc->room);
}

static void *rpc_run(void *ctx)
{
    static struct rpc_flight flights[RPC_JOBS];
    struct rpc *r = ctx;
    for (size_t i = 0; i < RPC_JOBS; i++) {
        while (sem_wait(&r->room) != 0)
            ;
        flights[i] = (struct rpc_flight){r, i % KINDS};
        if (kw_failed(world_submit_unwrap(r->load->w, &r->load->parcels[i % KINDS],
                                          rpc_landed, &flights[i], 20 * KW_S_NS)))
            abort();
    }
    return NULL;
}

/* ---- cases ------------------------------------------------------------------------- */

TEST(wrap_and_unwrap__round_trip)
{
    struct world w;
    struct parcel p;
    world_make(&w);
    world_start(&w);
    CHECK(world_health(&w).state == KW_HSM_STARTING);
    world_until(&w, two_ready);
    CHECK(world_health(&w).active_n == 2);
    CHECK(!kw_failed(world_health(&w).active_err));
    CHECK_OK(world_wrap(&w, 2, &p));
    CHECK(p.sealed_len == sizeof p.plain + KW_GCM_TAG);
    CHECK_OK(world_unwrap(&w, &p));
    CHECK_CODE(world_wrap(&w, 1, &p), KW_CODE_KEY_BAD); /* it is not the active one */
    world_sealed(&w, 1, &p);
    CHECK_OK(world_unwrap(&w, &p));
    CHECK(world_logins(&w) == 2); /* one per worker */
    world_end(&w);
}

TEST(killed_under_load__every_reply_is_right_and_none_is_missing)
{
    enum { KILLS = 10, JOBS = 12000 };
    struct world w;
    static struct load l;
    struct kw_front_status s;
    begin(&w);
    load_begin(&l, &w, JOBS);
    load_run_killing(&l, KILLS); /* failed: executed at two deaths */
    CHECK(l.failed <= 2);
    while (kw_front_status(w.front, &s), s.workers_died < KILLS)
        world_turn(&w);
    CHECK(s.workers_died == KILLS && s.jobs.requeued > 0);
    CHECK(world_health(&w).losses == 0); /* replaced in time: no loss */
    world_end(&w);
}

TEST(another_thread_submits_while_workers_die__nothing_is_lost)
{
    enum { KILLS = 5 };
    struct world w;
    static struct load l;
    struct rpc r = {.load = &l};
    pthread_t thread;
    pid_t last = 0;
    size_t kills = 0;
    begin(&w);
    load_begin(&l, &w, 0);
    CHECK(sem_init(&r.room, 0, RPC_IN_FLIGHT) == 0);
    CHECK(pthread_create(&thread, NULL, rpc_run, &r) == 0);
    while (r.landed < RPC_JOBS) {
        pid_t pid = ready_pid(&w, 0);
        if (kills < KILLS && pid != 0 && pid != last &&
            r.landed > (kills + 1) * RPC_JOBS / (KILLS + 2)) {
            CHECK(kill(pid, SIGKILL) == 0);
            last = pid;
            kills++;
        }
        world_turn(&w);
    }
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(l.wrong == 0 && l.good + l.failed == RPC_JOBS && l.failed <= 2);
    sem_destroy(&r.room);
    world_end(&w);
}

static bool one_stuck(struct world *w)
{
    struct kw_front_status s;
    kw_front_status(w->front, &s);
    for (size_t i = 0; i < s.worker_count; i++)
        if (strcmp(s.workers[i].state, "stuck") == 0)
            return true;
    return false;
}

static bool killed_one(struct world *w)
{
    struct kw_front_status s;
    kw_front_status(w->front, &s);
    return s.workers_killed == 1 && ready_count(w) == 2;
}

TEST(hangs_in_the_module__late_job_fails_the_next_succeed)
{
    struct world w;
    struct parcel p;
    static struct load l;
    begin(&w);
    CHECK_OK(world_wrap(&w, 2, &p));
    load_begin(&l, &w, 0);
    kw_fault_set(&w.hsm, "C_Decrypt hang count=1\n");
    struct flight f = {&l, 0};
    l.flying = 1;
    CHECK_OK(world_submit_unwrap(&w, &l.parcels[0], landed, &f, 400 * KW_MS_NS));
    while (l.flying > 0)
        world_turn(&w);
    CHECK(l.late == 1);
    world_until(&w, one_stuck);
    kw_fault_set(&w.hsm, "# honest again\n");
    for (int i = 0; i < 20; i++)
        CHECK_OK(world_unwrap(&w, &p));
    world_end(&w);
}

TEST(stopped_worker__killed_after_its_patience_and_replaced)
{
    struct world w;
    struct parcel p;
    static struct load l;
    begin(&w);
    CHECK_OK(world_wrap(&w, 2, &p));
    load_begin(&l, &w, 40000);
    pid_t pid = ready_pid(&w, 0);
    submit_more(&l);
    while (l.good < 100)
        world_turn(&w);
    CHECK(kill(pid, SIGSTOP) == 0);
    l.wanted = l.sent; /* what flies lands somewhere */
    while (l.flying > 0)
        world_turn(&w);
    CHECK(l.wrong == 0);
    world_until(&w, killed_one);
    for (int i = 0; i < 20; i++)
        CHECK_OK(world_unwrap(&w, &p));
    world_end(&w);
}

KW_CASES("worker", CASE(wrap_and_unwrap__round_trip),
         CASE(killed_under_load__every_reply_is_right_and_none_is_missing),
         CASE(another_thread_submits_while_workers_die__nothing_is_lost),
         CASE(hangs_in_the_module__late_job_fails_the_next_succeed),
         CASE(stopped_worker__killed_after_its_patience_and_replaced))
