/* SPDX-License-Identifier: Apache-2.0 */
/* The slot that came back last is lent first, so that only as many are ever touched as
 * were open at once. */
#include "pool.h"

#include <keyward/alloc.h>

#include "codec.h"
#include "rpc_request.h"

static void share_out(struct kw_pool *pool, size_t class_count)
{
    size_t own = KW_RPC_CALLS_MAX / 2 / class_count;
    pool->common = KW_RPC_CALLS_MAX - own * class_count;
    for (size_t i = 0; i < class_count; i++)
        pool->classes[i] = (struct kw_pool_class){own, KW_RPC_RESERVE / class_count};
}

static void free_slots(struct kw_pool *pool)
{
    kw_free(pool->slots);
    kw_free(pool->classes);
    pool->slots = NULL;
    pool->classes = NULL;
}

kw_err kw_pool_init(struct kw_pool *pool, struct kw_rpc *rpc, size_t class_count)
{
    *pool = (struct kw_pool){.mutex = KW_MUTEX_INIT};
    pool->slots = kw_new(KW_RPC_SLOTS, sizeof *pool->slots);
    pool->classes = kw_new(class_count, sizeof *pool->classes);
    kw_err e = pool->slots == NULL || pool->classes == NULL
                   ? kw_err_at(KW_CODE_NO_MEMORY, "slots")
                   : kw_secret_init(&pool->replies, KW_RPC_SLOTS * KW_REPLY_SECRET_MAX);
    if (kw_failed(e)) {
        free_slots(pool);
        return e;
    }
    share_out(pool, class_count);
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
    free_slots(pool);
}

/* NULL: nothing left. */
static size_t *find_room(struct kw_pool *pool, enum kw_method method, size_t class_index,
                         enum kw_place *ret_place)
{
    struct kw_pool_class *class = &pool->classes[class_index];
    *ret_place = KW_PLACE_OWN;
    if (class->own > 0)
        return &class->own;
    *ret_place = KW_PLACE_COMMON;
    if (pool->common > 0)
        return &pool->common;
    *ret_place = KW_PLACE_RESERVE;
    return method == KW_METHOD_STATUS && class->reserve > 0 ? &class->reserve : NULL;
}

static size_t *pool_room_of(struct kw_pool *pool, const struct kw_slot *slot)
{
    struct kw_pool_class *class = &pool->classes[slot->class_index];
    switch (slot->place) {
    case KW_PLACE_OWN: return &class->own;
    case KW_PLACE_COMMON: break;
    case KW_PLACE_RESERVE: return &class->reserve;
    }
    return &pool->common;
}

struct kw_slot *kw_pool_take(struct kw_pool *pool, enum kw_method method,
                             size_t class_index)
{
    struct kw_slot *s = NULL;
    enum kw_place place;
    kw_mutex_lock(&pool->mutex);
    size_t *room = find_room(pool, method, class_index, &place);
    if (room != NULL) {
        (*room)--;
        s = pool->free;
        s->place = place;
        s->class_index = class_index;
        pool->free = s->next;
        pool->open++;
        if (pool->open > pool->open_max)
            pool->open_max = pool->open;
    }
    kw_mutex_unlock(&pool->mutex);
    return s;
}

void kw_pool_give(struct kw_pool *pool, struct kw_slot *slot)
{
    kw_mutex_lock(&pool->mutex);
    (*pool_room_of(pool, slot))++;
    slot->next = pool->free;
    pool->free = slot;
    pool->open--;
    kw_mutex_unlock(&pool->mutex);
}

void kw_pool_count(struct kw_pool *pool, size_t *ret_open, size_t *ret_open_max)
{
    kw_mutex_lock(&pool->mutex);
    *ret_open = pool->open;
    *ret_open_max = pool->open_max;
    kw_mutex_unlock(&pool->mutex);
}
