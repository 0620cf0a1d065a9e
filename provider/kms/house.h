/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share: the room's state, the ways and how they are walked.
 */
#ifndef KEYWARD_KMS_HOUSE_H
#define KEYWARD_KMS_HOUSE_H

#include <stdatomic.h>

#include <keyward/cache.h>
#include <keyward/kms.h>

/* What a step says when it is through. */
enum kw_turn {
    KW_TURN_NEXT,   /* go on with the next step                                        */
    KW_TURN_RECORD, /* the answer is known: go to the step named record                */
    KW_TURN_WAIT,   /* parked: the step may not touch the call any more                */
    KW_TURN_FAIL,   /* call->err says why: go to record                                */
    KW_TURN_DONE,   /* replied; the call is not ours any more                          */
};
typedef enum kw_turn kw_step(struct kw_kms *kms, struct kw_call *call);

struct kw_step_row {
    const char *name;
    kw_step *run;
};
struct kw_way {
    const char *name; /* for the log: "decrypt" */
    const struct kw_step_row *steps;
    unsigned record; /* index of the step that every call comes through */
};
extern const struct kw_way kw_way_status, kw_way_encrypt, kw_way_decrypt;

/* Expands a list of steps to their enum, prototypes and table. */
#define KW_STEP_ENUM(name) STEP_##name,
#define KW_STEP_PROTOTYPE(name) static kw_step name;
#define KW_STEP_ROW(name) {#name, name},

struct kw_class {
    struct kw_class_options options;
    struct kw_cache *cache;  /* under the mutex */
    struct kw_budget budget; /* under the mutex */
    atomic_uint_fast64_t calls[3], failed[3], joined;
};

/* One unwrap in the HSM and everybody who waits for it. */
struct kw_flight {
    struct kw_kms *kms;
    struct kw_flight *next; /* in its bucket */
    unsigned class_index;
    struct kw_cache_key key; /* in name: whoever asked first may leave */
    uint8_t name[KW_KEY_ID_MAX + KW_ENVELOPE_MAX];
    struct kw_call *waiters;
    kw_hsm_ticket ticket;
    kw_deadline until; /* of the latest waiter */
};
enum { KW_FLIGHT_BUCKETS = 256 };

struct kw_kms {
    struct kw_kms_options options;
    struct kw_class *classes;
    /* all below: under the mutex */
    struct kw_call *parked;
    struct kw_flight *flights[KW_FLIGHT_BUCKETS];
    uint64_t key_epoch;
    uint8_t last_iv[KW_IV_MAX];
};

static inline struct kw_class *kw_class_of(struct kw_kms *kms, const struct kw_call *call)
{
    return &kms->classes[call->class_index];
}

static inline enum kw_turn kw_turn_fail(struct kw_call *call, kw_err err)
{
    call->err = err;
    return KW_TURN_FAIL;
}

/* way.c: runs steps until one waits or is done; nobody holds the mutex. */
void kw_way_walk(struct kw_kms *kms, struct kw_call *call);
/* Goes on behind the step that waited. */
void kw_way_resume(struct kw_kms *kms, struct kw_call *call);
/* Goes on at record, with call->err as it stands. */
void kw_way_resume_at_record(struct kw_kms *kms, struct kw_call *call);
const struct kw_way *kw_way_of(const struct kw_call *call);

/* kms.c, the mutex is held: what policy says to this call now. */
struct kw_policy_verdict kw_kms_judge(struct kw_kms *kms, enum kw_ask ask,
                                      const struct kw_class *class,
                                      struct kw_hsm_health *ret_health);

/* parked.c, the mutex is held. */
void kw_park(struct kw_kms *kms, struct kw_call *call);
void kw_unpark(struct kw_call *call);
/* parked.c, the mutex is not held: lets go on what may or must. */
void kw_parked_sweep(struct kw_kms *kms);

/* status.c, the mutex is held: must a held Status be held on?  If not, its answer or its
 * error is in the call. */
bool kw_status_held_on(struct kw_kms *kms, struct kw_call *call);

/* inflight.c, the mutex is held.  find: the equal unwrap that is under way, or NULL.
 * start: a new one; the call is its first waiter.  leave: a waiter goes; the last
 * one takes the job along. */
struct kw_flight *kw_flight_find(struct kw_kms *kms, const struct kw_call *call);
void kw_flight_join(struct kw_flight *flight, struct kw_call *call);
kw_err kw_flight_start(struct kw_kms *kms, struct kw_call *call);
void kw_flight_leave(struct kw_kms *kms, struct kw_call *call);
/* The mutex is not held: gives what the leader has to those who waited with it. */
void kw_flight_hand_out(struct kw_kms *kms, struct kw_call *leader);

/* outcome.c: the one place that counts and logs what became of a call. */
void kw_outcome_record(struct kw_kms *kms, const struct kw_call *call);
/* An answer of the token proved false: an alarm, and the worker is replaced. */
void kw_outcome_alarm(struct kw_kms *kms, const struct kw_call *call, const char *what);
/* Wipes what the call still holds and calls done. */
void kw_outcome_reply(struct kw_call *call);

static inline struct kw_cache_key kw_call_key(const struct kw_call *call)
{
    return (struct kw_cache_key){call->key_id, call->ciphertext};
}

#endif
