/* SPDX-License-Identifier: Apache-2.0 */
/* thread - one thread that keeps its sessions busy, one operation at a time
 *
 * Threads:   open and close belong to the process's main thread; run is the thread's own.
 * Blocking:  for as long as the module likes; run until it is over or told to stop.
 */
#ifndef KEYWARD_BENCH_TOKEN_THREAD_H
#define KEYWARD_BENCH_TOKEN_THREAD_H

#include "token_child.h"
#include "pace.h"

enum {
    KW_TEXTS = 256,       /* distinct texts of a thread                        */
    KW_TEXTS_SPARING = 16 /* with --max-rate: making them is load too          */
};

struct kw_bench_thread {
    const struct kw_child_task *task;
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
