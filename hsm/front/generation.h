/* SPDX-License-Identifier: Apache-2.0 */
/* generation - one keyring in use (or coming up), and what each token found about it
 *
 * Workers belong to the generation whose bytes they were given.  Reload is replacement:
 * a new generation with workers of its own, swapped in when it is proven.
 *
 * Pure.  What stands against a version is under the big lock; the rest does not change
 * after kw_generation_new, or is main's alone. */
#ifndef KEYWARD_FRONT_GENERATION_H
#define KEYWARD_FRONT_GENERATION_H

#include <keyward/keyring.h>
#include <keyward/mutex.h>
#include <keyward/wire.h>

#include "supervisor.h"

/* A flood of forged ciphertexts costs the HSM so many canaries a version, no more: those
 * that fail before one is asked share it.  A bad answer decides about all for a second. */
#define KW_CANARY_DECIDES_NS (250 * KW_MS_NS)
#define KW_CANARY_BAD_NS KW_S_NS

/* What stands against a version: the findings of the wire, and two of the front's own. */
enum kw_gen_found {
    KW_GEN_DISPUTED = 16, /* a new worker cannot prove it, others do: it serves */
    KW_GEN_BAD = 32,      /* the verdict is KEY_BAD                             */
};
enum { KW_GEN_FOUND = 6 }; /* bits */

/* Who found it last, and the newest worker there was then. */
struct kw_gen_finding {
    uint64_t by, newest;
};

/* What one worker says of one version. */
struct kw_gen_result {
    kw_err err;
    const char *reason; /* "" = nothing said */
    bool looked;        /* closely: attributes and objects, not the check blob alone */
    unsigned findings;  /* enum kw_wire_finding */
    uint64_t worker;    /* its number, which grows with every start */
    uint64_t newest;    /* number of the newest worker by now       */
    uint64_t asked_id;  /* wire id of the canary, or of the worker's start; 0: of a job */
};

struct kw_gen_version {
    const struct kw_version *v;
    struct kw_verdict verdict KW_UNDER_BIG_LOCK;
    unsigned found KW_UNDER_BIG_LOCK; /* bits; what stands */
    struct kw_gen_finding findings[KW_GEN_FOUND] KW_UNDER_BIG_LOCK;
    int64_t look_ns KW_UNDER_BIG_LOCK;        /* next close look                */
    int64_t proven_wall_ns KW_UNDER_BIG_LOCK; /* 0 = never                      */
    enum kw_code why KW_UNDER_BIG_LOCK;       /* the verdict is KEY_BAD: of what kind */
    bool answered KW_UNDER_BIG_LOCK;          /* the next two are meant         */
    bool good KW_UNDER_BIG_LOCK;              /* the last canary passed         */
    int64_t answered_ns KW_UNDER_BIG_LOCK;    /* when                           */
    int64_t due_ns KW_UNDER_BIG_LOCK;         /* next canary                    */
    uint64_t asked_id KW_UNDER_BIG_LOCK;      /* the one on its way, 0 = none   */
    int64_t asked_ns KW_UNDER_BIG_LOCK;
    enum kw_code told;   /* the verdict that the log has               */
    unsigned told_found; /* the findings that the log has              */
};
/* What one token says of a keyring: its keys, and the workers that were started with it. */
struct kw_gen_token {
    bool ever_ready; /* a worker of it was                              */
    bool refused;    /* the last newcomer, as others did what it could not */
    struct kw_supervisor supervisor;
    kw_err failed; /* why the last worker could not become ready */
    char reason[KW_NOTE_MAX];
    size_t count;
    struct kw_gen_version versions[KW_VERSIONS_MAX];
};
struct kw_generation {
    uint64_t number;
    struct kw_keyring *ring;
    struct kw_blob bytes;
    uint32_t active_n;
    size_t token_count;
    struct kw_gen_token *tokens; /* in the order of the configuration */
};
/* Takes one reference of ring, copies bytes; 1..KW_TOKENS_MAX tokens.  NO_MEMORY. */
KW_MUST_USE kw_err kw_generation_new(struct kw_keyring *ring, kw_span bytes,
                                     uint32_t active_n, uint64_t number,
                                     size_t token_count, struct kw_generation **ret);
