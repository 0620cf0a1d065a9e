/* SPDX-License-Identifier: Apache-2.0 */
/* policy - facts in, a verdict with its reason out
 *
 * Pure: no clock, no memory of its own, no I/O.  docs/ARCHITECTURE.md has the table.
 * There is no setting that opens: without the HSM nothing new is wrapped or unwrapped.
 *
 * Threads:  pure functions.
 */
#ifndef KEYWARD_POLICY_H
#define KEYWARD_POLICY_H

#include <keyward/bytes.h>

enum kw_on_loss { KW_ON_LOSS_FAIL_CLOSED, KW_ON_LOSS_SERVE_CACHED };

enum kw_method { KW_METHOD_STATUS, KW_METHOD_ENCRYPT, KW_METHOD_DECRYPT };
#define KW_METHODS 3u

struct kw_policy_facts {
    enum kw_method method;
    enum kw_on_loss on_loss;
    enum { KW_HSM_IS_STARTING, KW_HSM_IS_GOOD, KW_HSM_IS_LOST } hsm; /* SUSPECT is GOOD */
    bool outage_budget_left; /* serve-cached only */
    bool active_known;       /* there is an effective active version, proven here */
    kw_err why;              /* what the health record says is wrong */
    bool active_away;        /* it was proven, and its key is not found now: an outage */
    kw_err active_why;       /* why the active version is not usable */
};

enum kw_verdict_kind {
    KW_ALLOW,       /* go on: memory first, then the HSM          */
    KW_ALLOW_CACHE, /* only what the cache holds                  */
    KW_HOLD,        /* not proven yet, nothing is wrong: wait     */
    KW_REFUSE,      /* err says how                               */
};
struct kw_policy_verdict {
    enum kw_verdict_kind kind;
    kw_err err; /* REFUSE: HSM_DOWN, PIN_STOP, HSM_CONFIG, STARTING, KEY_BAD …  */
    const char *reason; /* literal for the log, such as "fail-closed: hsm lost"         */
};
struct kw_policy_verdict kw_policy_judge(const struct kw_policy_facts *facts);

/* Must the cache be empty now?  (LOST under fail-closed, or the budget is gone.) */
bool kw_policy_wipes(const struct kw_policy_facts *facts);

/* May seeds of a version whose key is away be served from memory? */
bool kw_policy_bridges(const struct kw_policy_facts *facts);

/* May a ciphertext sealed for `sealed_scope` be opened through this class?
 * OK with *ret_foreign = true for one of accept_scopes (logged by the caller);
 * DENIED otherwise. */
KW_MUST_USE kw_err kw_policy_scope(kw_span sealed_scope, const char *own_scope,
                                   const char *const *accept_scopes, size_t accept_count,
                                   bool *ret_foreign);

/* The outage budget of one class: it is spent while the HSM is LOST, or the active version's
 * key is away, and refills by one
 * minute for each hour that it is not, up to max.  Not a clock that one lucky canary
 * resets. */
struct kw_budget {
    int64_t max_ns;
    int64_t left_ns;
    int64_t at_boot_ns; /* when left_ns was true */
};
void kw_budget_init(struct kw_budget *b, int64_t max_ns, int64_t boot_now_ns); /* full */
/* Accounts for the time since the last call, during which the HSM was lost or not. */
void kw_budget_tick(struct kw_budget *b, bool lost, int64_t boot_now_ns);
/* Before the next one: of the time since the last call only KW_PAUSE_NS counts. */
void kw_budget_pass_over(struct kw_budget *b, int64_t boot_now_ns);
static inline bool kw_budget_left(const struct kw_budget *b)
{
    return b->left_ns > 0;
}

#endif
