/* SPDX-License-Identifier: Apache-2.0 */
/* health - is there an HSM?  A written state machine fed with canaries
 *
 *   STARTING --first proof--> UP                STARTING --failing for `suspect`--> LOST
 *   UP --no worker ready, or a canary without a good answer, for `deadline`--> SUSPECT
 *   SUSPECT --proof--> UP                       SUSPECT --for `suspect`--> LOST
 *   any --PIN latch, or a canary that opened to something else--> LOST
 *   UP, SUSPECT --last proof older than `stale`--> LOST
 *   LOST --3 proofs in a row, spread over `recover`--> UP
 *
 * Pure: the caller brings the time, which goes on while the machine sleeps (a record that
 * nobody renewed meanwhile is old). */
#ifndef KEYWARD_FRONT_HEALTH_H
#define KEYWARD_FRONT_HEALTH_H

#include <keyward/hsm.h>

struct kw_health_times {
    int64_t deadline_ns, suspect_ns, stale_ns, recover_ns;
};

struct kw_health {
    struct kw_health_times times;
    enum kw_hsm_state state;
    int64_t since_ns;
    uint64_t losses;
    kw_err why;
    bool ready;         /* some worker is                                   */
    int64_t unready_ns; /* since when none is                               */
    bool asked;         /* a canary has not been answered well              */
    int64_t asked_ns;   /* the first of those                               */
    int64_t proof_ns;   /* last proof; meaningless while STARTING           */
    bool failing;       /* STARTING: something failed                       */
    int64_t failing_ns; /* since when                                       */
    unsigned good;      /* LOST: proofs in a row                            */
    int64_t good_ns;    /* LOST: the first of them                          */
};

void kw_health_init(struct kw_health *h, const struct kw_health_times *times,
                    int64_t now_ns);
void kw_health_ready(struct kw_health *h, bool ready, int64_t now_ns) KW_LOCKED;
void kw_health_asked(struct kw_health *h, int64_t now_ns) KW_LOCKED;
void kw_health_proof(struct kw_health *h, int64_t now_ns) KW_LOCKED;
/* A canary failed, a worker could not become ready. */
void kw_health_failed(struct kw_health *h, kw_err why, int64_t now_ns) KW_LOCKED;
/* The PIN latch, or a canary that opened to something else. */
void kw_health_lost(struct kw_health *h, kw_err why, int64_t now_ns) KW_LOCKED;
/* What time alone changes. */
void kw_health_tick(struct kw_health *h, int64_t now_ns) KW_LOCKED;

#endif
