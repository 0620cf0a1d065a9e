/* SPDX-License-Identifier: Apache-2.0 */
/* pace - how fast calls may follow each other, and when the server is to be left alone
 *
 * A gap of at least 1 / rate lies between two calls.  Time that was not used is lost, but
 * for one millisecond (so that waking a little late does not slow the whole down): after
 * a standstill there is no burst.  With a ramp the rate grows in a straight line first.
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_PACE_H
#define KEYWARD_BENCH_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct kw_pace {
    double gap_ns; /* between two calls at the full rate; 0: no limit */
    double from;   /* where a ramp begins: 0 to 1 of the full rate    */
    int64_t start_ns, ramp_ns;
    int64_t next_ns; /* no call before; begins as start_ns */
};

/* rate: calls a second, a millionth or more; 0: no limit. */
struct kw_pace kw_pace_begin(double rate, int64_t start_ns, int64_t ramp_ns, double from);
static inline bool kw_pace_may(const struct kw_pace *p, int64_t now_ns)
{
    return p->gap_ns == 0 || now_ns >= p->next_ns;
}
/* A call was made at now_ns, which is not before next_ns. */
void kw_pace_took(struct kw_pace *p, int64_t now_ns);

/* Is the server still quick enough?  Windows follow each other, each of KW_WINDOW samples.
 * One is over the limit when more than one in a hundred of its samples took longer: its p99
 * is above. */
enum { KW_WINDOW = 1000 };
struct kw_p99_window {
    int64_t limit_ns; /* 0: no limit */
    uint32_t count, over;
    uint32_t broken; /* 0, or how many were over in the first window above the limit */
};
void kw_p99_window_add(struct kw_p99_window *w, int64_t took_ns);

#endif
