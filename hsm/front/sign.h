/* SPDX-License-Identifier: Apache-2.0 */
/* sign - the one checkpoint that is to be signed, behind everything else
 *
 *   NONE -> WAITING -> SENT -> ANSWERED or OVER -> (told) -> NONE
 *              ^---------'  given back unasked, or another token may do it
 *
 * It is no job of the queue: it waits until no job does and a session is free, and what
 * becomes of it says nothing of token, version or input.  A worker that died over it, or
 * whose signature is none, is not replaced by another try. */
#ifndef KEYWARD_FRONT_SIGN_H
#define KEYWARD_FRONT_SIGN_H

#include <keyward/hsm.h>
#include <keyward/mutex.h>
#include <keyward/wire.h>

struct kw_front;
struct kw_worker;
struct kw_channel_entry;

enum kw_sign_state {
    KW_SIGN_NONE = 0,
    KW_SIGN_WAITING,
    KW_SIGN_SENT,
    KW_SIGN_ANSWERED, /* to be verified */
    KW_SIGN_OVER,
};
struct kw_front_sign {
    enum kw_sign_state state;
    struct kw_checkpoint checkpoint;
    kw_deadline until;
    kw_hsm_signed *done;
    void *ctx;
    uint64_t wire_id; /* while SENT */
    unsigned tried;   /* a bit for each token that failed it */
    /* what came of it */
    kw_err err;
    int64_t hsm_ns;
    const char *token; /* "" = none */
    uint64_t worker;   /* its number */
    uint8_t output[KW_WIRE_SIGNED];
};

/* As kw_hsm_ops.sign. */
KW_MUST_USE kw_err kw_sign_add(struct kw_front *f,
                               const struct kw_hsm_sign *sign) KW_LOCKED;
/* It waits, this worker's token did not fail it, and a session of it has nothing to do. */
bool kw_sign_goes(const struct kw_front *f, const struct kw_worker *w) KW_LOCKED;
/* WAITING becomes SENT: the message, whose input lies in `fields`. */
void kw_sign_send(struct kw_front *f, uint8_t fields[KW_CHECKPOINT_FIELDS_MAX],
                  struct kw_wire_job *ret_message) KW_LOCKED;
/* It was not sent, or nobody began it: WAITING again. */
void kw_sign_unsend(struct kw_front *f, uint64_t wire_id) KW_LOCKED;
/* The worker ended while it was at it. */
void kw_sign_died(struct kw_front *f, uint64_t wire_id) KW_LOCKED;
void kw_sign_answered(struct kw_worker *w, const struct kw_channel_entry *entry,
                      const struct kw_wire_answer *answer) KW_LOCKED;
void kw_sign_expire(struct kw_front *f, int64_t now_ns) KW_LOCKED;
/* OVER, in whatever state it is: of those that wait, or of all. */
void kw_sign_stop(struct kw_front *f, bool sent_too, kw_err e) KW_LOCKED;

/* Main thread: verifies what was answered, and tells the caller. */
void kw_sign_deliver(struct kw_front *f) KW_FREE;

#endif
