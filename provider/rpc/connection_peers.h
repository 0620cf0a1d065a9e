/* SPDX-License-Identifier: Apache-2.0 */
/* connection_peers - who is at the other end of a request
 *
 * gRPC core names the peer of a handed-over descriptor "fd:<number>" and knows no more,
 * so a table keeps what SO_PEERCRED said when the number was handed over, and when a call
 * of that connection was answered last.  Entries are
 * overwritten and never taken out, which is sound for a request that comes late: gRPC
 * closes a descriptor only when the last request of its connection has been freed (a
 * stream holds its transport, the transport its endpoint), so while a request exists its
 * number cannot have been handed over again.  A case of the rpc tests holds this,
 * whichever gRPC is there.
 *
 * Threads:   any; the caller serialises.
 */
#ifndef KEYWARD_RPC_PEERS_H
#define KEYWARD_RPC_PEERS_H

#include <stdatomic.h>

#include <keyward/kms.h>

#define KW_RPC_FDS_MAX 16384

/* As answered_ns: the first answer is on its way, which the peer may have by now. */
enum { KW_PEERS_ANSWERING = 1 };

struct kw_peers {
    struct kw_peer_entry {
        struct kw_peer peer;
        unsigned class_index;
        bool known;
        _Atomic int64_t answered_ns; /* CLOCK_MONOTONIC; 0: none was yet. Any thread */
    } * entries;                     /* KW_RPC_FDS_MAX */
};

KW_MUST_USE kw_err kw_peers_init(struct kw_peers *peers);
void kw_peers_wipe(struct kw_peers *peers);
/* BUSY  the number is too high for the table */
KW_MUST_USE kw_err kw_peers_put(struct kw_peers *peers, int fd, unsigned class_index,
                                const struct kw_peer *peer);
/* `name` as grpc_call_get_peer gives it.  NULL when it names no entry of this class. */
struct kw_peer_entry *kw_peers_find(const struct kw_peers *peers, const char *name,
                                    unsigned class_index);
/* An answer is given to be sent; later, what became of it. */
void kw_peers_answering(struct kw_peer_entry *entry);
void kw_peers_sent(struct kw_peer_entry *entry, bool written, int64_t now_ns);
/* 0 also for a number that was never handed over. */
int64_t kw_peers_answered(const struct kw_peers *peers, int fd);

#endif
