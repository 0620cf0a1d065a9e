/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a Status, in order.  Read this list first.  No HSM round trip. */
#define KW_STATUS_STEPS(STEP)                                                            \
    STEP(admit)  /* health record and class policy; while starting, wait a little     */ \
    STEP(answer) /* the active key_id, from the same look                             */ \
    STEP(record) /* who asked, what came of it; may wait too                          */ \
    STEP(reply)

#include "house.h"

enum { KW_STATUS_STEPS(KW_STEP_ENUM) };
KW_STATUS_STEPS(KW_STEP_PROTOTYPE)
static const struct kw_step_row rows[] = {KW_STATUS_STEPS(KW_STEP_ROW)};
const struct kw_way kw_way_status = {"status", rows, STEP_record};

/* The mutex is held.  What this Status gets now; HOLD leaves the call as it is. */
static enum kw_verdict_kind look(struct kw_kms *kms, struct kw_call *call)
{
    struct kw_hsm_health health;
    struct kw_policy_verdict v =
        kw_kms_judge(kms, KW_ASK_STATUS, kw_class_of(kms, call), &health);
    if (v.kind == KW_REFUSE)
        call->err = v.err;
    if (v.kind == KW_ALLOW)
        kw_copy_str(call->out_key_id, sizeof call->out_key_id,
                    kw_span_str(health.active_key_id));
    return v.kind;
}

static enum kw_turn admit(struct kw_kms *kms, struct kw_call *call)
{
    call->work.until = kw_deadline_first(
        call->work.until, kw_deadline_in(kms->options.clock, kms->options.hold_ns));
    kw_lock_take(kms->options.lock);
    enum kw_verdict_kind kind = look(kms, call);
    if (kind == KW_HOLD)
        kw_park(kms, call);
    kw_lock_give(kms->options.lock);
    if (kind == KW_HOLD)
        return KW_TURN_WAIT;
    return kind == KW_ALLOW ? KW_TURN_NEXT : KW_TURN_FAIL;
}

bool kw_status_held_on(struct kw_kms *kms, struct kw_call *call)
{
    return look(kms, call) == KW_HOLD;
}

static enum kw_turn answer(struct kw_kms *kms, struct kw_call *call)
{
    (void)kms;
    KW_INVARIANT(call->out_key_id[0] != '\0');
    return KW_TURN_NEXT;
}

static enum kw_turn record(struct kw_kms *kms, struct kw_call *call)
{
    kw_outcome_record(kms, call);
    return KW_TURN_NEXT;
}

static enum kw_turn reply(struct kw_kms *kms, struct kw_call *call)
{
    (void)kms;
    kw_outcome_reply(call);
    return KW_TURN_DONE;
}
