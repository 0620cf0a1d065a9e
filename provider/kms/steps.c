/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a request through the steps of its method. */
#include "kms_internal.h"

const struct kw_steps *kw_steps_of(const struct kw_request *request)
{
    switch (request->method) {
    case KW_METHOD_STATUS: return &kw_status_steps;
    case KW_METHOD_ENCRYPT: return &kw_encrypt_steps;
    case KW_METHOD_DECRYPT: return &kw_decrypt_steps;
    }
    KW_INVARIANT(false && "a method that is none");
}

/* The first step from `step` on that always runs. */
static unsigned first_always(const struct kw_step_row *rows, unsigned step)
{
    while (!rows[step].always)
        step++;
    return step;
}

void kw_steps_run(struct kw_kms *kms, struct kw_request *request)
{
    const struct kw_step_row *rows = kw_steps_of(request)->rows;
    for (;;) {
        const struct kw_step_row *row = &rows[request->work.step];
        KW_INVARIANT(!request->work.parked);
        if (!kw_failed(request->err))
            request->step_name = row->name;
        switch (row->run(kms, request)) { /* the list on top of the method's file */
        case KW_STEP_NEXT: request->work.step++; break;
        case KW_STEP_KNOWN:
        case KW_STEP_FAIL:
            KW_INVARIANT(!row->always);
            request->work.step = first_always(rows, request->work.step);
            break;
        case KW_STEP_AGAIN: request->work.step = 0; break;
        case KW_STEP_WAIT:
        case KW_STEP_DONE: return;
        }
    }
}

void kw_steps_begin(struct kw_kms *kms, struct kw_request *request)
{
    request->work.step = 0;
    kw_steps_run(kms, request);
}

void kw_steps_resume(struct kw_kms *kms, struct kw_request *request)
{
    request->work.step++;
    kw_steps_run(kms, request);
}

void kw_steps_finish(struct kw_kms *kms, struct kw_request *request)
{
    request->work.step = first_always(kw_steps_of(request)->rows, 0);
    kw_steps_run(kms, request);
}
