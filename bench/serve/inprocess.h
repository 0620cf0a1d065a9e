/* SPDX-License-Identifier: Apache-2.0 */
/* inprocess - an HSM behind the door of <keyward/hsm.h> that is this very process
 *
 * No worker, no queue of shares, no health to lose: a job waits for the main loop's next
 * turn, which runs it with the cipher and hands its answer over.  kms above it is the
 * product's own, so two servers differ by what stands behind the door alone.
 *
 * Threads:   as <keyward/hsm.h> says; new and free on the main thread.
 * Blocking:  the main loop, for as long as the cipher takes.
 * Secrets:   a job's input lies in the arena until it is answered.
 */
#ifndef KEYWARD_BENCH_INPROCESS_H
#define KEYWARD_BENCH_INPROCESS_H

#include <keyward/hsm.h>

#include "cipher.h"

enum {
    KW_INPROCESS_JOBS = 1024,         /* under way at once; more are BUSY           */
    KW_INPROCESS_ARENA = 1024 * 1024, /* bytes that they may take                   */
};

struct kw_inprocess_options {
    const struct kw_cipher *cipher;
    void *ctx; /* the cipher's */
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