void kw_generation_free(struct kw_generation *g); /* NULL does nothing */

uint32_t kw_generation_highest(const struct kw_generation *g);
/* NULL: there is none. */
const struct kw_version *kw_generation_active(const struct kw_generation *g);
/* Some worker of some token was ready with it. */
bool kw_generation_was_ready(const struct kw_generation *g);

/* Of a version, the token whose word counts for all: one from which the key may leave,
 * else one that has proven it, else one that had and finds it no more (what is in memory
 * goes on), else one that has not said anything yet, else the first.  NULL: the keyring
 * has none such. */
const struct kw_gen_version *kw_generation_word(const struct kw_generation *g,
                                                kw_span key_id) KW_LOCKED;
const struct kw_gen_version *kw_generation_word_at(const struct kw_generation *g,
                                                   size_t i) KW_LOCKED;

/* One token's; NULL: none such. */
struct kw_gen_version *kw_gen_find(struct kw_gen_token *t, kw_span key_id);
struct kw_gen_version *kw_gen_at(struct kw_gen_token *t, uint32_t n);

/* A worker looks at it. */
bool kw_gen_version_is_probed(const struct kw_gen_version *v);

/* By its state and its verdict. */
bool kw_gen_version_unwraps(const struct kw_gen_version *v) KW_LOCKED;

/* Does this error say something about the key itself (true), or only about the token? */
bool kw_is_verdict(kw_err e);
/* The key is there, and is another one. */
bool kw_is_other_key(kw_err e);
/* Its key was proven in this life, and is not found now: an outage of this version, not
 * the loss of a right. */
bool kw_gen_version_is_away(const struct kw_gen_version *v) KW_LOCKED;
/* Its key is bad, and is not another one. */
bool kw_gen_version_is_unusable(const struct kw_gen_version *v) KW_LOCKED;
/* The verdict as the door tells it: KEY_BAD, or MISSING for what is away. */
kw_err kw_gen_version_verdict(const struct kw_gen_version *v) KW_LOCKED;

/* Records what a canary or a worker's own checks found; now_ns: CLOCK_BOOTTIME.  Returns
 * true when the verdict changed; an error that is no verdict changes nothing.  A failure
 * without a reason keeps the one that was told for the same failure before.
 *
 * A finding stands until a good close look takes it back, by the worker that found it or
 * by one that was started after it: the library of an older one may still show what was
 * there before, and its good canary lifts nothing. */
bool kw_gen_version_judge(struct kw_gen_version *v, const struct kw_gen_result *result,
                          int64_t now_ns, int64_t wall_ns) KW_LOCKED;
/* A finding of the front's own. */
void kw_gen_version_find(struct kw_gen_version *v, unsigned bit, uint64_t worker,
                         uint64_t newest) KW_LOCKED;
/* Could a good look of this worker take back what stands, the gravest first? */
bool kw_gen_version_may_lift(const struct kw_gen_version *v, uint64_t worker) KW_LOCKED;
/* What `from` found, another good word of `to` takes back. */
void kw_gen_version_hand_over(struct kw_gen_version *v, unsigned bits, uint64_t from,
                              uint64_t to) KW_LOCKED;
/* Names of what stands, comma-separated; "" = nothing.  Without KW_GEN_BAD. */
void kw_gen_found_text(unsigned found, char dst[64]);
/* What stands in `old` stands in `t` too, unless `worker`, whose word t has, was started
 * after it was found. */
void kw_gen_inherit(struct kw_gen_token *t, const struct kw_gen_token *old,
                    uint64_t worker) KW_LOCKED;
/* What `old` says holds in `t` until the token says it anew, which it is asked to at
 * once.  What the log has, it has. */
void kw_gen_carry(struct kw_gen_token *t, const struct kw_gen_token *old) KW_LOCKED;

/* Its canary is due, and not on its way. */
bool kw_gen_is_due(const struct kw_gen_version *v, int64_t now_ns) KW_LOCKED;
/* The one that is due for the longest time; NULL when none is. */
struct kw_gen_version *kw_gen_due(struct kw_gen_token *t, int64_t now_ns) KW_LOCKED;
/* INT64_MAX: none. */
int64_t kw_gen_next_due(const struct kw_gen_token *t) KW_LOCKED;

#endif
