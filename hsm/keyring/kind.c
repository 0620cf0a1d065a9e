/* SPDX-License-Identifier: Apache-2.0 */
/* kind - how text, times, numbers, hex and flags are spelled in our JSON files */
#include "member.h"

#include <string.h>

#include <keyward/clock.h>

static kw_err kind_bad(void)
{
    return kw_err_at(KW_CODE_BAD_INPUT, "json member");
}

static const char *kind_or_null(const struct kw_member *m)
{
    return m->nullable ? " or null" : "";
}

static kw_span string_of(const json_t *value)
{
    return kw_span_of(json_string_value(value), json_string_length(value));
}

/* ---- text ---- */

bool kw_is_member_text(kw_span s, size_t max)
{
    return s.len >= 1 && s.len < max && kw_is_printable_text(s);
}

static kw_err read_text(const struct kw_member *m, json_t *value, void *field,
                        struct kw_note *note)
{
    kw_span s = string_of(value);
    bool empty = m->nullable && json_is_null(value);
    if (!empty && !kw_is_member_text(s, m->max)) {
        kw_note_set(note, "must be 1 to %zu bytes of printable text%s", m->max - 1,
                    kind_or_null(m));
        return kind_bad();
    }
    (void)kw_copy_str(field, m->max, s);
    return KW_OK;
}

/* As strict as the reader: a file that could not be read again is not written. */
static json_t *write_text(const struct kw_member *m, const void *field)
{
    kw_span s = kw_span_str(field);
    if (m->nullable && s.len == 0)
        return json_null();
    return kw_is_member_text(s, m->max) ? json_string(field) : NULL;
}

const struct kw_member_kind kw_kind_text = {read_text, write_text};

/* ---- times ---- */

static kw_err read_time(const struct kw_member *m, json_t *value, void *field,
                        struct kw_note *note)
{
    kw_span s = string_of(value);
    if (!(m->nullable && json_is_null(value)) && (s.len >= m->max || !kw_is_time(s))) {
        kw_note_set(note, "must be a UTC time such as 2026-01-31T12:00:00Z%s",
                    kind_or_null(m));
        return kind_bad();
    }
    (void)kw_copy_str(field, m->max, s);
    return KW_OK;
}

static json_t *write_time(const struct kw_member *m, const void *field)
{
    kw_span s = kw_span_str(field);
    if (m->nullable && s.len == 0)
        return json_null();
    return kw_is_time(s) ? json_string(field) : NULL;
}

const struct kw_member_kind kw_kind_time = {read_time, write_time};

/* ---- bytes ---- */

enum { HEX_BYTES_MAX = 256 };

static size_t *len_of(const struct kw_member *m, void *field)
{
    return (size_t *)(void *)((char *)field + m->len_at);
}

static kw_err read_hex(const struct kw_member *m, json_t *value, void *field,
                       struct kw_note *note)
{
    kw_span s = string_of(value);
    bool empty = m->nullable && json_is_null(value);
    if (!empty && (s.len == 0 || s.len % 2 != 0 || s.len / 2 > m->max ||
                   !kw_unhex(field, s.len / 2, s))) {
        kw_note_set(note, "must be 1 to %zu bytes in lower-case hex%s", m->max,
                    kind_or_null(m));
        return kind_bad();
    }
    *len_of(m, field) = s.len / 2;
    return KW_OK;
}

static json_t *write_hex(const struct kw_member *m, const void *field)
{
    char text[2 * HEX_BYTES_MAX + 1];
    size_t len = *(const size_t *)(const void *)((const char *)field + m->len_at);
    KW_INVARIANT(len <= m->max && len <= HEX_BYTES_MAX);
    if (m->nullable && len == 0)
        return json_null();
    kw_hex(text, sizeof text, kw_span_of(field, len));
    return json_string(text);
}

const struct kw_member_kind kw_kind_hex = {read_hex, write_hex};

/* ---- numbers ---- */

/* -1 for what is no whole number of 0..max. */
static json_int_t kind_number_of(const json_t *value, size_t max)
{
    json_int_t n = json_is_integer(value) ? json_integer_value(value) : -1;
    return n >= 0 && (uint64_t)n <= max ? n : -1;
}

static kw_err read_u32(const struct kw_member *m, json_t *value, void *field,
                       struct kw_note *note)
{
    json_int_t n = kind_number_of(value, m->max);
    if (m->nullable && json_is_null(value))
        n = 0;
    else if (n < 1) {
        kw_note_set(note, "must be a number from 1 to %zu%s", m->max, kind_or_null(m));
        return kind_bad();
    }
    *(uint32_t *)field = (uint32_t)n;
    return KW_OK;
}

