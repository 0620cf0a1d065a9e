/* SPDX-License-Identifier: Apache-2.0 */
/* The block gives its bytes from front to back; alignment suits any message. */
#include "block.h"

enum { ALIGN = 16 };

static void *block_take(void *data, size_t size)
{
    struct kw_pb_block *b = (struct kw_pb_block *)data;
    size_t len = size == 0 ? 1 : size;
    if (len > b->bytes.len - b->used)
        return NULL;
    void *p = b->bytes.ptr + b->used;
    size_t next = b->used + (len + ALIGN - 1) / ALIGN * ALIGN;
    b->used = next < b->bytes.len ? next : b->bytes.len;
    return p;
}

static void give(void *data, void *p)
{
    (void)data;
    (void)p;
}

kw_err kw_pb_block_init(struct kw_pb_block *block, size_t len)
{
    block->bytes = (struct kw_secret){0};
    block->used = 0;
    block->allocator = (ProtobufCAllocator){block_take, give, block};
    return kw_secret_init(&block->bytes, len);
}

void kw_pb_block_clear(struct kw_pb_block *block)
{
    if (block->used > 0)
        kw_wipe(block->bytes.ptr, block->used);
    block->used = 0;
}

void kw_pb_block_wipe(struct kw_pb_block *block)
{
    kw_secret_wipe(&block->bytes);
    block->used = 0;
}
