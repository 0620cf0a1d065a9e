/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc_request.h"

#include "server.h"
#include "slices.h"

static void rpc_request_done(struct kw_request *request);
static void reply(struct kw_slot *s, bool watched);
static void rpc_request_settle(struct kw_slot *s);
static void rpc_request_drop(struct kw_slot *s);

/* A copy in the slot, cut to its room. */
static kw_span keep(uint8_t *room, size_t cap, kw_span s)
{
    kw_span cut = {s.ptr, s.len < cap ? s.len : cap};
    kw_copy(room, cap, cut);
    return kw_span_of(room, cut.len);
}

kw_err kw_slot_fill(struct kw_slot *slot, const struct kw_codec_fields *request)
{
    struct kw_request *a = &slot->request;
    a->uid = keep(slot->uid, sizeof slot->uid, request->uid);
    a->key_id = keep(slot->key_id, sizeof slot->key_id, request->key_id);
    a->has_annotations = request->has_annotations;
    a->done = rpc_request_done;
    if (a->method == KW_METHOD_DECRYPT)
        a->ciphertext = keep(slot->ciphertext, sizeof slot->ciphertext, request->bytes);
    if (a->method == KW_METHOD_ENCRYPT && request->bytes.len > 0)
        return kw_secret_copy(&a->seed, request->bytes);
    return KW_OK;
}

static void start(struct kw_slot *s, const grpc_op *ops, size_t count, struct kw_tag *tag)
{
    grpc_call *call = s->call;
    KW_TAG_RELEASE(tag); /* the slot is not touched after this */
    grpc_call_error e = grpc_call_start_batch(call, ops, count, tag, NULL);
    KW_INVARIANT(e == GRPC_CALL_OK);
}

static grpc_op close_op(struct kw_slot *s)
{
    grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
    op.data.recv_close_on_server.cancelled = &s->cancelled;
    return op;
}

void kw_slot_begin(struct kw_slot *slot, grpc_call *call)
{
    enum kw_slot_phase expected = KW_SLOT_BEGINNING;
    slot->call = call;
    slot->events = 1;
    slot->cancelled = 0;
    slot->given_up = false;
    atomic_store(&slot->holds, 1);
    atomic_store(&slot->phase, KW_SLOT_BEGINNING);
    kw_kms_begin(slot->rpc->kms, &slot->request);
    if (atomic_compare_exchange_strong(&slot->phase, &expected, KW_SLOT_PARKED))
        slot->rpc->unwatched = true;
    else
        reply(slot, false); /* finished in begin, or the main thread was quicker */
}

bool kw_slot_watch(struct kw_slot *slot, int64_t arrived_ns)
{
    enum kw_slot_phase expected = KW_SLOT_PARKED;
    if (atomic_load(&slot->phase) != KW_SLOT_PARKED)
        return true;
    if (slot->request.arrived_ns > arrived_ns)
        return false;
    slot->events = 2; /* before anybody can reply to a watched one */
    if (!atomic_compare_exchange_strong(&slot->phase, &expected, KW_SLOT_WATCHED)) {
        slot->events = 1; /* it finished meanwhile, in one batch */
        return true;
    }
    grpc_op op = close_op(slot);
    start(slot, &op, 1, &slot->gone);
    return true;
}

/* kms is through with the request.  Whoever finds it BEGINNING leaves the sending to the
 * rpc thread, which still holds it in begin. */
static void rpc_request_done(struct kw_request *request)
{
    struct kw_slot *s =
        (struct kw_slot *)(void *)((char *)request - offsetof(struct kw_slot, request));
    bool secret = request->method == KW_METHOD_DECRYPT;
    kw_dst out = secret ? kw_dst_of(s->secret_reply, KW_REPLY_SECRET_MAX)
                        : kw_dst_of(s->plain_reply, KW_REPLY_PLAIN_MAX);
    kw_err e = request->err;
    if (!kw_failed(e))
        e = kw_codec_encode(request, &out);
    kw_secret_wipe(&request->seed);
    s->status = kw_rpc_status_of(e.code);
    s->reply = kw_dst_span(&out);
    s->finished_ns = kw_mono_ns(s->rpc->clock);
    enum kw_slot_phase before = atomic_exchange(&s->phase, KW_SLOT_FINISHED);
    if (before != KW_SLOT_BEGINNING)
        reply(s, before == KW_SLOT_WATCHED);
}

