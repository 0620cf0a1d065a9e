/* SPDX-License-Identifier: Apache-2.0 */
#include "check_names.h"

#include <string.h>

static const char *const check_names[] = {
    "nodes-complete",
    "nodes-agree",
    "tokens-asked",
    "hardware-token",
    "hsm-certificate",
    "key-attributes",
    "key-generated-in-token",
    "key-strength",
    "key-identity",
    "cryptoperiod",
    "key-ended",
    "second-copy",
    "invocations",
    "algorithms",
    "iv-source",
    "fail-closed",
    "audit-fail-closed",
    "log-sound",
    "log-covers-period",
    "log-signed",
    "log-anchored",
    "clock-synchronised",
    "operator-log-sound",
    "operator-tickets",
    "etcd-encrypted",
    "etcd-no-leftovers",
    "backup-restorable",
    "custody-stated",
};

const char *kw_check_name(size_t i)
{
    return i < sizeof check_names / sizeof check_names[0] ? check_names[i] : NULL;
}

bool kw_check_is_one(const char *name)
{
    for (size_t i = 0; kw_check_name(i) != NULL; i++)
        if (strcmp(kw_check_name(i), name) == 0)
            return true;
    return false;
}

bool kw_check_serves_none(const char *name)
{
    return strcmp(name, "fail-closed") == 0;
}

bool kw_check_is_in(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; (at = strstr(at, name)) != NULL; at += len)
        if ((at == list || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}
