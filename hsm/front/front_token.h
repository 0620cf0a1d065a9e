/* SPDX-License-Identifier: Apache-2.0 */
/* front_token - one token as the front sees it: its workers, its logins, its health
 *
 * What belongs to all tokens is in struct kw_front: the queue, the keyring in use, the
 * quarantine.  What a token says of the keyring's versions is in struct kw_gen_token.
 *
 * Main thread only, but for what is marked (front_internal.h). */
#ifndef KEYWARD_FRONT_FRONT_TOKEN_H
#define KEYWARD_FRONT_FRONT_TOKEN_H

#include <keyward/front.h>

#include "breaker.h"
#include "front_latch.h"
#include "generation.h"
#include "health.h"

/* Serving and coming workers, and those that are on their way out. */
#define KW_FRONT_TOKEN_WORKERS (3u * KW_WORKERS_MAX)

struct kw_worker; /* worker.h */

struct kw_front_token_counts {
    uint64_t started, died, killed; /* workers */
    struct kw_front_numbers_of_token numbers;
};

struct kw_front_token {
    struct kw_front *front;
    size_t index; /* place in the order of the configuration */
    struct kw_front_token_options o;
    char **envp;
    char pin[KW_PATH_MAX + 8]; /* "file:/path", resolved */
    struct kw_latch latch;
    struct kw_health health KW_UNDER_BIG_LOCK;
    struct kw_breaker breaker KW_UNDER_BIG_LOCK;
    int64_t canary_ns KW_UNDER_BIG_LOCK; /* so long the active version's last one took */
    struct kw_worker *workers[KW_FRONT_TOKEN_WORKERS] KW_UNDER_BIG_LOCK;
    struct kw_wire_facts facts; /* of the last worker that told them */
    bool facts_known;
    uint64_t last_started;         /* the generation that it was started for */
    int64_t sized_ns, recycled_ns; /* recycle.c, and this: */
    int64_t outdated_ns
        KW_UNDER_BIG_LOCK; /* those that missed a key are paid for by then */
    struct kw_front_token_counts counts;
    enum kw_hsm_state told_state; /* the log has these three */
    bool told_out, told_latch;
};

/* No lock in these two: nobody else has it yet, or any more.  IO, BAD_INPUT, NO_MEMORY */
KW_MUST_USE kw_err kw_front_token_init(struct kw_front_token *t, struct kw_front *front,
                                       size_t index,
                                       const struct kw_front_token_options *options,
                                       struct kw_note *note);
void kw_front_token_wipe(struct kw_front_token *t); /* zeros: does nothing */

/* What it says of a keyring. */
static inline struct kw_gen_token *kw_front_token_of(struct kw_generation *g,
                                                     const struct kw_front_token *t)
{
    return &g->tokens[t->index];
}

/* Main alone writes these, under the lock: it may read them without. */
static inline struct kw_worker *kw_front_token_worker_by_main(
    const struct kw_front_token *t, size_t i) KW_NO_THREAD_SAFETY
{
    return t->workers[i];
}

/* What happens to its health, and so to that of the whole. */
void kw_front_token_proof(struct kw_front_token *t) KW_LOCKED;
void kw_front_token_asked(struct kw_front_token *t) KW_LOCKED;
void kw_front_token_worked(struct kw_front_token *t, bool wrapped) KW_LOCKED;
void kw_front_token_failed(struct kw_front_token *t, kw_err why) KW_LOCKED;
void kw_front_token_lost(struct kw_front_token *t, kw_err why) KW_LOCKED;

/* After a worker became ready or is so no more. */
void kw_front_token_recount(struct kw_front_token *t) KW_LOCKED;
/* A worker could not be started or become ready: a failure, or the end when none may log in
 * and none is left that did. */
void kw_front_token_not_started(struct kw_front_token *t, kw_err why) KW_LOCKED;
void kw_front_token_lost_if_latched(struct kw_front_token *t) KW_FREE;

#endif
