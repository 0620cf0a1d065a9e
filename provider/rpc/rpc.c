/* SPDX-License-Identifier: Apache-2.0 */
/* Start, connections, stop.  The order of the stop: the servers are told
 * and cancelled; when each has said that it is down and no request is open, the rpc
 * thread destroys them, shuts the queue down and drains it; then it is joined and the
 * queue goes. */
#include "server.h"

#include <signal.h>
#include <unistd.h>

#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>

#include <keyward/alloc.h>

#include "codec.h"
#include "rpc_request.h"

static const char *const methods[KW_RPC_METHODS] = {
    [KW_METHOD_STATUS] = "/v2.KeyManagementService/Status",
    [KW_METHOD_ENCRYPT] = "/v2.KeyManagementService/Encrypt",
    [KW_METHOD_DECRYPT] = "/v2.KeyManagementService/Decrypt",
};

enum {
    STREAMS_MAX = 4096,  /* of a connection: over what the pool refuses, so that a Status
                            never queues behind parked requests in gRPC                     */
    METADATA_MAX = 8192, /* bytes of headers */
    LOOKAHEAD = 16384, /* bytes of a stream's first window                             */
    /* What the arena needs for bookkeeping, per secret; generous. */
    LOAN = 128,
};

size_t kw_rpc_bytes(void)
{
    return KW_RPC_SLOTS * (KW_REPLY_SECRET_MAX + KW_SEED_MAX + LOAN) + KW_CODEC_BLOCK +
           KW_RPC_RECEIVE_MAX + 4 * LOAN;
}

static grpc_arg rpc_integer(const char *key, int value)
{
    grpc_arg a = {.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key};
    a.value.integer = value;
    return a;
}

