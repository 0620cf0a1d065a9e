/* SPDX-License-Identifier: Apache-2.0 */
#include "deck.h"

#include <keyward/err.h>

#include "draw.h"

static uint32_t common(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

void kw_deck_init(struct kw_deck *d, const uint32_t *weight, size_t kinds, uint64_t seed)
{
    uint64_t sum = 0;
    uint32_t divisor = 0;
    KW_INVARIANT(kinds <= 256);
    for (size_t i = 0; i < kinds; i++) {
        sum += weight[i];
        divisor = common(divisor, weight[i]);
    }
    KW_INVARIANT(sum > 0 && sum <= KW_DECK_MAX);
    *d = (struct kw_deck){.state = seed};
    for (size_t i = 0; i < kinds; i++)
        for (uint32_t n = 0; n < weight[i] / divisor; n++)
            d->card[d->count++] = (uint8_t)i;
    d->at = d->count;
}

/* Fisher and Yates. */
static void shuffle(struct kw_deck *d)
{
    for (size_t i = d->count - 1; i > 0; i--) {
        size_t j = (size_t)kw_draw_below(&d->state, i + 1);
        uint8_t card = d->card[i];
        d->card[i] = d->card[j];
        d->card[j] = card;
    }
    d->at = 0;
}

unsigned kw_deck_next(struct kw_deck *d)
{
    if (d->at == d->count)
        shuffle(d);
    return d->card[d->at++];
}
