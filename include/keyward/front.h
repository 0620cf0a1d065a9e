/* SPDX-License-Identifier: Apache-2.0 */
/* front - keywardd's side of the wall: queue, workers, health
 *
 * Owns the workers (processes keyward-hsm), the queue of jobs to them, the health record
 * and the verdict of every KEK version.  What it offers to the upper layer is the door of
 * hsm.h.  It loads no PKCS#11 module and reads no PIN: a worker that read it asks whether
 * it may log in, and gets a word back.
 *
 * Threads:   everything here on the main thread, but what hsm.h says about the door.
 * Blocking:  never on a worker; on the disk for the state directory.
 */
#ifndef KEYWARD_FRONT_H
#define KEYWARD_FRONT_H

#include <sys/types.h>

#include <keyward/clock.h>
#include <keyward/hsm.h>
#include <keyward/keyring.h>
#include <keyward/latency.h>
#include <keyward/state.h>

struct event_base; /* libevent */

struct kw_front_variable {
    const char *name, *value;
};

struct kw_front_token_options {
    const char *name; /* for log and status: the URI's token label */
    const char *uri, *module, *pin;
    const struct kw_front_variable *env; /* the worker's whole environment */
    size_t env_count;
    unsigned workers;  /* 1..KW_WORKERS_MAX */
    unsigned sessions; /* of each, 1..KW_SESSIONS_MAX; 0: as keyward-hsm finds right */
};

/* What signs checkpoints of the audit log (token.h). */
struct kw_front_audit_key {
    const char *label;         /* NULL: nothing does; borrowed until free */
    uint8_t sha256[KW_SHA256]; /* of its SubjectPublicKeyInfo             */
};

struct kw_front_times {
    int64_t deadline_ns, patience_ns, suspect_ns, probe_every_ns, stale_after_ns,
        recover_ns;         /* after repeated losses canaries are spread over this */
    int64_t login_grace_ns; /* before a worker in LOGIN may be killed; 0 = 30 s */
};

struct kw_front_options {
    const char *worker_path; /* of keyward-hsm */
    /* 1..KW_TOKENS_MAX; copied, strings borrowed until free. */
    const struct kw_front_token_options *tokens;
    size_t token_count;
    bool spread; /* jobs go to any token; else to the first that can do them */
    const char *domain;
    bool production;    /* refuse a SoftHSM token */
    unsigned shares;    /* classes */
    unsigned queue_max; /* jobs waiting or sent, all shares together; 0 = default 1024 */
    struct kw_front_times times;
    struct kw_front_audit_key audit;
    struct kw_state_dir *state; /* borrowed */
    const char *status;         /* path of the status socket, beside which the key of PIN
                                   marks lies (pin_latch.h); copied; NULL: no key      */
    struct kw_lock *lock;
    const struct kw_clock *clock;
    struct event_base *loop; /* borrowed; its events run on the main thread */
    /* main thread, FREE: the health record or a verdict changed. */
    void (*changed)(void *ctx);
    /* main thread, FREE: a request named a key_id with a higher N than any known; at most
     * once per 10 s.  The daemon looks at the keyring file again. */
    void (*look_again)(void *ctx);
    void *ctx;
};

/* Of the arena, at most: jobs, and what is on its way to workers and from them. */
size_t kw_front_bytes(unsigned workers, unsigned queue_max);

struct kw_front;
KW_MUST_USE kw_err kw_front_new(const struct kw_front_options *options,
                                struct kw_front **ret_front);

/* Takes a keyring into use: starts fresh workers with its bytes; when the first of them has
 * proven the active version, versions and active version are swapped in one step, and
 * each one that is ready relieves an old one.  The first call starts the service.  `ring`
 * and `bytes` are copied or counted.  A keyring that is already coming up is replaced by
 * the newer one.  BUG when active_n is not 0 and not in the ring. */
KW_MUST_USE kw_err kw_front_use(struct kw_front *front, struct kw_keyring *ring,
                                kw_span bytes, uint32_t active_n) KW_FREE;

/* Begin of the end: no new jobs (BUSY), waiting ones fail with HSM_DOWN, workers are
 * told to leave and killed `grace_ns` later (never in LOGIN); one that the kernel does not
 * let die within 5 s is left behind.  Blocking: up to grace_ns, and those. */
void kw_front_stop(struct kw_front *front, int64_t grace_ns) KW_FREE;
void kw_front_free(struct kw_front *front); /* after stop; NULL does nothing */

struct kw_hsm_door kw_front_door(struct kw_front *front);

/* A worker that is not reaped yet: that is the front's to do, and nobody else's. */
bool kw_front_is_worker(const struct kw_front *front, pid_t pid);

