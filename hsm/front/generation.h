/* SPDX-License-Identifier: Apache-2.0 */
/* generation - one keyring in use (or coming up), and what this node found about it
 *
 * Workers belong to the generation whose bytes they were given.  Reload is replacement:
 * a new generation with workers of its own, swapped in when it is proven.
 *
 * Pure; the caller holds the lock for what the door reads. */
#ifndef KEYWARD_FRONT_GENERATION_H
#define KEYWARD_FRONT_GENERATION_H

#include <keyward/keyring.h>

#include "supervisor.h"

/* A canary's answer, good or bad, decides about foreign data for this long, so that a
 * flood of forged ciphertexts costs the HSM one canary a second, in an outage too. */
#define KW_CANARY_FRESH_NS KW_S_NS

struct kw_gen_version {
    const struct kw_version *v;
    struct kw_verdict verdict;
    int64_t proven_wall_ns; /* 0 = never                                      */
    bool answered;          /* the next two are meant                         */
    bool good;              /* the last canary passed                         */
    int64_t answered_ns;    /* when                                           */
    int64_t due_ns;         /* next canary                                    */
    uint64_t asked_id;      /* the canary on its way, 0 = none                */
    int64_t asked_ns;
    enum kw_code told; /* the verdict that the log has               */
};
struct kw_generation {
    uint64_t number;
    struct kw_keyring *ring;
    struct kw_blob bytes;
    uint32_t active_n;
    bool ever_ready;
    struct kw_supervisor supervisor;
    kw_err failed; /* why the last worker could not become ready */
    char reason[160];
    size_t count;
    struct kw_gen_version versions[KW_VERSIONS_MAX];
};
/* Takes one reference of ring, copies bytes.  NO_MEMORY. */
KW_MUST_USE kw_err kw_generation_new(struct kw_keyring *ring, kw_span bytes,
                                     uint32_t active_n, uint64_t number,
                                     struct kw_generation **ret);
void kw_generation_free(struct kw_generation *g); /* NULL does nothing */

struct kw_gen_version *kw_generation_find(struct kw_generation *g, kw_span key_id);
struct kw_gen_version *kw_generation_at(struct kw_generation *g, uint32_t n);
struct kw_gen_version *kw_generation_active(struct kw_generation *g); /* NULL: none */
uint32_t kw_generation_highest(const struct kw_generation *g);

/* A worker looks at it. */
bool kw_gen_version_is_probed(const struct kw_gen_version *v);

/* Does this error say something about the key itself (true), or only about the token? */
bool kw_is_verdict(kw_err e);
/* The key is there, and is another one. */
bool kw_is_other_key(kw_err e);
/* Records what a canary or a worker's own checks found; now_ns: CLOCK_BOOTTIME.  Returns
 * true when the verdict changed; an error that is no verdict does not change it.  A
 * failure without a reason keeps the one that was told for the same failure before. */
bool kw_gen_version_judge(struct kw_gen_version *v, kw_err e, const char *reason,
                          int64_t now_ns, int64_t wall_ns);

/* The version whose canary is due and not on its way; NULL when none is. */
struct kw_gen_version *kw_generation_due(struct kw_generation *g, int64_t now_ns);
int64_t kw_generation_next_due(const struct kw_generation *g); /* INT64_MAX: none */

#endif
