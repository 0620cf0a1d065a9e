/* SPDX-License-Identifier: Apache-2.0 */
/* 21: two tokens with the same keys, one of which wraps garbage.  Nothing of it is
 * released, and the other one, which says so, keeps its workers. */
#include "load.h"
#include "twin.h"

/* A token may be slow for a while on a busy machine: an attempt is a third of this. */
static const char times[] = "  deadline: 2999ms\n"
                            "  patience: 2s\n"
                            "  suspect: 1s\n"
                            "  recover: 1s\n"
                            "  probe: {every: 1s, stale-after: 10s}\n";

enum { WORKERS = 2, CALLERS = 32, ROUNDS = 200 };

static void all_is_well(struct instance *h)
{
    twin_await_workers(h, FIRST, WORKERS);
    twin_await_workers(h, SECOND, WORKERS);
    twin_await_status(h, 0, NULL);
}

TEST(first_wraps_garbage__it_is_distrusted_and_not_who_says_so)
{
    struct load_counts counts;
    INSTANCE_AND_ARENA(h, times);
    twin_make(&h, "priority");
    instance_up(&h);
    all_is_well(&h);
    struct load *load = load_start(h.secrets, CALLERS);
    load_await(load, ROUNDS);
    size_t mark = instance_mark(&h);
    twin_fault_set(&h, FIRST, "C_Encrypt flip\n");
    instance_await(&h, mark, NULL, "event=wrong-answer", NULL);
    twin_fault_set(&h, FIRST, "");
    all_is_well(&h);
    load_await(load, ROUNDS);
    load_stop(load, &counts);
    load_judge(&counts, LOAD_MAY(GRPC_INTERNAL) | LOAD_MAY(GRPC_UNAVAILABLE));
    assert_int_equal(
        instance_count(&h, mark, "event=wrong-answer token=" TWIN_SECOND " "), 0);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

KW_CASES("21-false-wraps",
         CASE(first_wraps_garbage__it_is_distrusted_and_not_who_says_so))
