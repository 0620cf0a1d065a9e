/* SPDX-License-Identifier: Apache-2.0 */
/* deck - a weighted order: as many cards of each kind as its weight, shuffled
 *
 * Every pass through the deck holds exactly the weights, and each pass is shuffled anew,
 * so that no pattern of the server's can fall into step with it.
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_DECK_H
#define KEYWARD_BENCH_DECK_H

#include <stddef.h>
#include <stdint.h>

enum { KW_DECK_MAX = 1000 };

struct kw_deck {
    uint8_t card[KW_DECK_MAX];
    size_t count, at;
    uint64_t state; /* of draw.h */
};

/* weight[0..kinds): their sum is 1 to KW_DECK_MAX; kinds is at most 256.  The deck is as
 * small as the weights allow: 90, 5 and 5 are 18, 1 and 1 cards. */
void kw_deck_init(struct kw_deck *d, const uint32_t *weight, size_t kinds, uint64_t seed);
/* The kind of the next card. */
unsigned kw_deck_next(struct kw_deck *d);

#endif
