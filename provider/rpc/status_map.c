/* SPDX-License-Identifier: Apache-2.0 */
#include "status_map.h"

#define TEMPORARY "; this is temporary, the data is intact, delete nothing"
#define INTACT "; the data is intact, delete nothing"

struct kw_rpc_status kw_rpc_status_of(enum kw_code code)
{
    struct kw_rpc_status s = {GRPC_STATUS_INTERNAL, "keyward: internal error" INTACT};
    switch (code) {
    case KW_CODE_OK: s = (struct kw_rpc_status){GRPC_STATUS_OK, ""}; break;
    case KW_CODE_BAD_INPUT:
        s = (struct kw_rpc_status){GRPC_STATUS_INVALID_ARGUMENT,
                                   "keyward: the request is not valid"};
        break;
    case KW_CODE_DENIED:
        s = (struct kw_rpc_status){GRPC_STATUS_PERMISSION_DENIED,
                                   "keyward: not allowed through this provider, see "
                                   "keyward's log" INTACT};
        break;
    case KW_CODE_UNKNOWN_KEY:
        s = (struct kw_rpc_status){GRPC_STATUS_NOT_FOUND,
                                   "keyward: no such key version on this node" INTACT};
        break;
    case KW_CODE_KEY_DISABLED:
        s = (struct kw_rpc_status){GRPC_STATUS_FAILED_PRECONDITION,
                                   "keyward: this key version is disabled by its "
                                   "operator" INTACT};
        break;
    case KW_CODE_KEY_BAD:
        s = (struct kw_rpc_status){
            GRPC_STATUS_UNAVAILABLE,
            "keyward: this key version cannot be used on this node "
            "now" INTACT};
        break;
    case KW_CODE_FORGED:
        s = (struct kw_rpc_status){GRPC_STATUS_INVALID_ARGUMENT,
                                   "keyward: the ciphertext does not prove genuine"};
        break;
    case KW_CODE_UNSURE:
        s = (struct kw_rpc_status){GRPC_STATUS_UNAVAILABLE,
                                   "keyward: could not decide, try again" TEMPORARY};
        break;
    case KW_CODE_WRONG_ANSWER:
        s = (struct kw_rpc_status){
            GRPC_STATUS_INTERNAL,
            "keyward: an answer of the HSM proved false and was not "
            "used" TEMPORARY};
        break;
    case KW_CODE_QUARANTINED:
        s = (struct kw_rpc_status){GRPC_STATUS_FAILED_PRECONDITION,
                                   "keyward: this ciphertext is held back, see keyward's "
                                   "log" INTACT};
        break;
    case KW_CODE_BUSY:
        s = (struct kw_rpc_status){GRPC_STATUS_RESOURCE_EXHAUSTED,
                                   "keyward: too many requests at once" TEMPORARY};
        break;
    case KW_CODE_DEADLINE:
        s = (struct kw_rpc_status){GRPC_STATUS_DEADLINE_EXCEEDED,
                                   "keyward: no answer in time" TEMPORARY};
        break;
    case KW_CODE_CANCELLED:
        s = (struct kw_rpc_status){GRPC_STATUS_CANCELLED,
                                   "keyward: the caller went away"};
        break;
    case KW_CODE_STARTING:
        s = (struct kw_rpc_status){GRPC_STATUS_UNAVAILABLE,
                                   "keyward: starting" TEMPORARY};
        break;
    case KW_CODE_SESSION:
    case KW_CODE_HSM_BUSY:
    case KW_CODE_HSM_DOWN:
    case KW_CODE_HSM_CONFIG:
    case KW_CODE_PIN_STOP:
        s = (struct kw_rpc_status){GRPC_STATUS_UNAVAILABLE,
                                   "keyward: the HSM cannot be used now" TEMPORARY};
        break;
    case KW_CODE_NO_MEMORY:
        s = (struct kw_rpc_status){GRPC_STATUS_RESOURCE_EXHAUSTED,
                                   "keyward: out of memory" TEMPORARY};
        break;
    case KW_CODE_IO:
    case KW_CODE_MISSING:
    case KW_CODE_BUG:
    case KW_CODE_COUNT: break;
    }
    return s;
}
