/* SPDX-License-Identifier: Apache-2.0 */
/* front_internal - what the files of hsm/front share
 *
 *   door.c         the table of calls that the upper layer sees
 *   queue.c        jobs
 *   channel.c      one worker's socket: jobs into it      receive.c  messages out of it
 *   pump.c         which job goes to which worker         messages.c what workers send
 *   answer.c       answers, canaries                      logins.c   may a worker log in?
 *   workers.c      start, orders and end of workers
 *   keyring_use.c  a keyring is taken into use
 *   timer.c        what time does
 *   deliver.c      what is handed out and logged after anything happened
 *   io.c           libevent, only here
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

#include "generation.h"
#include "health.h"
#include "channel.h"
#include "front_latch.h"
#include "queue.h"
#include "spawn.h"
#include "supervisor.h"

/* Serving and coming workers, and those that are on their way out. */
#define KW_FRONT_WORKERS_MAX (3u * KW_WORKERS_MAX)

struct kw_worker_events; /* io.c */

/* How far a worker is with its one login. */
enum kw_login {
    KW_LOGIN_NONE = 0,
    KW_LOGIN_ASKED, /* no answer yet                            */
    KW_LOGIN_DENIED,
    KW_LOGIN_GOING, /* it may be in C_Login at any time now     */
    KW_LOGIN_ENDED, /* known, and remembered                    */
};

struct kw_worker {
    struct kw_front *front;
    uint64_t number;     /* never used twice */
    uint64_t generation; /* its number */
    uint64_t started_id; /* stands for its own checks: no smaller wire id is newer */
    uint64_t proven_id KW_UNDER_BIG_LOCK; /* newest canary that it passed, 0 = none */
    /* Of the generation's version i: its last canary passed; wire id of the newest one,
     * 0 = none. */
    bool opens[KW_VERSIONS_MAX] KW_UNDER_BIG_LOCK;
    uint64_t asked[KW_VERSIONS_MAX] KW_UNDER_BIG_LOCK;
    pid_t pid;
    int pidfd, output;
    struct kw_page *page;
    struct kw_worker_events *events;
    enum kw_worker_state state KW_UNDER_BIG_LOCK;
    bool sending KW_UNDER_BIG_LOCK; /* some thread is in kw_channel_send */
    bool ended KW_UNDER_BIG_LOCK;   /* its socket is at its end; closed when !sending */
    bool distrusted KW_UNDER_BIG_LOCK;
    bool closed KW_UNDER_BIG_LOCK; /* the channel is closed */
    struct kw_channel channel KW_UNDER_BIG_LOCK;
    int64_t since_ns, phase_since_ns, started_ns;
    enum kw_page_phase phase;         /* last seen */
    size_t sessions;                  /* it has got so many; 1 before it is ready */
    size_t overdue KW_UNDER_BIG_LOCK; /* of them, as last seen             */
    bool stalled KW_UNDER_BIG_LOCK;   /* one became so, and no answer came since        */
    bool refuses KW_UNDER_BIG_LOCK;  /* it reads no jobs any more: any sender finds out */
    int64_t op_ns KW_UNDER_BIG_LOCK; /* its last operation took so long                */
    unsigned busy KW_UNDER_BIG_LOCK; /* so often in a row its token had too much to do */
    int64_t rest_until_ns KW_UNDER_BIG_LOCK; /* of client jobs; 0: it takes them        */
    bool alone KW_UNDER_BIG_LOCK; /* the one job that it has suffers no other beside */
    bool well KW_UNDER_BIG_LOCK;  /* it has answered something well since READY     */
    bool down KW_UNDER_BIG_LOCK;  /* its last answer was that it can do no more     */
    uint64_t served;
    uint64_t motion, stuck_motion; /* what sessions are at, and have done: as last seen,
                                      and as it was when the worker became stuck */
    int64_t moved_ns;              /* when that changed, or nothing was to be done */
    bool facts_told, was_ready, gone, failed_told, accounted;
    struct kw_wire_failed failed;
    enum kw_login login;
    struct kw_pin_facts pin;   /* ASKED and later                              */
    struct kw_pin_owner owner; /* GOING and later: whose login it is           */
    int64_t asked_ns;
    size_t verdict_count;
    struct kw_wire_verdict verdicts[KW_VERSIONS_MAX];
    size_t line_len;
    char line[256]; /* of its output */
};

