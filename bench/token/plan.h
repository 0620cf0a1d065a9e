/* SPDX-License-Identifier: Apache-2.0 */
/* plan - what shall be measured in a token, read and checked before any is touched
 *
 * Threads:   plain values.
 */
#ifndef KEYWARD_BENCH_TOKEN_PLAN_H
#define KEYWARD_BENCH_TOKEN_PLAN_H

#include "tool.h"

enum kw_op {
    KW_OP_UNWRAP,
    KW_OP_WRAP,
    KW_OP_FIND,
    KW_OP_LOGIN,
    KW_OP_SESSION,
    KW_OP_RANDOM
};
extern const char *const kw_op_names[]; /* NULL behind the last */
static inline bool kw_op_seals(enum kw_op op)
{
    return op == KW_OP_UNWRAP || op == KW_OP_WRAP;
}
static inline bool kw_op_wants_key(enum kw_op op)
{
    return kw_op_seals(op) || op == KW_OP_FIND;
}

/* Where the throw-away key lives: on the token, in the session of each process, or there
 * as a copy of the one on the token. */
enum kw_bench_key { KW_BENCH_KEY_TOKEN, KW_BENCH_KEY_SESSION, KW_BENCH_KEY_COPY };
extern const char *const kw_bench_key_names[];

enum {
    KW_PROCESSES_MAX = 64,
    KW_THREADS_MAX = 64,
    KW_SESSIONS_MAX = 1024,   /* of one thread            */
    KW_ALL_THREADS_MAX = 256, /* of all processes         */
};

struct kw_token_plan {
    const char *module, *uri, *pin;
    const char *keyring; /* NULL: the standard one, when it can be read */
    enum kw_op op;
    enum kw_bench_key key;
    uint64_t sessions, threads, processes; /* per thread, per process, all          */
    struct kw_args_list curve;             /* processes, one point each; may be empty */
    struct kw_args_list cpu;
    int64_t seconds_ns, warmup_ns;
    uint64_t calls;      /* instead of seconds: of all together; 0: for seconds_ns    */
    int64_t ramp_ns;     /* before the warm-up: from a tenth of max_rate to all of it */
    uint64_t max_rate;   /* operations a second of all together; 0: no limit          */
    int64_t stop_p99_ns; /* 0: no limit */
    bool any_token;      /* else SoftHSM only */
    bool clean, dry_run, json;
};

#endif
