/* SPDX-License-Identifier: Apache-2.0 */
/* front_internal - what the files of hsm/front share
 *
 *   door.c         the table of calls that the upper layer sees
 *   queue.c        jobs                               quarantine.c  inputs that cost workers
 *   sign.c         a checkpoint of the audit log, behind all of them
 *   route.c        which token a job goes to          breaker.c     a token that failed several
 *   pump.c         which worker it goes to            channel.c     one worker's socket: jobs in
 *   messages.c     what workers send                  receive.c     messages out of it
 *   answer.c       answers, canaries                  logins.c      may a worker log in?
 *   generation.c   a keyring, and what each token found about it
 *   keyring_use.c  a keyring is taken into use        health.c, whole.c  is there an HSM?
 *   front_token.c  one token                          life.c        what may happen to a worker
 *   workers.c      start, orders and end of workers   recycle.c     those that are replaced
 *   timer.c        what time does                     supervisor.c  what it means for a worker
 *   deliver.c      what is handed out and logged after anything happened
 *   io.c           libevent, only here
 *
 * One token's state (workers, logins, health, verdicts) is in struct kw_front_token and
 * struct kw_gen_token, what is of all (queue, keyring, quarantine) in struct kw_front.
 *
 * Threads: main, and whoever comes through the door (rpc).  What both touch is marked
 * KW_UNDER_BIG_LOCK: it is written under the big lock, and read under it by everybody but
 * main, which may read without it what nobody else writes, by the accessors `..._by_main`
 * and by nothing else.  A worker's channel has one more rule: whoever set `sending` has
 * descriptor, messages and their number for itself until it takes `sending` back, and
 * sends without the lock.  Every other field is main's alone, or does not change while
 * another thread can see it (what its maker filled in). */
#ifndef KEYWARD_FRONT_INTERNAL_H
#define KEYWARD_FRONT_INTERNAL_H

#include <keyward/front.h>

#include "channel.h"
#include "numbers.h"
#include "queue.h"
#include "route.h"
#include "sign.h"
#include "spawn.h"
#include "supervisor.h"
#include "front_token.h"
#include "whole.h"
#include "worker.h"

#define KW_FRONT_WORKERS_MAX (KW_TOKENS_MAX * KW_FRONT_TOKEN_WORKERS)

/* What a test replaces. */
struct kw_seams {
    kw_err (*spawn)(const char *path, const char *label, char *const *envp,
                    const struct kw_brief *brief, struct kw_spawned *ret);
    void (*kill)(pid_t pid);
    int (*reap)(pid_t pid); /* wait status */
    bool (*owner)(pid_t pid, struct kw_pin_owner *ret);
    bool (*bytes)(pid_t pid, uint64_t *ret); /* resident; false: not to be seen */
};

struct kw_io; /* io.c */

/* What the upper layer is told of, and what it is told again. */
struct kw_front_changes {
    uint64_t key_epoch, away_epoch; /* hsm.h                                           */
    uint64_t news;                  /* grows with every change of keyring or verdict   */
    bool found;                     /* what stands against a version changed           */
};
struct kw_front_told {
    enum kw_hsm_state state;
    uint64_t news;
    bool untold; /* the log has not all verdicts and findings yet */
};

/* A look at the keyring file, for a key_id of a higher N that was named. */
struct kw_front_look {
    bool wanted KW_UNDER_BIG_LOCK;
    bool had; /* one, at: */
    int64_t at_ns;
};

struct kw_front_tick {
    bool idle KW_UNDER_BIG_LOCK; /* the next one is far away       */
    bool armed_far;              /* the same when it was armed     */
    int64_t worked_ns;           /* when jobs came last            */
    uint64_t worked_total;       /* so many had come then          */
};

/* Counted from 1. */
struct kw_front_numbers {
    uint64_t generations, workers;
    uint64_t late_answers KW_UNDER_BIG_LOCK;
    uint64_t asked[KW_CHECKPOINT_COUNTS] KW_UNDER_BIG_LOCK; /* of workers; others below */
    uint64_t logins, self_tests;                            /* told as good: by READY */
    uint64_t delivering; /* of the worker whose answer is being handed over */
};

