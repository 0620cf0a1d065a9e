/* SPDX-License-Identifier: Apache-2.0 */
/* order - in which order things are asked for; the same again with the same seed
 *
 * Numbers that look random (splitmix64; no secret hangs on them), a weighted shuffle made
 * of them, and a Zipf distribution.
 *
 * Threads:  plain values; each user has a state of its own.
 */
#ifndef KEYWARD_BENCH_ORDER_H
#define KEYWARD_BENCH_ORDER_H

#include <stddef.h>

#include <keyward/err.h>

/* The next of 2^64 numbers; *state begins as the seed, any value. */
uint64_t kw_draw(uint64_t *state);
/* In [0, 1), in steps of 2^-53. */
double kw_draw_unit(uint64_t *state);
/* 0 to count - 1; count is 1 to 2^32. */
uint64_t kw_draw_below(uint64_t *state, uint64_t count);

/* As many cards of each kind as its weight.  Every pass through the deck holds exactly the
 * weights, and each pass is shuffled anew, so that no pattern of the server's can fall into
 * step with it. */
enum { KW_DECK_MAX = 1000 };
struct kw_deck {
    uint8_t card[KW_DECK_MAX];
    size_t count, at;
    uint64_t state;
};
/* weight[0..kinds): their sum is 1 to KW_DECK_MAX; kinds is at most 256.  The deck is as
 * small as the weights allow: 90, 5 and 5 are 18, 1 and 1 cards. */
void kw_deck_init(struct kw_deck *d, const uint32_t *weight, size_t kinds, uint64_t seed);
/* The kind of the next card. */
unsigned kw_deck_next(struct kw_deck *d);

/* Thing i of `count` has the share (i + 1)^-s of all draws; exact, by a table of sums. */
struct kw_zipf {
    size_t count;
    double *sum; /* [count], owned: the share of things 0..i together */
};
/* count is at least 1; s is 0 (all alike) or more.  NO_MEMORY. */
KW_MUST_USE kw_err kw_zipf_init(struct kw_zipf *z, size_t count, double s);
void kw_zipf_wipe(struct kw_zipf *z); /* {0} does nothing */
/* The thing at `unit` of [0, 1): the first whose sum is above it. */
size_t kw_zipf_at(const struct kw_zipf *z, double unit);

#endif
