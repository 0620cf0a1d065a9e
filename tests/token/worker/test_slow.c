/* SPDX-License-Identifier: Apache-2.0 */
/* A token that is slow, and serves: nobody is blamed for it. */
#include "world.h"

static struct world w;

static bool two_ready(struct world *x)
{
    return is_up(x) && ready_count(x) == 2;
}

/* ---- each operation takes more than a third of a deadline --------------------------- */

enum { PROOFS = 2 };
static unsigned proofs, not_well;
static int64_t last_proof;

/* So many good canaries of the active version; `not_well` counts looks that found less
 * than all being well. */
static bool proven_again(struct world *x)
{
    struct kw_front_status s;
    kw_front_status(x->front, &s);
    not_well += s.health.state != KW_HSM_UP || ready_count(x) != 2;
    const struct kw_front_version_status *active = &s.versions[1];
    if (last_proof != 0 && active->proven_wall_ns != last_proof)
        proofs++;
    last_proof = active->proven_wall_ns;
    return proofs == PROOFS;
}

/* A canary that wraps too is three operations: each is judged by itself. */
TEST(each_operation_a_good_third_of_a_deadline__no_worker_is_blamed_for_a_canary)
{
    struct kw_front_status s;
    world_make(&w);
    w.options.times.deadline_ns = 3 * KW_S_NS;
    world_start(&w);
    world_until(&w, two_ready);
    kw_fault_set(&w.hsm, "C_Encrypt delay=1100\nC_Decrypt delay=1100\n");
    proofs = not_well = 0;
    last_proof = 0;
    world_until(&w, proven_again);
    kw_front_status(w.front, &s);
    CHECK(not_well == 0);
    CHECK(s.workers_started == 2 && s.workers_killed == 0);
    kw_fault_set(&w.hsm, "");
    world_end(&w);
}

KW_SUITE("worker/slow")
