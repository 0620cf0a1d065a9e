/* SPDX-License-Identifier: Apache-2.0 */
#include "member.h"

#include <math.h>
#include <string.h>

#include <keyward/alloc.h>
#include <keyward/bytes.h>

void kw_member_bad(struct kw_members *m, const char *name, const char *wanted)
{
    if (!m->bad)
        kw_note_set(m->note, "%s: %s%s: %s is wanted here", m->path, m->where, name,
                    wanted);
    m->bad = true;
}

const json_t *kw_member_object(struct kw_members *m, const json_t *of, const char *name)
{
    const json_t *value = json_object_get(of, name);
    if (json_is_object(value))
        return value;
    kw_member_bad(m, name, "an object");
    return NULL;
}

const json_t *kw_member_array(struct kw_members *m, const json_t *of, const char *name)
{
    const json_t *value = json_object_get(of, name);
    if (json_is_array(value))
        return value;
    kw_member_bad(m, name, "an array");
    return NULL;
}

void kw_member_text(struct kw_members *m, const json_t *of, const char *name, char *dst,
                    size_t cap)
{
    const char *text = json_string_value(json_object_get(of, name));
    dst[0] = '\0';
    if (text == NULL)
        kw_member_bad(m, name, "a text");
    else if (!kw_copy_str(dst, cap, kw_span_str(text)))
        kw_member_bad(m, name, "a shorter text");
}

char *kw_member_dup(struct kw_members *m, const json_t *of, const char *name)
{
    const char *text = json_string_value(json_object_get(of, name));
    if (text == NULL) {
        kw_member_bad(m, name, "a text");
        return NULL;
    }
    char *copy = kw_strdup(kw_span_str(text));
    if (copy == NULL)
        kw_member_bad(m, name, "more memory");
    return copy;
}

double kw_member_number(struct kw_members *m, const json_t *of, const char *name)
{
    const json_t *value = json_object_get(of, name);
    if (!json_is_number(value))
        kw_member_bad(m, name, "a number");
    return json_number_value(value);
}

uint64_t kw_member_count(struct kw_members *m, const json_t *of, const char *name,
                         uint64_t most)
{
    const json_t *value = json_object_get(of, name);
    json_int_t n = json_integer_value(value);
    if (json_is_integer(value) && n >= 0 && (uint64_t)n <= most)
        return (uint64_t)n;
    char wanted[64];
    snprintf(wanted, sizeof wanted, "a whole number from 0 to %llu",
             (unsigned long long)most);
    kw_member_bad(m, name, wanted);
    return 0;
}

bool kw_member_flag(struct kw_members *m, const json_t *of, const char *name)
{
    const json_t *value = json_object_get(of, name);
    if (!json_is_boolean(value))
        kw_member_bad(m, name, "true or false");
    return json_is_true(value);
}

void kw_member_numbers(struct kw_members *m, const json_t *array, const char *name,
                       double *dst, size_t count)
{
    char wanted[64];
    bool good = json_is_array(array) && json_array_size(array) == count;
    for (size_t i = 0; good && i < count; i++) {
        const json_t *value = json_array_get(array, i);
        good = json_is_number(value) || json_is_null(value);
        dst[i] = json_is_number(value) ? json_number_value(value) : NAN;
    }
    snprintf(wanted, sizeof wanted, "an array of %zu numbers or nulls", count);
    if (!good)
        kw_member_bad(m, name, wanted);
}
