/* SPDX-License-Identifier: Apache-2.0 */
/* verdict - the table "what is answered when the HSM is well, starting or lost"
 *
 * Read the three functions starting, good and lost as the three blocks of rows. */
#include <keyward/policy.h>

static struct kw_policy_verdict allow(enum kw_verdict_kind kind, const char *reason)
{
    return (struct kw_policy_verdict){kind, KW_OK, reason};
}

/* Clients act on the code (rpc turns it into a gRPC status), so only those that say what
 * an outage is may leave here: a canary that ran into its deadline is still HSM_DOWN to
 * the client, whose own deadline was not the reason.  native and where are kept. */
static bool names_an_outage(enum kw_code code)
{
    return code == KW_CODE_STARTING || code == KW_CODE_KEY_BAD ||
           code == KW_CODE_KEY_DISABLED || code == KW_CODE_PIN_STOP ||
           code == KW_CODE_HSM_CONFIG || code == KW_CODE_HSM_DOWN;
}

static struct kw_policy_verdict verdict_refuse(kw_err why, enum kw_code otherwise,
                                               const char *reason)
{
    if (!names_an_outage(why.code))
        why.code = otherwise;
    if (why.where == NULL)
        why.where = "policy";
    return (struct kw_policy_verdict){KW_REFUSE, why, reason};
}

/* Nothing was ever proven, so nothing can be served; but it is worth a wait as long as
 * nothing is known to be wrong. */
static struct kw_policy_verdict starting(const struct kw_policy_facts *f)
{
    if (kw_failed(f->why))
        return verdict_refuse(f->why, KW_CODE_HSM_DOWN,
                              "starting: a first attempt failed");
    return allow(KW_HOLD, "starting");
}

static struct kw_policy_verdict lost(const struct kw_policy_facts *f);

/* Whether the version of a Decrypt is usable is asked per version, not here. */
static struct kw_policy_verdict verdict_good(const struct kw_policy_facts *f)
{
    if (f->method == KW_METHOD_DECRYPT)
        return allow(KW_ALLOW, "hsm up");
    if (f->active_away)
        return lost(f);
    if (f->active_known)
        return allow(KW_ALLOW, "hsm up, active version proven");
    if (!kw_failed(f->why) &&
        (!kw_failed(f->active_why) || f->active_why.code == KW_CODE_STARTING))
        return allow(KW_HOLD, "no active version is proven yet");
    return verdict_refuse(f->active_why,
                          kw_failed(f->active_why) ? KW_CODE_KEY_BAD : KW_CODE_STARTING,
                          "active version is not usable");
}

static struct kw_policy_verdict lost(const struct kw_policy_facts *f)
{
    if (f->on_loss == KW_ON_LOSS_FAIL_CLOSED)
        return verdict_refuse(f->why, KW_CODE_HSM_DOWN, "fail-closed: hsm lost");
    if (!f->outage_budget_left)
        return verdict_refuse(f->why, KW_CODE_HSM_DOWN,
                              "serve-cached: outage budget is spent");
    if (f->method == KW_METHOD_ENCRYPT)
        return verdict_refuse(f->why, KW_CODE_HSM_DOWN,
                              "serve-cached: wrapping needs the hsm");
    if (f->method == KW_METHOD_DECRYPT)
        return allow(KW_ALLOW_CACHE, "serve-cached: hsm lost, from memory only");
    /* Status must name the key_id it named before the loss; without one there is none. */
    if (f->active_known)
        return allow(KW_ALLOW, "serve-cached: hsm lost, within the outage budget");
    return verdict_refuse(f->why, KW_CODE_HSM_DOWN,
                          "serve-cached: no active version was proven");
}

struct kw_policy_verdict kw_policy_judge(const struct kw_policy_facts *facts)
{
    switch (facts->hsm) {
    case KW_HSM_IS_STARTING: return starting(facts);
    case KW_HSM_IS_GOOD: return verdict_good(facts);
    case KW_HSM_IS_LOST: break;
    }
    return lost(facts); /* a state that is none of ours is treated as the worst one */
}

bool kw_policy_bridges(const struct kw_policy_facts *facts)
{
    return facts->on_loss == KW_ON_LOSS_SERVE_CACHED && facts->outage_budget_left;
}

bool kw_policy_wipes(const struct kw_policy_facts *facts)
{
    if (facts->hsm == KW_HSM_IS_LOST)
        return !kw_policy_bridges(facts);
    return facts->active_away && facts->on_loss == KW_ON_LOSS_SERVE_CACHED &&
           !facts->outage_budget_left;
}
