/* SPDX-License-Identifier: Apache-2.0 */
/* Three lines of proc(5). */
#include "locked_limit.h"

#include <stdlib.h>
#include <string.h>

enum { CAP_IPC_LOCK_BIT = 14, VALUE_MAX = 32 };

/* The n-th word, from 0 on, after `name` at the beginning of a line. */
static bool limits_value_of(kw_span text, const char *name, unsigned nth,
                            char dst[VALUE_MAX])
{
    size_t name_len = strlen(name);
    while (text.len > 0) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.ptr) : text.len, i = name_len;
        if (len > name_len && kw_span_equal_str(kw_span_of(text.ptr, name_len), name)) {
            size_t n = 0;
            for (unsigned word = 0; word <= nth; word++) {
                n = 0;
                while (i < len && (text.ptr[i] == ' ' || text.ptr[i] == '\t'))
                    i++;
                while (i < len && text.ptr[i] > ' ' && n + 1 < VALUE_MAX)
                    dst[n++] = (char)text.ptr[i++];
            }
            dst[n] = '\0';
            return n > 0;
        }
        size_t skip = end != NULL ? len + 1 : len;
        text = kw_span_of(text.ptr + skip, text.len - skip);
    }
    return false;
}

static bool limits_number_of(kw_span text, const char *name, unsigned nth,
                             uint64_t *ret_number)
{
    char value[VALUE_MAX], *end = NULL;
    if (!limits_value_of(text, name, nth, value))
        return false;
    uint64_t number =
        strcmp(value, "unlimited") == 0 ? KW_UNLIMITED : strtoull(value, &end, 10);
    if (end != NULL && (end == value || *end != '\0'))
        return false;
    *ret_number = number;
    return true;
}

bool kw_limits_locked(kw_span limits, uint64_t *ret_bytes)
{
    return limits_number_of(limits, "Max locked memory", 0, ret_bytes);
}

bool kw_limits_descriptors(kw_span limits, uint64_t *ret_count)
{
    return limits_number_of(limits, "Max open files", 1, ret_count);
}

bool kw_limits_may_lock_all(kw_span status)
{
    char value[VALUE_MAX], *end = NULL;
    if (!limits_value_of(status, "CapEff:", 0, value))
        return false;
    uint64_t caps = strtoull(value, &end, 16);
    return *end == '\0' && (caps >> CAP_IPC_LOCK_BIT & 1) != 0;
}
