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
 * Pure: no clock, no descriptor.
 * Secrets: input and output lie in the arena; the input is wiped when a job is done. */
#ifndef KEYWARD_FRONT_QUEUE_H
#define KEYWARD_FRONT_QUEUE_H

#include <keyward/hsm.h>
#include <keyward/wire.h>

#include "quarantine.h"

enum kw_job_state {
    KW_JOB_FREE,
    KW_JOB_WAITING,
    KW_JOB_SENT,
    KW_JOB_DECIDING,
    KW_JOB_DONE
};

struct kw_job {
    struct kw_job *next, *prev; /* in the list of its state */
    enum kw_job_state state;
    uint64_t ticket;
    uint64_t wire_id; /* while SENT, else 0 */
    bool retried;     /* one worker failed it already */
    uint64_t doubt;   /* DECIDING: the wire's ids had come so far when it failed */
    bool vouched;     /* a canary since was good: the HSM was not at fault       */
    enum kw_hsm_op op;
    unsigned share;
    kw_deadline until, told; /* told: the deadline in the message, while SENT */
    char key_id[KW_KEY_ID_MAX + 1];
    uint8_t iv[KW_IV_MAX], aad[KW_AAD_MAX];
    size_t iv_len, aad_len;
    struct kw_secret input, output;
    kw_err err;
    int64_t hsm_ns;
    const char *token; /* that answered, "" = none */
    uint64_t worker;   /* its number */
    kw_hsm_done *done;
    void *ctx;
};

struct kw_job_list {
    struct kw_job *first, *last;
    size_t count;
};

struct kw_queue {
    size_t max, own; /* kept for each share             */
    size_t common;   /* how many of the rest are free   */
    unsigned shares;
    bool closed; /* no new jobs */
    struct kw_job *jobs;
    size_t *in_share;
    uint64_t serial;
    struct kw_job_list lists[KW_JOB_DONE + 1];
    struct kw_quarantine quarantine;
    uint64_t total, requeued;
};

/* max is 1..4096.  Half of the table is shared out evenly and kept for each share; the
 * other half is whoever's comes first.  NO_MEMORY. */
KW_MUST_USE kw_err kw_queue_init(struct kw_queue *q, size_t max, unsigned shares);
void kw_queue_wipe(struct kw_queue *q); /* every job must be gone */

KW_MUST_USE kw_err kw_queue_add(struct kw_queue *q, const struct kw_hsm_job *job,
                                int64_t boot_ns, uint64_t *ret_ticket) KW_LOCKED;
void kw_queue_extend(struct kw_queue *q, uint64_t ticket, kw_deadline until) KW_LOCKED;
bool kw_queue_cancel(struct kw_queue *q, uint64_t ticket) KW_LOCKED;

size_t kw_queue_count(const struct kw_queue *q, enum kw_job_state state) KW_LOCKED;
struct kw_job *kw_queue_first(const struct kw_queue *q,
                              enum kw_job_state state) KW_LOCKED;

/* Its input was in flight at a worker's death, and not answered since. */
bool kw_queue_is_suspect(const struct kw_queue *q, const struct kw_job *job,
                         int64_t boot_ns) KW_LOCKED;
/* A fresh id for the wire, larger than all before it; canaries take theirs here too. */
uint64_t kw_queue_wire_id(struct kw_queue *q) KW_LOCKED;
/* The message of a WAITING job, which becomes SENT.  Spans borrow from the job. */
void kw_queue_send(struct kw_queue *q, struct kw_job *job,
                   struct kw_wire_job *ret_message) KW_LOCKED;
struct kw_job *kw_queue_by_wire(const struct kw_queue *q, uint64_t wire_id) KW_LOCKED;
/* SENT again WAITING, in front of all that wait: give them back last one first. */
void kw_queue_unsend(struct kw_queue *q, struct kw_job *job) KW_LOCKED;
/* The same when a worker found the deadline over: its message holds the one of the time
 * it was sent at.  false when the job did not get more time since then, or not enough. */
KW_MUST_USE bool kw_queue_more_time(struct kw_queue *q, struct kw_job *job,
                                    int64_t now_ns) KW_LOCKED;
/* The same after a worker failed it.  false when it was retried before: then the caller
 * finishes it. */
KW_MUST_USE bool kw_queue_retry(struct kw_queue *q, struct kw_job *job) KW_LOCKED;
/* SENT to DECIDING, and, once a canary was good, back to WAITING, in front. */
void kw_queue_decide(struct kw_queue *q, struct kw_job *job) KW_LOCKED;
void kw_queue_vouch(struct kw_queue *q, struct kw_job *job) KW_LOCKED;
void kw_queue_finish(struct kw_queue *q, struct kw_job *job, kw_err e) KW_LOCKED;
/* Finishes what is over with DEADLINE; returns how many. */
size_t kw_queue_expire(struct kw_queue *q, int64_t now_ns) KW_LOCKED;
void kw_queue_fail(struct kw_queue *q, enum kw_job_state state, kw_err e) KW_LOCKED;

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
