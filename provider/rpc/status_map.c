/* SPDX-License-Identifier: Apache-2.0 */
/* Two switches without a default: a new code does not compile until it has its place. */
#include "status_map.h"

#include <keyward/rpc.h>

#define INTACT "; the data is intact, delete nothing"
#define TEMPORARY "; this is temporary, the data is intact, delete nothing"

static grpc_status_code status_of(enum kw_code code)
{
    switch (code) {
    case KW_CODE_OK: return GRPC_STATUS_OK;
    case KW_CODE_BAD_INPUT:
    case KW_CODE_FORGED: return GRPC_STATUS_INVALID_ARGUMENT;
    case KW_CODE_DENIED: return GRPC_STATUS_PERMISSION_DENIED;
    case KW_CODE_UNKNOWN_KEY: return GRPC_STATUS_NOT_FOUND;
    case KW_CODE_KEY_DISABLED:
    case KW_CODE_QUARANTINED: return GRPC_STATUS_FAILED_PRECONDITION;
    case KW_CODE_BUSY:
    case KW_CODE_NO_MEMORY: return GRPC_STATUS_RESOURCE_EXHAUSTED;
    case KW_CODE_DEADLINE: return GRPC_STATUS_DEADLINE_EXCEEDED;
    case KW_CODE_CANCELLED: return GRPC_STATUS_CANCELLED;
    case KW_CODE_KEY_BAD:
    case KW_CODE_UNSURE:
    case KW_CODE_STARTING:
    case KW_CODE_SESSION:
    case KW_CODE_HSM_BUSY:
    case KW_CODE_HSM_DOWN:
    case KW_CODE_HSM_CONFIG:
    case KW_CODE_AUDIT:
    case KW_CODE_PIN_STOP: return GRPC_STATUS_UNAVAILABLE;
    case KW_CODE_WRONG_ANSWER:
    case KW_CODE_IO:
    case KW_CODE_MISSING:
    case KW_CODE_BUG:
    case KW_CODE_COUNT: break;
    }
    return GRPC_STATUS_INTERNAL;
}

static const char *status_map_text_of(enum kw_code code)
{
    switch (code) {
    case KW_CODE_OK: return "";
    case KW_CODE_BAD_INPUT: return "keyward: the request is not valid";
    case KW_CODE_FORGED: return "keyward: the ciphertext does not prove genuine";
    case KW_CODE_CANCELLED: return "keyward: the caller went away" INTACT;
    case KW_CODE_DENIED:
        return "keyward: not allowed through this provider, see keyward's log" INTACT;
    case KW_CODE_UNKNOWN_KEY: return "keyward: no such key version on this node" INTACT;
    case KW_CODE_KEY_DISABLED:
        return "keyward: this key version is not in use here (not accepted, not active, "
               "or disabled)" INTACT;
    case KW_CODE_KEY_BAD:
        return "keyward: this key version cannot be used on this node now" INTACT;
    case KW_CODE_QUARANTINED:
        return "keyward: this ciphertext is held back, see keyward's log" INTACT;
    case KW_CODE_UNSURE: return "keyward: could not decide, try again" TEMPORARY;
    case KW_CODE_WRONG_ANSWER:
        return "keyward: an answer of the HSM proved false and was not used" TEMPORARY;
    case KW_CODE_BUSY: return "keyward: too many requests at once" TEMPORARY;
    case KW_CODE_DEADLINE: return "keyward: no answer in time" TEMPORARY;
    case KW_CODE_STARTING: return "keyward: starting" TEMPORARY;
    case KW_CODE_SESSION:
    case KW_CODE_HSM_BUSY:
    case KW_CODE_HSM_DOWN:
    case KW_CODE_HSM_CONFIG:
    case KW_CODE_PIN_STOP: return "keyward: the HSM cannot be used now" TEMPORARY;
    case KW_CODE_AUDIT: return "keyward: the audit log cannot be written now" TEMPORARY;
    case KW_CODE_NO_MEMORY: return "keyward: out of memory" TEMPORARY;
    case KW_CODE_IO:
    case KW_CODE_MISSING:
    case KW_CODE_BUG:
    case KW_CODE_COUNT: break;
    }
    return "keyward: internal error, see keyward's log" INTACT;
}

struct kw_rpc_status kw_rpc_status_of(enum kw_code code)
{
    return (struct kw_rpc_status){status_of(code), status_map_text_of(code)};
}

unsigned kw_rpc_code(enum kw_code code)
{
    return (unsigned)status_of(code);
}
