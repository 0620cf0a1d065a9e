/* SPDX-License-Identifier: Apache-2.0 */
/* token_child - one process of a measurement, seen from its parent and from inside
 *
 * A child says one byte on its channel, READY or DONE, and is told GO; the end of the file
 * tells it to put away what it has and to go.
 *
 * Threads:   one; there must be no other when it forks.
 * Blocking:  as each function says; every wait looks up at Ctrl-C.
 */
#ifndef KEYWARD_BENCH_TOKEN_CHILD_H
#define KEYWARD_BENCH_TOKEN_CHILD_H

#include <sys/types.h>

#include "pace.h"
#include "token_bench.h"

enum { KW_SAY_READY = 'R', KW_SAY_DONE = 'D', KW_TELL_GO = 'G' };
enum {
    KW_LOOK_MS = 100, /* at Ctrl-C, and at --stop-p99 */
    KW_PATIENCE_SETUP_S = 30,
};

/* ---- inside: what a child has from the fork ----------------------------------------- */

struct kw_token_child_task {
    const struct kw_token_plan *plan;
    const struct kw_key_guard *guard;
    struct kw_shared *shared;
    uint64_t process; /* a worker's number */
    int fd;           /* its end of the channel */
};

/* owner.c: logs in first, looks at the token, makes the key, and destroys it when it is
 * told to go or the parent has died. */
_Noreturn void kw_token_owner_main(const struct kw_token_child_task *task);
/* worker.c: a process as keyward's workers are: one module, one login. */
_Noreturn void kw_token_worker_main(const struct kw_token_child_task *task);

/* Opens the arena and the token; login is the caller's. */
KW_MUST_USE kw_err kw_token_child_open(const struct kw_token_plan *plan, bool read_write,
                                       struct kw_token **ret_token, struct kw_note *note);
/* DENIED  the token is no SoftHSM, and the operator did not say --yes */
KW_MUST_USE kw_err kw_token_child_check(const struct kw_token_plan *plan,
                                        const struct kw_token_facts *facts,
                                        struct kw_note *note);
/* Draws a label that no key of the keyring has. */
KW_MUST_USE kw_err kw_token_child_label(const struct kw_key_guard *guard,
                                        char ret_label[KW_KEY_ID_MAX + 1],
                                        struct kw_note *note);
void kw_token_child_say(const struct kw_token_child_task *task, char what);
/* Waits to be told.  false: to go. */
bool kw_token_child_told(const struct kw_token_child_task *task);

/* ---- from outside ------------------------------------------------------------------- */

struct kw_token_child {
    pid_t pid; /* 0: none, or gone */
    int fd;
    const char *name; /* "a measuring process" */
};

typedef void kw_token_child_main(
    const struct kw_token_child_task *task); /* ends the process */

/* Forks a child that runs `run` with the task and its end of a channel.  all[0..count)
 * are those that the child must not keep the ends of. */
KW_MUST_USE kw_err kw_token_child_start(const struct kw_token_child *all, size_t count,
                                        struct kw_token_child *c,
                                        kw_token_child_main *run,
                                        struct kw_token_child_task *task);
/* Waits until the child is ready, or done: then it is reaped and its pid 0.  One that hangs
 * in the module is left to itself: it goes, and the owner destroys its key, when the module
 * lets it.
 * DEADLINE  it says nothing KW_PATIENCE_SETUP_S after it was asked to stop
 * HSM_DOWN  it died without a word */
KW_MUST_USE kw_err kw_token_child_await(struct kw_token_child *c, struct kw_shared *s,
                                        struct kw_note *note);
/* Ctrl-C becomes s->stop; *until_ns becomes the end of patience, once it is set. */
void kw_token_child_look_up(struct kw_shared *s, int64_t *until_ns, int64_t patience_s);
/* Reaps a child that has said DONE or is dead; gives its wait status. */
int kw_token_child_reap(struct kw_token_child *c);
/* The error of a child that died without a word. */
KW_MUST_USE kw_err kw_token_child_died(const struct kw_token_child *c, int status,
                                       struct kw_note *note);

/* ---- thread.c: one that keeps its sessions busy, one operation at a time --------------
 *
 * open and close belong to the process's main thread; run is the thread's own.  They block
 * for as long as the module likes; run until it is over or told to stop. */

enum {
    KW_TEXTS = 256,       /* distinct texts of a thread                        */
    KW_TEXTS_SPARING = 16 /* with --max-rate: making them is load too          */
};

struct kw_bench_thread {
    const struct kw_token_child_task *task;
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
};

/* Opens the thread's sessions beside `token` (which becomes its first one when `lend` is
 * set), finds the key `label` ("" for none) in each and makes the texts.  On failure what
 * was opened is closed by kw_thread_close. */
KW_MUST_USE kw_err kw_thread_open(struct kw_bench_thread *t, struct kw_token *token,
                                  bool lend, const char *label, struct kw_note *note);
void kw_thread_close(struct kw_bench_thread *t);
/* From shared->start_ns to until_ns, or stop, or the first error, which stops all. */
void kw_thread_run(struct kw_bench_thread *t);
/* Waits for its turn under --max-rate; false: all is over. */
bool kw_thread_paced(struct kw_bench_thread *t);
/* What this process has used so far. */
struct kw_process_cpu kw_process_cpu_now(void);

/* operation.c: makes the texts (for wrap and unwrap), does operation n of the thread on its
 * next session and text, and proves that what it wrapped last opens: nothing else looks
 * at that.  What is wrong is counted in the slot. */
KW_MUST_USE kw_err kw_thread_texts(struct kw_bench_thread *t);
KW_MUST_USE kw_err kw_thread_operation(struct kw_bench_thread *t, uint64_t n);
void kw_thread_prove(struct kw_bench_thread *t, uint64_t n);

#endif
