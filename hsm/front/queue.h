/* SPDX-License-Identifier: Apache-2.0 */
/* queue - the fixed table of jobs behind the door
 *
 *   free -> WAITING -> SENT -> (DECIDING) -> DONE -> free
 *            ^----------'-----------'  requeued under a new wire id
 *
 * The caller's ticket stays the same for the life of a job; what a worker sees is a wire
 * id that is never used twice, so a late answer finds nobody.  A canary that was asked
 * after a job failed decides about it: the HSM is not well, or the job is tried once more;
 * what fails then failed by its own fault.
 *
 * Jobs that wait leave by turns over the shares that have any, within a share in the order
 * they came: who floods the queue waits behind himself.
 *
 * Pure: no clock, no descriptor.
 * Secrets: input and output lie in the arena; the input is wiped when a job is done. */
#ifndef KEYWARD_FRONT_QUEUE_H
#define KEYWARD_FRONT_QUEUE_H

#include <keyward/hsm.h>
#include <keyward/wire.h>

#include "quarantine.h"

enum kw_job_state {
    KW_JOB_FREE,
    KW_JOB_DONE,
    KW_JOB_SENT,
    KW_JOB_DECIDING,
    KW_JOB_WAITING, /* the last: queue.c */
};
enum { KW_JOB_STATES = KW_JOB_WAITING + 1 };

/* What was asked. */
struct kw_job_in {
    char key_id[KW_KEY_ID_MAX + 1];
    uint8_t iv[KW_IV_MAX], aad[KW_AAD_MAX];
    size_t iv_len, aad_len;
    struct kw_secret input;
};
/* Where it was tried. */
struct kw_job_tries {
    unsigned at;      /* the token that has it, or had it last                   */
    unsigned tried;   /* a bit for each token that failed it                     */
    bool retried;     /* one worker failed it already                            */
    unsigned denied;  /* of each that said for certain that it is not genuine    */
    uint64_t doubt;   /* DECIDING: the wire's ids had come so far when it failed */
    unsigned vouched; /* of each with a good canary since: it was not at fault  */
};
/* What came of it. */
struct kw_job_out {
    kw_err err;
    struct kw_secret output;
    int64_t hsm_ns;
    const char *token; /* that answered, "" = none */
    uint64_t worker;   /* its number */
};

struct kw_job {
    struct kw_job *next, *prev; /* in the list of its state */
    enum kw_job_state state;
    uint64_t ticket;
    uint64_t wire_id; /* while SENT, else 0 */
    enum kw_hsm_op op;
    bool verifies; /* as struct kw_hsm_job */
    unsigned share;
    kw_deadline until, told; /* told: the deadline in the message, while SENT */
    struct kw_job_in in;
    struct kw_job_tries tries;
    struct kw_job_out out;
    kw_hsm_done *done;
    void *ctx;
};

struct kw_job_list {
    struct kw_job *first, *last;
};

struct kw_queue {
    size_t max, own; /* kept for each share             */
    size_t common;   /* how many of the rest are free   */
    unsigned shares;
    bool closed; /* no new jobs */
    struct kw_job *jobs;
    size_t *in_share;
    uint64_t serial;
    struct kw_job_list *lists; /* one a state, but of those that wait one a share */
    size_t failed_once;        /* of those that wait: some token failed them */
    size_t counts[KW_JOB_STATES];
    unsigned turn; /* the share that is asked first for the next one that waits */
    struct kw_quarantine quarantine;
    uint64_t total, requeued;
};

/* max is 1..4096.  Half of the table is shared out evenly and kept for each share; the
 * other half is whoever's comes first.  NO_MEMORY. */
KW_MUST_USE kw_err kw_queue_init(struct kw_queue *q, size_t max, unsigned shares);
void kw_queue_wipe(struct kw_queue *q); /* every job must be gone */

KW_MUST_USE kw_err kw_queue_add(struct kw_queue *q, const struct kw_hsm_job *job,
                                int64_t boot_ns, uint64_t *ret_ticket) KW_LOCKED;