/* gRPC dropped the reply's bytes; any thread. */
static void drop_reply(void *p)
{
    struct kw_slot *s = p;
    KW_TAG_ACQUIRE(s);
    if (s->request.method == KW_METHOD_DECRYPT)
        kw_wipe(s->secret_reply, KW_REPLY_SECRET_MAX);
    rpc_request_drop(s);
}

static grpc_byte_buffer *message_of(struct kw_slot *s)
{
    bool secret = s->request.method == KW_METHOD_DECRYPT;
    uint8_t *p = secret ? s->secret_reply : s->plain_reply;
    atomic_fetch_add(&s->holds, 1);
    KW_TAG_RELEASE(s);
    grpc_slice slice = grpc_slice_new_with_user_data(p, s->reply.len, drop_reply, s);
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return message;
}

/* `watched`: the end of the client's side is already waited for in a batch of its own. */
static void reply(struct kw_slot *s, bool watched)
{
    bool good = s->status.code == GRPC_STATUS_OK;
    grpc_slice text = grpc_slice_from_static_string(s->status.text);
    grpc_op ops[4] = {{.op = GRPC_OP_SEND_INITIAL_METADATA}};
    size_t n = 1;
    s->message = NULL;
    if (good) {
        s->message = message_of(s);
        ops[n].op = GRPC_OP_SEND_MESSAGE;
        ops[n++].data.send_message.send_message = s->message;
    }
    ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    ops[n].data.send_status_from_server.status = s->status.code;
    ops[n++].data.send_status_from_server.status_details = good ? NULL : &text;
    if (!watched)
        ops[n++] = close_op(s);
    kw_peers_answering(s->connection);
    start(s, ops, n, &s->replied);
}

void kw_slot_on_replied(struct kw_slot *slot, bool written)
{
    /* Given up it is not the reply that was written, but that it is given up. */
    kw_peers_sent(slot->connection, written && !slot->given_up, slot->rpc->now_ns);
    if (slot->message != NULL)
        grpc_byte_buffer_destroy(slot->message);
    slot->message = NULL;
    rpc_request_settle(slot);
}

/* Once, when gRPC has said so: at GONE, or else with the reply. */
static void count_cancelled(struct kw_slot *s)
{
    if (s->cancelled)
        atomic_fetch_add(&s->rpc->counts.cancelled, 1);
    s->cancelled = 0;
}

void kw_slot_on_gone(struct kw_slot *slot)
{
    count_cancelled(slot);
    if (atomic_load(&slot->phase) == KW_SLOT_WATCHED)
        kw_kms_cancel(slot->rpc->kms, &slot->request);
    rpc_request_settle(slot);
}

static void rpc_request_settle(struct kw_slot *s)
{
    if (--s->events > 0)
        return;
    grpc_call *call = s->call;
    count_cancelled(s);
    s->call = NULL;
    grpc_call_unref(call);
    rpc_request_drop(s);
}

static void rpc_request_drop(struct kw_slot *s)
{
    if (atomic_fetch_sub(&s->holds, 1) == 1)
        kw_pool_give(&s->rpc->pool, s);
}

void kw_slot_drop_stuck(struct kw_slot *slot, int64_t mono_now_ns)
{
    if (slot->call == NULL || atomic_load(&slot->phase) != KW_SLOT_FINISHED)
        return;
    slot->given_up = mono_now_ns - slot->finished_ns > KW_RPC_UNREAD_NS;
    if (slot->given_up)
        grpc_call_cancel(slot->call, NULL);
}
