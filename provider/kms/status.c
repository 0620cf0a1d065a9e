/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a Status, in order.  Read this list first.  No HSM round trip. */
#include "kms_internal.h"

static kw_step status_admit;

/* clang-format off */
static const struct kw_step_row rows[] = {
    {"hold", kw_held_wait},  /* while starting: waits a little */
    {"admit", status_admit}, /* health record and class policy, and with them the active
                                key_id */
    /* From here on every request comes through, good or failed. */
    {"tell", kw_outcome_tell, .always = true}, /* count and log: who, and what came of it */
    {"reply", kw_outcome_reply, .always = true},
};
/* clang-format on */
const struct kw_steps kw_status_steps = {"status", rows};

static enum kw_step_result status_admit(struct kw_kms *kms, struct kw_request *request)
{
    struct kw_hsm_health health;
    kw_lock_take(kms->options.lock);
    struct kw_policy_verdict v =
        kw_kms_judge(kms, KW_METHOD_STATUS, kw_class_of(kms, request), &health);
    kw_lock_give(kms->options.lock);
    if (v.kind != KW_ALLOW)
        return kw_step_fail(request, kw_verdict_err(&v));
    kw_copy_str(request->out_key_id, sizeof request->out_key_id,
                kw_span_str(health.active_key_id));
    return KW_STEP_NEXT;
}
