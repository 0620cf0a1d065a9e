/* SPDX-License-Identifier: Apache-2.0 */
/* table - each member of the keyring file in its order, with the struct's field for it */
#include "table.h"

#include <stdio.h>
#include <string.h>

#include <keyward/alloc.h>

static kw_err bad(void)
{
    return kw_err_at(KW_CODE_BAD_INPUT, "keyring");
}

/* ---- kinds that only the keyring has ---- */

static kw_err read_mechanism(const struct kw_member *m, json_t *value, void *field,
                             struct kw_note *note)
{
    (void)m;
    const char *name = json_string_value(value);
    if (name != NULL && kw_mechanism_from_name(name, field))
        return KW_OK;
    kw_note_set(note, "must be a mechanism that this program knows: \"aes-256-gcm\"");
    return bad();
}

/* A name that nobody has becomes null, which the reader refuses. */
static json_t *name_or_null(const char *name)
{
    return name ? json_string(name) : json_null();
}

static json_t *write_mechanism(const struct kw_member *m, const void *field)
{
    (void)m;
    return name_or_null(kw_mechanism_name(*(const enum kw_mechanism *)field));
}

static const struct kw_member_kind kind_mechanism = {read_mechanism, write_mechanism};

static kw_err read_state(const struct kw_member *m, json_t *value, void *field,
                         struct kw_note *note)
{
    (void)m;
    const char *name = json_string_value(value);
    if (name != NULL && kw_key_state_from_name(name, field))
        return KW_OK;
    kw_note_set(note,
                "must be created, accepted, active, retired, disabled or destroyed");
    return bad();
}

static json_t *write_state(const struct kw_member *m, const void *field)
{
    (void)m;
    return name_or_null(kw_key_state_name(*(const enum kw_key_state *)field));
}

static const struct kw_member_kind kind_state = {read_state, write_state};

static kw_err read_stored_format(const struct kw_member *m, json_t *value, void *field,
                                 struct kw_note *note)
{
    (void)m;
    if (!json_is_integer(value) || json_integer_value(value) != KW_FORMAT_1) {
        kw_note_set(note, "must be %u", KW_FORMAT_1);
        return bad();
    }
    *(uint8_t *)field = KW_FORMAT_1;
    return KW_OK;
}

static json_t *write_stored_format(const struct kw_member *m, const void *field)
{
    (void)m;
    return json_integer(*(const uint8_t *)field);
}

static const struct kw_member_kind kind_stored_format = {read_stored_format,
                                                         write_stored_format};

/* ---- attributes: the rows of kw_attribute_fields, and the length ---- */

#define VALUE_LEN "CKA_VALUE_LEN"

static bool read_answer(const json_t *value, enum kw_answer *ret_answer)
{
    if (json_is_boolean(value))
        *ret_answer = json_is_true(value) ? KW_ANSWER_TRUE : KW_ANSWER_FALSE;
    else if (json_is_null(value))
        *ret_answer = KW_ANSWER_NONE;
    else
        return false;
    return true;
}

static json_t *write_answer(enum kw_answer answer)
{
    return answer == KW_ANSWER_NONE ? json_null()
                                    : json_boolean(answer == KW_ANSWER_TRUE);
}

static bool read_value_len(const json_t *value, uint32_t *ret_len)
{
    json_int_t n = json_integer_value(value);
    if (!json_is_null(value) && (n < 1 || n > UINT32_MAX))
        return false;
    *ret_len = (uint32_t)n;
    return true;
}

static kw_err read_attributes(const struct kw_member *m, json_t *value, void *field,
                              struct kw_note *note)
{
    (void)m;
    struct kw_key_attributes *a = field;
    for (size_t i = 0; i < kw_attribute_fields_count; i++) {
        const struct kw_attribute_field *f = &kw_attribute_fields[i];
        void *answer = (char *)field + f->offset;
        if (!read_answer(json_object_get(value, f->name), answer)) {
            kw_note_set(note, "%s: must be true, false or null (not answered)", f->name);
            return bad();
        }
    }
    if (!read_value_len(json_object_get(value, VALUE_LEN), &a->value_len)) {
        kw_note_set(note, VALUE_LEN ": must be a number of bytes or null (not answered)");
        return bad();
    }
    if (json_object_size(value) != kw_attribute_fields_count + 1) {
        kw_note_set(note, "unknown attribute");
        return bad();
    }
    return KW_OK;
}

