/* SPDX-License-Identifier: Apache-2.0 */
/* One spelling of everything: what is read is written back identically, and what is spelled
 * otherwise is neither read nor written. */
#include <keyward/audit.h>

#include <stdio.h>

#include "check.h"

/* ---- docs/FORMATS.md ---------------------------------------------------------------- */

static void tell_spelling(const struct kw_audit_member *m, char dst[32])
{
    static const char *const names[] = {
        [KW_AUDIT_NUMBER] = "number",   [KW_AUDIT_WORD] = "word",
        [KW_AUDIT_TEXT] = "text",       [KW_AUDIT_HEX] = "hex",
        [KW_AUDIT_REQUEST] = "request", [KW_AUDIT_KEY_ID] = "key_id"};
    if (m->most > 0)
        snprintf(dst, 32, "%s(%u)%s", names[m->spelling], m->most,
                 m->may_be_null ? "?" : "");
    else
        snprintf(dst, 32, "%s%s%s", names[m->spelling],
                 strcmp(m->name, "format") == 0 ? " (1)" : "", m->may_be_null ? "?" : "");
}

TEST(formats__table_of_kinds__as_it_is_here)
{
    static char text[64 * 1024];
    FILE *file = fopen(KW_FORMATS, "re");
    CHECK(file != NULL);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    CHECK(feof(file) && fclose(file) == 0);
    for (unsigned kind = 0; kind < KW_AUDIT_KINDS; kind++) {
        const struct kw_audit_shape *shape = kw_audit_shape((enum kw_audit_kind)kind);
        char row[1024], spelling[32];
        int len = snprintf(row, sizeof row, "| `%s` |", shape->name);
        for (size_t i = 0; i < shape->count; i++) {
            tell_spelling(&shape->member[i], spelling);
            len += snprintf(row + len, sizeof row - (size_t)len, "%s `%s` %s",
                            i > 0 ? "," : "", shape->member[i].name, spelling);
        }
        snprintf(row + len, sizeof row - (size_t)len, " |\n");
        CHECK_HAS(text, row);
    }
}

KW_SUITE("provider/audit/line")
