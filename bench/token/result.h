/* SPDX-License-Identifier: Apache-2.0 */
/* result - what all threads of all processes measured, as one; and as a document
 *
 * Threads:   plain values.
 */
#ifndef KEYWARD_BENCH_TOKEN_RESULT_H
#define KEYWARD_BENCH_TOKEN_RESULT_H

#include "shared.h"

/* One shape, measured once. */
struct kw_token_point {
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
    struct kw_token_point point[KW_ARGS_LIST_MAX];
    kw_err error; /* what ended it early, or failed at its end; said by `fault` */
    struct kw_note fault;
    bool partial;
};

enum { KW_LEFTOVERS_MAX = 256 };
struct kw_leftovers {
    struct kw_token_facts facts;
    size_t count;
    struct kw_leftover {
        struct kw_listed_key key;
        bool destroyed;
        struct kw_note kept; /* why not; "" when destroyed */
    } key[KW_LEFTOVERS_MAX];
};

/* Adds up what threads and processes left in the shared page. */
void kw_point_sum(const struct kw_shared *s, struct kw_token_point *ret_point);
/* The first thread or process that failed; OK when none did. */
kw_err kw_shared_error(const struct kw_shared *s, struct kw_note *ret_note);
/* How far all threads are, while they run. */
struct kw_operations kw_shared_operations(const struct kw_shared *s, int64_t now_ns);

double kw_point_per_second(const struct kw_token_point *p);
/* The point with the most operations a second; NULL when nothing was measured. */
const struct kw_token_point *kw_result_best(const struct kw_token_result *r);
uint64_t kw_result_wrong(const struct kw_token_result *r);

/* document.c; NULL: out of memory.  What was measured, what would be (--dry-run), and what
 * was left behind (--clean). */
json_t *kw_token_document(const struct kw_token_plan *p, const struct kw_key_guard *g,
                          const struct kw_token_result *r);
json_t *kw_token_plan_document(const struct kw_token_plan *p,
                               const struct kw_key_guard *g);
json_t *kw_leftovers_document(const struct kw_token_plan *p, const struct kw_leftovers *l,
                              const char *fault);

#endif
