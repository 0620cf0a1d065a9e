/* SPDX-License-Identifier: Apache-2.0 */
/* The loop on the completion queue, and what happens to a request that arrives. */
#include "server.h"

#include <grpc/support/alloc.h>

#include <keyward/log.h>

#include "codec.h"
#include "rpc_request.h"
#include "slices.h"
#include "status_map.h"

enum { BEAT_MS = 500, WATCH_MS = 50, LEAVING_MS = 10 };

/* What a post held, taken out of it so that it can be posted again. */
struct arrival {
    struct kw_server *server;
    enum kw_method method;
    grpc_call *call;
    gpr_timespec deadline;
    grpc_byte_buffer *payload;
};

static void post(struct kw_post *p);
static void on_new(struct kw_post *p, bool success);
static void server_admit(struct kw_rpc *rpc, const struct arrival *a);
static void sweep(struct kw_rpc *rpc);
static void watch(struct kw_rpc *rpc);
static bool is_over(struct kw_rpc *rpc);

static grpc_event next(struct kw_rpc *rpc)
{
    int64_t ms = rpc->leaving ? LEAVING_MS : rpc->unwatched ? WATCH_MS : BEAT_MS;
    gpr_timespec until = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                      gpr_time_from_millis(ms, GPR_TIMESPAN));
    return grpc_completion_queue_next(rpc->cq, until, NULL);
}

static void handle(struct kw_rpc *rpc, const struct kw_tag *tag, bool success)
{
    switch (tag->kind) {
    case KW_TAG_NEW: on_new(tag->owner, success); break;
    case KW_TAG_REPLIED: kw_slot_on_replied(tag->owner, success); break;
    case KW_TAG_GONE: kw_slot_on_gone(tag->owner); break;
    case KW_TAG_DOWN: rpc->down_count++; break;
    case KW_TAG_LEAVE: rpc->leaving = true; break;
    }
}

void *kw_rpc_serve(void *self)
{
    struct kw_rpc *rpc = self;
    for (size_t c = 0; c < rpc->class_count; c++)
        for (size_t i = 0; i < KW_RPC_POSTS; i++)
            post(&rpc->servers[c].posts[i]);
    while (!is_over(rpc)) {
        grpc_event e = next(rpc);
        rpc->now_ns = kw_mono_ns(rpc->clock);
        atomic_fetch_add(&rpc->beats, 1);
        if (e.type == GRPC_OP_COMPLETE) {
            KW_TAG_ACQUIRE(e.tag);
            handle(rpc, e.tag, e.success != 0);
        }
        watch(rpc);
        sweep(rpc);
    }
    return NULL;
}

static bool is_over(struct kw_rpc *rpc)
{
    size_t open = 0, open_max = 0;
    if (!rpc->leaving || rpc->down_count < rpc->class_count)
        return false;
    kw_pool_count(&rpc->pool, &open, &open_max);
    return open == 0;
}

/* No request is open and no connection is left, so nobody starts anything any more; the
 * posts that failed at the shutdown are still in the queue. */
