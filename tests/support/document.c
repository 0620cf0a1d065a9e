/* SPDX-License-Identifier: Apache-2.0 */
#include "document.h"

#include <math.h>
#include <stdio.h>

#include "check.h"

enum { WORD = 128 };

json_t *kw_parsed(const char *text)
{
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (document == NULL)
        fail_msg("no JSON: %s", text);
    return document;
}

static size_t size_of(const json_t *v)
{
    return json_is_array(v) ? json_array_size(v) : json_object_size(v);
}

/* Owned; NULL: it leads nowhere. */
static json_t *follow(const json_t *from, const char *path)
{
    char part[WORD];
    const json_t *at = from;
    for (size_t len; *path != '\0' && at != NULL; path += len + (path[len] == '/')) {
        len = strcspn(path, "/");
        snprintf(part, sizeof part, "%.*s", (int)len, path);
        if (strcmp(part, "#") == 0)
            return json_integer((json_int_t)size_of(at));
        const long n = strtol(part, NULL, 10);
        at = json_is_array(at) ? json_array_get(at, n < 0 ? size_of(at) - 1 : (size_t)n)
                               : json_object_get(at, part);
    }
    return json_incref((json_t *)(uintptr_t)at);
}

static bool compares(double is, const char *how, double value)
{
    const bool less = is<value, more = is> value, same = !less && !more;
    return strcmp(how, "=") == 0    ? same
           : strcmp(how, "!=") == 0 ? !same
           : strcmp(how, "<") == 0  ? less
           : strcmp(how, "<=") == 0 ? less || same
           : strcmp(how, ">") == 0  ? more
                                    : strcmp(how, ">=") == 0 && (more || same);
}

static bool is_so(const json_t *v, const char *how, const char *value)
{
    char *end = NULL;
    const double number = strtod(value, &end);
    if (strcmp(how, "absent") == 0)
        return v == NULL;
    if (json_is_number(v))
        return value[0] != '\0' && *end == '\0' &&
               compares(json_number_value(v), how, number);
    if (json_is_string(v))
        return how[0] == '~' ? strstr(json_string_value(v), value) != NULL
                             : how[0] == '=' && strcmp(json_string_value(v), value) == 0;
    const char *word = json_is_true(v)    ? "true"
                       : json_is_false(v) ? "false"
                       : json_is_null(v)  ? "null"
                                          : "";
    return how[0] == '=' && word[0] != '\0' && strcmp(word, value) == 0;
}

void kw_holds(json_t *document, const char *const claims[])
{
    for (size_t i = 0; claims[i] != NULL; i++) {
        char path[WORD], how[WORD] = "", value[WORD] = "";
        CHECK(sscanf(claims[i], "%127s %127s %127[^\n]", path, how, value) >= 2);
        json_t *v = follow(document, path);
        if (!is_so(v, how, value)) {
            char *is = v != NULL ? json_dumps(v, JSON_ENCODE_ANY) : NULL;
            fail_msg("not so: %s, but %s", claims[i], is != NULL ? is : "absent");
        }
        json_decref(v);
    }
    json_decref(document);
}

double kw_number(const json_t *document, const char *path)
{
    json_t *v = follow(document, path);
    if (!json_is_number(v))
        fail_msg("there is no number %s", path);
    const double number = json_number_value(v);
    json_decref(v);
    return number;
}