/* What a test replaces. */
struct kw_seams {
    kw_err (*spawn)(const char *path, const char *label, char *const *envp,
                    const struct kw_brief *brief, struct kw_spawned *ret);
    void (*kill)(pid_t pid);
    int (*reap)(pid_t pid); /* wait status */
    bool (*owner)(pid_t pid, struct kw_pin_owner *ret);
};

struct kw_io; /* io.c */

struct kw_front {
    struct kw_front_options o;
    struct kw_front_token token;
    char **envp;
    char *env_text;
    char pin[KW_PATH_MAX + 8]; /* "file:/path", resolved */
    struct kw_lock *lock;
    const struct kw_clock *clock;
    struct kw_seams seams;
    struct kw_io *io;
    struct kw_latch latch;
    struct kw_receiver receiver;

    struct kw_queue queue KW_UNDER_BIG_LOCK;
    struct kw_health health KW_UNDER_BIG_LOCK;
    struct kw_generation *serving KW_UNDER_BIG_LOCK; /* NULL before the first use */
    struct kw_generation *coming KW_UNDER_BIG_LOCK;
    struct kw_worker *workers[KW_FRONT_WORKERS_MAX] KW_UNDER_BIG_LOCK;
    uint64_t key_epoch KW_UNDER_BIG_LOCK; /* hsm.h */
    uint64_t news KW_UNDER_BIG_LOCK;  /* grows with every change of keyring or verdict */
    bool want_look KW_UNDER_BIG_LOCK; /* a key_id of a higher N was named */
    bool found_changed KW_UNDER_BIG_LOCK; /* what stands against a version changed */
    bool tick_idle KW_UNDER_BIG_LOCK;     /* the next tick is far away */
    uint64_t late_answers KW_UNDER_BIG_LOCK;

    struct kw_wire_facts facts; /* of the last worker that told them */
    bool facts_known;
    uint64_t generations, numbers, last_started;
    uint64_t delivering; /* number of the worker whose answer is being handed over */
    int64_t looked_ns, worked_ns;
    uint64_t worked_total, started, died, killed;
    bool looked, stopping;
    bool armed_far; /* tick_idle as it was when the tick was armed */
    enum kw_hsm_state told_state;
    uint64_t told_news;
    bool told_latch;
    struct kw_front_worker_status worker_rows[KW_FRONT_WORKERS_MAX];
    struct kw_front_version_status version_rows[KW_VERSIONS_MAX];
    char version_keys[KW_VERSIONS_MAX][KW_KEY_ID_MAX + 1];
    char version_reasons[KW_VERSIONS_MAX][KW_NOTE_MAX];
    char version_found[KW_VERSIONS_MAX][64];
    char version_origins[KW_VERSIONS_MAX][sizeof((struct kw_version *)0)->origin];
};

static inline int64_t kw_front_now(const struct kw_front *f)
{
    return kw_mono_ns(f->clock);
}

/* Ages run on the clock that goes on while the machine sleeps: the health record, what a
 * canary said, the quarantine.  Deadlines, patience and rhythms do not. */
static inline int64_t kw_front_boot(const struct kw_front *f)
{
    return kw_boot_ns(f->clock);
}

/* Main alone writes these, and under the lock: so main, and nobody else, may read them
 * without it. */
