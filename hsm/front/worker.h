/* SPDX-License-Identifier: Apache-2.0 */
/* worker - one worker process as the front sees it
 *
 * Main thread only, but for what is marked (front_internal.h). */
#ifndef KEYWARD_FRONT_WORKER_H
#define KEYWARD_FRONT_WORKER_H

#include <sys/types.h>

#include <keyward/keyring.h>
#include <keyward/pin_latch.h>
#include <keyward/wire.h>

#include "channel.h"
#include "life.h"

struct kw_worker_events; /* io.c */

struct kw_worker_process_end {
    pid_t pid;
    int pidfd, output;
    struct kw_page *page;
    struct kw_worker_events *events;
    uint64_t ready_bytes; /* resident when it was ready, 0 = not seen yet */
    size_t line_len;
    char line[256]; /* of its output */
};

/* What it said before it was ready. */
struct kw_worker_start {
    int64_t at_ns;
    bool facts_told, was_ready;
    bool failed_told, accounted; /* it could not become ready, and that was counted */
    bool vain, killed; /* it was ready, and its end came before it had answered anything
                          well; it was we who ended it                               */
    struct kw_wire_failed failed;
    size_t verdict_count;
    struct kw_wire_verdict verdicts[KW_VERSIONS_MAX];
};

/* How far it is with its one login. */
enum kw_login {
    KW_LOGIN_NONE = 0,
    KW_LOGIN_ASKED, /* no answer yet                            */
    KW_LOGIN_DENIED,
    KW_LOGIN_GOING, /* it may be in C_Login at any time now     */
    KW_LOGIN_ENDED, /* known, and remembered                    */
};
struct kw_worker_login {
    enum kw_login state;
    struct kw_pin_facts pin;   /* ASKED and later                    */
    struct kw_pin_owner owner; /* GOING and later: whose login it is */
    int64_t asked_ns;
};

/* What its canaries said.  Of the generation's version i: the last one passed; wire id of
 * the newest one, 0 = none. */
struct kw_worker_proofs {
    uint64_t started_id; /* stands for its own checks: no smaller wire id is newer */
    uint64_t proven_id;  /* newest canary that it passed, 0 = none                 */
    bool opens[KW_VERSIONS_MAX];
    uint64_t asked[KW_VERSIONS_MAX];
};

/* How many jobs it gets, and whether it does any good. */
struct kw_worker_pace {
    size_t sessions;       /* it has got so many; 1 before it is ready              */
    size_t overdue;        /* of them, as last seen                                 */
    bool stalled;          /* one became so, and no answer came since               */
    bool refuses;          /* it reads no jobs any more: any sender finds out       */
    bool outdated;         /* it misses a key that a younger one has: it has to leave */
    bool alone;            /* the one job that it has suffers no other beside       */
    bool well;             /* it has answered something well since READY            */
    bool down;             /* its last answer was that it can do no more            */
    unsigned busy;         /* so often in a row its token had too much to do        */
    int64_t op_ns;         /* its last operation took so long                       */
    int64_t rest_until_ns; /* of client jobs; 0: it takes them                */
};

/* What the clock has seen of it. */
struct kw_worker_watch {
    int64_t since_ns;         /* when its life changed last    */
    enum kw_page_phase phase; /* last seen                     */
    int64_t phase_since_ns;
    uint64_t motion, stuck_motion; /* what sessions are at, and have done: as last seen,
                                      and as it was when the worker became stuck */
    int64_t moved_ns;              /* when that changed, or nothing was to be done */
};

struct kw_worker {
    struct kw_front *front;
    struct kw_front_token *token;
    uint64_t number;     /* never used twice */
    uint64_t generation; /* its number, ring and active version */
    struct kw_keyring *ring;
    uint32_t active_n;
    struct kw_life life KW_UNDER_BIG_LOCK;
    struct kw_channel channel KW_UNDER_BIG_LOCK;
    bool sending KW_UNDER_BIG_LOCK;    /* some thread is in kw_channel_send  */
    bool distrusted KW_UNDER_BIG_LOCK; /* it answered what proved false      */
    bool recycled;                     /* it leaves when its successor is ready */
    uint64_t served;
    struct kw_worker_proofs proofs KW_UNDER_BIG_LOCK;
    struct kw_worker_pace pace KW_UNDER_BIG_LOCK;
    struct kw_worker_process_end process;
    struct kw_worker_start start;
    struct kw_worker_login login;
    struct kw_worker_watch watch;
};

/* Main alone writes these, under the lock: it may read them without. */
static inline enum kw_worker_channel kw_worker_state_by_main(const struct kw_worker *w)
    KW_NO_THREAD_SAFETY
{
    return w->life.channel;
}
static inline const char *kw_worker_name_by_main(const struct kw_worker *w)
    KW_NO_THREAD_SAFETY
{
    return kw_life_name(&w->life);
}
static inline bool kw_worker_ended_by_main(const struct kw_worker *w) KW_NO_THREAD_SAFETY
{
    return w->life.channel >= KW_WORKER_ENDED;
}
static inline enum kw_worker_process kw_worker_process_by_main(const struct kw_worker *w)
    KW_NO_THREAD_SAFETY
{
    return w->life.process;
}
static inline bool kw_worker_distrusted_by_main(const struct kw_worker *w)
    KW_NO_THREAD_SAFETY
{
    return w->distrusted;
}
static inline bool kw_worker_outdated_by_main(const struct kw_worker *w)
    KW_NO_THREAD_SAFETY
{
    return w->pace.outdated;
}
static inline size_t kw_worker_sessions_by_main(const struct kw_worker *w)
    KW_NO_THREAD_SAFETY
{
    return w->pace.sessions;
}
/* -1 once the channel is closed. */
static inline int kw_worker_socket_by_main(const struct kw_worker *w) KW_NO_THREAD_SAFETY
{
    return w->channel.fd;
}

#endif
