/* SPDX-License-Identifier: Apache-2.0 */
/* table - each member of the keyring file in its order, with the struct's field for it */
#include "table.h"
#include "value.h"

#include <stdio.h>

#include <keyward/alloc.h>

static kw_err bad(void)
{
    return kw_err_at(KW_CODE_BAD_INPUT, "keyring");
}

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
    {.name = "mechanism", .kind = &kw_kind_mechanism, .offset = AT(mechanism)},
    {.name = "format", .kind = &kw_kind_stored_format, .offset = AT(format)},
    {.name = "state", .kind = &kw_kind_state, .offset = AT(state)},
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
    {.name = "attributes", .kind = &kw_kind_attributes, .offset = AT(attributes)},
    FLAG("destroyable", want_destroyable),
    FLAG("copyable", want_copyable),
    TEXT("second-copy", second_copy, true),
    {.name = "same-key-as",
     .kind = &kw_kind_u32,
     .offset = AT(same_key_as),
     .max = KW_VERSION_N_MAX,
     .nullable = true},
    {.name = "signatures", .kind = &kw_kind_signatures},
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
