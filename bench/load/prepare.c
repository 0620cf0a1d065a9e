/* SPDX-License-Identifier: Apache-2.0 */
/* What must be there before anything is measured. */
#include "calls.h"

#include <inttypes.h>

#include "load.h"

/* What the last stretch ended in, when it was not all good. */
static kw_err judge(const struct kw_calls *k, const char *what, struct kw_note *note)
{
    const struct kw_tally *t = &k->tally;
    for (unsigned code = 0; code < KW_GRPC_CODES; code++)
        if (t->by_code[code] > 0) {
            kw_note_set(note, "%s: %" PRIu64 " of %" PRIu64 " failed with %s: %s", what,
                        t->by_code[code], k->issued, kw_grpc_code_name(code),
                        t->said[code]);
            return kw_err_at(KW_CODE_BAD_INPUT, "prepare");
        }
    if (t->all.wrong > 0) {
        kw_note_set(note, "%s: %" PRIu64 " replies were wrong: is this a KMS v2 plugin?",
                    what, t->all.wrong);
        return kw_err_at(KW_CODE_WRONG_ANSWER, "prepare");
    }
    if (kw_calls_fault(k) != NULL || t->all.good.count < k->issue_max) {
        kw_note_set(note, "%s: %s", what,
                    kw_calls_fault(k) != NULL ? kw_calls_fault(k) : "interrupted");
        return kw_err_at(KW_CODE_IO, "prepare");
    }
    return KW_OK;
}

kw_err kw_calls_prepare(struct kw_calls *k, enum kw_method method, size_t first,
                        size_t count, const char *what, struct kw_note *note)
{
    k->choice = NULL;
    k->row = (struct kw_row){method, first, count};
    k->what = what;
    k->issued = 0;
    k->issue_max = count;
    kw_tally_clear(&k->tally, kw_mono_ns(&kw_clock_system));
    kw_calls_pump(k, INT64_MAX, UINT64_MAX);
    kw_calls_drain(k);
    return judge(k, what, note);
}
