/* SPDX-License-Identifier: Apache-2.0 */
/* draw - numbers that look random and come again with the same seed (splitmix64)
 *
 * No secret hangs on them: they order calls and draw rounds again, so that a run can be
 * repeated.
 *
 * Threads:  plain values; each user has a state of its own.
 */
#ifndef KEYWARD_BENCH_DRAW_H
#define KEYWARD_BENCH_DRAW_H

#include <stdint.h>

/* The next of 2^64 numbers; *state begins as the seed, any value. */
uint64_t kw_draw(uint64_t *state);
/* In [0, 1), in steps of 2^-53. */
double kw_draw_unit(uint64_t *state);
/* 0 to count - 1; count is 1 to 2^32. */
uint64_t kw_draw_below(uint64_t *state, uint64_t count);

#endif
