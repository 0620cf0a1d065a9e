/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log's two steps: nothing is released that is not on record.
 *
 * A request in record is on nobody's list here: neither the sweep nor a cancel touches its
 * verdict.  What happens to it meanwhile is seen in settle, and when that changes what is on
 * record as released, the log is told. */
#include "kms_internal.h"

kw_err kw_record_health(const struct kw_kms *kms)
{
    const struct kw_audit_door *door = &kms->options.audit;
    return door->ops == NULL || door->allow ? KW_OK : door->ops->health(door->audit);
}

static void record_wait(struct kw_kms *kms, struct kw_request *request, bool waits)
{
    kw_lock_take(kms->options.lock);
    request->work.recording = waits;
    if (waits)
        kms->recording++;
    else
        kms->recording--;
    kw_lock_give(kms->options.lock);
}

enum kw_step_result kw_record_put(struct kw_kms *kms, struct kw_request *request)
{
    const struct kw_audit_door *door = &kms->options.audit;
    bool waits = true;
    request->work.kms = kms;
    request->work.recorded = KW_OK;
    request->work.recorded_seq = 0;
    if (door->ops == NULL)
        return KW_STEP_NEXT;
    record_wait(kms, request, true); /* before it can be told of */
    kw_err e = door->ops->put(door->audit, request, &waits);
    if (!kw_failed(e) && waits)
        return KW_STEP_WAIT;
    record_wait(kms, request, false);
    request->work.recorded = e;
    return KW_STEP_NEXT;
}

void kw_kms_refused(struct kw_kms *kms, struct kw_request *request)
{
    const struct kw_audit_door *door = &kms->options.audit;
    KW_INVARIANT(request->class_index < kms->options.class_count &&
                 kw_failed(request->err));
    request->token = "";
    kw_counts_outcome(kms, request);
    if (door->ops != NULL && request->method != KW_METHOD_STATUS)
        door->ops->refuse(door->audit, request);
}

void kw_kms_recorded(struct kw_request *request, kw_err err, uint64_t seq)
{
    struct kw_kms *kms = request->work.kms;
    record_wait(kms, request, false);
    request->work.recorded = err;
    request->work.recorded_seq = seq;
    kw_steps_resume(kms, request); /* settle */
}

/* What policy and keyring say of this answer now. */
static kw_err record_judge(struct kw_kms *kms, struct kw_request *request)
{
    const struct kw_hsm_door *door = &kms->options.door;
    struct kw_hsm_health health;
    struct kw_hsm_version now = {0};
    kw_lock_take(kms->options.lock);
    struct kw_policy_verdict v =
        kw_kms_policy(kms, KW_METHOD_DECRYPT, kw_class_of(kms, request), &health);
    kw_err e = v.kind == KW_REFUSE ? v.err : KW_OK;
    if (!kw_failed(e))
        e = door->ops->version(door->hsm, kw_span_str(request->work.version.key_id),
                               &now);
    request->work.version.refusal = now.refusal;
    if (e.code == KW_CODE_MISSING && kw_kms_bridges(kw_class_of(kms, request), &health))
        e = KW_OK; /* its key is away: as in an outage, what is in memory */
    kw_lock_give(kms->options.lock);
    return kw_door_err(e);
}

/* Of an answer that is good.  An Encrypt is through: its ciphertext was verified, and is
 * worth nothing to who has no key. */
static kw_err record_verdict(struct kw_kms *kms, struct kw_request *request)
{
    const struct kw_request_work *w = &request->work;
    if (kw_failed(w->recorded) && !kms->options.audit.allow)
        return kw_err_native(KW_CODE_AUDIT, w->recorded.native, w->recorded.where);
    if (w->gone)
        return kw_err_at(KW_CODE_CANCELLED, "client");
    return request->method == KW_METHOD_DECRYPT ? record_judge(kms, request) : KW_OK;
}

enum kw_step_result kw_record_settle(struct kw_kms *kms, struct kw_request *request)
{
    const struct kw_audit_door *door = &kms->options.audit;
    const struct kw_request_work *w = &request->work;
    if (door->ops == NULL)
        return KW_STEP_NEXT;
    const bool was_good = !kw_failed(request->err);
    if (was_good)
        request->err = record_verdict(kms, request);
    /* It waits for the disk still, and is counted when that fails. */
    const bool is_late = w->recorded.code == KW_CODE_DEADLINE;
    const bool is_withheld = was_good && kw_failed(request->err);
    if (is_withheld && is_late)
        door->ops->withhold_late(door->audit, request->err.code);
    else if (is_withheld && !kw_failed(w->recorded))
        door->ops->withhold(door->audit, w->recorded_seq, request->err.code);
    if (kw_failed(w->recorded) && !is_late)
        door->ops->missed(door->audit, request, request->err.code);
    return KW_STEP_NEXT;
}
