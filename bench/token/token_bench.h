/* SPDX-License-Identifier: Apache-2.0 */
/* token_bench - what is measured in a token: the plan, what all processes share, the result
 *
 * Threads:   one, but for what struct kw_shared says.
 */
#ifndef KEYWARD_BENCH_TOKEN_BENCH_H
#define KEYWARD_BENCH_TOKEN_BENCH_H

#include <stdatomic.h>

#include "bench_key.h"
#include "histogram.h"
#include "tool.h"

/* ---- the plan: read and checked before any token is touched -------------------------- */

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

enum {
    KW_PROCESSES_MAX = 64,
    KW_THREADS_MAX = 64,
    KW_TOKEN_SESSIONS_MAX = 1024, /* of one thread            */
    KW_ALL_THREADS_MAX = 256,     /* of all processes         */
};

struct kw_token_plan {
    const char *module, *uri, *pin;
    const char *keyring; /* NULL: the standard one, when it can be read */
    enum kw_op op;
    enum kw_bench_key key;
    uint64_t sessions, threads, processes; /* per thread, per process, all          */
    struct kw_args_list curve;             /* processes, one point each; may be empty */
    bool fits; /* the curve's numbers are threads of each process, of `processes` */
    struct kw_args_list cpu;
    int64_t seconds_ns, warmup_ns;
    uint64_t calls;      /* instead of seconds: of all together; 0: for seconds_ns    */
    int64_t ramp_ns;     /* before the warm-up: from a tenth of max_rate to all of it */
    uint64_t max_rate;   /* operations a second of all together; 0: no limit          */
    int64_t stop_p99_ns; /* 0: no limit */
    bool any_token;      /* else SoftHSM only */
    bool clean, dry_run, json;
};

/* Of point i: so many processes, so many threads of each. */
struct kw_token_shape {
    uint64_t processes, threads;
};
struct kw_token_shape kw_plan_shape(const struct kw_token_plan *p, size_t i);

/* Opens the arena and the token; login is the caller's. */
KW_MUST_USE kw_err kw_token_plan_open(const struct kw_token_plan *plan, bool read_write,
                                      struct kw_token **ret_token, struct kw_note *note);

/* ---- what the processes share: one mapping, made before the first fork ----------------
 *
 * Who writes what:
 *   the parent   everything, while no worker runs; `stop` at any time
 *   the owner    `owner`, `facts`, `label`, before it is ready or gone
 *   a worker     its process slot, and each of its threads one thread slot
 *   who fails    `stop`; and `failure`, when it is the first of all workers and threads
 * The parent reads them when their writer is ready or gone; only `done`, `slow` and
 * `since_ns` are read while they change. */

struct kw_thread_slot {
    atomic_uint_fast64_t done, slow;
    atomic_int_fast64_t since_ns; /* when the operation under way began; 0: none */
    uint64_t wrong;
    int64_t end_ns; /* of its last operation that was measured */
    struct kw_histogram latency;
};

struct kw_process_cpu {
    uint64_t cpu_ns, switches;
};

struct kw_process_slot {
    /* Of the whole process.  Whichever thread comes first to the measured time looks. */
    atomic_bool begun;
    struct kw_process_cpu before, used;
    bool counted; /* `used` is known: the process came to its end */
};

struct kw_failure {
    atomic_bool taken;
    kw_err error;
    struct kw_note note;
};

struct kw_shared {
    atomic_bool stop; /* every thread ends after its present operation  */
    uint64_t point;   /* of the curve: no two points may use one IV     */
    uint64_t processes, threads;
    int64_t start_ns, from_ns, until_ns; /* ramp and warm-up, then what is measured */
    char label[KW_KEY_ID_MAX + 1];       /* of the throw-away key on the token      */
    struct kw_token_facts facts;
    struct kw_failure owner, failure;
    struct kw_process_slot process[KW_PROCESSES_MAX];
    struct kw_thread_slot thread[KW_ALL_THREADS_MAX]; /* process * threads + thread */
};

/* ---- result.c: what all threads of all processes measured, as one -------------------- */

/* One shape, measured once. */
struct kw_token_point {
    uint64_t processes, threads;
    struct kw_histogram latency;
    int64_t elapsed_ns; /* from the beginning of the measured time to the last end */
    uint64_t cpu_ns, switches, wrong;
    bool cpu_known; /* of all processes: one that was killed took it along */
    bool partial;
};

struct kw_token_result {
    struct kw_token_facts facts;
    char label[KW_KEY_ID_MAX + 1];
    uint64_t wrong; /* of all points */
    size_t count;   /* points that were begun */
    struct kw_token_point point[KW_ARGS_LIST_MAX];
    kw_err error; /* what ended it early, or failed at its end; said by `fault` */
    struct kw_note fault;
    bool partial;
};

