/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that wait: the list of them, a client that goes away, time that runs out. */
#include "house.h"

void kw_park(struct kw_kms *kms, struct kw_call *call)
{
    struct kw_call_work *w = &call->work;
    KW_INVARIANT(!w->parked);
    w->parked = true;
    w->next = kms->parked;
    w->prev = &kms->parked;
    if (w->next != NULL)
        w->next->work.prev = &w->next;
    kms->parked = call;
}

void kw_unpark(struct kw_call *call)
{
    struct kw_call_work *w = &call->work;
    KW_INVARIANT(w->parked);
    w->parked = false;
    *w->prev = w->next;
    if (w->next != NULL)
        w->next->work.prev = w->prev;
    w->next = NULL;
    w->prev = NULL;
}

/* The mutex is held.  Takes a parked call away from what it waits for.  false: its answer
 * is being delivered at this moment; whoever delivers it owns the call. */
static bool withdraw(struct kw_kms *kms, struct kw_call *call)
{
    const struct kw_hsm_door *door = &kms->options.door;
    if (!call->work.parked)
        return false;
    if (call->work.flight != NULL)
        kw_flight_leave(kms, call);
    else if (call->work.ticket != 0 && !door->ops->cancel(door->hsm, call->work.ticket))
        return false;
    kw_unpark(call);
    return true;
}

void kw_kms_cancel(struct kw_kms *kms, struct kw_call *call)
{
    kw_lock_take(kms->options.lock);
    bool ours = withdraw(kms, call);
    kw_lock_give(kms->options.lock);
    if (!ours)
        return;
    call->err = kw_err_at(KW_CODE_CANCELLED, "client");
    kw_way_resume_at_record(kms, call);
}

/* The mutex is held.  Must this parked call go on now?  With which error, if any. */
static bool is_due(struct kw_kms *kms, struct kw_call *call, int64_t mono_now)
{
    bool over = kw_deadline_over(call->work.until, mono_now);
    if (call->ask != KW_ASK_STATUS) {
        call->err = over ? kw_err_at(KW_CODE_DEADLINE, "waiting for the hsm") : KW_OK;
        return over;
    }
    if (!kw_status_held_on(kms, call))
        return true;
    if (over)
        call->err = kw_err_at(KW_CODE_STARTING, "held");
    return over;
}

void kw_parked_sweep(struct kw_kms *kms)
{
    struct kw_call *due = NULL;
    int64_t now = kw_mono_ns(kms->options.clock);
    kw_lock_take(kms->options.lock);
    for (struct kw_call *c = kms->parked, *next; c != NULL; c = next) {
        next = c->work.next;
        if (is_due(kms, c, now) && withdraw(kms, c)) {
            c->work.next = due;
            due = c;
        }
    }
    kw_lock_give(kms->options.lock);
    while (due != NULL) {
        struct kw_call *call = due;
        due = call->work.next;
        call->work.next = NULL;
        if (kw_failed(call->err))
            kw_way_resume_at_record(kms, call);
        else
            kw_way_resume(kms, call);
    }
}
