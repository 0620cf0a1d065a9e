/* SPDX-License-Identifier: Apache-2.0 */
/* Versions that may not be read, and are still needed. */
#include "document_reads.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WHICH "keyward etcd audit says which objects it sealed"

/* The states that forbid it: what they have refused, and what to do. */
static const struct reads_state {
    const char *state, *refused;
    const char *verb; /* it wants N; NULL: none helps */
    const char *remedy;
} states[] = {
    {"created", "refused_created", "keyward key accept",
     " and systemctl reload keywardd: another node wraps with it already"},
    {"disabled", "refused_disabled", "keyward key enable",
     " and systemctl reload keywardd, until they are written anew; " WHICH},
    {"destroyed", "refused_destroyed", NULL,
     "nothing brings its key back: make those objects anew; " WHICH},
    {"unknown", "refused_unknown", NULL,
     "install the newer keyward that it needs; its reason (--json, versions) says why"},
};

static const struct reads_state *reads_state_of(const json_t *version)
{
    const char *state = json_string_value(json_object_get(version, "state"));
    for (size_t i = 0; state != NULL && i < sizeof states / sizeof states[0]; i++)
        if (strcmp(states[i].state, state) == 0)
            return &states[i];
    return NULL;
}

static const json_t *reads_version(const json_t *document, json_int_t n)
{
    const json_t *versions = json_object_get(document, "versions");
    for (size_t i = 0; i < json_array_size(versions); i++) {
        const json_t *v = json_array_get(versions, i);
        if (json_integer_value(json_object_get(v, "n")) == n)
            return v;
    }
    return NULL;
}

static const char *reads_text(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text != NULL ? text : "?";
}

static void reads_say(const json_t *class, const json_t *row, const json_t *version,
                      const struct reads_state *s, kw_document_said *said, void *ctx)
{
    char text[512], remedy[256];
    const json_int_t n = json_integer_value(json_object_get(version, "n"));
    const json_int_t count = json_integer_value(json_object_get(row, s->refused));
    snprintf(text, sizeof text,
             "class %.64s: version %" JSON_INTEGER_FORMAT
             " (%.64s) is %s, and %" JSON_INTEGER_FORMAT
             " read%s needed it, the last one at %.40s",
             reads_text(class, "name"), n, reads_text(version, "key_id"), s->state, count,
             count == 1 ? "" : "s", reads_text(row, "last_refused"));
    if (s->verb != NULL)
        snprintf(remedy, sizeof remedy, "%s %" JSON_INTEGER_FORMAT "%s", s->verb, n,
                 s->remedy);
    else
        snprintf(remedy, sizeof remedy, "%s", s->remedy);
    said(ctx, text, remedy);
}

static bool reads_is_late(const json_t *row, const struct reads_state *s)
{
    const json_t *ago = json_object_get(row, "refused_ago_s");
    return json_is_integer(ago) && json_integer_value(ago) < KW_READS_LATELY_S &&
           json_integer_value(json_object_get(row, s->refused)) > 0;
}

void kw_document_reads(const json_t *document, kw_document_said *said, void *ctx)
{
    const json_t *classes = json_object_get(document, "classes");
    for (size_t i = 0; i < json_array_size(classes); i++) {
        const json_t *class = json_array_get(classes, i);
        const json_t *rows = json_object_get(class, "versions");
        for (size_t k = 0; k < json_array_size(rows); k++) {
            const json_t *row = json_array_get(rows, k);
            const json_t *version =
                reads_version(document, json_integer_value(json_object_get(row, "n")));
            const struct reads_state *s = reads_state_of(version);
            if (s != NULL && reads_is_late(row, s))
                reads_say(class, row, version, s, said, ctx);
        }
    }
}
