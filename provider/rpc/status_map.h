/* SPDX-License-Identifier: Apache-2.0 */
/* status_map - the one translator from our codes to what an API user reads
 *
 * kube-apiserver puts the text into the errors of its own clients, so it carries no slot,
 * PIN, path or key detail; and because the API offers to delete objects that "cannot be
 * read", it says where it is so that the failure is temporary and the data is intact.
 *
 * Threads:   pure.
 */
#ifndef KEYWARD_RPC_STATUS_MAP_H
#define KEYWARD_RPC_STATUS_MAP_H

#include <grpc/status.h>

#include <keyward/err.h>

struct kw_rpc_status {
    grpc_status_code code;
    const char *text; /* literal */
};
struct kw_rpc_status kw_rpc_status_of(enum kw_code code);

#endif
