/* SPDX-License-Identifier: Apache-2.0 */
/* kms - the steps of Status, Encrypt and Decrypt
 *
 * rpc fills a struct kw_request and begins it; kms runs its steps
 * (provider/kms/decrypt.c, encrypt.c and status.c open with the lists) and calls `done`
 * exactly once: inside kw_kms_begin when nothing had to be waited for, else later on the
 * main thread. A request has one owner at a time: from begin to done that is kms.
 *
 * Threads:   begin on the rpc thread; cancel on the rpc thread; tick, wipe and the
 *            completions of HSM jobs on the main thread.
 * Blocking:  never.
 * Secrets:   `seed` is the plaintext of Encrypt (in) and of Decrypt (out); it lives in
 *            the arena and is wiped by kms except for a Decrypt that succeeded, whose
 *            `done` takes it.
 */
#ifndef KEYWARD_KMS_H
#define KEYWARD_KMS_H

#include <keyward/audit_door.h>
#include <keyward/bytes.h>
#include <keyward/clock.h>
#include <keyward/hsm.h>
#include <keyward/latency.h>
#include <keyward/limits.h>
#include <keyward/policy.h>
#include <keyward/secret.h>

#define KW_PEER_UNKNOWN UINT32_MAX /* nobody's uid: (uid_t)-1 */
struct kw_peer {
    uint32_t uid, gid; /* KW_PEER_UNKNOWN: so is everything else of it */
    int32_t pid;
    uint64_t pid_start; /* clock ticks since boot, /proc/<pid>/stat field 22 (proc(5));
                           0 = not known: pids are used again, the pair is not          */
};

/* JOINED: somebody else's unwrap of the same. */
enum kw_request_source {
    KW_SOURCE_NONE,
    KW_SOURCE_HSM,
    KW_SOURCE_JOINED,
    KW_SOURCE_CACHE
};

struct kw_request;
typedef void kw_request_done(struct kw_request *request);

/* Private to kms; rpc only provides the memory. */
struct kw_request_work {
    unsigned step;
    bool cache_only; /* policy allows nothing but the cache              */
    bool parked;     /* under the mutex: who clears it owns the request  */
    bool held;       /* parked until what it asks for is proven          */
    bool recording;  /* under the mutex: it waits for the disk           */
    bool gone;       /* under the mutex: its client went away meanwhile  */
    kw_err recorded; /* OK: record `recorded_seq` of the audit log       */
    uint64_t recorded_seq;
    struct kw_request *next,
        **prev;                /* all parked requests                              */
    struct kw_request *follow; /* the next one that waits for the same unwrap      */
    struct kw_kms *kms;        /* for the answer of a job                          */
    struct kw_flight *flight;  /* the unwrap that a Decrypt waits for              */
    kw_hsm_ticket ticket;      /* the job that an Encrypt waits for                */
    kw_deadline until;         /* the request's own deadline                       */
    struct kw_hsm_version version;
    struct kw_envelope env; /* Decrypt: in ciphertext; Encrypt: as it will be written */
    uint8_t iv[KW_IV_MAX];  /* Encrypt: what env.iv points at                        */
    uint8_t aad[KW_AAD_MAX];
    size_t aad_len;
    struct kw_secret inner;   /* seed and digest: to be wrapped, or unwrapped */
    struct kw_secret wrapped; /* Encrypt: what the HSM made of it             */
    const char *wrapped_by;   /* and which token                              */
    int64_t admitted_boot_ns; /* when health was looked at: ages count to here */
    int64_t hsm_ns;
};

struct kw_request {
    /* in: filled by rpc, unchanged until done */
    enum kw_method method;
    unsigned class_index;
    struct kw_peer peer;
    int64_t arrived_ns;    /* CLOCK_MONOTONIC, not later than now                      */
    kw_deadline until;     /* of the RPC; KW_NEVER when the client set none            */
    kw_span uid;           /* as received, cut to KW_UID_MAX; untrusted                */
    kw_span key_id;        /* Decrypt; as received, text without NUL                   */
    kw_span ciphertext;    /* Decrypt; as received                                     */
    bool has_annotations;  /* Decrypt: refused                                         */
    struct kw_secret seed; /* Encrypt: plaintext in; Decrypt: plaintext out            */
    kw_request_done *done;

    /* out: valid in done */
    kw_err err;
    char out_key_id[KW_KEY_ID_MAX + 1];        /* Status, Encrypt    */
    uint8_t out_ciphertext[KW_CIPHERTEXT_MAX]; /* Encrypt         */
    size_t out_ciphertext_len;