void kw_rpc_dismantle(struct kw_rpc *rpc)
{
    for (size_t c = 0; c < rpc->class_count; c++)
        grpc_server_destroy(rpc->servers[c].server);
    grpc_completion_queue_shutdown(rpc->cq);
    for (;;) {
        grpc_event e = grpc_completion_queue_next(
            rpc->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        if (e.type == GRPC_QUEUE_SHUTDOWN)
            break;
        KW_TAG_ACQUIRE(e.tag);
        handle(rpc, e.tag, e.success != 0);
    }
}

/* Requests that have waited for WATCH_MS; all of them when the process leaves. */
static void watch(struct kw_rpc *rpc)
{
    const int64_t before_ns = rpc->now_ns - (rpc->leaving ? 0 : WATCH_MS * KW_MS_NS);
    if (!rpc->unwatched || rpc->watched_ns > before_ns)
        return;
    rpc->watched_ns = rpc->now_ns;
    rpc->unwatched = false;
    for (size_t i = 0; i < KW_RPC_SLOTS; i++)
        if (!kw_slot_watch(&rpc->pool.slots[i], before_ns))
            rpc->unwatched = true;
}

static void sweep(struct kw_rpc *rpc)
{
    if (rpc->now_ns - rpc->swept_ns < KW_S_NS)
        return;
    rpc->swept_ns = rpc->now_ns;
    for (size_t i = 0; i < KW_RPC_SLOTS; i++)
        kw_slot_drop_stuck(&rpc->pool.slots[i], rpc->now_ns);
}

static grpc_call_error request(struct kw_post *p)
{
    struct kw_server *s = p->server;
    grpc_completion_queue *cq = s->rpc->cq;
    grpc_metadata_array_init(&p->metadata);
    p->call = NULL;
    p->payload = NULL;
    KW_TAG_RELEASE(&p->tag);
    if (p->method != KW_RPC_METHODS)
        return grpc_server_request_registered_call(s->server, s->methods[p->method],
                                                   &p->call, &p->deadline, &p->metadata,
                                                   &p->payload, cq, cq, &p->tag);
    grpc_call_details_init(&p->details);
    return grpc_server_request_call(s->server, &p->call, &p->details, &p->metadata, cq,
                                    cq, &p->tag);
}

static void post(struct kw_post *p)
{
    struct kw_rpc *rpc = p->server->rpc;
    kw_mutex_lock(&rpc->posts_mutex);
    if (!rpc->stopping)
        KW_MUST(request(p) == GRPC_CALL_OK);
    kw_mutex_unlock(&rpc->posts_mutex);
}

/* The whole answer to a request that gets no slot; nothing of it is left behind. */
static void server_refuse(grpc_call *call, grpc_status_code code, const char *text)
{
    (void)grpc_call_cancel_with_status(call, code, text, NULL);
    grpc_call_unref(call);
}

static void on_other(struct kw_post *p)
{
    atomic_fetch_add(&p->server->rpc->counts.unimplemented, 1);
    kw_log(KW_LOG_WARN, "rpc-unknown-method", KW_INT("class", p->server->class_index),
           KW_PEER("method", kw_slice_span(&p->details.method)));
    server_refuse(p->call, GRPC_STATUS_UNIMPLEMENTED,
                  "keyward: serves v2.KeyManagementService only");
}

static void on_new(struct kw_post *p, bool success)
{
    struct kw_rpc *rpc = p->server->rpc;
    struct arrival a = {p->server, KW_METHOD_STATUS, p->call, p->deadline, p->payload};
    bool other = p->method == KW_RPC_METHODS;
    if (success && other)
        on_other(p);
    if (other)
        grpc_call_details_destroy(&p->details);
    grpc_metadata_array_destroy(&p->metadata);
    if (!success) /* the server shuts down */
        return;
    if (!other)
        a.method = (enum kw_method)p->method;
    post(p);
    if (other)
        return;
    atomic_fetch_add(&rpc->counts.calls, 1);
    server_admit(rpc, &a);
    kw_message_wipe(a.payload);
}

/* A client may allow more than any clock here can count. */
static kw_deadline deadline_of(const struct kw_rpc *rpc, gpr_timespec t)
{
    if (gpr_time_cmp(t, gpr_inf_future(t.clock_type)) == 0)
        return KW_NEVER;
    gpr_timespec left = gpr_time_sub(t, gpr_now(t.clock_type));
    if (left.tv_sec >= INT64_MAX / KW_S_NS)
        return KW_NEVER;
    if (left.tv_sec < 0)
        return (kw_deadline){0};
    int64_t ns = left.tv_sec * KW_S_NS + left.tv_nsec;
    return ns > INT64_MAX - rpc->now_ns ? KW_NEVER : (kw_deadline){rpc->now_ns + ns};
}

/* NULL: whose it is, is not known. */
static struct kw_peer_entry *find_peer(struct kw_rpc *rpc, const struct arrival *a,
                                       struct kw_peer *ret_peer)
{
    char *name = grpc_call_get_peer(a->call);
    kw_mutex_lock(&rpc->peers_mutex);
    struct kw_peer_entry *connection =
        kw_peers_find(&rpc->peers, name, a->server->class_index);
    if (connection != NULL)
        *ret_peer = connection->peer;
    kw_mutex_unlock(&rpc->peers_mutex);
    gpr_free(name);
    return connection;
}

/* A message in several slices was joined in `flat`, and wants wiping there. */
static kw_err decode(struct kw_rpc *rpc, const struct arrival *a,
                     struct kw_codec_fields *ret)
{
    kw_span message = {0};
    kw_err e = kw_err_at(KW_CODE_BAD_INPUT, "message: size");
    if (kw_message_peek(a->payload, kw_dst_of(rpc->flat.ptr, rpc->flat.len), &message))
        e = kw_codec_decode(a->method, message, &rpc->block, ret);
    if (message.ptr == NULL || message.ptr == rpc->flat.ptr)
        kw_wipe(rpc->flat.ptr, rpc->flat.len);
    return e;
}

/* Everything of the request that the request needs, checked; the block is clear
 * afterwards. */
static kw_err take_in(struct kw_rpc *rpc, const struct arrival *a, struct kw_slot *slot)
{
    struct kw_codec_fields request = {0};
    slot->request = (struct kw_request){.method = a->method,
                                        .class_index = a->server->class_index,
                                        .arrived_ns = rpc->now_ns,
                                        .until = deadline_of(rpc, a->deadline)};
    if (kw_deadline_over(slot->request.until, rpc->now_ns))
        return kw_err_at(KW_CODE_DEADLINE, "arrival");
    slot->connection = find_peer(rpc, a, &slot->request.peer);
    if (slot->connection == NULL)
        return kw_err_at(KW_CODE_DENIED, "peer");
    kw_err e = decode(rpc, a, &request);
    if (!kw_failed(e))
        e = kw_slot_fill(slot, &request);
    kw_pb_block_clear(&rpc->block);
    return e;
}

/* On record with what is known of it; its names may not be. */
static void put_on_record(struct kw_rpc *rpc, const struct arrival *a, kw_err e)
{
    struct kw_request facts = {.method = a->method,
                               .class_index = a->server->class_index,
                               .peer = {KW_PEER_UNKNOWN, KW_PEER_UNKNOWN, -1, 0},
                               .arrived_ns = rpc->now_ns,
                               .err = e};
    (void)find_peer(rpc, a, &facts.peer);
    kw_kms_refused(rpc->kms, &facts);
}

static void refuse_for(struct kw_rpc *rpc, const struct arrival *a, kw_err e)
{
    struct kw_rpc_status s = kw_rpc_status_of(e.code);
    if (e.code == KW_CODE_BUSY)
        atomic_fetch_add(&rpc->counts.refused_busy, 1);
    if (e.code == KW_CODE_BAD_INPUT)
        atomic_fetch_add(&rpc->counts.malformed, 1);
    kw_log(KW_LOG_WARN, "rpc-refused", KW_INT("class", a->server->class_index),
           KW_ERR("error", e));
    put_on_record(rpc, a, e);
    server_refuse(a->call, s.code, s.text);
}

static void server_admit(struct kw_rpc *rpc, const struct arrival *a)
{
    if (a->payload != NULL && kw_message_is_compressed(a->payload)) {
        atomic_fetch_add(&rpc->counts.malformed, 1);
        put_on_record(rpc, a, kw_err_at(KW_CODE_BAD_INPUT, "message: compressed"));
        server_refuse(a->call, GRPC_STATUS_UNIMPLEMENTED,
                      "keyward: takes no compressed messages");
        return;
    }
    if (a->payload == NULL) {
        refuse_for(rpc, a, kw_err_at(KW_CODE_BAD_INPUT, "message: none"));
        return;
    }
    struct kw_slot *slot = kw_pool_take(&rpc->pool, a->method, a->server->class_index);
    if (slot == NULL) {
        refuse_for(rpc, a, kw_err_at(KW_CODE_BUSY, "calls"));
        return;
    }
    kw_err e = take_in(rpc, a, slot);
    if (kw_failed(e)) {
        kw_pool_give(&rpc->pool, slot);
        refuse_for(rpc, a, e);
        return;
    }
    kw_slot_begin(slot, a->call);
}