struct kw_front {
    struct kw_front_options o;
    struct kw_lock *lock;
    struct kw_seams seams;
    struct kw_io *io;
    struct kw_receiver receiver;
    size_t token_count;
    struct kw_front_token tokens[KW_TOKENS_MAX];
    struct kw_queue queue KW_UNDER_BIG_LOCK;
    struct kw_front_sign sign KW_UNDER_BIG_LOCK;
    struct kw_whole whole KW_UNDER_BIG_LOCK;         /* health of all tokens together */
    struct kw_generation *serving KW_UNDER_BIG_LOCK; /* NULL before the first use */
    struct kw_generation *coming KW_UNDER_BIG_LOCK;
    struct kw_front_changes changes KW_UNDER_BIG_LOCK;
    struct kw_front_told told;
    struct kw_front_look look;
    struct kw_front_tick tick;
    struct kw_front_numbers numbers;
    struct kw_status_rows *rows; /* status.c */
    bool stopping;
};

static inline int64_t kw_front_now(const struct kw_front *f)
{
    return kw_mono_ns(f->o.clock);
}

/* Ages run on the clock that goes on while the machine sleeps: the health record, what a
 * canary said, the quarantine.  Deadlines, patience and rhythms do not. */
static inline int64_t kw_front_boot(const struct kw_front *f)
{
    return kw_boot_ns(f->o.clock);
}

/* Main alone writes these, and under the lock: so main, and nobody else, may read them
 * without it. */
/* i < KW_FRONT_WORKERS_MAX: of all tokens, the first one's first. */
static inline struct kw_worker *kw_front_worker_by_main(const struct kw_front *f,
                                                        size_t i)
{
    return kw_front_token_worker_by_main(&f->tokens[i / KW_FRONT_TOKEN_WORKERS],
                                         i % KW_FRONT_TOKEN_WORKERS);
}
/* The same under the lock. */
static inline struct kw_worker *kw_front_worker(const struct kw_front *f,
                                                size_t i) KW_LOCKED
{
    return f->tokens[i / KW_FRONT_TOKEN_WORKERS].workers[i % KW_FRONT_TOKEN_WORKERS];
}
static inline struct kw_generation *kw_front_serving_by_main(const struct kw_front *f)
    KW_NO_THREAD_SAFETY
{
    return f->serving;
}
static inline struct kw_generation *kw_front_coming_by_main(const struct kw_front *f)
    KW_NO_THREAD_SAFETY
{
    return f->coming;
}
/* door.c */
extern const struct kw_hsm_ops kw_front_ops;

/* front_token.c: what time has done to their health, and what they make together. */
void kw_front_weigh(struct kw_front *f) KW_LOCKED;

/* pump.c: jobs into sockets, any thread.  `limit` of client jobs per worker. */
void kw_pump(struct kw_front *f, size_t limit) KW_FREE;
/* Sends the checkpoint that waits, if nothing else does; main thread. */
void kw_pump_sign(struct kw_front *f) KW_FREE;
/* Sends the canaries that are due; main thread. */
void kw_pump_canaries(struct kw_front *f) KW_FREE;
/* The worker has it: it is counted, the first time. */
void kw_pump_count(struct kw_worker *w, const struct kw_channel_entry *e) KW_LOCKED;

/* answer.c: main thread.  false: the worker broke the protocol. */
bool kw_answer(struct kw_worker *w, kw_span message) KW_LOCKED;
/* From one canary of a version to the next, as slow and as doubted as the token is. */
int64_t kw_front_token_probe_pause(const struct kw_front_token *t) KW_LOCKED;
/* The same of one version. */
int64_t kw_front_rhythm(const struct kw_front_token *t,
                        const struct kw_gen_version *v) KW_LOCKED;
/* A worker said something of this version of the serving generation: the answer to a
 * canary, its own checks, a proof in the middle of a job.  Jobs that wait for a canary are
 * decided when it was good, or get theirs. */
