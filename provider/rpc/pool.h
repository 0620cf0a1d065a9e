/* SPDX-License-Identifier: Apache-2.0 */
/* pool - the memory of requests, all of it taken at the start
 *
 * A slot is in use from the request's arrival until gRPC dropped the last byte of its
 * reply. Of KW_RPC_CALLS_MAX one half is common, the other is shared out evenly among the
 * classes: whoever fills the pool through one socket, or does not read its replies,
 * leaves the other sockets their part.  A reserve, shared out too, is for Status only:
 * many Decrypts do not make the daemon look unhealthy.
 *
 * Threads:   any; one mutex of its own, a leaf.
 * Secrets:   each slot's secret reply buffer is a piece of one secret of the pool.
 */
#ifndef KEYWARD_RPC_POOL_H
#define KEYWARD_RPC_POOL_H

#include <keyward/mutex.h>
#include <keyward/rpc.h>

struct kw_slot;

/* Whose place a lent slot takes up. */
enum kw_place { KW_PLACE_OWN, KW_PLACE_COMMON, KW_PLACE_RESERVE };

struct kw_pool {
    struct kw_mutex mutex; /* guards what follows but the pointers */
    struct kw_slot *slots;
    struct kw_slot *free;
    size_t open, open_max;
    size_t common; /* room left */
    struct kw_pool_class {
        size_t own, reserve; /* room left */
    } * classes;
    struct kw_secret replies;
};

enum { KW_RPC_RESERVE = 64, KW_RPC_SLOTS = KW_RPC_CALLS_MAX + KW_RPC_RESERVE };

/* NO_MEMORY */
KW_MUST_USE kw_err kw_pool_init(struct kw_pool *pool, struct kw_rpc *rpc,
                                size_t class_count);
/* Every slot must be back (asserted). */
void kw_pool_wipe(struct kw_pool *pool);

/* NULL when there is no room for this method of this class. */
struct kw_slot *kw_pool_take(struct kw_pool *pool, enum kw_method method,
                             size_t class_index);
void kw_pool_give(struct kw_pool *pool, struct kw_slot *slot);
void kw_pool_count(struct kw_pool *pool, size_t *ret_open, size_t *ret_open_max);

#endif
