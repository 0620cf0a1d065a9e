/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's pulse: nothing of ours is measured, only how fast it is now. */
#include "rounds.h"

enum { STEPS = 7500000 };

/* Each step waits for the one before it: one multiplication and one xor. */
static uint64_t work(uint64_t x)
{
    for (unsigned i = 0; i < STEPS; i++) {
        x ^= x >> 29;
        x *= UINT64_C(0xbf58476d1ce4e5b9);
    }
    return x;
}

/* In one piece, and not the best of several: long enough for somebody else's turn, or the
 * hypervisor's, to fall into it. */
double kw_pulse_ns(const struct kw_clock *clock)
{
    volatile uint64_t kept = 1; /* else nobody would have to do the work */
    const int64_t before = kw_mono_ns(clock);
    kept = work(kept);
    return (double)(kw_mono_ns(clock) - before);
}
