/* SPDX-License-Identifier: Apache-2.0 */
/* token_child - the processes of a measurement from inside, and the threads of a worker
 *
 * A child says with one byte on its channel that it is ready, and is told with one to go on;
 * the end of the file tells it to put away what it has, and its own end that it has.
 *
 * Threads:   one, and there must be no other when it forks, but for what threads are for.
 */
#ifndef KEYWARD_BENCH_TOKEN_CHILD_H
#define KEYWARD_BENCH_TOKEN_CHILD_H

#include "pace.h"
#include "token_bench.h"

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

/* child.c.  The owner logs in first, looks at the token, makes the key, and destroys it when
 * it is told to go or the parent has died.  Apart from those that measure, so that the key
 * goes whatever becomes of them. */
_Noreturn void kw_token_owner_main(const struct kw_token_task *task);
/* A process as keyward's workers are: one module, one login, and a few threads. */
_Noreturn void kw_token_worker_main(const struct kw_token_task *task);
/* Stops all; the first failure of all is kept. */
void kw_failure_set(struct kw_failure *f, struct kw_shared *s, kw_err e,
                    const struct kw_note *note);

/* ---- thread.c: one that keeps its sessions busy, one operation at a time --------------
 *
 * open and close belong to the process's main thread; run is the thread's own.  They block
 * for as long as the module likes; run until it is over or told to stop. */

struct kw_bench_thread {
    const struct kw_token_task *task;
    struct kw_thread_slot *slot;
    uint64_t number, of; /* among all of all processes */
    struct kw_pace pace;
    size_t sessions;
    struct kw_token **token; /* one session each; [0] may be the process's own */
    struct kw_token_key **key;
    bool first_is_lent;
    struct kw_texts *texts; /* NULL when nothing is sealed */
    char label[KW_KEY_ID_MAX + 1];
    uint64_t ivs;
    uint8_t drawn[32]; /* the random bytes before */
    bool measured;     /* the warm-up is over */
    uint64_t quota;    /* of --calls; operations still to be measured */
    struct kw_note note;
};

/* Opens thread `i` of the process: its sessions beside `token` (which is the first one of
 * thread 0), the key `label` ("" for none) in each, and the texts.  On failure what was
 * opened is closed by kw_thread_close. */
KW_MUST_USE kw_err kw_thread_open(struct kw_bench_thread *t,
                                  const struct kw_token_task *task, uint64_t i,
                                  struct kw_token *token, const char *label,
                                  struct kw_note *note);
void kw_thread_close(struct kw_bench_thread *t); /* {0} does nothing */
/* From shared->start_ns to until_ns, or stop, or the first error, which stops all. */
void kw_thread_run(struct kw_bench_thread *t);
/* What this process has used so far. */
struct kw_process_cpu kw_process_cpu_now(void);

#endif
