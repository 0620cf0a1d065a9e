/* SPDX-License-Identifier: Apache-2.0 */
/* window - is the server still quick enough, or must we leave it alone?
 *
 * Windows follow each other, each of KW_WINDOW samples.  A window is over the limit when
 * more than one in a hundred of its samples took longer: its p99 is above.
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_WINDOW_H
#define KEYWARD_BENCH_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

enum { KW_WINDOW = 1000 };

struct kw_window {
    int64_t limit_ns; /* 0: no limit */
    uint32_t count, over;
    uint32_t broken; /* 0, or how many were over in the first window above the limit */
};

void kw_window_add(struct kw_window *w, int64_t took_ns);

#endif
