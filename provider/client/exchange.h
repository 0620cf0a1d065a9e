/* SPDX-License-Identifier: Apache-2.0 */
/* exchange - one unary call: bytes there, status and bytes back
 *
 * Threads:   any; the caller is blocked.
 */
#ifndef KEYWARD_CLIENT_EXCHANGE_H
#define KEYWARD_CLIENT_EXCHANGE_H

#include <grpc/grpc.h>

#include <keyward/client.h>

/* Where calls go, and how they wait. */
struct kw_exchange_line {
    grpc_channel *channel;
    bool is_failing_fast;    /* does not wait for a connection */
    void (*tick)(void *ctx); /* NULL: nobody watches            */
    void *ctx;
};

/* Fills grpc_status, message and ns of *reply.  `request` is given up.  *ret_message is
 * NULL when no message came; else the caller owes kw_message_wipe. */
void kw_exchange(const struct kw_exchange_line *line, const char *method_path,
                 grpc_slice request, int64_t timeout_ns, struct kw_client_reply *reply,
                 grpc_byte_buffer **ret_message);

#endif
