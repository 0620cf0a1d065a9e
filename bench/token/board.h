/* SPDX-License-Identifier: Apache-2.0 */
/* board - what the processes of one measurement see together
 *
 * One shared mapping, made before the first fork.  Who writes what:
 *   the parent   everything, while no worker runs; `stop` at any time
 *   the keeper   `keeper`, `facts`, `label`, before it says that it is ready or done
 *   a worker     its process_slot, and each of its threads one lane_slot
 * The parent reads them when their writer has said on its socket that it is ready, done
 * or gone; only `done`, `slow` and `since_ns` are read while they change.
 */
#ifndef KEYWARD_BENCH_TOKEN_BOARD_H
#define KEYWARD_BENCH_TOKEN_BOARD_H

#include <stdatomic.h>

#include <keyward/token.h>

#include "guard.h"
#include "histogram.h"
#include "options.h"

struct kw_lane_slot {
    atomic_uint_fast64_t done, slow;
    atomic_int_fast64_t since_ns; /* when the operation under way began; 0: none */
    uint64_t wrong;
    int64_t end_ns; /* of its last operation that was measured */
    kw_err error;
    struct kw_note note;
    struct kw_histogram latency;
};

struct kw_used {
    uint64_t cpu_ns, switches;
};

struct kw_process_slot {
    kw_err error; /* of setting up, or of putting away */
    struct kw_note note;
    /* Of the whole process.  Whichever lane comes first to the measured time looks. */
    atomic_bool begun;
    struct kw_used before, used;
    bool counted; /* `used` is known: the process came to its end */
};

struct kw_board {
    atomic_bool stop; /* every lane ends after its present operation */
    uint64_t point;   /* of the curve: no two points may use one IV  */
    uint64_t processes, threads;
    int64_t start_ns, from_ns, until_ns; /* ramp and warm-up, then what is measured */
    char label[KW_KEY_ID_MAX + 1];       /* of the throw-away key on the token      */
    struct kw_token_facts facts;
    struct kw_process_slot keeper, process[KW_PROCESSES_MAX];
    struct kw_lane_slot lane[]; /* process * threads + thread */
};

/* What a child needs to know; it has it from the fork. */
struct kw_errand {
    const struct kw_token_plan *plan;
    const struct kw_guard *guard;
    struct kw_board *board;
    uint64_t process; /* a worker's number */
    int fd;           /* its end of the socket */
};

/* What a child says, one byte, and what it is told.  The end of the file tells a child to
 * put away what it has and to go. */
enum { KW_SAY_READY = 'R', KW_SAY_DONE = 'D', KW_TELL_GO = 'G' };

/* keeper.c: logs in first, looks at the token, makes the key, and destroys it when it is
 * told to go or the parent has died. */
_Noreturn void kw_keeper_main(const struct kw_errand *errand);
/* worker.c: a process as keyward's workers are: one module, one login. */
_Noreturn void kw_worker_main(const struct kw_errand *errand);

/* Opens the arena and the token; login is the caller's. */
KW_MUST_USE kw_err kw_errand_open(const struct kw_errand *errand, bool read_write,
                                  struct kw_token **ret_token, struct kw_note *note);
/* DENIED  the token is no SoftHSM, and the operator did not say --yes */
KW_MUST_USE kw_err kw_errand_check(const struct kw_token_plan *plan,
                                   const struct kw_token_facts *facts,
                                   struct kw_note *note);
/* Draws a label that no key of the keyring has. */
KW_MUST_USE kw_err kw_errand_label(const struct kw_guard *guard,
                                   char ret_label[KW_KEY_ID_MAX + 1],
                                   struct kw_note *note);
void kw_errand_say(const struct kw_errand *errand, char what);
/* Waits to be told.  false: to go. */
bool kw_errand_told(const struct kw_errand *errand);

#endif
