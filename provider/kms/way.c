/* SPDX-License-Identifier: Apache-2.0 */
/* Walks a call along its way.  Whatever happens, every call comes through record. */
#include "house.h"

const struct kw_way *kw_way_of(const struct kw_call *call)
{
    switch (call->ask) {
    case KW_ASK_STATUS: return &kw_way_status;
    case KW_ASK_ENCRYPT: return &kw_way_encrypt;
    case KW_ASK_DECRYPT: return &kw_way_decrypt;
    }
    KW_INVARIANT(false && "an ask that is none");
}

void kw_way_walk(struct kw_kms *kms, struct kw_call *call)
{
    const struct kw_way *way = kw_way_of(call);
    for (;;) {
        unsigned step = call->work.step;
        KW_INVARIANT(step <= way->record + 1 && !call->work.parked);
        if (!kw_failed(call->err))
            call->step_name = way->steps[step].name;
        switch (way->steps[step].run(kms, call)) {
        case KW_TURN_NEXT: call->work.step = step + 1; break;
        case KW_TURN_RECORD:
        case KW_TURN_FAIL:
            KW_INVARIANT(step < way->record);
            call->work.step = way->record;
            break;
        case KW_TURN_WAIT:
        case KW_TURN_DONE: return;
        }
    }
}

void kw_way_resume(struct kw_kms *kms, struct kw_call *call)
{
    call->work.step++;
    kw_way_walk(kms, call);
}

void kw_way_resume_at_record(struct kw_kms *kms, struct kw_call *call)
{
    call->work.step = kw_way_of(call)->record;
    kw_way_walk(kms, call);
}
