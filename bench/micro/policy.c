/* SPDX-License-Identifier: Apache-2.0 */
/* Facts in, a verdict out. */
#include <keyward/policy.h>

#include "micro.h"

static const struct kw_policy_facts facts[] = {
    {.method = KW_METHOD_STATUS, .hsm = KW_HSM_IS_GOOD, .active_known = true},
    {.method = KW_METHOD_ENCRYPT, .hsm = KW_HSM_IS_GOOD, .active_known = true},
    {.method = KW_METHOD_DECRYPT, .hsm = KW_HSM_IS_GOOD, .active_known = true},
    {.method = KW_METHOD_DECRYPT, .hsm = KW_HSM_IS_LOST, .active_known = true},
    {.method = KW_METHOD_DECRYPT,
     .on_loss = KW_ON_LOSS_SERVE_CACHED,
     .hsm = KW_HSM_IS_LOST,
     .outage_budget_left = true,
     .active_known = true},
    {.method = KW_METHOD_STATUS, .hsm = KW_HSM_IS_STARTING},
};
enum { FACTS = sizeof facts / sizeof facts[0] };

static void policy_verdict(struct kw_micro *m)
{
    size_t at = 0;
    while (kw_micro_next(m)) {
        struct kw_policy_verdict v = kw_policy_judge(&facts[at++ % FACTS]);
        kw_micro_keep(&v);
    }
}

/* The argument: how many foreign scopes are accepted; the one asked for is the last. */
static void scope(struct kw_micro *m)
{
    static const char *const accepted[] = {"config",    "leases", "events", "nodes",
                                           "workloads", "rbac",   "crds",   "legacy"};
    size_t count = (size_t)kw_micro_argument(m);
    const char *sealed = count > 0 ? accepted[count - 1] : "secrets";
    bool foreign = false;
    kw_err e;
    KW_MICRO_EACH(m, e)
    {
        e = kw_policy_scope(kw_span_str(sealed), "secrets", accepted, count, &foreign);
        kw_micro_keep(&foreign);
    }
}

static const int64_t accepted_counts[] = {0, 8};
const struct kw_micro_case kw_micro_policy[] = {
    {.name = "policy/verdict", .run = policy_verdict},
    {"policy/scope", NULL, scope, NULL, false, "accepted", accepted_counts, 2},
    {.name = NULL},
};