/* Adds up what threads and processes left in the shared page. */
void kw_point_sum(const struct kw_shared *s, struct kw_token_point *ret_point);
double kw_point_per_second(const struct kw_token_point *p);
/* The point with the most operations a second; NULL when nothing was measured. */
const struct kw_token_point *kw_result_best(const struct kw_token_result *r);
/* The one with the fewest threads that gives nine tenths of that. */
const struct kw_token_point *kw_result_fit(const struct kw_token_result *r);
/* The most sessions that each of so many workers gets of this token (hsm/worker/sessions.c),
 * as many beside them at a reload; KW_TOKEN_NOT_TOLD: it does not say. */
uint64_t kw_fit_granted(const struct kw_token_facts *facts, uint64_t workers);

/* What all threads have done since the run began. */
struct kw_operations {
    uint64_t done, slow;    /* slow: of those done, longer than the limit     */
    int64_t longest_now_ns; /* the operation under way that began first; or 0 */
};
struct kw_operations kw_shared_operations(const struct kw_shared *s, int64_t now_ns);

/* Judges --stop-p99 in windows of at least KW_P99_OPERATIONS: a percentile of fewer would
 * stop a run for one unlucky operation. */
enum {
    KW_P99_OPERATIONS = 100,
    KW_HUNG_TIMES = 10,
    KW_HUNG_LEAST_S = 1, /* a busy machine holds a process back for much of a second */
};
struct kw_p99_watch {
    int64_t limit_ns; /* 0: never stops */
    struct kw_operations before;
};
/* true when the run must stop: more than 1 % of a window's operations were slow, or one
 * has not come back for KW_HUNG_TIMES the limit and KW_HUNG_LEAST_S.  The note says
 * which. */
bool kw_p99_over(struct kw_p99_watch *w, const struct kw_operations *now,
                 struct kw_note *note);

/* ---- child.c, worker.c: one process, from inside ----------------------------------------
 *
 * It says with one byte on its channel that it is ready, and is told with one to go on; the
 * end of the file tells it to put away what it has, and its own end that it has. */

enum { KW_CHILD_DONE = 42 }; /* its exit status: no module ends a process so */

/* What a child has from the fork. */
struct kw_token_task {
    const struct kw_token_plan *plan;
    const struct kw_key_guard *guard;
    struct kw_shared *shared;
    uint64_t process; /* a worker's number */
    int fd;           /* its end of the channel */
};
typedef void kw_token_child_main(const struct kw_token_task *task);

/* The owner logs in first, looks at the token, makes the key, and destroys it when it is
 * told to go or the parent has died, whatever becomes of those that measure. */
_Noreturn void kw_token_owner_main(const struct kw_token_task *task);
/* worker.c: as keyward's workers are, one module, one login, and a few threads. */
_Noreturn void kw_token_worker_main(const struct kw_token_task *task);
/* Says that it is ready; waits to be told to go on.  false: to go. */
void kw_token_child_ready(const struct kw_token_task *task);
bool kw_token_child_told(const struct kw_token_task *task);
/* Stops all; the first failure of all is kept. */
void kw_failure_set(struct kw_failure *f, struct kw_shared *s, kw_err e,
                    const struct kw_note *note);

/* ---- token_run.c -----------------------------------------------------------------------
 *
 * This process, which has one thread, never loads the module to measure: it forks an owner,
 * and for each point its workers, one after the other, as each login may write the token's
 * files.  A worker is never killed before its login is over.  It blocks for as long as it
 * measures; after Ctrl-C 30 s at most in a login and 10 s at most in an operation. */

/* Measures all points of the plan.  On failure the result, which is {0} before, has what was
 * measured until then.
 * DENIED    the token is no SoftHSM, or a label is a keyring's
 * DEADLINE  --stop-p99
 * anything else as the token module says it */
KW_MUST_USE kw_err kw_token_run(const struct kw_token_plan *plan,
                                const struct kw_key_guard *guard,
                                struct kw_token_result *ret_result);

/* ---- leftovers.c, in this process: throw-away keys that a crash left on the token ------ */

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

/* Lists them, then destroys them unless plan->dry_run: keys whose label begins with
 * KW_THROWAWAY_BEGIN, those of a measurement that runs now too, but none of the keyring.
 * `listed` is called before.  On failure the list says how far it came.
 * DENIED  the token is no SoftHSM and the operator did not say --yes (listing alone is
 *         allowed); anything else as the token module says it */
KW_MUST_USE kw_err kw_leftovers_run(const struct kw_token_plan *plan,
                                    const struct kw_key_guard *guard,
                                    void (*listed)(const struct kw_leftovers *l),
                                    struct kw_leftovers *ret_leftovers,
                                    struct kw_note *note);

/* ---- document.c: what was measured, would be (--dry-run), was left behind (--clean) ----
 *
 * NULL: out of memory. */

json_t *kw_token_document(const struct kw_token_plan *p, const struct kw_key_guard *g,
                          const struct kw_token_result *r);
json_t *kw_token_plan_document(const struct kw_token_plan *p,
                               const struct kw_key_guard *g);
json_t *kw_leftovers_document(const struct kw_token_plan *p, const struct kw_leftovers *l,
                              const char *fault);

#endif
