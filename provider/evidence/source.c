/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <inttypes.h>
#include <string.h>

#include <keyward/alloc.h>
#include <keyward/clock.h>

static bool source_is_outcome(const char *text)
{
    return strcmp(text, KW_OUTCOME_PASS) == 0 || strcmp(text, KW_OUTCOME_FAIL) == 0 ||
           strcmp(text, KW_OUTCOME_NOT_ANSWERED) == 0;
}

static bool source_is_of(const json_t *value, char kind)
{
    const char *text = json_string_value(value);
    switch (kind) {
    case 's': return text != NULL;
    case 't': return text != NULL && kw_is_time(kw_span_str(text));
    case 'v': return text != NULL && source_is_outcome(text);
    case 'b': return json_is_boolean(value);
    case 'i': return json_is_integer(value);
    case 'a': return json_is_array(value);
    default: return json_is_object(value);
    }
}

static void source_refuse(struct kw_source *source, const char *name, const char *why)
{
    if (kw_failed(source->err))
        return;
    kw_note_set(source->note, "%s: '%s' is %s", source->name, name, why);
    source->err = kw_err_at(KW_CODE_BAD_INPUT, "evidence");
}

json_t *kw_source_get(struct kw_source *source, const json_t *in, const char *name,
                      const char *kind)
{
    if (in == NULL || json_is_null(in))
        return json_null();
    json_t *value = json_object_get(in, name);
    const bool is_null = value == NULL || json_is_null(value);
    if (is_null && kind[1] == '?')
        return json_null();
    if (!is_null && source_is_of(value, kind[0]))
        return value;
    source_refuse(source, name, is_null ? "missing" : "not what it must be");
    return json_null();
}

bool kw_source_is_row(struct kw_source *source, const json_t *row, const char *list)
{
    if (!json_is_object(row))
        source_refuse(source, list, "not what it must be");
    return !kw_failed(source->err);
}

const char *kw_source_text(struct kw_source *source, const json_t *in, const char *name,
                           const char *kind)
{
    return json_string_value(kw_source_get(source, in, name, kind));
}

kw_err kw_source_begin(struct kw_source *source, const json_t *document, const char *what)
{
    const char *collected = json_string_value(json_object_get(document, "collected"));
    if (collected != NULL && strcmp(collected, what) == 0 &&
        json_integer_value(json_object_get(document, "format")) == 1)
        return KW_OK;
    kw_note_set(source->note, "%s: it is no '%s' of format 1", source->name, what);
    source->err = kw_err_at(KW_CODE_BAD_INPUT, "evidence");
    return source->err;
}

json_t *kw_source_as_text(const json_t *value)
{
    if (json_is_string(value))
        return json_string(json_string_value(value));
    if (json_is_boolean(value))
        return json_string(json_is_true(value) ? "true" : "false");
    if (json_is_integer(value))
        return json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return json_null();
}

static const char *source_one(const json_t *list, size_t i)
{
    const char *one = json_string_value(json_array_get(list, i));
    return one != NULL ? one : "?";
}

json_t *kw_source_joined(const json_t *list, const char *between)
{
    const size_t count = json_array_size(list);
    size_t room = 1;
    for (size_t i = 0; i < count; i++)
        room += strlen(source_one(list, i)) + strlen(between);
    char *text = kw_new(room, 1);
    if (text == NULL)
        return NULL;
    kw_dst dst = kw_dst_of(text, room);
    for (size_t i = 0; i < count; i++)
        KW_MUST(kw_dst_put(&dst, kw_span_str(i == 0 ? "" : between)) &&
                kw_dst_put(&dst, kw_span_str(source_one(list, i))));
    json_t *all = json_stringn(text, dst.len);
    kw_free(text);
    return all;
}

void kw_source_limit(struct kw_source *source, size_t count, size_t max, const char *of)
{
    if (count <= max || kw_failed(source->err))
        return;
    kw_note_set(source->note, "%s: it has more than %zu %s", source->name, max, of);
    source->err = kw_err_at(KW_CODE_BAD_INPUT, "evidence");
}
