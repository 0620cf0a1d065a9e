/* SPDX-License-Identifier: Apache-2.0 */
/* ext - what a newer keyward may add: kept as it is, or named as what must be understood
 *
 * `ext` is one object of text, true and false, whole numbers below 2^53, lists and
 * objects.  It lies in the struct as one line of JSON, and goes back into the file as it
 * came.
 */
#include "keyring_layout.h"
#include "value.h"

#include <string.h>

enum { NAME_MAX_BYTES = 64 };

static kw_err ext_bad(void)
{
    return kw_err_at(KW_CODE_BAD_INPUT, "keyring");
}

static kw_span ext_text_of(const json_t *value)
{
    return kw_span_of(json_string_value(value), json_string_length(value));
}

static bool is_whole(const json_t *value)
{
    json_int_t n = json_integer_value(value);
    return n >= -(json_int_t)KW_SERIAL_MAX && n <= (json_int_t)KW_SERIAL_MAX;
}

static bool ext_is_plain(json_t *value, unsigned depth);

static bool ext_is_plain_object(json_t *value, unsigned depth)
{
    const char *name;
    json_t *member;
    json_object_foreach(value, name, member)
    {
        if (!kw_is_member_text(kw_span_str(name), NAME_MAX_BYTES + 1) ||
            !ext_is_plain(member, depth))
            return false;
    }
    return true;
}

static bool is_plain_list(const json_t *value, unsigned depth)
{
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!ext_is_plain(json_array_get(value, i), depth))
            return false;
    return true;
}

/* `depth`: how many levels of lists and objects may still begin here. */
static bool ext_is_plain(json_t *value, unsigned depth)
{
    if (json_is_string(value))
        return json_string_length(value) == 0 ||
               kw_is_member_text(ext_text_of(value), KW_EXT_MAX);
    if (json_is_integer(value))
        return is_whole(value);
    if (json_is_object(value))
        return depth > 0 && ext_is_plain_object(value, depth - 1);
    if (json_is_array(value))
        return depth > 0 && is_plain_list(value, depth - 1);
    return json_is_boolean(value);
}

static kw_err read_ext(const struct kw_member *m, json_t *value, void *field,
                       struct kw_note *note)
{
    (void)m;
    char *dst = field;
    size_t len = 0;
    dst[0] = '\0';
    if (json_is_object(value) && json_object_size(value) == 0)
        return KW_OK;
    if (json_is_object(value) && ext_is_plain(value, KW_EXT_DEPTH))
        len = kw_layout_line(value, dst, KW_EXT_MAX);
    if (len == 0 || len > KW_EXT_MAX) {
        dst[0] = '\0';
        kw_note_set(note,
                    "must be an object of printable text, true, false, whole numbers "
                    "below 2^53, lists and objects, at most %u deep and %u bytes",
                    KW_EXT_DEPTH, KW_EXT_MAX);
        return ext_bad();
    }
    dst[len] = '\0';
    return KW_OK;
}

static json_t *write_ext(const struct kw_member *m, const void *field)
{
    (void)m;
    const char *text = field;
    return text[0] == '\0' ? json_object() : json_loads(text, 0, NULL);
}

const struct kw_member_kind kw_kind_ext = {read_ext, write_ext};

/* ---- critical ---- */

bool kw_is_critical(const json_t *value)
{
    bool good = json_is_array(value) && json_array_size(value) <= KW_CRITICAL_MAX;
    for (size_t i = 0; good && i < json_array_size(value); i++)
        good = kw_is_member_text(ext_text_of(json_array_get(value, i)),
                                 KW_CRITICAL_NAME_MAX + 1);
    return good;
}

static kw_err read_critical(const struct kw_member *m, json_t *value, void *field,
                            struct kw_note *note)
{
    (void)m;
    struct kw_keyring *ring = field;
    if (!kw_is_critical(value)) {
        kw_note_set(note, KW_CRITICAL_RULE, KW_CRITICAL_MAX, KW_CRITICAL_NAME_MAX);
        return ext_bad();
    }
    ring->critical_count = json_array_size(value);
    for (size_t i = 0; i < ring->critical_count; i++)
        (void)kw_copy_str(ring->critical[i], sizeof ring->critical[i],
                          ext_text_of(json_array_get(value, i)));
    return KW_OK;
}

static json_t *write_critical(const struct kw_member *m, const void *field)
{
    (void)m;
    const struct kw_keyring *ring = field;
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < ring->critical_count; i++)
        if (json_array_append_new(array, json_string(ring->critical[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

const struct kw_member_kind kw_kind_critical = {read_critical, write_critical};
