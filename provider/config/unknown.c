/* SPDX-License-Identifier: Apache-2.0 */
/* unknown - what is said about a key that is no row of the table */
#include "reader.h"

#include <stdio.h>

/* One character more, less or other, or two neighbours swapped. */
static bool one_edit(kw_span a, kw_span b)
{
    while (a.len > 0 && b.len > 0 && a.ptr[0] == b.ptr[0]) {
        a = kw_span_of(a.ptr + 1, a.len - 1);
        b = kw_span_of(b.ptr + 1, b.len - 1);
    }
    while (a.len > 0 && b.len > 0 && a.ptr[a.len - 1] == b.ptr[b.len - 1]) {
        a.len--;
        b.len--;
    }
    if (a.len == 2 && b.len == 2)
        return a.ptr[0] == b.ptr[1] && a.ptr[1] == b.ptr[0];
    return a.len <= 1 && b.len <= 1;
}

kw_err kw_reader_fault_unknown(struct kw_reader *r, const struct kw_block *b,
                               const struct kw_setting *map, const yaml_node_t *key)
{
    char shown[40], where[KW_SETTING_PATH], known[320] = "";
    size_t n = 0;
    kw_copy_printable(shown, sizeof shown, kw_scalar(key));
    for (size_t i = 0; i < KW_SETTINGS; i++) {
        const char *name = kw_setting_within(map, &kw_settings[i]);
        if (name == NULL)
            continue;
        if (one_edit(kw_scalar(key), kw_span_str(name)))
            return kw_config_fault(&r->teller, key->start_mark, shown,
                                   "unknown key; did you mean %s?", name);
        n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", n > 0 ? ", " : "",
                              name);
        KW_INVARIANT(n < sizeof known);
    }
    kw_setting_path(b, map, where);
    return kw_config_fault(
        &r->teller, key->start_mark, shown, "unknown key; allowed%s%s: %s",
        map == KW_SETTING_ROOT ? "" : " in ", map == KW_SETTING_ROOT ? "" : where, known);
}