/* For the status document and the notify line.  Strings live until the next call. */
struct kw_front_worker_status {
    const char *token; /* its name */
    pid_t pid;
    const char *state;          /* "starting", "ready", "stuck", "draining", "killed" */
    unsigned sessions, hanging; /* 0 before it is ready; of them, too long at a job */
    uint64_t served;
};
struct kw_front_version_status {
    uint32_t n;
    const char *key_id, *state, *origin; /* of the keyring */
    kw_err verdict;
    const char *reason;
    const char *found; /* what stands against it, named in docs/ERRORS.md; "" = nothing */
    int64_t proven_wall_ns; /* last canary that passed, 0 = never */
    const char *activated;  /* as the keyring has it, "" = never  */
};
/* What a token's workers answered since the start, those of them that are no more included. */
#define KW_FRONT_OPS 4u
const char *kw_front_op_name(size_t op); /* "wrap", "unwrap", "canary", "sign" */
struct kw_front_op {
    uint64_t failed;           /* of all answers */
    struct kw_latency latency; /* inside the module; of those that came to it */
};
/* Return values of the module, by number: so many different ones, as a vendor has numbers of
 * its own. */
#define KW_FRONT_ERRORS_MAX 24u
struct kw_front_error {
    uint32_t rv;
    uint64_t count;
};
/* Why a worker is no more. */
enum kw_front_end {
    KW_FRONT_LEFT,       /* as it was told to: another keyring, or the end */
    KW_FRONT_CRASHED,    /* by itself, or somebody else killed it          */
    KW_FRONT_KILLED,     /* by us: it was stuck, or did not leave          */
    KW_FRONT_RECYCLED,   /* its library leaked                             */
    KW_FRONT_OUTDATED,   /* it did not find a key that a younger one has   */
    KW_FRONT_DISTRUSTED, /* it answered what proved false                  */
    KW_FRONT_NOT_READY,  /* it said that it cannot work                    */
    KW_FRONT_ENDS,
};
const char *kw_front_end_name(enum kw_front_end end); /* "left", "crashed", … */
struct kw_front_numbers_of_token {
    struct kw_front_op ops[KW_FRONT_OPS];
    struct kw_front_error errors[KW_FRONT_ERRORS_MAX];
    size_t error_count;
    uint64_t errors_other; /* of further numbers */
    uint64_t started, ended[KW_FRONT_ENDS];
    uint64_t logins; /* that were allowed */
};
struct kw_front_token_status {
    const char *name;
    const char *label, *serial, *model, *firmware, *library; /* "" = not told yet */
    enum kw_hsm_state state;
    kw_err why;         /* it is not UP                                             */
    const char *reason; /* why no worker starts or is taken, or why the active version
                           will not do; "" = nothing                                 */
    bool pin_latched;
    bool is_out;     /* it failed several jobs in a row: others do them until a canary */
    size_t unproven; /* versions of the keyring in use that it has not proven          */
    int64_t probe_every_ns; /* from one canary to the next, as it is now               */
    const struct kw_front_numbers_of_token *numbers; /* until the next event */
};
/* An input that cost workers and is refused for a while (KW_CODE_QUARANTINED). */
struct kw_front_held_status {
    const char *input; /* first 8 bytes of the SHA-256 of what is remembered of it, hex */
    int64_t since_wall_ns, until_wall_ns;
};
struct kw_front_jobs_status {
    size_t queued, sent;
    uint64_t total, requeued, late_answers;
};
struct kw_front_status {
    struct kw_hsm_health health;
    char reason[KW_NOTE_MAX];                   /* of the first token that has one */
    const struct kw_front_token_status *tokens; /* in the order of the configuration */
    size_t token_count;
    const struct kw_front_worker_status *workers;
    size_t worker_count;
    const struct kw_front_version_status *versions;
    size_t version_count;
    const struct kw_front_held_status *held; /* the longest first */
    size_t held_count;
    uint64_t keyring_serial;
    char keyring_sha256[65];
    bool coming_up; /* a newer keyring's workers are being proven */
    /* Why they are not so far, "" = nothing failed yet. */
    char coming_reason[KW_NOTE_MAX];
    bool pin_latched; /* of some token */
    struct kw_front_jobs_status jobs;
    uint64_t workers_started, workers_died, workers_killed;
};
void kw_front_status(struct kw_front *front, struct kw_front_status *ret_status) KW_FREE;

/* Serial number of the token of this name; "" while it has not told it. */
const char *kw_front_serial(const struct kw_front *front, const char *name);

/* What the token was asked for since the start; none ever falls.  A job counts once a worker
 * has it, and each time that one has, before its answer is told.  A self-test counts when its
 * worker is ready by it, as one that fails tells nobody how far it came. */
void kw_front_counts(struct kw_front *front,
                     uint64_t ret_counts[KW_CHECKPOINT_COUNTS]) KW_FREE;

/* An operator says that no input is to be refused any more.  Returns how many were. */
size_t kw_front_quarantine_lift(struct kw_front *front) KW_FREE;

#endif
