/* SPDX-License-Identifier: Apache-2.0 */
/* hsm - the door between the layer that serves requests and the layer that holds keys
 *
 * A table of few calls.  Behind it stands hsm/front (workers, queue, supervisor, health);
 * in the tests of the upper layer, a fake.
 *
 * There is one mutex, the big lock (struct kw_lock below).  Calls marked LOCKED want it
 * held and only touch memory; calls marked FREE want it not held.  `done` is always
 * called FREE, exactly once per submitted job, on the main thread, and never from inside
 * submit.
 *
 * Time:      deadlines on CLOCK_MONOTONIC.
 * Secrets:   job inputs and answers are copied into the arena and wiped behind the door.
 */
#ifndef KEYWARD_HSM_H
#define KEYWARD_HSM_H

#include <keyward/bytes.h>
#include <keyward/checkpoint.h>
#include <keyward/clock.h>
#include <keyward/envelope.h>
#include <keyward/limits.h>
#include <keyward/mutex.h>
#include <keyward/secret.h>

/* The big lock (mutex.h, kw_big_lock). */
struct kw_lock {
    struct kw_mutex mutex;
};

static inline void kw_lock_take(struct kw_lock *l)
    KW_ACQUIRES(kw_big_lock) KW_NO_THREAD_SAFETY
{
    kw_mutex_lock(&l->mutex);
}
static inline void kw_lock_give(struct kw_lock *l)
    KW_RELEASES(kw_big_lock) KW_NO_THREAD_SAFETY
{
    kw_mutex_unlock(&l->mutex);
}

enum kw_hsm_op {
    KW_HSM_WRAP = 1,   /* input: inner plaintext; output: sealed */
    KW_HSM_UNWRAP = 2, /* input: sealed; output: inner plaintext */
};

struct kw_hsm_answer {
    kw_err err; /* OK, or one of: FORGED, UNSURE (already disambiguated: never
                   seen here), KEY_BAD, HSM_DOWN, HSM_CONFIG, PIN_STOP, BUSY,
                   DEADLINE, QUARANTINED, WRONG_ANSWER,
                   NO_MEMORY, BUG                                           */
    struct kw_secret *output; /* empty unless OK; the callee may move it out, the rest is
                                wiped on return */
    const char *token; /* name of the token that answered, "" when none did        */
    int64_t hsm_ns;    /* time inside the module, 0 when unknown                   */
};
typedef void kw_hsm_done(void *ctx, struct kw_hsm_answer *answer);

struct kw_hsm_job {
    enum kw_hsm_op op;
    const char *key_id; /* a version that kw_hsm_ops.version allowed */
    unsigned share;     /* class index; the queue bounds each share  */
    kw_span iv;
    kw_span aad;
    kw_span input; /* sink: copied into the arena */
    bool verifies; /* an UNWRAP of what was just wrapped: counted as such */
    kw_deadline until;
    kw_hsm_done *done;
    void *ctx;
};
typedef uint64_t kw_hsm_ticket; /* never 0 */

/* A checkpoint of the audit log, and what came of it. */
struct kw_hsm_signature {
    kw_err err;  /* OK, or one of: DEADLINE; DENIED (it covers less than one before);
                     MISSING, KEY_BAD, HSM_CONFIG (the key); HSM_DOWN; WRONG_ANSWER (what
                     came was no signature of it); NO_MEMORY, BUG            */
    kw_span der; /* verified under the key that is pinned; empty unless OK  */
    const char *token; /* name of the token that answered, "" when none did  */
    int64_t hsm_ns;    /* time inside the module, 0 when unknown             */
};
typedef void kw_hsm_signed(void *ctx, const struct kw_hsm_signature *signature);
struct kw_hsm_sign {
    const struct kw_checkpoint *checkpoint; /* copied */
    kw_deadline until;
    kw_hsm_signed *done;
    void *ctx;
};

enum kw_hsm_state {
    KW_HSM_STARTING, /* no worker has been ready yet, nothing has failed          */
    KW_HSM_UP,
    KW_HSM_SUSPECT, /* no proof for one deadline: Status still ok, nothing wiped */
    KW_HSM_LOST,    /* policy decides                                            */
};
const char *kw_hsm_state_name(enum kw_hsm_state s);

struct kw_hsm_health {
    enum kw_hsm_state state;
    int64_t since_boot_ns; /* when this state began, CLOCK_BOOTTIME                   */
    int64_t now_boot_ns;   /* when it was looked at                                   */
    uint64_t losses;       /* how often LOST was entered: told to the operator; what the
                              upper layer does follows from the state              */
    uint64_t key_epoch;    /* grows when a version that could be unwrapped with may be so
                              no more: by its state, its verdict, or as it is gone   */
    uint64_t away_epoch;   /* grows when a proven version's key is not found any more: an
                              outage of that version                                  */
    kw_err why;            /* for SUSPECT, LOST, and STARTING once something failed; a
                              STARTING here: there is no keyring                     */
    uint32_t active_n;     /* effective active version, 0 = none                      */
    char active_key_id[KW_KEY_ID_MAX + 1];
    enum kw_mechanism active_mechanism;
    /* OK when the active version is proven here; MISSING: it was, and its key is not found
     * now; else why not. */
    kw_err active_err;
};

