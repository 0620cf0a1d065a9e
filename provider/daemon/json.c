/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>

#include <keyward/alloc.h>

void kw_json_begin(struct kw_json *j)
{
    *j = (struct kw_json){.text = kw_new(1, 1), .cap = 1};
}

void kw_json_end(struct kw_json *j)
{
    kw_free(j->text);
    *j = (struct kw_json){0};
}

static void daemon_json_put(struct kw_json *j, const char *s)
{
    kw_span add = kw_span_str(s);
    if (j->text == NULL)
        return;
    if (j->len + add.len + 1 > j->cap) {
        size_t cap = (j->len + add.len + 1) * 2;
        char *bigger = kw_new(cap, 1);
        if (bigger != NULL)
            kw_copy(bigger, cap, kw_span_of(j->text, j->len));
        kw_free(j->text);
        j->text = bigger;
        j->cap = cap;
        if (bigger == NULL)
            return;
    }
    kw_copy(j->text + j->len, j->cap - j->len, add);
    j->len += add.len;
    j->text[j->len] = '\0';
}

static void daemon_json_put_quoted(struct kw_json *j, const char *s)
{
    daemon_json_put(j, "\"");
    for (kw_span rest = kw_span_str(s); rest.len > 0;) {
        uint32_t point;
        char one[8];
        size_t n = kw_text_first(rest, &point);
        if (point == '"' || point == '\\')
            snprintf(one, sizeof one, "\\%c", (int)point);
        else
            kw_copy_printable(one, sizeof one, kw_span_of(rest.ptr, n));
        daemon_json_put(j, one);
        rest = kw_span_of(rest.ptr + n, rest.len - n);
    }
    daemon_json_put(j, "\"");
}

static void daemon_json_put_name(struct kw_json *j, const char *name)
{
    if (j->comma)
        daemon_json_put(j, ",");
    j->comma = true;
    if (name != NULL) {
        daemon_json_put_quoted(j, name);
        daemon_json_put(j, ":");
    }
}

void kw_json_open(struct kw_json *j, const char *name, char bracket)
{
    daemon_json_put_name(j, name);
    daemon_json_put(j, (char[]){bracket, '\0'});
    j->comma = false;
}

void kw_json_close(struct kw_json *j, char bracket)
{
    daemon_json_put(j, (char[]){bracket, '\0'});
    j->comma = true;
}

void kw_json_str(struct kw_json *j, const char *name, const char *value)
{
    daemon_json_put_name(j, name);
    if (value == NULL)
        daemon_json_put(j, "null");
    else
        daemon_json_put_quoted(j, value);
}

void kw_json_int(struct kw_json *j, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    daemon_json_put_name(j, name);
    daemon_json_put(j, text);
}

void kw_json_bool(struct kw_json *j, const char *name, bool value)
{
    daemon_json_put_name(j, name);
    daemon_json_put(j, value ? "true" : "false");
}
