/* SPDX-License-Identifier: Apache-2.0 */
#include "connection_peers.h"

#include <keyward/alloc.h>

kw_err kw_peers_init(struct kw_peers *peers)
{
    peers->entries = kw_new(KW_RPC_FDS_MAX, sizeof *peers->entries);
    return peers->entries != NULL ? KW_OK : kw_err_at(KW_CODE_NO_MEMORY, "peers");
}

void kw_peers_wipe(struct kw_peers *peers)
{
    kw_free(peers->entries);
    peers->entries = NULL;
}

kw_err kw_peers_put(struct kw_peers *peers, int fd, unsigned class_index,
                    const struct kw_peer *peer)
{
    if (fd < 0 || fd >= KW_RPC_FDS_MAX)
        return kw_err_at(KW_CODE_BUSY, "peers");
    struct kw_peer_entry *entry = &peers->entries[fd];
    entry->peer = *peer;
    entry->class_index = class_index;
    entry->known = true;
    atomic_store(&entry->answered_ns, 0);
    return KW_OK;
}

/* "fd:<number>" to the number, or -1. */
static int fd_of(const char *name)
{
    int fd = 0;
    kw_span s = kw_span_str(name);
    if (s.len < 4 || !kw_span_equal_str(kw_span_of(s.ptr, 3), "fd:"))
        return -1;
    for (size_t i = 3; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9' || fd >= KW_RPC_FDS_MAX)
            return -1;
        fd = fd * 10 + (s.ptr[i] - '0');
    }
    return fd < KW_RPC_FDS_MAX ? fd : -1;
}

struct kw_peer_entry *kw_peers_find(const struct kw_peers *peers, const char *name,
                                    unsigned class_index)
{
    int fd = fd_of(name);
    if (fd < 0 || !peers->entries[fd].known ||
        peers->entries[fd].class_index != class_index)
        return NULL;
    return &peers->entries[fd];
}

static void peers_turn(struct kw_peer_entry *entry, int64_t from, int64_t to)
{
    (void)atomic_compare_exchange_strong(&entry->answered_ns, &from, to);
}

void kw_peers_answering(struct kw_peer_entry *entry)
{
    peers_turn(entry, 0, KW_PEERS_ANSWERING);
}

void kw_peers_sent(struct kw_peer_entry *entry, bool written, int64_t now_ns)
{
    if (written)
        atomic_store(&entry->answered_ns, now_ns);
    else
        peers_turn(entry, KW_PEERS_ANSWERING, 0);
}

int64_t kw_peers_answered(const struct kw_peers *peers, int fd)
{
    return fd >= 0 && fd < KW_RPC_FDS_MAX ? atomic_load(&peers->entries[fd].answered_ns)
                                          : 0;
}