static grpc_server *new_server(void)
{
    grpc_arg list[] = {
        rpc_integer(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, KW_RPC_RECEIVE_MAX),
        rpc_integer(GRPC_ARG_MAX_METADATA_SIZE, METADATA_MAX),
        rpc_integer(GRPC_ARG_MAX_CONCURRENT_STREAMS, STREAMS_MAX),
        rpc_integer(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, LOOKAHEAD),
        rpc_integer(GRPC_ARG_HTTP2_BDP_PROBE, 0),
        rpc_integer(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0),
        rpc_integer(GRPC_ARG_ENABLE_CHANNELZ, 0),
        rpc_integer(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0),
        rpc_integer(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
    };
    grpc_channel_args args = {sizeof list / sizeof list[0], list};
    return grpc_server_create(&args, NULL);
}

static kw_err start_server(struct kw_rpc *rpc, unsigned class_index)
{
    struct kw_server *s = &rpc->servers[class_index];
    s->rpc = rpc;
    s->class_index = class_index;
    s->down = (struct kw_tag){KW_TAG_DOWN, s};
    s->server = new_server();
    grpc_server_register_completion_queue(s->server, rpc->cq, NULL);
    for (int i = 0; i < KW_RPC_METHODS; i++) {
        s->methods[i] = grpc_server_register_method(
            s->server, methods[i], NULL, GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
        if (s->methods[i] == NULL)
            return kw_err_at(KW_CODE_BUG, "register method");
    }
    for (int i = 0; i < KW_RPC_POSTS; i++)
        s->posts[i] = (struct kw_post){
            .tag = {KW_TAG_NEW, &s->posts[i]}, .server = s, .method = i / KW_RPC_POSTED};
    grpc_server_start(s->server);
    return KW_OK;
}

static kw_err init_memory(struct kw_rpc *rpc)
{
    kw_err e = kw_pool_init(&rpc->pool, rpc, rpc->class_count);
    if (!kw_failed(e))
        e = kw_pb_block_init(&rpc->block, KW_CODEC_BLOCK);
    if (!kw_failed(e))
        e = kw_secret_init(&rpc->flat, KW_RPC_RECEIVE_MAX);
    if (!kw_failed(e))
        e = kw_peers_init(&rpc->peers);
    return e;
}

static void free_memory(struct kw_rpc *rpc)
{
    kw_peers_wipe(&rpc->peers);
    kw_secret_wipe(&rpc->flat);
    kw_pb_block_wipe(&rpc->block);
    kw_pool_wipe(&rpc->pool);
    kw_free(rpc->servers);
    kw_free(rpc);
}

/* Signals are the main thread's. */
static kw_err start_thread(struct kw_rpc *rpc)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int rc = pthread_create(&rpc->thread, NULL, kw_rpc_serve, rpc);
    if (rc == 0)
        (void)pthread_setname_np(rpc->thread, "kw-rpc");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? KW_OK : kw_err_native(KW_CODE_IO, (uint32_t)rc, "pthread_create");
}

/* Told through the queue, which wakes the thread; a server may be asked twice. */
static void rpc_tell_to_leave(struct kw_rpc *rpc)
{
    kw_rpc_shutdown(rpc);
    for (size_t i = 0; i < rpc->class_count; i++)
        grpc_server_cancel_all_calls(rpc->servers[i].server);
    rpc->leave = (struct kw_tag){KW_TAG_LEAVE, rpc};
    KW_TAG_RELEASE(&rpc->leave);
    grpc_server_shutdown_and_notify(rpc->servers[0].server, rpc->cq, &rpc->leave);
}

/* Nobody serves any more. */
static void rpc_destroy(struct kw_rpc *rpc)
{
    kw_rpc_dismantle(rpc);
    grpc_completion_queue_destroy(rpc->cq);
    grpc_server_credentials_release(rpc->credentials);
    free_memory(rpc);
    grpc_shutdown();
}

/* There is no rpc thread: the caller goes its last round, in which nothing is posted. */
static void rpc_end_unserved(struct kw_rpc *rpc)
{
    rpc_tell_to_leave(rpc);
    (void)kw_rpc_serve(rpc);
    rpc_destroy(rpc);
}

kw_err kw_rpc_new(const struct kw_rpc_options *options, struct kw_rpc **ret_rpc)
{
    if (options->class_count == 0 || options->kms == NULL)
        return kw_err_at(KW_CODE_BUG, "rpc options");
    struct kw_rpc *rpc = kw_new(1, sizeof *rpc);
    if (rpc == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "rpc");
    rpc->kms = options->kms;
    rpc->clock = options->clock;
    rpc->class_count = options->class_count;
    rpc->peers_mutex = (struct kw_mutex)KW_MUTEX_INIT;
    rpc->posts_mutex = (struct kw_mutex)KW_MUTEX_INIT;
    rpc->servers = kw_new(rpc->class_count, sizeof *rpc->servers);
    kw_err e =
        rpc->servers != NULL ? init_memory(rpc) : kw_err_at(KW_CODE_NO_MEMORY, "rpc");
    if (kw_failed(e)) {
        free_memory(rpc);
        return e;
    }
    grpc_init();
    rpc->cq = grpc_completion_queue_create_for_next(NULL);
    rpc->credentials = grpc_insecure_server_credentials_create();
    for (unsigned i = 0; i < rpc->class_count && !kw_failed(e); i++)
        e = start_server(rpc, i);
    KW_INVARIANT(!kw_failed(e)); /* a name that cannot be registered is our end anyway */
    e = start_thread(rpc);
    if (kw_failed(e))
        rpc_end_unserved(rpc);
    else
        *ret_rpc = rpc;
    return e;
}

kw_err kw_rpc_adopt(struct kw_rpc *rpc, size_t class_index, int fd,
                    const struct kw_peer *peer)
{
    kw_err e = KW_OK;
    if (class_index >= rpc->class_count)
        e = kw_err_at(KW_CODE_BUG, "adopt");
    else if (rpc->stopping) /* this thread set it */
        e = kw_err_at(KW_CODE_CANCELLED, "adopt");
    if (!kw_failed(e)) {
        kw_mutex_lock(&rpc->peers_mutex);
        e = kw_peers_put(&rpc->peers, fd, (unsigned)class_index, peer);
        kw_mutex_unlock(&rpc->peers_mutex);
    }
    if (kw_failed(e))
        close(fd);
    else
        grpc_server_add_channel_from_fd(rpc->servers[class_index].server, fd,
                                        rpc->credentials);
    return e;
}

int64_t kw_rpc_answered(const struct kw_rpc *rpc, int fd)
{
    return kw_peers_answered(&rpc->peers, fd);
}

uint64_t kw_rpc_beats(const struct kw_rpc *rpc)
{
    return atomic_load(&rpc->beats);
}

void kw_rpc_shutdown(struct kw_rpc *rpc)
{
    kw_mutex_lock(&rpc->posts_mutex);
    for (size_t i = 0; i < rpc->class_count && !rpc->stopping; i++) {
        struct kw_server *s = &rpc->servers[i];
        KW_TAG_RELEASE(&s->down);
        grpc_server_shutdown_and_notify(s->server, rpc->cq, &s->down);
    }
    rpc->stopping = true;
    kw_mutex_unlock(&rpc->posts_mutex);
}

bool kw_rpc_idle(struct kw_rpc *rpc)
{
    size_t open = 0, open_max = 0;
    kw_pool_count(&rpc->pool, &open, &open_max);
    return open == 0;
}

void kw_rpc_free(struct kw_rpc *rpc)
{
    if (rpc == NULL)
        return;
    rpc_tell_to_leave(rpc);
    KW_MUST(pthread_join(rpc->thread, NULL) == 0);
    rpc_destroy(rpc);
}

void kw_rpc_stats(struct kw_rpc *rpc, struct kw_rpc_stats *ret_stats)
{
    ret_stats->calls = atomic_load(&rpc->counts.calls);
    ret_stats->refused_busy = atomic_load(&rpc->counts.refused_busy);
    ret_stats->unimplemented = atomic_load(&rpc->counts.unimplemented);
    ret_stats->malformed = atomic_load(&rpc->counts.malformed);
    ret_stats->cancelled = atomic_load(&rpc->counts.cancelled);
    kw_pool_count(&rpc->pool, &ret_stats->open, &ret_stats->open_max);
}
