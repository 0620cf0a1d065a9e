/* SPDX-License-Identifier: Apache-2.0 */
/* corelog - gRPC core's messages without what a peer put into them */
#ifndef KEYWARD_RPC_CORELOG_H
#define KEYWARD_RPC_CORELOG_H

#include <keyward/bytes.h>

/* The front of `message` that is gRPC's own text. */
kw_span kw_core_log_safe(const char *message);

#endif
