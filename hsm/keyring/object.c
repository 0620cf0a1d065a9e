/* SPDX-License-Identifier: Apache-2.0 */
/* object - the objects of a version: roles, names, and the tokens where each lies */
#include "value.h"

#include <string.h>

static const char *const role_names[] = {
    [KW_ROLE_KEK] = "kek",
    [KW_ROLE_MAC] = "mac",
    [KW_ROLE_PUBLIC] = "public",
    [KW_ROLE_PRIVATE] = "private",
};
enum { ROLES = sizeof role_names / sizeof role_names[0] };

const char *kw_object_role_name(enum kw_object_role role)
{
    return (unsigned)role < ROLES ? role_names[role] : NULL;
}

static bool role_from_name(const char *name, enum kw_object_role *ret_role)
{
    for (unsigned i = 0; name != NULL && i < ROLES; i++)
        if (strcmp(role_names[i], name) == 0) {
            *ret_role = (enum kw_object_role)i;
            return true;
        }
    return false;
}

static kw_err read_role(const struct kw_member *m, json_t *value, void *field,
                        struct kw_note *note)
{
    (void)m;
    if (role_from_name(json_string_value(value), field))
        return KW_OK;
    kw_note_set(note, "must be kek, mac, public or private");
    return kw_err_at(KW_CODE_BAD_INPUT, "keyring");
}

static json_t *write_role(const struct kw_member *m, const void *field)
{
    (void)m;
    const char *name = kw_object_role_name(*(const enum kw_object_role *)field);
    return name != NULL ? json_string(name) : NULL;
}

static const struct kw_member_kind kind_role = {read_role, write_role};

bool kw_object_is_known(const json_t *object)
{
    enum kw_object_role role;
    const char *type = json_string_value(json_object_get(object, "type"));
    const char *name = json_string_value(json_object_get(object, "role"));
    bool other_role = name != NULL && !role_from_name(name, &role);
    bool other_type = type != NULL && strcmp(type, KW_TYPE_AES_256) != 0;
    return !other_role && !other_type;
}

#define TEXT(type, json, field, or_null)                                                 \
    {                                                                                    \
        .name = (json), .kind = &kw_kind_text, .offset = offsetof(type, field),          \
        .max = sizeof(((type *)0)->field), .nullable = (or_null)                         \
    }
#define LOCATOR(type)                                                                    \
    {                                                                                    \
        .name = "locator", .kind = &kw_kind_hex, .offset = offsetof(type, locator),      \
        .max = KW_LOCATOR_MAX,                                                           \
        .len_at = offsetof(type, locator_len) - offsetof(type, locator),                 \
        .nullable = true                                                                 \
    }

static const struct kw_member token_table[] = {
    TEXT(struct kw_object_token, "token-label", label, true),
    TEXT(struct kw_object_token, "serial", serial, true),
    LOCATOR(struct kw_object_token),
    {.name = "proven",
     .kind = &kw_kind_time,
     .offset = offsetof(struct kw_object_token, proven),
     .max = KW_TIME_TEXT,
     .nullable = true},
    TEXT(struct kw_object_token, "gone", gone, true),
    {.name = NULL},
};

const struct kw_member kw_object_table[] = {
    {.name = "role", .kind = &kind_role, .offset = offsetof(struct kw_object, role)},
    TEXT(struct kw_object, "type", type, false),
    TEXT(struct kw_object, "label", label, false),
    LOCATOR(struct kw_object),
    {.name = "attributes",
     .kind = &kw_kind_attributes,
     .offset = offsetof(struct kw_object, attributes)},
    {.name = "tokens",
     .kind = &kw_kind_list,
     .offset = offsetof(struct kw_object, tokens),
     .max = KW_OBJECT_TOKENS_MAX,
     .len_at =
         offsetof(struct kw_object, token_count) - offsetof(struct kw_object, tokens),
     .stride = sizeof(struct kw_object_token),
     .table = token_table},
    {.name = NULL},
};
