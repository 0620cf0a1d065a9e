/* SPDX-License-Identifier: Apache-2.0 */
/* ancestors - the digests of the files before one, newest first */
#include "value.h"

enum { DIGEST = 32 };

static size_t *count_of(const struct kw_member *m, void *field)
{
    return (size_t *)(void *)((char *)field + m->len_at);
}

static kw_err read_ancestors(const struct kw_member *m, json_t *value, void *field,
                             struct kw_note *note)
{
    uint8_t *dst = field;
    size_t count = json_array_size(value);
    bool good = json_is_array(value) && count <= m->max;
    for (size_t i = 0; good && i < count; i++) {
        const json_t *hex = json_array_get(value, i);
        good = kw_unhex(dst + i * DIGEST, DIGEST,
                        kw_span_of(json_string_value(hex), json_string_length(hex)));
    }
    if (!good) {
        kw_note_set(note, "must be an array of at most %zu SHA-256 in lower-case hex",
                    m->max);
        return kw_err_at(KW_CODE_BAD_INPUT, "json member");
    }
    *count_of(m, field) = count;
    return KW_OK;
}

static json_t *write_ancestors(const struct kw_member *m, const void *field)
{
    const uint8_t *src = field;
    size_t count = *(const size_t *)(const void *)((const char *)field + m->len_at);
    char hex[2 * DIGEST + 1];
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < count; i++) {
        kw_hex(hex, sizeof hex, kw_span_of(src + i * DIGEST, DIGEST));
        if (json_array_append_new(array, json_string(hex)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

const struct kw_member_kind kw_kind_ancestors = {read_ancestors, write_ancestors};
