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

/* The number that the value is, or that its path leads to; NAN: neither. */
static double number_of(const json_t *document, const char *value)
{
    char *end = NULL;
    double number = strtod(value, &end);
    if (value[0] != '\0' && *end == '\0')
        return number;
    json_t *other = follow(document, value);
    number = json_is_number(other) ? json_number_value(other) : NAN;
    json_decref(other);
    return number;
}

static bool is_so(const json_t *document, const json_t *v, const char *how,
                  const char *value)
{
    if (strcmp(how, "absent") == 0)
        return v == NULL;
    if (json_is_number(v)) {
        const double number = number_of(document, value);
        return !isnan(number) && compares(json_number_value(v), how, number);
    }
    if (json_is_string(v))
        return how[0] == '~' ? strstr(json_string_value(v), value) != NULL
                             : how[0] == '=' && strcmp(json_string_value(v), value) == 0;
    const char *word = json_is_true(v)    ? "true"
                       : json_is_false(v) ? "false"
                       : json_is_null(v)  ? "null"
                                          : "";
    return how[0] == '=' && word[0] != '\0' && strcmp(word, value) == 0;
}

static void hold(const json_t *document, const char *claim)
{
    char path[WORD], how[WORD] = "", value[WORD] = "";
    CHECK(sscanf(claim, "%127s %127s %127[^\n]", path, how, value) >= 2);
    json_t *v = follow(document, path);
    if (!is_so(document, v, how, value)) {
        char *is = v != NULL ? json_dumps(v, JSON_ENCODE_ANY) : NULL;
        fail_msg("not so: %s, but %s", claim, is != NULL ? is : "absent");
    }
    json_decref(v);
}

void kw_holds(json_t *document, const char *claims)
{
    char all[1024], *end;
    CHECK((size_t)snprintf(all, sizeof all, "%s", claims) < sizeof all);
    for (char *at = all; at != NULL; at = end) {
        end = strstr(at, ", ");
        if (end != NULL) {
            *end = '\0';
            end += 2;
        }
        hold(document, at);
    }
    json_decref(document);
}

void kw_says(const char *text, const char *claims)
{
    kw_holds(kw_parsed(text), claims);
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
