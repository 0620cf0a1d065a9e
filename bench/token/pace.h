/* SPDX-License-Identifier: Apache-2.0 */
/* pace - when the next operation of one lane may begin, so that all stay below a rate
 *
 * A limit and no schedule: what was missed is not made up for, and latency counts from
 * the real beginning.
 *
 * Threads:   plain values.
 */
#ifndef KEYWARD_BENCH_TOKEN_PACE_H
#define KEYWARD_BENCH_TOKEN_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct kw_pace {
    int64_t gap_ns; /* between two operations of this lane; 0: no limit */
    int64_t start_ns, ramp_ns, next_ns;
};

/* Lane `lane` of `lanes` that share `rate` operations a second (0: no limit).  For
 * ramp_ns from start_ns on the rate rises from a tenth to all of it. */
void kw_pace_init(struct kw_pace *p, uint64_t rate, uint64_t lane, uint64_t lanes,
                  int64_t start_ns, int64_t ramp_ns);
/* When the next operation may begin, now_ns or later, and counts it as begun then. */
int64_t kw_pace_take(struct kw_pace *p, int64_t now_ns);

/* Waits until then, 100 ms at most, so that the caller can look up.  true: it is then. */
bool kw_pace_nap(int64_t until_ns);

#endif
