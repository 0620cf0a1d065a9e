/* SPDX-License-Identifier: Apache-2.0 */
/* block - a protobuf-c allocator over one fixed block of the arena
 *
 * A message unpacks into the block or not at all: what does not fit is refused, so a
 * stranger's message cannot spend memory.  Freeing one piece does nothing; a clear wipes
 * what was used and makes the whole block free again.
 *
 * Threads:   one at a time.
 * Secrets:   made for them.
 */
#ifndef KEYWARD_RPC_BLOCK_H
#define KEYWARD_RPC_BLOCK_H

#include <protobuf-c/protobuf-c.h>

#include <keyward/secret.h>

struct kw_pb_block {
    ProtobufCAllocator allocator;
    struct kw_secret bytes;
    size_t used;
};

/* NO_MEMORY.  The block must not move afterwards. */
KW_MUST_USE kw_err kw_pb_block_init(struct kw_pb_block *block, size_t len);
void kw_pb_block_clear(struct kw_pb_block *block);
void kw_pb_block_wipe(struct kw_pb_block *block);

#endif
