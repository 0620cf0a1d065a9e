/* SPDX-License-Identifier: Apache-2.0 */
/* slices - bytes in and out of gRPC's byte buffers
 *
 * Threads:   any; a byte buffer belongs to one.
 * Secrets:   received slices are wiped in place: gRPC hands its read buffer over by
 *            reference, so there is no other copy of them to wipe.
 */
#ifndef KEYWARD_RPC_SLICES_H
#define KEYWARD_RPC_SLICES_H

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>

#include <keyward/bytes.h>

static inline kw_span kw_slice_span(const grpc_slice *s)
{
    return (kw_span){GRPC_SLICE_START_PTR(*s), GRPC_SLICE_LENGTH(*s)};
}

/* The message as one span: a view of its only slice, or a copy in `room` when there are
 * several.  false when `room` is too small or the message is compressed. */
bool kw_message_peek(const grpc_byte_buffer *message, kw_dst room, kw_span *ret_span);
/* Appends the message.  false as above, or when it does not fit. */
bool kw_message_copy(const grpc_byte_buffer *message, kw_dst *out);
bool kw_message_is_compressed(const grpc_byte_buffer *message);

/* Wipes the message's bytes where they lie and destroys it.  NULL does nothing. */
void kw_message_wipe(grpc_byte_buffer *message);

#endif
