/* SPDX-License-Identifier: Apache-2.0 */
/* What the calls of a class came to, and how long they took. */
#include "status_document.h"

static const char *const method_names[KW_METHODS] = {"status", "encrypt", "decrypt"};

/* As kube-apiserver labels its own metrics: grpc-go's codes.Code.String(). */
static const char *grpc_name(enum kw_code code)
{
    static const char *const names[] = {"OK",
                                        "Canceled",
                                        "Unknown",
                                        "InvalidArgument",
                                        "DeadlineExceeded",
                                        "NotFound",
                                        "AlreadyExists",
                                        "PermissionDenied",
                                        "ResourceExhausted",
                                        "FailedPrecondition",
                                        "Aborted",
                                        "OutOfRange",
                                        "Unimplemented",
                                        "Internal",
                                        "Unavailable",
                                        "DataLoss",
                                        "Unauthenticated"};
    const unsigned number = kw_rpc_code(code);
    return number < sizeof names / sizeof names[0] ? names[number] : "Unknown";
}

/* "ok" always; of the others what there was. */
json_t *kw_status_calls(const struct kw_class_stats *stats)
{
    json_t *list = json_array();
    for (size_t m = 0; m < KW_METHODS; m++)
        for (size_t c = 0; c < KW_CODE_COUNT && list != NULL; c++) {
            const uint64_t count = stats->methods[m].outcomes[c];
            const enum kw_code code = (enum kw_code)c;
            if (count > 0 || code == KW_CODE_OK)
                list = kw_status_append(
                    list, json_pack("{s:s, s:s, s:s, s:I}", "method", method_names[m],
                                    "code", kw_code_name(code), "grpc", grpc_name(code),
                                    "count", (json_int_t)count));
        }
    return list;
}

json_t *kw_status_latency(const struct kw_latency *latency)
{
    json_t *counts = json_array();
    for (size_t i = 0; i <= KW_LATENCY_BOUNDS && counts != NULL; i++)
        counts = kw_status_append(counts, json_integer((json_int_t)latency->count[i]));
    return json_pack("{s:o, s:I}", "counts", counts, "sum_us",
                     (json_int_t)(latency->sum_ns / 1000));
}

static json_t *latency_part(size_t method, const struct kw_latency *latency)
{
    json_t *part = kw_status_latency(latency);
    if (json_object_set_new(part, "method", json_string(method_names[method])) == 0)
        return part;
    json_decref(part);
    return NULL;
}

json_t *kw_status_latencies(const struct kw_class_stats *stats)
{
    json_t *list = json_array();
    for (size_t m = 0; m < KW_METHODS && list != NULL; m++)
        list = kw_status_append(list, latency_part(m, &stats->methods[m].latency));
    return list;
}
