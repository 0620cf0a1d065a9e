/* SPDX-License-Identifier: Apache-2.0 */
/* model - keywards and the token that they share, on a simulated clock
 *
 *  1. Each API server has a keyward of its own: a queue, first in first out, and workers
 *     with one operation each.  All of them work with one token.
 *  2. Status is answered at once.  An Encrypt is a wrap and then, queued again, the
 * unwrap that verifies it.
 *  3. A Decrypt whose seed this keyward has unwrapped before is answered at once; one
 * whose equal is queued or in the token waits for that one; any other is one operation.
 *  4. A call that has waited for hsm.deadline is answered so.  An operation for which
 *     nobody waits any more never begins; one that has begun goes on, and its answer is
 *     dropped.
 *  5. The token serves as many operations at once as its curve goes; the others wait in
 *     it, first come first served, and cannot be called back.  One that begins as the
 * k-th takes k / X(k), times a random factor of mean 1 as wide as the curve's percentiles
 *     say.  What begins while the token is away begins when it is back.
 *  6. Every answer is on its way for call_ns.
 *
 * Not here: workers that are replaced, the plugin's cache being too small, and canaries
 * (they take their share of X).
 *
 * Threads:   plain values.
 * Blocking:  never.
 */
#ifndef KEYWARD_BENCH_MODEL_H
#define KEYWARD_BENCH_MODEL_H

#include "plan.h"
#include "storm.h"

struct kw_model;

/* `askers` of the storm that is played; borrows `plan` until kw_model_free.  NO_MEMORY.
 */
KW_MUST_USE kw_err kw_model_new(const struct kw_plan *plan, uint32_t askers,
                                struct kw_model **ret_model);
void kw_model_free(struct kw_model *m); /* NULL does nothing */

/* A call comes in; its asker has no other. */
void kw_model_call(struct kw_model *m, int64_t now_ns, const struct kw_storm_call *call);
/* Its asker has given it up.  Nothing when there is no call. */
void kw_model_cancel(struct kw_model *m, uint32_t asker);

/* When something happens next; INT64_MAX: never. */
int64_t kw_model_wakes(const struct kw_model *m);
/* Lets everything happen that is due at `now_ns`.  true: an answer has arrived; call it
 * again.  false: nothing more at this time. */
bool kw_model_answer(struct kw_model *m, int64_t now_ns, uint32_t *ret_asker,
                     struct kw_storm_reply *ret_reply);

struct kw_model_tally {
    uint64_t operations; /* that the token has done                   */
    uint64_t wasted;     /* of them: nobody waited any more at the end */
    uint64_t saved;      /* Decrypts that needed none: rule 3          */
};
struct kw_model_tally kw_model_tally(const struct kw_model *m);

#endif
