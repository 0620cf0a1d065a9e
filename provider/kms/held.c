/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are held: what they ask for is not proven yet, and nothing is known to be
 * wrong.  A start takes as long as a login does; whoever asks meanwhile gets an answer
 * rather than an error, as long as that comes before its own deadline. */
#include "kms_internal.h"

/* A Decrypt asks for a version of its own, which may be proven later than the first one. */
static bool is_early(struct kw_kms *kms, const struct kw_request *request) KW_LOCKED
{
    const struct kw_hsm_door *door = &kms->options.door;
    struct kw_hsm_health health;
    struct kw_hsm_version version;
    struct kw_policy_verdict v =
        kw_kms_judge(kms, request->method, kw_class_of(kms, request), &health);
    if (v.kind != KW_ALLOW || request->method != KW_METHOD_DECRYPT)
        return v.kind == KW_HOLD;
    return !kw_failed(health.why) &&
           door->ops->version(door->hsm, request->key_id, &version).code ==
               KW_CODE_STARTING;
}

enum kw_step_result kw_held_wait(struct kw_kms *kms, struct kw_request *request)
{
    struct kw_request_work *w = &request->work;
    const int64_t hold_ns = request->method == KW_METHOD_STATUS
                                ? kms->options.status_hold_ns
                                : kms->options.call_hold_ns;
    kw_lock_take(kms->options.lock);
    const bool held = is_early(kms, request);
    if (held) {
        w->held = true;
        w->until = kw_deadline_first(request->until,
                                     (kw_deadline){request->arrived_ns + hold_ns});
        kw_park(kms, request);
    }
    kw_lock_give(kms->options.lock);
    return held ? KW_STEP_WAIT : KW_STEP_NEXT;
}

bool kw_held_on(struct kw_kms *kms, const struct kw_request *request)
{
    return is_early(kms, request);
}

void kw_held_end(struct kw_kms *kms, struct kw_request *request)
{
    request->work.held = false;
    request->work.until = kw_deadline_first(
        request->until, kw_deadline_in(kms->options.clock, kms->options.deadline_ns));
}
