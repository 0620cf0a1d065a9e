/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this module share: its state, the steps and how they are run. */
#ifndef KEYWARD_KMS_INTERNAL_H
#define KEYWARD_KMS_INTERNAL_H

#include <stdatomic.h>

#include <keyward/cache.h>
#include <keyward/kms.h>

/* What a step says when it is through. */
enum kw_step_result {
    KW_STEP_NEXT,  /* go on with the next step                                        */
    KW_STEP_KNOWN, /* the answer is known: go to the first step that always runs       */
    KW_STEP_WAIT,  /* parked: the step may not touch the request any more             */
    KW_STEP_FAIL,  /* request->err says why; goes on as after KNOWN                     */
    KW_STEP_AGAIN, /* what was admitted holds no more: all from the first step on      */
    KW_STEP_DONE,  /* replied; the request is not ours any more                       */
};
typedef enum kw_step_result kw_step(struct kw_kms *kms, struct kw_request *request);

/* One row of a method's list.  Steps that always run stand last: every request, good or
 * failed, comes through them; the last one ends with DONE. */
struct kw_step_row {
    const char *name; /* for the log */
    kw_step *run;
    bool always;
};
struct kw_steps {
    const char *method; /* for the log: "decrypt" */
    const struct kw_step_row *rows;
};
extern const struct kw_steps kw_status_steps, kw_encrypt_steps, kw_decrypt_steps;

/* Of one version in one class. */
struct kw_version_counts {
    char key_id[KW_KEY_ID_MAX + 1];
    struct kw_version_stats stats; /* but for how long ago it was */
    int64_t refused_boot_ns;       /* the last one                */
};

/* What calls of one method came to.  Written from two threads (rpc, main), without a lock:
 * each is a number by itself. */
struct kw_method_counts {
    atomic_uint_fast64_t outcomes[KW_CODE_COUNT];
    atomic_uint_fast64_t took[KW_LATENCY_BOUNDS + 1], took_ns; /* latency.h */
};

struct kw_class {
    struct kw_class_options options;
    struct kw_cache *cache; /* its functions want the big lock */
    struct kw_budget budget KW_UNDER_BIG_LOCK;
    struct kw_method_counts methods[KW_METHODS];
    atomic_uint_fast64_t joined, unknown_key;
    struct kw_version_counts versions[KW_VERSIONS_MAX] KW_UNDER_BIG_LOCK;
    size_t version_count KW_UNDER_BIG_LOCK;
};

/* One unwrap in the HSM and everybody who waits for it. */
struct kw_flight {
    struct kw_kms *kms;
    struct kw_flight *next; /* in its bucket */
    unsigned class_index;
    struct kw_cache_key key; /* in name: whoever asked first may leave */
    uint8_t name[KW_KEY_ID_MAX + KW_ENVELOPE_MAX];
    struct kw_request *waiters;
    kw_hsm_ticket ticket;
    kw_deadline until; /* of the latest waiter that came before the job ended */
};
enum { KW_FLIGHT_BUCKETS = 256 };

struct kw_kms {
    struct kw_kms_options options;
    struct kw_class *classes;
    struct kw_request *parked KW_UNDER_BIG_LOCK;
    struct kw_flight *flights[KW_FLIGHT_BUCKETS] KW_UNDER_BIG_LOCK;
    size_t recording KW_UNDER_BIG_LOCK; /* requests that wait for the audit log */
    uint64_t key_epoch KW_UNDER_BIG_LOCK, away_epoch KW_UNDER_BIG_LOCK;
    int64_t ticked_boot_ns KW_UNDER_BIG_LOCK;
    uint8_t last_iv[KW_IV_MAX] KW_UNDER_BIG_LOCK;
};

static inline struct kw_class *kw_class_of(struct kw_kms *kms,
                                           const struct kw_request *request)
{
    return &kms->classes[request->class_index];
}

static inline enum kw_step_result kw_step_fail(struct kw_request *request, kw_err err)
{
    request->err = err;
    return KW_STEP_FAIL;
}

