/* SPDX-License-Identifier: Apache-2.0 */
/* server - the module's own state, and the loop on its completion queue
 *
 * Threads:   see each field.
 */
#ifndef KEYWARD_RPC_SERVER_H
#define KEYWARD_RPC_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include <grpc/grpc.h>

#include <keyward/rpc.h>

#include "block.h"
#include "connection_peers.h"
#include "pool.h"
#include "tag.h"

/* Debian's gRPC keeps the outstanding tags in an array that it searches under the queue's
 * lock, so a few requests of each kind are posted and posted again at once. */
enum {
    KW_RPC_METHODS = 3,
    KW_RPC_POSTED = 4,
    KW_RPC_POSTS = (KW_RPC_METHODS + 1) * KW_RPC_POSTED
};

/* One request posted for a request to come. */
struct kw_post {
    struct kw_tag tag;
    struct kw_server *server;
    int method; /* enum kw_method, or KW_RPC_METHODS for any other method */
    grpc_call *call;
    gpr_timespec deadline;
    grpc_metadata_array metadata;
    grpc_call_details details; /* any other method only */
    grpc_byte_buffer *payload;
};

/* One class. */
struct kw_server {
    struct kw_rpc *rpc;
    unsigned class_index;
    grpc_server *server;
    void *methods[KW_RPC_METHODS];
    struct kw_tag down;
    struct kw_post posts[KW_RPC_POSTS];
};

struct kw_rpc_counts {
    _Atomic uint64_t calls, refused_busy, unimplemented, malformed, cancelled;
};

struct kw_rpc {
    struct kw_kms *kms;
    const struct kw_clock *clock;
    grpc_completion_queue *cq;
    grpc_server_credentials *credentials;
    struct kw_server *servers;
    size_t class_count;
    pthread_t thread;
    struct kw_pool pool;
    struct kw_mutex peers_mutex;
    struct kw_peers peers; /* under peers_mutex */
    struct kw_tag leave;
    /* gRPC core loses a request that is posted while its server shuts down, and asserts
     * when that server is destroyed: posting and shutting down exclude each other. */
    struct kw_mutex posts_mutex;
    bool stopping; /* under posts_mutex: nothing is posted any more */
    _Atomic uint64_t beats;
    struct kw_rpc_counts counts;
    /* rpc thread */
    struct kw_pb_block block;
    struct kw_secret flat; /* a message that came in several slices   */
    size_t down_count;
    bool leaving;   /* the thread ends when all is down */
    int64_t now_ns; /* of the event in hand: one look at the clock serves all of it */
    int64_t swept_ns;
    bool unwatched; /* a request may be PARKED */
    int64_t watched_ns;
};

/* rpc thread's life; posts the first requests. */
void *kw_rpc_serve(void *rpc);
/* After the thread has ended: destroys servers and queue. */
void kw_rpc_dismantle(struct kw_rpc *rpc);

#endif
