/* SPDX-License-Identifier: Apache-2.0 */
/* options - what shall be measured, read and checked before any token is touched
 *
 * Threads:   plain values.
 */
#ifndef KEYWARD_BENCH_TOKEN_OPTIONS_H
#define KEYWARD_BENCH_TOKEN_OPTIONS_H

#include <stddef.h>

#include "tool.h"

enum kw_op {
    KW_OP_UNWRAP,
    KW_OP_WRAP,
    KW_OP_FIND,
    KW_OP_LOGIN,
    KW_OP_SESSION,
    KW_OP_RANDOM
};
enum { KW_OPS = KW_OP_RANDOM + 1 };
extern const char *const kw_op_names[KW_OPS];
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
enum kw_place { KW_PLACE_TOKEN, KW_PLACE_SESSION, KW_PLACE_COPY };
enum { KW_PLACES = KW_PLACE_COPY + 1 };
extern const char *const kw_place_names[KW_PLACES];

#define KW_KEYRING_STANDARD "/etc/keyward/keyring.json"

enum {
    KW_PROCESSES_MAX = 64,
    KW_THREADS_MAX = 64,
    KW_SESSIONS_MAX = 1024, /* of one thread                       */
    KW_LANES_MAX = 256,     /* threads of all processes            */
    KW_LIST_MAX = 16,       /* --curve and --cpu                   */
};

struct kw_token_words {
    const char *module, *uri, *pin, *op, *key, *sessions, *threads, *processes, *curve,
        *seconds, *calls, *warmup, *ramp, *max_rate, *stop_p99, *keyring, *cpu;
    bool json, yes, clean, dry_run;
};

struct kw_token_plan {
    const char *module, *uri, *pin;
    const char *keyring; /* NULL: the standard one, when it can be read */
    enum kw_op op;
    enum kw_place place;
    uint64_t sessions, threads, processes; /* per thread, per process, all */
    uint64_t curve[KW_LIST_MAX];           /* processes, one point each    */
    size_t curve_count;                    /* 0: no curve                  */
    uint64_t cpu[KW_LIST_MAX];
    size_t cpu_count;
    int64_t seconds_ns, warmup_ns;
    uint64_t calls;      /* instead of seconds: of all together; 0: for seconds_ns */
    int64_t ramp_ns;     /* before the warm-up: from a tenth of max_rate to all of it */
    uint64_t max_rate;   /* operations a second of all together; 0: no limit          */
    int64_t stop_p99_ns; /* 0: no limit */
    bool any_token;      /* else SoftHSM only */
    bool clean, dry_run, json;
};

/* -1 to go on, else the exit code, and then it was said why. */
int kw_token_plan_read(const struct kw_verb *v, const struct kw_token_words *w,
                       struct kw_token_plan *ret_plan);

#endif
