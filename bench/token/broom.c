/* SPDX-License-Identifier: Apache-2.0 */
#include "broom.h"

static kw_err list(struct kw_token *token, const struct kw_guard *guard,
                   struct kw_sweep *s, struct kw_note *note)
{
    static struct kw_listed_key all[KW_LEFTOVERS_MAX];
    size_t count = 0;
    kw_err e = kw_token_leftovers(token, all, KW_LEFTOVERS_MAX, &count, note);
    if (kw_failed(e) && e.code != KW_CODE_BUSY)
        return e; /* more than fit are swept by the next run */
    for (size_t i = 0; i < count; i++) {
        struct kw_swept *one = &s->key[s->count++];
        one->key = all[i];
        kw_err kept =
            kw_guard_allows(guard, all[i].label,
                            kw_span_of(all[i].locator, all[i].locator_len), &one->kept);
        KW_INVARIANT(kw_failed(kept) == (one->kept.text[0] != '\0'));
    }
    return KW_OK;
}

static kw_err sweep_one(struct kw_token *token, struct kw_swept *one,
                        struct kw_note *note)
{
    struct kw_token_key *key = NULL;
    kw_err e =
        kw_token_find(token, one->key.label,
                      kw_span_of(one->key.locator, one->key.locator_len), &key, note);
    if (kw_failed(e))
        return e;
    e = kw_token_destroy_throwaway(token, key);
    one->destroyed = !kw_failed(e);
    if (kw_failed(e))
        kw_note_set(note, "%s could not be destroyed: %s at %s (0x%x)", one->key.label,
                    kw_code_name(e.code), e.where, e.native);
    return e;
}

static kw_err sweep(const struct kw_token_plan *plan, struct kw_token *token,
                    struct kw_sweep *s, struct kw_note *note)
{
    kw_err e = KW_OK;
    for (size_t i = 0; i < s->count && !kw_failed(e) && !kw_stop_asked(); i++) {
        struct kw_swept *one = &s->key[i];
        if (plan->dry_run)
            kw_note_set(&one->kept, "this is a dry run");
        else if (one->kept.text[0] == '\0')
            e = sweep_one(token, one, note);
    }
    return e;
}

kw_err kw_broom_run(const struct kw_token_plan *plan, const struct kw_guard *guard,
                    void (*listed)(void *ctx, const struct kw_sweep *s), void *ctx,
                    struct kw_sweep *ret_sweep, struct kw_note *note)
{
    const struct kw_errand errand = {.plan = plan, .guard = guard};
    struct kw_token *token = NULL;
    kw_err e = kw_errand_open(&errand, !plan->dry_run, &token, note);
    if (!kw_failed(e)) {
        ret_sweep->facts = *kw_token_facts(token);
        if (!plan->dry_run)
            e = kw_errand_check(plan, &ret_sweep->facts, note);
    }
    if (!kw_failed(e))
        e = kw_token_login(token, note);
    if (!kw_failed(e))
        e = list(token, guard, ret_sweep, note);
    if (!kw_failed(e)) {
        listed(ctx, ret_sweep);
        e = sweep(plan, token, ret_sweep, note);
    }
    kw_token_close(token);
    return e;
}
