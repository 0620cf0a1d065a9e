/* SPDX-License-Identifier: Apache-2.0 */
/* One spelling of everything: what is read is written back identically, and what is spelled
 * otherwise is neither read nor written. */
#include <keyward/audit.h>

#include <stdio.h>

#include "check.h"

static void name_is(enum kw_audit_spelling spelling, const char *name, const char *want)
{
    char got[KW_AUDIT_NAME];
    CHECK_OK(kw_audit_name(spelling, kw_span_str(name), got));
    assert_string_equal(got, want);
}

TEST(name__of_a_peer__our_form_or_length_and_digest)
{
    name_is(KW_AUDIT_REQUEST, "6b770000-0000-4000-8000-00000000000a",
            "6b770000-0000-4000-8000-00000000000a");
    name_is(KW_AUDIT_REQUEST, "", "other:0:e3b0c44298fc1c14");
    name_is(KW_AUDIT_REQUEST, "abc", "other:3:ba7816bf8f01cfea");
    name_is(KW_AUDIT_KEY_ID, "kw1-1-00112233445566778899aabb",
            "kw1-1-00112233445566778899aabb");
    name_is(KW_AUDIT_KEY_ID, "abc", "other:3:ba7816bf8f01cfea");
    /* Nobody gets a name of his own into the log by looking like a foreign one. */
    name_is(KW_AUDIT_REQUEST, "other:3:ba7816bf8f01cfea", "other:24:0d3a6ec7f96aed0f");
}

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
