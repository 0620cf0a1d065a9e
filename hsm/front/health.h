/* SPDX-License-Identifier: Apache-2.0 */
/* health - is there an HSM?  One token's written state machine, fed with canaries
 *
 * What may follow on what is one table (kw_health_next), which docs/ARCHITECTURE.md shows
 * as a test prints it.  The events:
 *
 *   proof      a good canary, or a client's job that proved true, while a worker is ready
 *   doubt      for a deadline no worker was ready or canaries failed, or for three of
 *              them a canary was not answered
 *   time-out   the doubt, or failing since the start, lasts for `suspect`
 *   stale      the last proof is older than `stale`
 *   gone       the PIN is latched and no worker is logged in, or a canary opened to
 *              something else
 *   recovered  LOST: a proof, if it is the first loss within an hour; after the second one
 *              3 proofs in a row spread over `recover`, after a further one over three times that
 *   pause      nobody looked for two seconds: the machine slept or the process stood still.
 *              What is measured beyond these two seconds is charged to nobody
 *
 * Pure: the caller brings the time, which goes on while the machine sleeps. */
#ifndef KEYWARD_FRONT_HEALTH_H
#define KEYWARD_FRONT_HEALTH_H

#include <keyward/clock.h>
#include <keyward/hsm.h>

/* A canary that wraps too is three operations of the module, each of which may take a
 * deadline. */
static inline int64_t kw_canary_patience_ns(int64_t deadline_ns)
{
    return 3 * deadline_ns;
}

struct kw_health_times {
    int64_t deadline_ns, suspect_ns, stale_ns, recover_ns;
};

#define KW_HEALTH_FLAPPING_NS (3600 * KW_S_NS)

enum kw_health_event {
    KW_HEALTH_PROOF,
    KW_HEALTH_DOUBT,
    KW_HEALTH_TIME_OUT,
    KW_HEALTH_STALE,
    KW_HEALTH_GONE,
    KW_HEALTH_RECOVERED,
    KW_HEALTH_PAUSE,
    KW_HEALTH_EVENTS
};
const char *kw_health_event_name(enum kw_health_event event);
/* The table.  The same state: nothing happens. */
enum kw_hsm_state kw_health_next(enum kw_hsm_state state, enum kw_health_event event);

/* When it was lost, to see that it flaps. */
struct kw_health_losses {
    uint64_t count;
    int64_t at_ns[3]; /* the last one first */
};

struct kw_health {
    struct kw_health_times times;
    enum kw_hsm_state state;
    int64_t since_ns;
    struct kw_health_losses losses;
    kw_err why;
    int64_t seen_ns;    /* somebody looked last                             */
    bool ready;         /* some worker is                                   */
    int64_t unready_ns; /* since when none is                               */
    bool asked;         /* a canary has not been answered well              */
    int64_t asked_ns;   /* the first of those                               */
    int64_t proof_ns;   /* last proof; meaningless while STARTING           */
    bool failing;       /* something failed since the last proof            */
    int64_t failing_ns; /* since when                                       */
    unsigned good;      /* LOST: proofs in a row                            */
    int64_t good_ns;    /* LOST: the first of them                          */
};

void kw_health_init(struct kw_health *h, const struct kw_health_times *times,
                    int64_t now_ns);
void kw_health_ready(struct kw_health *h, bool ready, int64_t now_ns) KW_LOCKED;
void kw_health_asked(struct kw_health *h, int64_t now_ns) KW_LOCKED;
void kw_health_proof(struct kw_health *h, int64_t now_ns) KW_LOCKED;
/* A client's job did well.  It says that the token is there, also while the canary waits
 * its turn; only a wrap renews the record.  What is lost is found again by canaries. */
void kw_health_worked(struct kw_health *h, bool wrapped, int64_t now_ns) KW_LOCKED;
/* A canary failed, a worker could not become ready. */
void kw_health_failed(struct kw_health *h, kw_err why, int64_t now_ns) KW_LOCKED;
/* The PIN latch, or a canary that opened to something else. */
void kw_health_lost(struct kw_health *h, kw_err why, int64_t now_ns) KW_LOCKED;
/* How long proofs must go on before a loss is over; 0: the first one ends it. */
int64_t kw_health_recover_ns(const struct kw_health *h) KW_LOCKED;
/* What time alone changes. */
void kw_health_tick(struct kw_health *h, int64_t now_ns) KW_LOCKED;

#endif
