/* SPDX-License-Identifier: Apache-2.0 */
#include "numbers.h"

#include <string.h>

#include "worker.h"

const char *kw_front_op_name(size_t op)
{
    static const char *const names[KW_FRONT_OPS] = {"wrap", "unwrap", "canary", "sign"};
    return op < KW_FRONT_OPS ? names[op] : "?";
}

const char *kw_front_end_name(enum kw_front_end end)
{
    static const char *const names[KW_FRONT_ENDS] = {
        [KW_FRONT_LEFT] = "left",          [KW_FRONT_CRASHED] = "crashed",
        [KW_FRONT_KILLED] = "killed",      [KW_FRONT_RECYCLED] = "recycled",
        [KW_FRONT_OUTDATED] = "outdated",  [KW_FRONT_DISTRUSTED] = "distrusted",
        [KW_FRONT_NOT_READY] = "not-ready"};
    return end < KW_FRONT_ENDS ? names[end] : "?";
}

void kw_numbers_error(struct kw_front_numbers_of_token *n, kw_err e)
{
    size_t i = 0;
    if (e.native == 0 || e.where == NULL || strncmp(e.where, "C_", 2) != 0)
        return;
    while (i < n->error_count && n->errors[i].rv != e.native)
        i++;
    if (i == KW_FRONT_ERRORS_MAX) {
        n->errors_other++;
        return;
    }
    if (i == n->error_count)
        n->errors[n->error_count++] = (struct kw_front_error){e.native, 0};
    n->errors[i].count++;
}

void kw_numbers_answered(struct kw_front_numbers_of_token *n, enum kw_wire_op op,
                         const struct kw_wire_answer *answer)
{
    struct kw_front_op *of = &n->ops[op - 1];
    of->failed += kw_failed(answer->err);
    if (answer->err.code != KW_CODE_DEADLINE)
        kw_latency_add(&of->latency, answer->hsm_ns);
    kw_numbers_error(n, answer->err);
}

/* The nearest cause first: one that we wanted to leave may have had to be killed for it. */
enum kw_front_end kw_numbers_end_of(const struct kw_worker *w, bool good)
{
    if (kw_worker_distrusted_by_main(w))
        return KW_FRONT_DISTRUSTED;
    if (w->recycled)
        return KW_FRONT_RECYCLED;
    if (kw_worker_outdated_by_main(w))
        return KW_FRONT_OUTDATED;
    if (w->start.killed)
        return KW_FRONT_KILLED;
    if (w->start.failed_told || (good && !w->start.was_ready))
        return KW_FRONT_NOT_READY;
    return good ? KW_FRONT_LEFT : KW_FRONT_CRASHED;
}
