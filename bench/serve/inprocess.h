/* SPDX-License-Identifier: Apache-2.0 */
/* inprocess - an HSM behind the door of <keyward/hsm.h> that is this very process
 *
 * No worker, no queue of shares, no health to lose: a job waits for the main loop's next
 * turn, which runs it with a cipher and hands its answer over.  kms above it is the
 * product's own, so two servers differ by what stands behind the door alone.
 *
 * Threads:   as <keyward/hsm.h> says; a cipher, new and free on the main thread.
 * Blocking:  the main loop, for as long as the cipher takes; a token's, as its module likes.
 * Secrets:   a cipher's key and a job's input, until it is answered, lie in the arena, which
 *            is open before and closed after.
 */
#ifndef KEYWARD_BENCH_INPROCESS_H
#define KEYWARD_BENCH_INPROCESS_H

#include <keyward/hsm.h>

#include "bench_key.h"

/* ---- cipher.c: OpenSSL, or a token ----------------------------------------------------
 *
 * One AES-256-GCM key, made at open, nobody else's, gone with close. */

struct kw_cipher {
    const char *key_id; /* 30 bytes, as keywardd's first ones have */
    void *ctx;
    /* FORGED  an unwrap whose tag or additional data do not match */
    kw_err (*run)(void *ctx, enum kw_hsm_op op, kw_span iv, kw_span aad, kw_span input,
                  struct kw_secret *ret_output);
    /* An error, with a note, when the token would not destroy the key. */
    kw_err (*close)(void *ctx, struct kw_note *note);
};

/* The least that a seed can cost. */
KW_MUST_USE kw_err kw_software_open(struct kw_cipher *ret_cipher);

struct kw_token_cipher_options {
    const char *module, *uri, *pin; /* as in <keyward/token.h>; borrowed until close */
    enum kw_bench_key key;
    bool any_token; /* also one that is no SoftHSM */
};
/* The token module in this process, one session: what a call costs without a worker.
 * DENIED  it is no SoftHSM and any_token is not set; and what <keyward/token.h> says */
KW_MUST_USE kw_err kw_token_cipher_open(const struct kw_token_cipher_options *options,
                                        struct kw_cipher *ret_cipher,
                                        struct kw_note *note);

/* ---- inprocess.c ---------------------------------------------------------------------- */

enum {
    KW_INPROCESS_JOBS = 1024,         /* under way at once; more are BUSY           */
    KW_INPROCESS_ARENA = 1024 * 1024, /* bytes that they may take                   */
};

struct kw_inprocess_options {
    const struct kw_cipher *cipher;
    /* The unwrap with which kms proves a fresh wrap is answered with what was wrapped,
     * without asking the cipher. */
    bool no_verify;
    struct kw_lock *lock;
    struct event_base *loop;
};
struct kw_inprocess;

KW_MUST_USE kw_err kw_inprocess_new(const struct kw_inprocess_options *options,
                                    struct kw_inprocess **ret_hsm);
void kw_inprocess_free(struct kw_inprocess *hsm); /* NULL does nothing */
struct kw_hsm_door kw_inprocess_door(struct kw_inprocess *hsm);

#endif
