/* SPDX-License-Identifier: Apache-2.0 */
/* The slot that came back last is lent first, so that only as many are ever touched as
 * were open at once. */
#include "pool.h"

#include <keyward/alloc.h>

#include "codec.h"
#include "rpc_call.h"

kw_err kw_pool_init(struct kw_pool *pool, struct kw_rpc *rpc)
{
    *pool = (struct kw_pool){.mutex = PTHREAD_MUTEX_INITIALIZER};
    pool->slots = kw_new(KW_RPC_SLOTS, sizeof *pool->slots);
    if (pool->slots == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "slots");
    kw_err e = kw_secret_init(&pool->replies, KW_RPC_SLOTS * KW_REPLY_SECRET_MAX);
    if (kw_failed(e)) {
        kw_free(pool->slots);
        pool->slots = NULL;
        return e;
    }
    for (size_t i = KW_RPC_SLOTS; i-- > 0;) {
        struct kw_slot *s = &pool->slots[i];
        s->rpc = rpc;
        s->replied = (struct kw_tag){KW_TAG_REPLIED, s};
        s->gone = (struct kw_tag){KW_TAG_GONE, s};
        s->secret_reply = pool->replies.ptr + i * KW_REPLY_SECRET_MAX;
        s->next = pool->free;
        pool->free = s;
    }
    return KW_OK;
}

void kw_pool_wipe(struct kw_pool *pool)
{
    KW_INVARIANT(pool->open == 0);
    kw_secret_wipe(&pool->replies);
    kw_free(pool->slots);
    pool->slots = NULL;
}

struct kw_slot *kw_pool_take(struct kw_pool *pool, enum kw_ask ask)
{
    size_t room = ask == KW_ASK_STATUS ? KW_RPC_SLOTS : KW_RPC_CALLS_MAX;
    struct kw_slot *s = NULL;
    KW_INVARIANT(pthread_mutex_lock(&pool->mutex) == 0);
    if (pool->open < room) {
        s = pool->free;
        pool->free = s->next;
        pool->open++;
        if (pool->open > pool->open_max)
            pool->open_max = pool->open;
    }
    KW_INVARIANT(pthread_mutex_unlock(&pool->mutex) == 0);
    return s;
}

void kw_pool_give(struct kw_pool *pool, struct kw_slot *slot)
{
    KW_INVARIANT(pthread_mutex_lock(&pool->mutex) == 0);
    slot->next = pool->free;
    pool->free = slot;
    pool->open--;
    KW_INVARIANT(pthread_mutex_unlock(&pool->mutex) == 0);
}

void kw_pool_count(struct kw_pool *pool, size_t *ret_open, size_t *ret_open_max)
{
    KW_INVARIANT(pthread_mutex_lock(&pool->mutex) == 0);
    *ret_open = pool->open;
    *ret_open_max = pool->open_max;
    KW_INVARIANT(pthread_mutex_unlock(&pool->mutex) == 0);
}
