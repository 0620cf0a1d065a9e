/* SPDX-License-Identifier: Apache-2.0 */
/* A library that leaks. */
#include "world.h"

static struct world w;

static bool replaced(struct world *x)
{
    struct kw_front_status s;
    kw_front_status(x->front, &s);
    return is_up(x) && s.workers_started == 2 && s.worker_count == 1 &&
           ready_count(x) == 1;
}

/* Each process leaks 288 MiB in its first operations and then no more. */
TEST(library_leaks__worker_replaced_and_no_answer_lost)
{
    struct parcel p;
    struct kw_front_status s;
    world_make_patient(&w);
    w.token.workers = 1;
    world_start(&w);
    world_until(&w, is_up);
    CHECK_OK(world_wrap(&w, 2, &p));
    while (kw_front_status(w.front, &s), s.workers[0].served < 20)
        CHECK(event_base_loop(w.loop, EVLOOP_ONCE) == 0); /* it was looked at before */
    kw_fault_set(&w.hsm, "C_Decrypt leak=96 count=3\n");
    while (!replaced(&w))
        CHECK_OK(world_unwrap(&w, &p));
    kw_front_status(w.front, &s);
    CHECK(s.workers_died == 0 && s.workers_killed == 0);
    CHECK(world_health(&w).losses == 0);
    world_end(&w);
}

KW_SUITE("worker/leak")
