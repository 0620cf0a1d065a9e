/* SPDX-License-Identifier: Apache-2.0 */
/* shared - the page that all processes of one measurement have in common
 *
 * One shared mapping, made before the first fork.  Who writes what:
 *   the parent   everything, while no worker runs; `stop` at any time
 *   the owner    `owner`, `facts`, `label`, before it says that it is ready or done
 *   a worker     its process slot, and each of its threads one thread slot
 * The parent reads them when their writer has said on its channel that it is ready, done
 * or gone; only `done`, `slow` and `since_ns` are read while they change.
 */
#ifndef KEYWARD_BENCH_TOKEN_SHARED_H
#define KEYWARD_BENCH_TOKEN_SHARED_H

#include <stdatomic.h>

#include <keyward/token.h>

#include "key_guard.h"
#include "histogram.h"
#include "plan.h"

struct kw_thread_slot {
    atomic_uint_fast64_t done, slow;
    atomic_int_fast64_t since_ns; /* when the operation under way began; 0: none */
    uint64_t wrong;
    int64_t end_ns; /* of its last operation that was measured */
    kw_err error;
    struct kw_note note;
    struct kw_histogram latency;
};

struct kw_process_cpu {
    uint64_t cpu_ns, switches;
};

struct kw_process_slot {
    kw_err error; /* of setting up, or of putting away */
    struct kw_note note;
    /* Of the whole process.  Whichever thread comes first to the measured time looks. */
    atomic_bool begun;
    struct kw_process_cpu before, used;
    bool counted; /* `used` is known: the process came to its end */
};

struct kw_shared {
    atomic_bool stop; /* every thread ends after its present operation  */
    uint64_t point;   /* of the curve: no two points may use one IV     */
    uint64_t processes, threads;
    int64_t start_ns, from_ns, until_ns; /* ramp and warm-up, then what is measured */
    char label[KW_KEY_ID_MAX + 1];       /* of the throw-away key on the token      */
    struct kw_token_facts facts;
    struct kw_process_slot owner, process[KW_PROCESSES_MAX];
    struct kw_thread_slot thread[]; /* process * threads + thread */
};

#endif