static json_t *write_u32(const struct kw_member *m, const void *field)
{
    uint32_t n = *(const uint32_t *)field;
    return m->nullable && n == 0 ? json_null() : json_integer((json_int_t)n);
}

const struct kw_member_kind kw_kind_u32 = {read_u32, write_u32};

static kw_err read_u64(const struct kw_member *m, json_t *value, void *field,
                       struct kw_note *note)
{
    json_int_t n = kind_number_of(value, m->max);
    if (n < 0) {
        kw_note_set(note, "must be a number from 0 to %zu", m->max);
        return kind_bad();
    }
    *(uint64_t *)field = (uint64_t)n;
    return KW_OK;
}

static json_t *write_u64(const struct kw_member *m, const void *field)
{
    (void)m;
    return json_integer((json_int_t) * (const uint64_t *)field);
}

const struct kw_member_kind kw_kind_u64 = {read_u64, write_u64};

static kw_err read_i64(const struct kw_member *m, json_t *value, void *field,
                       struct kw_note *note)
{
    (void)m;
    if (!json_is_integer(value)) {
        kw_note_set(note, "must be a whole number");
        return kind_bad();
    }
    *(int64_t *)field = json_integer_value(value);
    return KW_OK;
}

static json_t *write_i64(const struct kw_member *m, const void *field)
{
    (void)m;
    return json_integer(*(const int64_t *)field);
}

const struct kw_member_kind kw_kind_i64 = {read_i64, write_i64};

static kw_err read_format(const struct kw_member *m, json_t *value, void *field,
                          struct kw_note *note)
{
    (void)field;
    if (kind_number_of(value, m->max) == (json_int_t)m->max)
        return KW_OK;
    kw_note_set(note, "must be %zu: this program reads only that format", m->max);
    return kind_bad();
}

static json_t *write_format(const struct kw_member *m, const void *field)
{
    (void)field;
    return json_integer((json_int_t)m->max);
}

const struct kw_member_kind kw_kind_format = {read_format, write_format};

/* ---- flags and objects ---- */

static kw_err read_bool(const struct kw_member *m, json_t *value, void *field,
                        struct kw_note *note)
{
    (void)m;
    if (!json_is_boolean(value)) {
        kw_note_set(note, "must be true or false");
        return kind_bad();
    }
    *(bool *)field = json_is_true(value);
    return KW_OK;
}

static json_t *write_bool(const struct kw_member *m, const void *field)
{
    (void)m;
    return json_boolean(*(const bool *)field);
}

const struct kw_member_kind kw_kind_bool = {read_bool, write_bool};

static kw_err read_object(const struct kw_member *m, json_t *value, void *field,
                          struct kw_note *note)
{
    return kw_members_read(m->table, value, field, note);
}

static json_t *write_object(const struct kw_member *m, const void *field)
{
    return kw_members_write(m->table, field);
}

const struct kw_member_kind kw_kind_object = {read_object, write_object};

/* What begins with a boot, which is never empty: an empty one is null. */
static kw_err read_moment(const struct kw_member *m, json_t *value, void *field,
                          struct kw_note *note)
{
    return json_is_null(value) ? KW_OK : kw_members_read(m->table, value, field, note);
}

static json_t *write_moment(const struct kw_member *m, const void *field)
{
    const char *boot = field;
    return boot[0] == '\0' ? json_null() : kw_members_write(m->table, field);
}

const struct kw_member_kind kw_kind_moment = {read_moment, write_moment};

/* ---- lists ---- */

static kw_err kind_read_list(const struct kw_member *m, json_t *value, void *field,
                             struct kw_note *note)
{
    size_t count = json_array_size(value);
    if (!json_is_array(value) || count > m->max) {
        kw_note_set(note, "must be an array of at most %zu objects", m->max);
        return kind_bad();
    }
    for (size_t i = 0; i < count; i++) {
        kw_err e = kw_members_read(m->table, json_array_get(value, i),
                                   (char *)field + i * m->stride, note);
        if (kw_failed(e)) {
            kw_note_element(note, i);
            return e;
        }
    }
    *len_of(m, field) = count;
    return KW_OK;
}

static json_t *kind_write_list(const struct kw_member *m, const void *field)
{
    size_t count = *(const size_t *)(const void *)((const char *)field + m->len_at);
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < count; i++) {
        json_t *one = kw_members_write(m->table, (const char *)field + i * m->stride);
        if (json_array_append_new(array, one) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

const struct kw_member_kind kw_kind_list = {kind_read_list, kind_write_list};
