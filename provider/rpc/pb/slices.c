/* SPDX-License-Identifier: Apache-2.0 */
#include "slices.h"

#include <keyward/secret.h>

bool kw_message_is_compressed(const grpc_byte_buffer *message)
{
    return message->data.raw.compression != GRPC_COMPRESS_NONE;
}

bool kw_message_copy(const grpc_byte_buffer *message, kw_dst *out)
{
    const grpc_slice_buffer *all = &message->data.raw.slice_buffer;
    if (kw_message_is_compressed(message))
        return false;
    for (size_t i = 0; i < all->count; i++)
        if (!kw_dst_put(out, kw_slice_span(&all->slices[i])))
            return false;
    return true;
}

bool kw_message_peek(const grpc_byte_buffer *message, kw_dst room, kw_span *ret_span)
{
    const grpc_slice_buffer *all = &message->data.raw.slice_buffer;
    bool whole = all->count == 1 && !kw_message_is_compressed(message);
    if (!whole && !kw_message_copy(message, &room))
        return false;
    *ret_span = whole ? kw_slice_span(&all->slices[0]) : kw_dst_span(&room);
    return true;
}

void kw_message_wipe(grpc_byte_buffer *message)
{
    if (message == NULL)
        return;
    grpc_slice_buffer *all = &message->data.raw.slice_buffer;
    for (size_t i = 0; i < all->count; i++)
        kw_wipe(GRPC_SLICE_START_PTR(all->slices[i]), GRPC_SLICE_LENGTH(all->slices[i]));
    grpc_byte_buffer_destroy(message);
}