    /* out: facts for the record */
    enum kw_request_source source;
    const char *token; /* literal lifetime: a token's configured name, or "" */
    const char *step_name;

    struct kw_request_work work;
};

struct kw_class_options {
    const char *name; /* for the log */
    const char *scope;
    const char *const *accept_scopes;
    size_t accept_count;
    enum kw_on_loss on_loss;
    int64_t max_outage_ns;
    size_t cache_entries;
    int64_t cache_ttl_ns;
};

struct kw_kms_options {
    const char *domain;
    const struct kw_class_options *classes; /* copied; strings borrowed until free */
    size_t class_count;
    struct kw_hsm_door door;
    struct kw_audit_door audit;
    struct kw_lock *lock; /* the big lock */
    const struct kw_clock *clock;
    int64_t deadline_ns; /* of a request, when the client allows more */
    /* While starting, and nothing is known to be wrong, requests wait: to the client's own
     * deadline, and at most this long after they arrived. */
    int64_t status_hold_ns, call_hold_ns;
};

struct kw_kms;
KW_MUST_USE kw_err kw_kms_new(const struct kw_kms_options *options,
                              struct kw_kms **ret_kms);
/* No request may be open (asserted).  NULL does nothing. */
void kw_kms_free(struct kw_kms *kms);

/* rpc thread.  May call done before it returns. */
void kw_kms_begin(struct kw_kms *kms, struct kw_request *request) KW_FREE;

/* rpc thread, of a request that rpc refused by itself: counted, and an Encrypt or a Decrypt on
 * record as those that kms refuses, without waiting for that.  Method, class,
 * peer, arrived_ns and err are set, all else is zero; nothing of it is kept. */
void kw_kms_refused(struct kw_kms *kms, struct kw_request *request) KW_FREE;

/* rpc thread: the client went away.  If the request is parked, done is called with
 * CANCELLED before this returns; if it is being finished or put on record, later. */
void kw_kms_cancel(struct kw_kms *kms, struct kw_request *request) KW_FREE;

/* main thread: what became of the request's record (kw_audit_told); its steps go on. */
void kw_kms_recorded(struct kw_request *request, kw_err err, uint64_t seq) KW_FREE;

/* main thread, about ten times a second and after each change of the health record:
 * deadlines of parked requests, outage budgets, expiry, wipes that policy asks
 * for, held requests that may go on now. */
void kw_kms_tick(struct kw_kms *kms) KW_FREE;

/* main thread.  Wipes every cache; returns how many seeds. */
size_t kw_kms_wipe(struct kw_kms *kms) KW_FREE;

/* Each call that was answered, those that rpc refused by itself among them. */
struct kw_method_stats {
    uint64_t outcomes[KW_CODE_COUNT];
    struct kw_latency latency; /* from its arrival to its answer */
};
struct kw_class_stats {
    struct kw_method_stats methods[KW_METHODS]; /* by enum kw_method */
    uint64_t joined;      /* Decrypts that shared somebody else's unwrap */
    uint64_t unknown_key; /* Decrypts refused, as no version has their key_id */
    uint64_t cache_hits, cache_misses, cache_evicted, cache_expired, cache_wiped;
    size_t cache_entries, cache_capacity;
    int64_t budget_left_ns; /* serve-cached only */
    enum kw_code
        status; /* what a Status would be answered now; STARTING: it would wait */
};
void kw_kms_stats(struct kw_kms *kms, size_t class_index,
                  struct kw_class_stats *ret_stats) KW_FREE;

/* Of one version in one class, since the start: a reload changes nothing of it.  What failed
 * for another reason than its version (the HSM, time, the client) is not here, but in
 * kw_class_stats. */
struct kw_version_stats {
    uint64_t encrypts;                                      /* answered */
    uint64_t decrypts_hsm, decrypts_joined, decrypts_cache; /* answered, by source */
    uint64_t refused[KW_HSM_REFUSALS];                      /* Decrypts */
    int64_t last_refused_wall_ns;                           /* 0 = none was */
    int64_t refused_ago_ns; /* the last one, as CLOCK_BOOTTIME runs */
};
/* false: nothing was counted, *ret_stats is as it was.  There are KW_VERSIONS_MAX rows for a
 * class; the row of a version that left the keyring is given away when all are taken. */
bool kw_kms_version_stats(struct kw_kms *kms, size_t class_index, const char *key_id,
                          struct kw_version_stats *ret_stats) KW_FREE;

#endif
