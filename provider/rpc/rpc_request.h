/* SPDX-License-Identifier: Apache-2.0 */
/* rpc_request - one RPC, from its arrival to the last byte of its reply
 *
 *   BEGINNING   kms has it, inside kw_kms_begin on the rpc thread
 *   PARKED      kms has it
 *   WATCHED     kms has it; the client's cancel and deadline are being watched
 *   FINISHED    kms called done; the reply is written or about to be
 *
 * Whether the client's side is over is asked in the batch of the reply, which is one
 * write and one event.  Only for a request that has waited for a while is it asked in a
 * batch of its own, and kms told: a batch costs the quick ones more than it saves.
 *
 * Threads:   begin, watch, on_replied, on_gone, drop_stuck on the rpc thread; done on any.
 * Secrets:   a Decrypt's reply is packed from kms's secret straight into the slot's and
 *            wiped when gRPC drops it.
 */
#ifndef KEYWARD_RPC_RPC_REQUEST_H
#define KEYWARD_RPC_RPC_REQUEST_H

#include <stdatomic.h>

#include <grpc/grpc.h>

#include <keyward/rpc.h>

#include "codec.h"
#include "pool.h"
#include "status_map.h"
#include "tag.h"

enum kw_slot_phase {
    KW_SLOT_BEGINNING,
    KW_SLOT_PARKED,
    KW_SLOT_WATCHED,
    KW_SLOT_FINISHED
};

struct kw_slot {
    struct kw_rpc *rpc;
    /* pool */
    struct kw_slot *next;
    enum kw_place place;
    size_t class_index;

    struct kw_peer_entry *connection; /* as long as there is a call                  */
    struct kw_tag replied, gone;
    grpc_call *call;   /* rpc thread; NULL when over                              */
    unsigned events;   /* rpc thread: how many are still to come                  */
    bool given_up;     /* rpc thread: nobody has read the reply                   */
    atomic_uint holds; /* the request, and its reply's slice; at 0 the slot is free */
    _Atomic enum kw_slot_phase phase;
    int cancelled; /* written by gRPC before the last event */
    /* written by whoever finishes, before FINISHED */
    int64_t finished_ns;
    struct kw_rpc_status status;
    kw_span reply;
    grpc_byte_buffer *message;

    uint8_t *secret_reply; /* KW_REPLY_SECRET_MAX bytes of the arena */
    uint8_t plain_reply[KW_REPLY_PLAIN_MAX];
    uint8_t uid[KW_UID_MAX], key_id[KW_WIRE_KEY_ID_MAX], ciphertext[KW_CIPHERTEXT_MAX];
    struct kw_request request;
};

/* Copies what the request keeps.  NO_MEMORY. */
KW_MUST_USE kw_err kw_slot_fill(struct kw_slot *slot,
                                const struct kw_codec_fields *request);
/* `slot` was filled; it owns `request` from now on. */
void kw_slot_begin(struct kw_slot *slot, grpc_call *call);
/* Watches a request that is PARKED and arrived no later than that; false: too early. */
bool kw_slot_watch(struct kw_slot *slot, int64_t arrived_ns);
/* written: the reply, whatever it says, went out. */
void kw_slot_on_replied(struct kw_slot *slot, bool written);
void kw_slot_on_gone(struct kw_slot *slot);
/* Gives up a reply that nobody has read for KW_RPC_UNREAD_NS. */
#define KW_RPC_UNREAD_NS (10 * KW_S_NS)
void kw_slot_drop_stuck(struct kw_slot *slot, int64_t mono_now_ns);

#endif
