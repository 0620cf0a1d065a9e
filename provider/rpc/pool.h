/* SPDX-License-Identifier: Apache-2.0 */
/* pool - the room for calls, all of it taken at the start
 *
 * A slot is in use from the call's arrival until gRPC dropped the last byte of its reply.
 * KW_RPC_CALLS_MAX of any kind, and a reserve that only Status may use: whoever fills the
 * house with Decrypts does not make it look unhealthy.
 *
 * Threads:   any; one mutex of its own, a leaf.
 * Secrets:   each slot's secret reply buffer is a piece of one secret of the pool.
 */
#ifndef KEYWARD_RPC_POOL_H
#define KEYWARD_RPC_POOL_H

#include <pthread.h>

#include <keyward/rpc.h>

struct kw_slot;

struct kw_pool {
    pthread_mutex_t mutex; /* guards free, open, open_max */
    struct kw_slot *slots;
    struct kw_slot *free;
    size_t open, open_max;
    struct kw_secret replies;
};

enum { KW_RPC_RESERVE = 64, KW_RPC_SLOTS = KW_RPC_CALLS_MAX + KW_RPC_RESERVE };

/* NO_MEMORY */
KW_MUST_USE kw_err kw_pool_init(struct kw_pool *pool, struct kw_rpc *rpc);
/* Every slot must be back (asserted). */
void kw_pool_wipe(struct kw_pool *pool);

/* NULL when there is no room for this ask. */
struct kw_slot *kw_pool_take(struct kw_pool *pool, enum kw_ask ask);
void kw_pool_give(struct kw_pool *pool, struct kw_slot *slot);
void kw_pool_count(struct kw_pool *pool, size_t *ret_open, size_t *ret_open_max);

#endif
