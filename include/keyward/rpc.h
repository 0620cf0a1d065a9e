/* SPDX-License-Identifier: Apache-2.0 */
/* rpc - KMS v2 over gRPC core: connections in, requests to kms, replies out
 *
 * One thread of its own (the rpc thread) waits on the one completion queue and runs what
 * needs no HSM; a request that had to wait is finished by whoever calls its `done`.  One
 * grpc_server per class on that queue tells the class of a request.
 *
 * Service and messages: v2.KeyManagementService of k8s.io/kms, apis/v2/api.proto
 * (v0.36.3).
 *
 * Threads:   new, adopt, stop, free on the main thread.
 * Secrets:   request slices are wiped in place, replies are built in the arena and wiped
 *            when gRPC drops them.  What gRPC itself may have copied is in
 *            docs/THREATS.md.
 */
#ifndef KEYWARD_RPC_H
#define KEYWARD_RPC_H

#include <keyward/clock.h>
#include <keyward/kms.h>

/* The largest valid Decrypt is about 2 KiB (two fields of 1024, a uid). */
#define KW_RPC_RECEIVE_MAX 8192
/* Calls that may be open at once, all classes together; more get RESOURCE_EXHAUSTED.  One
 * half is shared out evenly among the classes, so that one cannot shut out another.
 * Status has some slots beyond, so that parked requests do not make the daemon look
 * ill. */
#define KW_RPC_CALLS_MAX 1024u

struct kw_rpc_options {
    struct kw_kms *kms;
    size_t class_count;
    const struct kw_clock *clock;
};
struct kw_rpc;

/* Call once per process, before any other thread exists and with every signal that the
 * main thread handles blocked: gRPC's threads inherit the mask. */
void kw_rpc_process_init(void);

/* Arena bytes that rpc may take: requests and reply buffers. */
size_t kw_rpc_bytes(void);

/* Threads that gRPC starts, and the rpc thread: as many as one process on this machine may
 * come to have.  gRPC core takes a thread that it cannot start for granted, and waits for it
 * for ever: who may not start so many does not call kw_rpc_process_init. */
size_t kw_rpc_threads(void);

/* Creates servers and queue and starts the rpc thread.
 * NO_MEMORY;  BUG  no class, or no kms
 * IO  the rpc thread could not be started (native = errno); nothing is left */
KW_MUST_USE kw_err kw_rpc_new(const struct kw_rpc_options *options,
                              struct kw_rpc **ret_rpc);

/* Takes over a connected, non-blocking descriptor (closed in every case) whose client has
 * begun with the HTTP/2 preface.
 * CANCELLED  rpc shuts down;  BUSY  the descriptor's number is beyond the table;
 * BUG        no such class */
KW_MUST_USE kw_err kw_rpc_adopt(struct kw_rpc *rpc, size_t class_index, int fd,
                                const struct kw_peer *peer);

/* When a call of the connection that was adopted last under this number was answered last
 * (CLOCK_MONOTONIC), whatever the answer said; 0: none was yet.  A time long ago: its first
 * answer is on its way, and nobody knows yet whether it was read. */
int64_t kw_rpc_answered(const struct kw_rpc *rpc, int fd);

/* Grows whenever the rpc thread went round its loop (at least once a second while it is
 * alive): for the service watchdog. */
uint64_t kw_rpc_beats(const struct kw_rpc *rpc);

/* Stops taking requests (GOAWAY) and begins the wait for those in flight; returns at
 * once. The main loop goes on, so parked requests can finish. */
void kw_rpc_shutdown(struct kw_rpc *rpc);
/* true when no request is open any more. */
bool kw_rpc_idle(struct kw_rpc *rpc);
/* Cancels what is left, joins the thread, frees.  NULL does nothing. */
void kw_rpc_free(struct kw_rpc *rpc);

/* The gRPC status code as which this is answered. */
unsigned kw_rpc_code(enum kw_code code);

struct kw_rpc_stats {
    uint64_t calls, refused_busy, unimplemented, malformed, cancelled;
    size_t open, open_max;
};
void kw_rpc_stats(struct kw_rpc *rpc, struct kw_rpc_stats *ret_stats);

#endif
