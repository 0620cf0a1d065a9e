/* SPDX-License-Identifier: Apache-2.0 */
#include "token_bench.h"

static kw_err leftovers_list(struct kw_token *token, const struct kw_key_guard *guard,
                             struct kw_leftovers *l, struct kw_note *note)
{
    static struct kw_listed_key all[KW_LEFTOVERS_MAX];
    size_t count = 0;
    kw_err e = kw_token_leftovers(token, all, KW_LEFTOVERS_MAX, &count, note);
    if (kw_failed(e) && e.code != KW_CODE_BUSY)
        return e; /* more than fit are for the next run */
    for (size_t i = 0; i < count; i++) {
        struct kw_leftover *one = &l->key[l->count++];
        one->key = all[i];
        kw_err kept = kw_key_guard_allows(guard, all[i].label,
                                          kw_span_of(all[i].locator, all[i].locator_len),
                                          &one->kept);
        KW_INVARIANT(kw_failed(kept) == (one->kept.text[0] != '\0'));
    }
    return KW_OK;
}

static kw_err leftover_destroy(struct kw_token *token, struct kw_leftover *one,
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

kw_err kw_leftovers_run(const struct kw_token_plan *plan,
                        const struct kw_key_guard *guard,
                        void (*listed)(const struct kw_leftovers *l),
                        struct kw_leftovers *ret_leftovers, struct kw_note *note)
{
    struct kw_leftovers *l = ret_leftovers;
    struct kw_token *token = NULL;
    kw_err e = kw_token_plan_open(plan, !plan->dry_run, &token, note);
    if (kw_failed(e))
        return e;
    l->facts = *kw_token_facts(token);
    e = kw_bench_token_allowed(&l->facts, plan->any_token || plan->dry_run, note);
    if (!kw_failed(e))
        e = kw_token_login(token, note);
    if (!kw_failed(e))
        e = leftovers_list(token, guard, l, note);
    if (!kw_failed(e))
        listed(l);
    for (size_t i = 0; i < l->count && !kw_failed(e) && !kw_stop_asked(); i++) {
        if (plan->dry_run)
            kw_note_set(&l->key[i].kept, "this is a dry run");
        else if (l->key[i].kept.text[0] == '\0')
            e = leftover_destroy(token, &l->key[i], note);
    }
    kw_token_close(token);
    return e;
}
