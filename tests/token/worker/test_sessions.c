/* SPDX-License-Identifier: Apache-2.0 */
/* Workers with several sessions on a real token. */
#include <stdio.h>

#include "traffic.h"

enum { SESSIONS = 8 };

static struct world w;
static struct load l;

static void begin(const char *control)
{
    world_make(&w);
    w.token.sessions = SESSIONS;
    w.options.times.deadline_ns = 60 * KW_S_NS;    /* nobody hangs for being slow */
    w.options.times.probe_every_ns = 60 * KW_S_NS; /* no close look meanwhile */
    w.options.times.stale_after_ns = 600 * KW_S_NS;
    kw_fault_set(&w.hsm, control);
    world_start(&w);
    world_until(&w, two_ready);
}

static struct kw_front_status status(void)
{
    struct kw_front_status s;
    kw_front_status(w.front, &s);
    return s;
}

static void run_load(unsigned jobs)
{
    load_begin(&l, &w, jobs);
    submit_more(&l);
    while (l.flying > 0)
        world_turn(&w);
    CHECK(l.good == jobs);
}

TEST(two_milliseconds_an_operation__all_right_and_at_once)
{
    enum { JOBS = 2000 };
    begin("C_Decrypt delay=2\n");
    CHECK(status().workers[0].sessions == SESSIONS);
    CHECK(world_logins(&w) == 2); /* one per worker, whatever its sessions */
    run_load(JOBS / 2);
    unsigned finds = kw_fault_count(&w.hsm, "C_FindObjectsInit");
    run_load(JOBS);
    CHECK(status().health.losses == 0);
    /* What one session has proven is proven for all of its process. */
    CHECK(kw_fault_count(&w.hsm, "C_FindObjectsInit") < finds + SESSIONS);
    world_end(&w);
}

TEST(killed_under_load__every_reply_is_right_and_none_is_missing)
{
    enum { KILLS = 5, JOBS = 6000 };
    begin("");
    load_begin(&l, &w, JOBS);
    load_run_killing(&l, KILLS);
    CHECK(world_health(&w).losses == 0);
    world_end(&w);
}

static bool one_hangs(struct world *x)
{
    (void)x;
    struct kw_front_status s = status();
    for (size_t i = 0; i < s.worker_count; i++)
        if (s.workers[i].hanging > 0)
            return true;
    return false;
}

/* Only its caller notices.  The module hangs once in each process. */
TEST(one_session_hangs__the_others_serve_on)
{
    enum { JOBS = 500 };
    struct flight f = {&l, 0};
    world_make(&w);
    w.options.times.deadline_ns = 3 * KW_S_NS; /* not for being slow */
    w.options.times.patience_ns = 600 * KW_S_NS;
    w.token.sessions = SESSIONS;
    world_start(&w);
    world_until(&w, two_ready);
    load_begin(&l, &w, 0);
    kw_fault_set(&w.hsm, "C_Decrypt hang count=1\n");
    l.flying = 1;
    CHECK_OK(world_submit_unwrap(&w, &l.parcels[0], landed, &f, 400 * KW_MS_NS));
    world_until(&w, one_hangs);
    CHECK(ready_count(&w) == 2 && l.late == 1);
    l.wanted = JOBS;
    submit_more(&l);
    while (l.flying > 0)
        world_turn(&w);
    CHECK(l.failed == 0 && l.wrong == 0 && l.late <= 2 && l.good + l.late == JOBS + 1);
    CHECK(status().workers_started == 2);
    kw_fault_set(&w.hsm, "# honest again\n");
    world_end(&w);
}

/* The start opens some too, which are closed again: as many as with one session. */
TEST(token_has_fewer_sessions__so_many_are_used)
{
    char control[64];
    world_make(&w);
    w.token.sessions = 1;
    world_start(&w);
    world_until(&w, two_ready);
    unsigned start = kw_fault_count(&w.hsm, "C_OpenSession") / 2;
    world_stop(&w);
    snprintf(control, sizeof control, "C_OpenSession rv=0xb1 skip=%u\n", start + 4);
    kw_fault_set(&w.hsm, control);
    w.token.sessions = SESSIONS;
    world_start(&w);
    world_until(&w, two_ready);
    CHECK(status().workers[0].sessions == 4);
    world_end(&w);
}

/* It has too much to do for a while: that is no reason to log in again. */
TEST(token_is_throttled__few_jobs_no_login_and_served_again)
{
    struct parcel p;
    begin("");
    CHECK_OK(world_wrap(&w, 2, &p));
    kw_fault_set(&w.hsm, "C_Decrypt rv=0x31\n");
    for (int i = 0; i < 20; i++)
        CHECK_CODE(world_unwrap(&w, &p), KW_CODE_HSM_DOWN);
    kw_fault_set(&w.hsm, "");
    while (kw_failed(world_unwrap(&w, &p)))
        ;
    CHECK(world_logins(&w) == 2 && status().workers_started == 2);
    world_end(&w);
}

TEST(handle_dies_in_one_session__proven_anew_and_nothing_fails)
{
    enum { JOBS = 400 };
    begin("");
    load_begin(&l, &w, JOBS);
    kw_fault_set(&w.hsm, "C_DecryptInit rv=0x82 skip=20 count=1\n");
    submit_more(&l);
    while (l.flying > 0)
        world_turn(&w);
    CHECK(l.good == JOBS && status().workers_started == 2);
    world_end(&w);
}

KW_CASES("worker/sessions", CASE(two_milliseconds_an_operation__all_right_and_at_once),
         CASE(killed_under_load__every_reply_is_right_and_none_is_missing),
         CASE(one_session_hangs__the_others_serve_on),
         CASE(token_has_fewer_sessions__so_many_are_used),
         CASE(token_is_throttled__few_jobs_no_login_and_served_again),
         CASE(handle_dies_in_one_session__proven_anew_and_nothing_fails))
