/* SPDX-License-Identifier: Apache-2.0 */
/* version - one KEK version in the file, member by member */
#include "opaque.h"
#include "member_table.h"
#include "value.h"

#define AT(field) offsetof(struct kw_version, field)
#define TEXT(json, field, or_null)                                                       \
    {                                                                                    \
        .name = (json), .kind = &kw_kind_text, .offset = AT(field),                      \
        .max = sizeof((struct kw_version *)0)->field, .nullable = (or_null)              \
    }
#define TIME(field)                                                                      \
    {                                                                                    \
        .name = #field, .kind = &kw_kind_time, .offset = AT(field), .max = KW_TIME_TEXT, \
        .nullable = true                                                                 \
    }
#define FLAG(json, field)                                                                \
    {                                                                                    \
        .name = (json), .kind = &kw_kind_bool, .offset = AT(field)                       \
    }

static const struct kw_member token_table[] = {
    TEXT("label", token.label, true),
    TEXT("serial", token.serial, true),
    TEXT("manufacturer", token.manufacturer, true),
    TEXT("model", token.model, true),
    TEXT("firmware", token.firmware, true),
    {.name = NULL},
};

/* A version with any critical name is not understood, so this one has none. */
static kw_err read_no_critical(const struct kw_member *m, json_t *value, void *field,
                               struct kw_note *note)
{
    (void)m;
    (void)field;
    if (json_is_array(value) && json_array_size(value) == 0)
        return KW_OK;
    kw_note_set(note, KW_CRITICAL_RULE, KW_CRITICAL_MAX, KW_CRITICAL_NAME_MAX);
    return kw_err_at(KW_CODE_BAD_INPUT, "keyring");
}

static json_t *write_no_critical(const struct kw_member *m, const void *field)
{
    (void)m;
    (void)field;
    return json_array();
}

static const struct kw_member_kind kind_no_critical = {read_no_critical,
                                                       write_no_critical};

static const struct kw_member version_table[] = {
    {.name = "n", .kind = &kw_kind_u32, .offset = AT(n), .max = KW_VERSION_N_MAX},
    TEXT("key-id", key_id, false),
    {.name = "critical", .kind = &kind_no_critical},
    {.name = "mechanism", .kind = &kw_kind_mechanism, .offset = AT(mechanism)},
    {.name = "format", .kind = &kw_kind_stored_format, .offset = AT(format)},
    {.name = "state", .kind = &kw_kind_state, .offset = AT(state)},
    {.name = "check-blob",
     .kind = &kw_kind_hex,
     .offset = AT(check_blob),
     .max = KW_CHECK_BLOB_MAX,
     .len_at = AT(check_blob_len) - AT(check_blob)},
    {.name = "objects",
     .kind = &kw_kind_list,
     .offset = AT(objects),
     .max = KW_OBJECTS_MAX,
     .len_at = AT(object_count) - AT(objects),
     .stride = sizeof(struct kw_object),
     .table = kw_object_table},
    TIME(created),
    TIME(accepted),
    TIME(activated),
    TIME(retired),
    TIME(disabled),
    TIME(destroyed),
    TEXT("disabled-from", disabled_from, true),
    TEXT("tool", tool, true),
    TEXT("operator", operator_, true),
    {.name = "token", .kind = &kw_kind_object, .table = token_table},
    FLAG("destroyable", want_destroyable),
    FLAG("copyable", want_copyable),
    TEXT("origin", origin, true),
    TEXT("second-copy", second_copy, true),
    {.name = "same-key-as",
     .kind = &kw_kind_u32,
     .offset = AT(same_key_as),
     .max = KW_VERSION_N_MAX,
     .nullable = true},
    {.name = "ext", .kind = &kw_kind_ext, .offset = AT(ext)},
    {.name = NULL},
};

static kw_err read_row(const struct kw_member *row, json_t *value, void *field,
                       struct kw_note *note)
{
    kw_err e = row->kind->read(row, json_object_get(value, row->name), field, note);
    if (kw_failed(e))
        kw_note_prefix(note, row->name);
    return e;
}

kw_err kw_version_read(json_t *value, struct kw_version *v, struct kw_note *note)
{
    if (!kw_version_is_new(value, v->unknown))
        return kw_members_read(version_table, value, v, note);
    /* The first two rows are n and key-id. */
    kw_err e = read_row(&version_table[0], value, &v->n, note);
    if (!kw_failed(e))
        e = read_row(&version_table[1], value, v->key_id, note);
    return kw_failed(e) ? e : kw_version_keep(value, v, note);
}

json_t *kw_version_write(const struct kw_version *v)
{
    if (v->state == KW_KEY_UNKNOWN)
        return v->unknown_json != NULL ? json_loads(v->unknown_json, 0, NULL) : NULL;
    return kw_members_write(version_table, v);
}