/* Never nearer.  false: it is DONE, or gone. */
bool kw_queue_extend(struct kw_queue *q, uint64_t ticket, kw_deadline until) KW_LOCKED;
bool kw_queue_cancel(struct kw_queue *q, uint64_t ticket) KW_LOCKED;

size_t kw_queue_count(const struct kw_queue *q, enum kw_job_state state) KW_LOCKED;
/* Of those that wait the one whose turn it is; the turn is over when it is sent. */
struct kw_job *kw_queue_first(const struct kw_queue *q,
                              enum kw_job_state state) KW_LOCKED;

/* Its input was in flight at a worker's death, and not answered since. */
bool kw_queue_is_suspect(const struct kw_queue *q, const struct kw_job *job,
                         int64_t boot_ns) KW_LOCKED;
/* A fresh id for the wire, larger than all before it; canaries take theirs here too. */
uint64_t kw_queue_wire_id(struct kw_queue *q) KW_LOCKED;
/* The first WAITING job that `goes`, of the share whose turn it is, or of the next one that
 * has such; NULL: none does. */
struct kw_job *kw_queue_pick(const struct kw_queue *q,
                             bool (*goes)(const void *ctx, const struct kw_job *job),
                             const void *ctx) KW_LOCKED;
/* The message of a WAITING job, which becomes SENT to this token and may be there until
 * `told`.  Spans borrow from the job. */
void kw_queue_send(struct kw_queue *q, struct kw_job *job, unsigned token,
                   kw_deadline told, struct kw_wire_job *ret_message) KW_LOCKED;
struct kw_job *kw_queue_by_wire(const struct kw_queue *q, uint64_t wire_id) KW_LOCKED;
/* SENT again WAITING, in front of its share, whose turn it is again: give them back last
 * one first. */
void kw_queue_unsend(struct kw_queue *q, struct kw_job *job) KW_LOCKED;
/* SENT again WAITING, in front of its share, when a worker found the deadline over: its
 * message holds the one of the time it was sent at.  false when the job did not get more
 * time since then, or not enough. */
KW_MUST_USE bool kw_queue_more_time(struct kw_queue *q, struct kw_job *job,
                                    int64_t now_ns) KW_LOCKED;
/* The same after a worker failed it.  false when it was retried before: then the caller
 * finishes it. */
KW_MUST_USE bool kw_queue_retry(struct kw_queue *q, struct kw_job *job) KW_LOCKED;
/* SENT or DECIDING again WAITING, in front of its share, for another token: this one
 * failed it. */
void kw_queue_elsewhere(struct kw_queue *q, struct kw_job *job) KW_LOCKED;
/* SENT to DECIDING, and, once a canary was good, back to WAITING, in front of its share. */
void kw_queue_decide(struct kw_queue *q, struct kw_job *job) KW_LOCKED;
void kw_queue_vouch(struct kw_queue *q, struct kw_job *job) KW_LOCKED;
void kw_queue_finish(struct kw_queue *q, struct kw_job *job, kw_err e) KW_LOCKED;
/* Finishes what is over with DEADLINE; returns how many. */
size_t kw_queue_expire(struct kw_queue *q, int64_t now_ns) KW_LOCKED;
void kw_queue_fail(struct kw_queue *q, enum kw_job_state state, kw_err e) KW_LOCKED;
/* Those of all shares that wait and of which `which` says so. */
void kw_queue_fail_those(struct kw_queue *q,
                         bool (*which)(const void *ctx, const struct kw_job *job),
                         const void *ctx, kw_err e) KW_LOCKED;
/* Those under this key that no worker has: they wait, or a canary decides. */
void kw_queue_fail_key(struct kw_queue *q, const char *key_id, kw_err e) KW_LOCKED;

/* Takes the oldest DONE job out: `ret` gets err, output, hsm_ns, token, done, ctx; the
 * slot is free.  false when there is none. */
struct kw_done_job {
    kw_hsm_done *done;
    void *ctx;
    kw_err err;
    struct kw_secret output;
    const char *token;
    uint64_t worker;
    int64_t hsm_ns;
};
bool kw_queue_pop(struct kw_queue *q, struct kw_done_job *ret) KW_LOCKED;

#endif
