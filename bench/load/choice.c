/* SPDX-License-Identifier: Apache-2.0 */
#include "choice.h"

struct kw_needs kw_choice_needs(const struct kw_choice_options *o)
{
    struct kw_needs n = {0};
    const bool decrypts = o->weight[KW_DECRYPT] > 0;
    if (decrypts)
        n.ciphertexts = o->count + (o->pattern == KW_PATTERN_REPEAT ? KW_HOT : 0u);
    if (o->weight[KW_ENCRYPT] > 0)
        n.seeds = decrypts ? KW_MIXED_SEEDS : o->count;
    return n;
}

/* The next of `count` entries in turn. */
static size_t in_turn(size_t *turn, size_t count)
{
    size_t entry = *turn;
    *turn = entry + 1 < count ? entry + 1 : 0;
    return entry;
}

static size_t ciphertext(struct kw_choice *c)
{
    switch (c->o->pattern) {
    case KW_PATTERN_DISTINCT: break;
    case KW_PATTERN_ZIPF: return kw_zipf_at(&c->zipf, kw_draw_unit(&c->state));
    case KW_PATTERN_REPEAT:
        if (kw_draw_below(&c->state, 100) < c->o->percent)
            return kw_draw_below(&c->state, KW_HOT);
        return KW_HOT + in_turn(&c->turn_of_ciphertexts, c->o->count);
    }
    return in_turn(&c->turn_of_ciphertexts, c->o->count);
}

void kw_choice_step(struct kw_choice *c)
{
    c->next = (struct kw_pick){(enum kw_bench_method)kw_deck_next(&c->deck), 0};
    if (c->next.method == KW_DECRYPT)
        c->next.entry = ciphertext(c);
    if (c->next.method == KW_ENCRYPT)
        c->next.entry = c->needs.ciphertexts + in_turn(&c->turn_of_seeds, c->needs.seeds);
}

kw_err kw_choice_init(struct kw_choice *c, const struct kw_choice_options *o)
{
    *c = (struct kw_choice){.o = o, .needs = kw_choice_needs(o), .state = o->seed};
    kw_deck_init(&c->deck, o->weight, KW_METHODS, o->seed);
    if (o->pattern == KW_PATTERN_ZIPF) {
        kw_err e = kw_zipf_init(&c->zipf, o->count, o->exponent);
        if (kw_failed(e))
            return e;
    }
    kw_choice_step(c);
    return KW_OK;
}

void kw_choice_wipe(struct kw_choice *c)
{
    kw_zipf_wipe(&c->zipf);
}
