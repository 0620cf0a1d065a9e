/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a Status, in order.  Read this list first.  No HSM round trip. */
#include "kms_internal.h"

static kw_step status_admit;

/* clang-format off */
static const struct kw_step_row rows[] = {
    {"admit", status_admit}, /* health record and class policy, and with them the active
                                key_id; while starting it waits a little */
    /* From here on every request comes through, good or failed. */
    {"tell", kw_outcome_tell, .always = true}, /* count and log: who, and what came of it */
    {"reply", kw_outcome_reply, .always = true},
};
/* clang-format on */
const struct kw_steps kw_status_steps = {"status", rows};

/* What this Status gets now; HOLD leaves the request as it is. */
static enum kw_verdict_kind status_look(struct kw_kms *kms,
                                        struct kw_request *request) KW_LOCKED
{
    struct kw_hsm_health health;
    struct kw_policy_verdict v =
        kw_kms_judge(kms, KW_METHOD_STATUS, kw_class_of(kms, request), &health);
    if (v.kind == KW_REFUSE)
        request->err = v.err;
    if (v.kind == KW_ALLOW)
        kw_copy_str(request->out_key_id, sizeof request->out_key_id,
                    kw_span_str(health.active_key_id));
    return v.kind;
}

static enum kw_step_result status_admit(struct kw_kms *kms, struct kw_request *request)
{
    request->work.until = kw_deadline_first(
        request->work.until, kw_deadline_in(kms->options.clock, kms->options.hold_ns));
    kw_lock_take(kms->options.lock);
    enum kw_verdict_kind kind = status_look(kms, request);
    if (kind == KW_HOLD)
        kw_park(kms, request);
    kw_lock_give(kms->options.lock);
    if (kind == KW_HOLD)
        return KW_STEP_WAIT;
    return kind == KW_ALLOW ? KW_STEP_NEXT : KW_STEP_FAIL;
}

bool kw_status_held_on(struct kw_kms *kms, struct kw_request *request)
{
    return status_look(kms, request) == KW_HOLD;
}
