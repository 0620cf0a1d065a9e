/* SPDX-License-Identifier: Apache-2.0 */
/* schedule - when the calls of an open loop are meant to start
 *
 * Call k is meant to start at start + k / rate, whatever became of those before it: its
 * latency counts from there, so that a server that stands still is seen by every call
 * that should have been made meanwhile (no coordinated omission).  With a ramp the rate
 * grows from 0 in a straight line first, and call k is meant for when k calls are due.
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_SCHEDULE_H
#define KEYWARD_BENCH_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct kw_schedule {
    int64_t start_ns;
    uint64_t rate;   /* calls a second, 1 to 1000000 */
    uint64_t next;   /* number of the next call      */
    int64_t ramp_ns; /* 0 to an hour; 0: the full rate at once */
};

/* When the next call is meant to start. */
int64_t kw_schedule_next_ns(const struct kw_schedule *s);
/* Takes the next call when its time has come. */
bool kw_schedule_take(struct kw_schedule *s, int64_t now_ns, int64_t *ret_intended_ns);
/* How many calls are due and not taken. */
uint64_t kw_schedule_late(const struct kw_schedule *s, int64_t now_ns);

#endif