/* Why a version of the keyring is not unwrapped with. */
enum kw_hsm_refusal {
    KW_HSM_NOT_REFUSED,
    KW_HSM_REFUSED_CREATED, /* its state, this and the next two                   */
    KW_HSM_REFUSED_DISABLED,
    KW_HSM_REFUSED_DESTROYED,
    KW_HSM_REFUSED_UNKNOWN, /* it needs a newer keyward                           */
    KW_HSM_REFUSED_KEY_BAD, /* its key will not do here, or is not found          */
    KW_HSM_REFUSALS,
};

struct kw_hsm_version {
    uint32_t n; /* 1..; 0 = none */
    char key_id[KW_KEY_ID_MAX + 1];
    enum kw_mechanism mechanism;
    enum kw_hsm_refusal refusal;
};

struct kw_hsm; /* whoever stands behind the door */

struct kw_hsm_ops {
    /* LOCKED.  Queues a copy of the job; the ticket is good until done was called.
     * BUSY         the queue, or this share of it, is full; done is not called
     * QUARANTINED  this input was in flight at two worker deaths, the second of them of a
     *              worker that was well since the first
     * NO_MEMORY */
    kw_err (*submit)(struct kw_hsm *hsm, const struct kw_hsm_job *job,
                     kw_hsm_ticket *ret_ticket);
    /* LOCKED.  Moves the job's deadline further away; never nearer.  false: it ended
     * already, and only its answer has not been handed over. */
    bool (*extend)(struct kw_hsm *hsm, kw_hsm_ticket ticket, kw_deadline until);
    /* LOCKED.  Nobody waits any more: a job that has not been sent to a worker is
     * dropped, the answer of a sent one will be; done is NOT called for it any more.
     * true when the job was still there (so: ctx is the caller's again). */
    bool (*cancel)(struct kw_hsm *hsm, kw_hsm_ticket ticket);
    /* FREE, any thread.  Hands what was submitted to the workers.  Call it after the
     * mutex was given back. */
    void (*flush)(struct kw_hsm *hsm);
    /* LOCKED.  The health record as it stands now: one older than stale-after reads as
     * LOST.  Its age runs on while the machine sleeps. */
    void (*health)(struct kw_hsm *hsm, struct kw_hsm_health *ret_health);
    /* LOCKED.  May this key_id be used to unwrap?
     * UNKNOWN_KEY (and a rate-limited look at the keyring file is noted for N above the
     * highest known), KEY_DISABLED, KEY_BAD, STARTING (no worker was ready yet; of
     * what none was asked for yet the job finds out); MISSING: it was
     * proven, and its key is not found now.  *ret_version is filled, whatever is said, for
     * a version that is in the keyring; its refusal says more about KEY_DISABLED, KEY_BAD
     * and MISSING. */
    kw_err (*version)(struct kw_hsm *hsm, kw_span key_id,
                      struct kw_hsm_version *ret_version);
    /* LOCKED.  An answer of this token proved false (inner digest, verify): the worker
     * that gave it is replaced, the event is an alarm.  Called from inside `done`, it
     * means the worker whose answer is being handed over, if that is one of this token.
     * Called at any other time, for an answer that no worker gave, and for another
     * token's than the one handed over, nobody knows whose it was: every ready worker of
     * the token is replaced.  A token that is not this door's does nothing.  Main thread
     * only: who is being handed over is its own to know. */
    void (*distrust)(struct kw_hsm *hsm, const char *token);
    /* LOCKED.  An answer of this token proved true: an unwrap with a right inner digest, or
     * (`wrapped`) a wrap that was unwrapped again.  Of the active version it is as good as a
     * canary, but for that only a wrap proves wrapping. */
    void (*worked)(struct kw_hsm *hsm, const char *token, const char *key_id,
                   bool wrapped);
    /* LOCKED.  Has a checkpoint signed inside the token: one at a time, and never before a
     * job: it is sent when none waits and a session is free, so under a load that leaves
     * none free it may come to its deadline.  `done` is called FREE, exactly once, on the
     * main thread, never from inside this; flush comes after this as after submit.
     * BUSY        one is under way, or the end has begun;  BAD_INPUT  a field is out of
     *             bounds;  HSM_CONFIG  no key is named for it */
    kw_err (*sign)(struct kw_hsm *hsm, const struct kw_hsm_sign *sign);
};

/* What a holder of the door keeps. */
struct kw_hsm_door {
    const struct kw_hsm_ops *ops;
    struct kw_hsm *hsm;
};

#endif
