/* SPDX-License-Identifier: Apache-2.0 */
/* What only the operator can say. */
#include "source.h"

static void stated_add(struct kw_evidence *e, json_t *what, json_t *value, json_t *sha256)
{
    kw_evidence_add(
        e, KW_EVIDENCE_STATED,
        json_pack("{s:o, s:O, s:O}", "what", what, "value", value, "sha256", sha256));
}

static void stated_token(struct kw_evidence *e, struct kw_source *source,
                         const json_t *token)
{
    static const char *const members[] = {"standard", "certificate", "level", "location"};
    const char *serial = kw_source_text(source, token, "serial", "s");
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_t *value = kw_source_get(source, token, members[i], "s?");
        if (!json_is_null(value))
            stated_add(
                e,
                json_sprintf("token %s: %s", serial != NULL ? serial : "?", members[i]),
                value, json_null());
    }
}

kw_err kw_evidence_fill_stated(struct kw_evidence *e, const json_t *stated,
                               struct kw_note *note)
{
    struct kw_source source = {.name = "what the operator states", .note = note};
    const json_t *one;
    size_t i;
    json_array_foreach(kw_source_get(&source, stated, "tokens", "a?"), i, one)
    {
        if (kw_source_is_row(&source, one, "tokens"))
            stated_token(e, &source, one);
    }
    json_array_foreach(kw_source_get(&source, stated, "files", "a?"), i, one)
    {
        if (!kw_source_is_row(&source, one, "files"))
            break;
        json_t *what = kw_source_get(&source, one, "what", "s");
        stated_add(e, json_incref(what), kw_source_get(&source, one, "file", "s"),
                   kw_source_get(&source, one, "sha256", "s"));
    }
    return kw_failed(source.err) ? source.err : kw_evidence_state(e);
}
