/* SPDX-License-Identifier: Apache-2.0 */
/* member_table - each member of the keyring file in its order, with the struct's field
 * for it */
#include "member_table.h"
#include "value.h"

#include <stdio.h>

#include <keyward/alloc.h>

static kw_err keyring_table_bad(void)
{
    return kw_err_at(KW_CODE_BAD_INPUT, "keyring");
}

/* ---- versions ---- */

static kw_err read_version(json_t *value, size_t index, struct kw_version *v,
                           struct kw_note *note)
{
    char which[32];
    kw_err e = kw_version_read(value, v, note);
    if (!kw_failed(e))
        return e;
    if (v->n == 0) {
        kw_note_element(note, index);
        return e;
    }
    snprintf(which, sizeof which, "version %u", v->n);
    kw_note_prefix(note, which);
    return e;
}

static kw_err read_versions(const struct kw_member *m, json_t *value, void *field,
                            struct kw_note *note)
{
    (void)m;
    struct kw_keyring *ring = field;
    if (!json_is_array(value) || json_array_size(value) > KW_VERSIONS_MAX) {
        kw_note_set(note, "must be an array of at most %u versions", KW_VERSIONS_MAX);
        return keyring_table_bad();
    }
    ring->versions = kw_new(json_array_size(value), sizeof *ring->versions);
    if (ring->versions == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "keyring");
    ring->count = json_array_size(value);
    for (size_t i = 0; i < ring->count; i++) {
        kw_err e = read_version(json_array_get(value, i), i, &ring->versions[i], note);
        if (kw_failed(e))
            return e;
    }
    return KW_OK;
}

static json_t *write_versions(const struct kw_member *m, const void *field)
{
    (void)m;
    const struct kw_keyring *ring = field;
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < ring->count; i++) {
        json_t *v = kw_version_write(&ring->versions[i]);
        if (json_array_append_new(array, v) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static const struct kw_member_kind kind_versions = {read_versions, write_versions};

/* ---- history ---- */

#define LINE(field) offsetof(struct kw_history, field)
#define LINE_TEXT(json, field, or_null)                                                  \
    {                                                                                    \
        .name = (json), .kind = &kw_kind_text, .offset = LINE(field),                    \
        .max = sizeof((struct kw_history *)0)->field, .nullable = (or_null)              \
    }

static const struct kw_member line_table[] = {
    {.name = "serial",
     .kind = &kw_kind_u64,
     .offset = LINE(serial),
     .max = (size_t)KW_SERIAL_MAX},
    LINE_TEXT("act", act, false),
    {.name = "n", .kind = &kw_kind_u32, .offset = LINE(n), .max = KW_VERSION_N_MAX},
    {.name = "at", .kind = &kw_kind_time, .offset = LINE(at), .max = KW_TIME_TEXT},
    LINE_TEXT("by", by, true),
    LINE_TEXT("tool", tool, true),
    LINE_TEXT("proof", proof, true),
    {.name = NULL},
};

static kw_err read_history(const struct kw_member *m, json_t *value, void *field,
                           struct kw_note *note)
{
    (void)m;
    struct kw_keyring *ring = field;
    if (!json_is_array(value) || json_array_size(value) > KW_HISTORY_MAX) {
        kw_note_set(note, "must be an array of at most %u lines", KW_HISTORY_MAX);
        return keyring_table_bad();
    }
    ring->history = kw_new(json_array_size(value), sizeof *ring->history);
    if (ring->history == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "keyring");
    for (size_t i = 0; i < json_array_size(value); i++) {
        kw_err e = kw_members_read(line_table, json_array_get(value, i),
                                   &ring->history[i], note);
        if (kw_failed(e)) {
            kw_note_element(note, i);
            return e;
        }
    }
    ring->history_count = json_array_size(value);
    return KW_OK;
}

static json_t *write_history(const struct kw_member *m, const void *field)
{
    (void)m;
    const struct kw_keyring *ring = field;
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < ring->history_count; i++)
        if (json_array_append_new(array,
                                  kw_members_write(line_table, &ring->history[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static const struct kw_member_kind kind_history = {read_history, write_history};

/* ---- the ring ---- */

#define RING(field) offsetof(struct kw_keyring, field)

const struct kw_member kw_keyring_table[] = {
    {.name = "prev-sha256",
     .former = "put it aside, and bring its keys into a new keyring with keyward key "
               "create --adopt, or hold a new ceremony (keyward key create)"},
    {.name = "keyring", .kind = &kw_kind_format, .max = 1},
    {.name = "critical", .kind = &kw_kind_critical},
    {.name = "domain",
     .kind = &kw_kind_text,
     .offset = RING(domain),
     .max = KW_DOMAIN_MAX + 1},
    {.name = "serial",
     .kind = &kw_kind_u64,
     .offset = RING(serial),
     .max = (size_t)KW_SERIAL_MAX},
    {.name = "ancestors",
     .kind = &kw_kind_ancestors,
     .offset = RING(ancestors),
     .max = KW_ANCESTORS_MAX,
     .len_at = RING(ancestor_count) - RING(ancestors)},
    {.name = "next-n",
     .kind = &kw_kind_u32,
     .offset = RING(next_n),
     .max = KW_VERSION_N_MAX + 1},
    {.name = "active",
     .kind = &kw_kind_u32,
     .offset = RING(active),
     .max = KW_VERSION_N_MAX,
     .nullable = true},
    {.name = "versions", .kind = &kind_versions},
    {.name = "history", .kind = &kind_history},
    {.name = "ext", .kind = &kw_kind_ext, .offset = RING(ext)},
    {.name = NULL},
};
