/* SPDX-License-Identifier: Apache-2.0 */
#include <keyward/client.h>

const char *kw_client_status_name(int grpc_status)
{
    static const char *const names[] = {
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    };
    return grpc_status >= 0 && (size_t)grpc_status < sizeof names / sizeof names[0]
               ? names[grpc_status]
               : "?";
}
