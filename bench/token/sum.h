/* SPDX-License-Identifier: Apache-2.0 */
/* sum - what all lanes of all processes measured, as one
 *
 * Threads:   plain values.
 */
#ifndef KEYWARD_BENCH_TOKEN_SUM_H
#define KEYWARD_BENCH_TOKEN_SUM_H

#include "board.h"

/* One shape, measured once. */
struct kw_point {
    uint64_t processes, threads, sessions; /* sessions: of one thread */
    struct kw_histogram latency;
    int64_t elapsed_ns; /* from the beginning of the measured time to the last end */
    uint64_t cpu_ns, switches, wrong;
    bool cpu_known; /* of all processes: one that was killed took it along */
    bool partial;
};

struct kw_token_result {
    struct kw_token_facts facts;
    char label[KW_KEY_ID_MAX + 1];
    size_t count; /* points that were begun */
    struct kw_point point[KW_LIST_MAX];
    kw_err error; /* what ended it early, or failed at its end; said by `fault` */
    struct kw_note fault;
    bool partial;
};

/* Adds up what lanes and processes left on the board. */
void kw_point_sum(const struct kw_board *b, struct kw_point *ret_point);
/* The first lane or process that failed; OK when none did. */
kw_err kw_board_error(const struct kw_board *b, struct kw_note *ret_note);
/* How far all lanes are, while they run. */
struct kw_progress kw_board_progress(const struct kw_board *b, int64_t now_ns);

double kw_point_per_second(const struct kw_point *p);
double kw_point_cpu_us(const struct kw_point *p);
/* The point with the most operations a second; NULL when nothing was measured. */
const struct kw_point *kw_result_best(const struct kw_token_result *r);
uint64_t kw_result_wrong(const struct kw_token_result *r);

#endif