static json_t *write_attributes(const struct kw_member *m, const void *field)
{
    (void)m;
    const struct kw_key_attributes *a = field;
    json_t *object = json_object();
    bool ok = object != NULL;
    for (size_t i = 0; ok && i < kw_attribute_fields_count; i++) {
        const struct kw_attribute_field *f = &kw_attribute_fields[i];
        const void *answer = (const char *)field + f->offset;
        ok = json_object_set_new(object, f->name,
                                 write_answer(*(const enum kw_answer *)answer)) == 0;
    }
    json_t *len = a->value_len ? json_integer(a->value_len) : json_null();
    ok = json_object_set_new(object, VALUE_LEN, len) == 0 && ok;
    if (!ok) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static const struct kw_member_kind kind_attributes = {read_attributes, write_attributes};

/* ---- signatures: strings that are kept ---- */

static bool keep_signature(const json_t *value, struct kw_version *v)
{
    kw_span s = kw_span_of(json_string_value(value), json_string_length(value));
    const size_t room = sizeof v->signatures - v->signatures_len;
    if (!kw_is_member_text(s, room))
        return false;
    (void)kw_copy_str(v->signatures + v->signatures_len, room, s);
    v->signatures_len += s.len + 1;
    return true;
}

static kw_err read_signatures(const struct kw_member *m, json_t *value, void *field,
                              struct kw_note *note)
{
    (void)m;
    struct kw_version *v = field;
    bool good = json_is_array(value) && json_array_size(value) <= KW_SIGNATURES_COUNT;
    for (size_t i = 0; good && i < json_array_size(value); i++)
        good = keep_signature(json_array_get(value, i), v);
    if (good)
        return KW_OK;
    kw_note_set(note, "must be an array of at most %u strings, %u bytes together",
                KW_SIGNATURES_COUNT, KW_SIGNATURES_MAX);
    return bad();
}

static json_t *write_signatures(const struct kw_member *m, const void *field)
{
    (void)m;
    const struct kw_version *v = field;
    json_t *array = json_array();
    const char *next = v->signatures;
    const char *end = v->signatures + v->signatures_len;
    while (array != NULL && next < end) {
        size_t len = strnlen(next, (size_t)(end - next));
        if (json_array_append_new(array, json_stringn(next, len)) != 0) {
            json_decref(array);
            return NULL;
        }
        next += len + 1;
    }
    return array;
}

static const struct kw_member_kind kind_signatures = {read_signatures, write_signatures};

/* ---- the version ---- */

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
#define HEX(json, field, or_null)                                                        \
    {                                                                                    \
        .name = (json), .kind = &kw_kind_hex, .offset = AT(field),                       \
        .max = sizeof((struct kw_version *)0)->field,                                    \
        .len_at = AT(field##_len) - AT(field), .nullable = (or_null)                     \
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

static const struct kw_member version_table[] = {
    {.name = "n", .kind = &kw_kind_u32, .offset = AT(n), .max = KW_VERSION_N_MAX},
    TEXT("key-id", key_id, false),
    {.name = "mechanism", .kind = &kind_mechanism, .offset = AT(mechanism)},
    {.name = "format", .kind = &kind_stored_format, .offset = AT(format)},
    {.name = "state", .kind = &kind_state, .offset = AT(state)},
    HEX("check-blob", check_blob, false),
    HEX("locator", locator, true),
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
    {.name = "attributes", .kind = &kind_attributes, .offset = AT(attributes)},
    FLAG("destroyable", want_destroyable),
    FLAG("copyable", want_copyable),
    TEXT("second-copy", second_copy, true),
    {.name = "same-key-as",
     .kind = &kw_kind_u32,
     .offset = AT(same_key_as),
     .max = KW_VERSION_N_MAX,
     .nullable = true},
    {.name = "signatures", .kind = &kind_signatures},
    {.name = NULL},
};

/* ---- the ring ---- */

static kw_err read_version(json_t *value, size_t index, struct kw_version *v,
                           struct kw_note *note)
{
    char which[32];
    kw_err e = kw_members_read(version_table, value, v, note);
    if (!kw_failed(e))
        return e;
    if (v->n != 0)
        snprintf(which, sizeof which, "version %u", v->n);
    else
        snprintf(which, sizeof which, "element %zu", index);
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
        return bad();
    }
    ring->count = json_array_size(value);
    ring->versions = kw_new(ring->count, sizeof *ring->versions);
    if (ring->versions == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "keyring");
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
        json_t *v = kw_members_write(version_table, &ring->versions[i]);
        if (json_array_append_new(array, v) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static const struct kw_member_kind kind_versions = {read_versions, write_versions};

const struct kw_member kw_keyring_table[] = {
    {.name = "keyring", .kind = &kw_kind_format, .max = 1},
    {.name = "domain",
     .kind = &kw_kind_text,
     .offset = offsetof(struct kw_keyring, domain),
     .max = KW_DOMAIN_MAX + 1},
    {.name = "serial",
     .kind = &kw_kind_u64,
     .offset = offsetof(struct kw_keyring, serial),
     .max = INT64_MAX},
    {.name = "prev-sha256",
     .kind = &kw_kind_text,
     .offset = offsetof(struct kw_keyring, prev_sha256),
     .max = sizeof((struct kw_keyring *)0)->prev_sha256,
     .nullable = true},
    {.name = "active",
     .kind = &kw_kind_u32,
     .offset = offsetof(struct kw_keyring, active),
     .max = KW_VERSION_N_MAX,
     .nullable = true},
    {.name = "versions", .kind = &kind_versions},
    {.name = NULL},
};
