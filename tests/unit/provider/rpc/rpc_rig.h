/* SPDX-License-Identifier: Apache-2.0 */
/* rpc_rig - rpc with a kms that does what the case says
 *
 * kms_parks holds calls until kms_finish: the test's thread is then the main thread. */
#ifndef KEYWARD_TESTS_RPC_RIG_H
#define KEYWARD_TESTS_RPC_RIG_H

#include <keyward/client.h>
#include <keyward/kms.h>
#include <keyward/rpc.h>

#include "check.h"
#include "h2raw.h"

/* ---- the fake kms ---- */

/* The facts of the last call, copied. */
struct kms_seen {
    struct kw_request call;
    uint8_t bytes[KW_CIPHERTEXT_MAX];
    size_t len;
};

struct kw_kms {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool parks; /* Encrypt and Decrypt wait for kms_finish; else answered at once */
    bool status_parks;
    bool stands;        /* a Status keeps the rpc thread until kms_go_on */
    bool finish_inside; /* a helper thread finishes while begin has not returned */
    bool echoes;        /* the input is the answer */
    const char *key_id; /* what an echo says, NULL = kw1-0-echo */
    kw_err answer;      /* for all but Status                                          */
    struct kw_request *parked; /* by work.next, newest first */
    size_t parked_count, begun, cancelled;
    int watched; /* a descriptor; was it open when a call was cancelled? */
    bool watched_open;
    struct kms_seen seen;
    size_t refused;            /* by rpc itself */
    struct kw_request refusal; /* the last one  */
};

struct rig {
    struct kw_kms kms;
    struct kw_rpc *rpc;
    char dir[64], path[96];
    _Atomic int64_t now_ns; /* what rpc takes for the time */
    struct kw_clock clock;
    int listening;
    int adopted; /* the last descriptor of rig_raw: its number, not ours */
    pthread_t acceptor;
    struct kw_client *client;
};

struct rig *rig_new(void);
struct rig *rig_new_echo(void);
void rig_free(struct rig *r);
/* Ends rpc and client but keeps the rig. */
void rig_free_rpc(struct rig *r);
/* A raw connection that is already handed over to class `class_index`. */
struct h2raw *rig_raw(struct rig *r, size_t class_index);
/* The same, which must fail; the connection is there and closed. */
struct h2raw *rig_raw_refused(struct rig *r, size_t class_index, enum kw_code why);

size_t kms_begun(struct rig *r);
struct kms_seen kms_seen(struct rig *r);
size_t kms_refused(struct rig *r);
struct kw_request kms_refusal(struct rig *r);
/* Blocks until that many calls were begun / are parked / were cancelled. */
void kms_await_begun(struct rig *r, size_t count);
void kms_await_parked(struct rig *r, size_t count);
void kms_await_cancelled(struct rig *r, size_t count);
/* Finishes every parked call with this outcome, as the main thread would. */
void kms_finish(struct rig *r, kw_err outcome);
void kms_park(struct rig *r, bool parks);
/* From the next Status on the rpc thread does nothing. */
void kms_stand(struct rig *r);
void kms_go_on(struct rig *r);

extern const uint8_t rig_seed[32];

#endif
