/* SPDX-License-Identifier: Apache-2.0 */
/* quarantine - inputs that cost workers
 *
 * One worker that died over an input, or answered HSM_DOWN and left, is bad luck, a second
 * one without a success in between is a suspicion: the input is refused for a while.  But
 * in an outage every input costs workers, and a library that went mad dies of any: after
 * another loss it counts only when the same worker had passed a canary that was asked
 * after that one, and after the last death over anything else, so that the token was well
 * in between and this worker's library too.
 * Of several inputs that a worker was at when it died one may be to blame: each is a
 * suspect, and a suspect is given to a worker that has nothing else to do (pump.c), so that
 * the next death says whose fault it is.
 * Only unwraps are remembered (their input is ciphertext); a wrap
 * never comes twice.  Pure. */
#ifndef KEYWARD_FRONT_QUARANTINE_H
#define KEYWARD_FRONT_QUARANTINE_H

#include <keyward/bytes.h>
#include <keyward/clock.h>
#include <keyward/limits.h>
#include <keyward/mutex.h>
#include <keyward/wire.h>

/* key_id, iv, aad and sealed part, as the job's message holds them. */
#define KW_SAMPLE_MAX (8u + KW_KEY_ID_MAX + KW_IV_MAX + KW_AAD_MAX + KW_SEALED_MAX)
#define KW_QUARANTINE_MAX 16u
#define KW_QUARANTINE_NS (INT64_C(600) * KW_S_NS) /* then it may try again */

struct kw_suspect {
    unsigned deaths; /* 0 = free */
    uint64_t mark;   /* the wire's ids had come so far at the last one */
    int64_t last_ns;
    size_t len;
    uint8_t sample[KW_SAMPLE_MAX];
};
struct kw_quarantine {
    size_t used; /* suspects with deaths > 0 */
    struct kw_suspect suspects[KW_QUARANTINE_MAX];
};

/* What is remembered of an unwrap; 0 for anything else.  dst has KW_SAMPLE_MAX bytes. */
size_t kw_sample_of(const struct kw_wire_job *job, uint8_t *dst);

/* This input has cost a worker, for certain; the longest-ago suspect makes room.  Returns
 * how many it has cost by now.  `mark`: the newest wire id that was given out. */
unsigned kw_quarantine_strike(struct kw_quarantine *q, kw_span sample, uint64_t mark,
                              int64_t now_ns) KW_LOCKED;
/* The same when it was at several inputs: never more than the first death. */
void kw_quarantine_suspect(struct kw_quarantine *q, kw_span sample, uint64_t mark,
                           int64_t now_ns) KW_LOCKED;
bool kw_quarantine_suspects(const struct kw_quarantine *q, kw_span sample,
                            int64_t now_ns) KW_LOCKED;
/* A worker died over it, or answered HSM_DOWN to it.  `proven`: the wire id of the newest canary that this
 * worker passed, 0 = none. */
unsigned kw_quarantine_doubt(struct kw_quarantine *q, kw_span sample, uint64_t proven,
                             uint64_t mark, int64_t now_ns) KW_LOCKED;
/* A worker died over something else than the other suspects (`sample`; empty: a canary or
 * a wrap): what these cost next counts only after a canary that is asked from now on. */
void kw_quarantine_others(struct kw_quarantine *q, kw_span sample,
                          uint64_t mark) KW_LOCKED;
/* It was served: no suspicion is left. */
void kw_quarantine_clear(struct kw_quarantine *q, kw_span sample) KW_LOCKED;
/* An operator says so: nobody is suspected any more.  Returns how many were held. */
size_t kw_quarantine_lift(struct kw_quarantine *q, int64_t now_ns) KW_LOCKED;
/* Those that are held, the longest first. */
size_t kw_quarantine_list(const struct kw_quarantine *q, int64_t now_ns,
                          const struct kw_suspect *ret[KW_QUARANTINE_MAX]) KW_LOCKED;
/* Two deaths, the last one not long ago. */
bool kw_quarantine_holds(const struct kw_quarantine *q, kw_span sample,
                         int64_t now_ns) KW_LOCKED;

#endif