/* steps.c: runs steps until one waits or is done. */
void kw_steps_run(struct kw_kms *kms, struct kw_request *request) KW_FREE;
/* Begins (again) with the first step. */
void kw_steps_begin(struct kw_kms *kms, struct kw_request *request) KW_FREE;
/* Goes on behind the step that waited. */
void kw_steps_resume(struct kw_kms *kms, struct kw_request *request) KW_FREE;
/* Goes on at the first step that always runs, with request->err as it stands. */
void kw_steps_finish(struct kw_kms *kms, struct kw_request *request) KW_FREE;
const struct kw_steps *kw_steps_of(const struct kw_request *request);

/* kms.c: what policy says to this request now. */
/* As clients hear it: MISSING is the door's word for a key that is away. */
kw_err kw_door_err(kw_err e);
/* May this class serve seeds of a version whose key is away from memory? */
bool kw_kms_bridges(const struct kw_class *class,
                    const struct kw_hsm_health *health) KW_LOCKED;
struct kw_policy_verdict kw_kms_policy(struct kw_kms *kms, enum kw_method method,
                                       const struct kw_class *class,
                                       struct kw_hsm_health *ret_health) KW_LOCKED;
/* And the audit log. */
struct kw_policy_verdict kw_kms_judge(struct kw_kms *kms, enum kw_method method,
                                      const struct kw_class *class,
                                      struct kw_hsm_health *ret_health) KW_LOCKED;

/* Why a verdict lets nothing through; a HOLD that comes behind the step that waits for it is
 * refused as it would be when the wait is over. */
static inline kw_err kw_verdict_err(const struct kw_policy_verdict *v)
{
    return v->kind == KW_HOLD ? kw_err_at(KW_CODE_STARTING, "policy") : v->err;
}

/* parked.c. */
void kw_park(struct kw_kms *kms, struct kw_request *request) KW_LOCKED;
void kw_unpark(struct kw_request *request) KW_LOCKED;
/* parked.c: lets go on what may or must. */
void kw_parked_sweep(struct kw_kms *kms) KW_FREE;

/* held.c: the step that waits while what the request asks for is not proven yet, and nothing
 * is known to be wrong; to its client's deadline, or for as long as the options say.  on: must
 * it be held on?  end: it goes on, and the HSM has all of its time from now. */
kw_step kw_held_wait;
bool kw_held_on(struct kw_kms *kms, const struct kw_request *request) KW_LOCKED;
void kw_held_end(struct kw_kms *kms, struct kw_request *request);

/* inflight.c: find: the equal unwrap that is under way, or NULL.
 * start: a new one; the request is its first waiter.  leave: a waiter goes; the last
 * one takes the job along. */
struct kw_flight *kw_flight_find(struct kw_kms *kms,
                                 const struct kw_request *request) KW_LOCKED;
void kw_flight_join(struct kw_flight *flight, struct kw_request *request) KW_LOCKED;
kw_err kw_flight_start(struct kw_kms *kms, struct kw_request *request) KW_LOCKED;
void kw_flight_leave(struct kw_kms *kms, struct kw_request *request) KW_LOCKED;
/* Gives what the leader has to those who waited with it, and runs
 * each of them to its end. */
void kw_flight_share(struct kw_kms *kms, struct kw_request *leader) KW_FREE;

/* record.c: record: puts an Encrypt or a Decrypt on record, and waits for the disk; from
 * share on its verdict changes here alone.  settle: is what is on record still to be
 * released? */
kw_step kw_record_put, kw_record_settle;
/* OK, or AUDIT: nothing that has to be on record can be done now. */
kw_err kw_record_health(const struct kw_kms *kms);

/* counts.c: what became of a request: of the class; and beside the version that it was
 * for. */
void kw_counts_outcome(struct kw_kms *kms, const struct kw_request *request);
void kw_counts_add(struct kw_kms *kms, const struct kw_request *request) KW_FREE;
void kw_counts_methods(const struct kw_class *class,
                       struct kw_method_stats ret_stats[KW_METHODS]);

/* outcome.c: the last steps of every method.  tell: the one place that counts and logs what
 * became of a request.  reply: wipes what it still holds and calls done. */
kw_step kw_outcome_tell, kw_outcome_reply;
/* An answer of this token proved false: an alarm, and who gave it is replaced. */
void kw_outcome_alarm(struct kw_kms *kms, const struct kw_request *request,
                      const char *token, const char *what) KW_FREE;

static inline struct kw_cache_key kw_request_key(const struct kw_request *request)
{
    return (struct kw_cache_key){request->key_id, request->ciphertext};
}

#endif
