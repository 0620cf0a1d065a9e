/* SPDX-License-Identifier: Apache-2.0 */
/* value - how mechanisms, states and attributes are spelled in the keyring */
#include "value.h"

#include <string.h>

static kw_err keyring_value_bad(void)
{
    return kw_err_at(KW_CODE_BAD_INPUT, "keyring");
}

static kw_err read_mechanism(const struct kw_member *m, json_t *value, void *field,
                             struct kw_note *note)
{
    (void)m;
    const char *name = json_string_value(value);
    if (name != NULL && kw_mechanism_from_name(name, field))
        return KW_OK;
    kw_note_set(note, "must be a mechanism that this program knows: \"aes-256-gcm\"");
    return keyring_value_bad();
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

const struct kw_member_kind kw_kind_mechanism = {read_mechanism, write_mechanism};

static kw_err keyring_value_read_state(const struct kw_member *m, json_t *value,
                                       void *field, struct kw_note *note)
{
    (void)m;
    const char *name = json_string_value(value);
    if (name != NULL && kw_key_state_from_name(name, field))
        return KW_OK;
    kw_note_set(note,
                "must be created, accepted, active, retired, disabled or destroyed");
    return keyring_value_bad();
}

static json_t *write_state(const struct kw_member *m, const void *field)
{
    (void)m;
    return name_or_null(kw_key_state_name(*(const enum kw_key_state *)field));
}

const struct kw_member_kind kw_kind_state = {keyring_value_read_state, write_state};

static kw_err read_stored_format(const struct kw_member *m, json_t *value, void *field,
                                 struct kw_note *note)
{
    (void)m;
    if (!json_is_integer(value) || json_integer_value(value) != KW_FORMAT_1) {
        kw_note_set(note, "must be %u", KW_FORMAT_1);
        return keyring_value_bad();
    }
    *(uint8_t *)field = KW_FORMAT_1;
    return KW_OK;
}

static json_t *write_stored_format(const struct kw_member *m, const void *field)
{
    (void)m;
    return json_integer(*(const uint8_t *)field);
}

const struct kw_member_kind kw_kind_stored_format = {read_stored_format,
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
            return keyring_value_bad();
        }
    }
    if (!read_value_len(json_object_get(value, VALUE_LEN), &a->value_len)) {
        kw_note_set(note, VALUE_LEN ": must be a number of bytes or null (not answered)");
        return keyring_value_bad();
    }
    if (json_object_size(value) != kw_attribute_fields_count + 1) {
        kw_note_set(note, "unknown attribute");
        return keyring_value_bad();
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

const struct kw_member_kind kw_kind_attributes = {read_attributes, write_attributes};
