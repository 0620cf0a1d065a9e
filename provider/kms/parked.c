/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait: the list of them, a client that goes away, time that runs out. */
#include "kms_internal.h"

void kw_park(struct kw_kms *kms, struct kw_request *request)
{
    struct kw_request_work *w = &request->work;
    KW_INVARIANT(!w->parked);
    w->parked = true;
    w->next = kms->parked;
    w->prev = &kms->parked;
    if (w->next != NULL)
        w->next->work.prev = &w->next;
    kms->parked = request;
}

void kw_unpark(struct kw_request *request)
{
    struct kw_request_work *w = &request->work;
    KW_INVARIANT(w->parked);
    w->parked = false;
    *w->prev = w->next;
    if (w->next != NULL)
        w->next->work.prev = w->prev;
    w->next = NULL;
    w->prev = NULL;
}

/* Takes a parked request away from what it waits for.  false: its
 * answer is being delivered at this moment; whoever delivers it owns the request. */
static bool withdraw(struct kw_kms *kms, struct kw_request *request) KW_LOCKED
{
    const struct kw_hsm_door *door = &kms->options.door;
    if (!request->work.parked)
        return false;
    if (request->work.flight != NULL)
        kw_flight_leave(kms, request);
    else if (request->work.ticket != 0 &&
             !door->ops->cancel(door->hsm, request->work.ticket))
        return false;
    kw_unpark(request);
    return true;
}

void kw_kms_cancel(struct kw_kms *kms, struct kw_request *request)
{
    kw_lock_take(kms->options.lock);
    bool ours = withdraw(kms, request);
    if (request->work.recording)
        request->work.gone = true; /* kw_record_settle sees it */
    kw_lock_give(kms->options.lock);
    if (!ours)
        return;
    request->err = kw_err_at(KW_CODE_CANCELLED, "client");
    kw_steps_finish(kms, request);
}

/* Must this parked request go on now?  With which error, if any. */
static bool is_due(struct kw_kms *kms, struct kw_request *request,
                   int64_t mono_now) KW_LOCKED
{
    const bool held = request->work.held;
    if (held && !kw_held_on(kms, request))
        return true;
    if (!kw_deadline_over(request->work.until, mono_now))
        return false;
    request->err = held ? kw_err_at(KW_CODE_STARTING, "held")
                        : kw_err_at(KW_CODE_DEADLINE, "waiting for the hsm");
    return true;
}

void kw_parked_sweep(struct kw_kms *kms)
{
    struct kw_request *due = NULL;
    int64_t now = kw_mono_ns(kms->options.clock);
    kw_lock_take(kms->options.lock);
    for (struct kw_request *c = kms->parked, *next; c != NULL; c = next) {
        next = c->work.next;
        if (is_due(kms, c, now) && withdraw(kms, c)) {
            c->work.next = due;
            due = c;
        }
    }
    kw_lock_give(kms->options.lock);
    while (due != NULL) {
        struct kw_request *request = due;
        due = request->work.next;
        request->work.next = NULL;
        if (kw_failed(request->err)) {
            kw_steps_finish(kms, request);
        } else {
            kw_held_end(kms, request);
            kw_steps_resume(kms, request);
        }
    }
}