void kw_front_judge(struct kw_worker *w, struct kw_gen_version *v,
                    struct kw_gen_result *result) KW_LOCKED;
/* From one close look at this version to the next. */
int64_t kw_front_look_pause(const struct kw_front *f, const struct kw_generation *g,
                            const struct kw_gen_version *v);

/* status.c: what the rows of the status lie in.  NO_MEMORY */
KW_MUST_USE kw_err kw_status_rows_new(struct kw_front *f);
void kw_status_rows_free(struct kw_front *f);

/* From here on all is main's, but for kw_io_wake. */

/* messages.c: everything that waits in the worker's socket. */
void kw_worker_read(struct kw_worker *w) KW_FREE;

/* workers.c */
void kw_front_worker_start(struct kw_front_token *t, struct kw_generation *g) KW_FREE;
void kw_front_worker_kill(struct kw_worker *w) KW_FREE;
void kw_front_worker_drain(struct kw_worker *w) KW_FREE;
void kw_front_worker_stuck(struct kw_worker *w) KW_FREE;
/* A session is at this job, by the worker's page. */
bool kw_front_worker_is_at(const struct kw_worker *w, uint64_t wire_id);
void kw_front_worker_end_of_socket(struct kw_worker *w) KW_FREE;
/* The process has ended; frees w. */
void kw_front_worker_gone(struct kw_worker *w) KW_FREE;
/* Frees w, reaped or not. */
void kw_front_worker_forget(struct kw_worker *w) KW_FREE;
/* false: a sender is still at it. */
bool kw_front_worker_close(struct kw_worker *w) KW_FREE;

/* logins.c: false: the worker broke the protocol. */
bool kw_login_asked(struct kw_worker *w, kw_span message) KW_FREE;
bool kw_login_told(struct kw_worker *w, kw_span message) KW_FREE;
void kw_login_decide(struct kw_worker *w) KW_FREE; /* an answer that had to wait */
void kw_login_gone(struct kw_worker *w) KW_FREE;   /* the process has ended      */

/* keyring_use.c */
void kw_front_ready(struct kw_worker *w, const struct kw_wire_ready *ready) KW_FREE;
void kw_front_not_ready(struct kw_worker *w) KW_FREE;
/* It was ready, and ended before it answered anything well. */
void kw_front_login_in_vain(struct kw_worker *w) KW_FREE;

/* timer.c */
void kw_front_tick(struct kw_front *f) KW_FREE;
int64_t kw_front_next_tick(struct kw_front *f) KW_FREE; /* in ns from now */
/* One that is wanted and may start. */
void kw_front_start_workers(struct kw_front *f) KW_FREE;

/* recycle.c: main's tick.  One whose library leaks is replaced. */
void kw_front_recycle(struct kw_front_token *t, int64_t now) KW_FREE;
/* The worker says that this key is not there.  true: a younger one opens what is under it, so
 * that this word does not count and the worker is to leave; as many at once as the token has
 * workers, then one in 30 s, since each costs a login. */
bool kw_front_is_outdated(struct kw_worker *w, struct kw_gen_version *v) KW_LOCKED;
/* Ends it, if that was found. */
void kw_front_recycle_outdated(struct kw_worker *w) KW_FREE;
bool kw_process_bytes(pid_t pid, uint64_t *ret_bytes);

/* deliver.c: after anything happened. */
void kw_front_settle(struct kw_front *f) KW_FREE;

/* io.c */
kw_err kw_io_new(struct kw_front *f);
void kw_io_free(struct kw_front *f);
void kw_io_wake(struct kw_front *f) KW_FREE; /* any thread */
void kw_io_arm(struct kw_front *f) KW_FREE;
kw_err kw_io_watch(struct kw_worker *w);
void kw_io_forget_socket(struct kw_worker *w);
void kw_io_forget_process(struct kw_worker *w);
void kw_io_forget(struct kw_worker *w);

/* output.c: lines of the vendor library */
/* false: nothing will come any more. */
bool kw_output_read(struct kw_worker *w);

#endif