static inline struct kw_worker *kw_front_worker_by_main(const struct kw_front *f,
                                                        size_t i) KW_NO_THREAD_SAFETY
{
    return f->workers[i];
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
static inline enum kw_worker_state kw_worker_state_by_main(const struct kw_worker *w)
    KW_NO_THREAD_SAFETY
{
    return w->state;
}
static inline bool kw_worker_ended_by_main(const struct kw_worker *w) KW_NO_THREAD_SAFETY
{
    return w->ended;
}
static inline bool kw_worker_distrusted_by_main(const struct kw_worker *w)
    KW_NO_THREAD_SAFETY
{
    return w->distrusted;
}
/* -1 once the channel is closed. */
static inline int kw_worker_socket_by_main(const struct kw_worker *w) KW_NO_THREAD_SAFETY
{
    return w->channel.fd;
}

/* door.c */
extern const struct kw_hsm_ops kw_front_ops;

/* pump.c: jobs into sockets, any thread.  `limit` of client jobs per worker. */
void kw_pump(struct kw_front *f, size_t limit) KW_FREE;
/* Sends the canaries that are due; main thread. */
void kw_pump_canaries(struct kw_front *f) KW_FREE;

/* answer.c: main thread.  false: the worker broke the protocol. */
bool kw_answer(struct kw_worker *w, kw_span message) KW_LOCKED;
/* From one canary of a version to the next. */
int64_t kw_front_probe_pause(const struct kw_front *f) KW_LOCKED;
/* A worker said something of this version of the serving generation: the answer to a
 * canary, its own checks, a proof in the middle of a job. */
void kw_front_judge(struct kw_worker *w, struct kw_gen_version *v,
                    struct kw_gen_result *result) KW_LOCKED;
/* From one close look at this version to the next. */
int64_t kw_front_look_pause(const struct kw_front *f, const struct kw_generation *g,
                            const struct kw_gen_version *v);

/* From here on all is main's, but for kw_io_wake. */

/* messages.c: everything that waits in the worker's socket. */
void kw_worker_read(struct kw_worker *w) KW_FREE;

/* workers.c */
void kw_front_worker_start(struct kw_front *f, struct kw_generation *g) KW_FREE;
void kw_front_worker_kill(struct kw_worker *w) KW_FREE;
void kw_front_worker_drain(struct kw_worker *w) KW_FREE;
void kw_front_worker_stuck(struct kw_worker *w) KW_FREE;
/* A session is at this job, by the worker's page. */
bool kw_front_worker_is_at(const struct kw_worker *w, uint64_t wire_id);
void kw_front_worker_end_of_socket(struct kw_worker *w) KW_FREE;
/* The process has ended; frees w. */
void kw_front_worker_gone(struct kw_worker *w) KW_FREE;
/* false: a sender is still at it. */
bool kw_front_worker_close(struct kw_worker *w) KW_FREE;
void kw_front_recount(struct kw_front *f) KW_LOCKED;

/* logins.c: false: the worker broke the protocol. */
bool kw_login_asked(struct kw_worker *w, kw_span message) KW_FREE;
bool kw_login_told(struct kw_worker *w, kw_span message) KW_FREE;
void kw_login_decide(struct kw_worker *w) KW_FREE; /* an answer that had to wait */
void kw_login_gone(struct kw_worker *w) KW_FREE;   /* the process has ended      */

/* keyring_use.c */
void kw_front_ready(struct kw_worker *w, const struct kw_wire_ready *ready) KW_FREE;
void kw_front_not_ready(struct kw_front *f, struct kw_worker *w) KW_FREE;
/* It was ready, and ended before it answered anything well. */
void kw_front_login_in_vain(struct kw_front *f, struct kw_worker *w) KW_FREE;

/* timer.c */
void kw_front_tick(struct kw_front *f) KW_FREE;
int64_t kw_front_next_tick(struct kw_front *f) KW_FREE; /* in ns from now */
/* One that is wanted and may start. */
void kw_front_start_workers(struct kw_front *f) KW_FREE;

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
