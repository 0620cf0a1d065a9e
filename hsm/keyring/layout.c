/* SPDX-License-Identifier: Apache-2.0 */
/* layout - lines for what people look at, one line for the rest
 *
 * Breaking everything up would let 4 KiB of nested lists grow to 50, and a version that
 * is kept unread to megabytes: what fitted into a file when it was read must fit again.
 */
#include "keyring_layout.h"

#include <string.h>

#include <keyward/alloc.h>

enum { FLAT_LEVEL = 3, INDENT = 2 };

struct text {
    uint8_t *ptr;
    size_t len, cap;
    /* Once there was no memory nothing is appended any more: jansson 2.14 goes on behind a
     * member's name that could not be written, as if it had been. */
    bool failed;
};

static int append(const char *bytes, size_t len, void *ctx)
{
    struct text *t = ctx;
    if (t->failed)
        return -1;
    if (len > t->cap - t->len) {
        size_t cap = 2 * t->cap + len;
        uint8_t *more = kw_new(cap, 1);
        if (more == NULL) {
            t->failed = true;
            return -1;
        }
        kw_copy(more, cap, kw_span_of(t->ptr, t->len));
        kw_free(t->ptr);
        t->ptr = more;
        t->cap = cap;
    }
    kw_copy(t->ptr + t->len, t->cap - t->len, kw_span_of(bytes, len));
    t->len += len;
    return 0;
}

static bool keyring_layout_put(struct text *t, const char *s)
{
    return append(s, strlen(s), t) == 0;
}

static bool put_line(struct text *t, const json_t *value)
{
    return json_dump_callback(value, append, t, JSON_ENCODE_ANY) == 0;
}

static bool begin_line(struct text *t, unsigned level)
{
    bool ok = keyring_layout_put(t, "\n");
    for (unsigned i = 0; ok && i < INDENT * level; i++)
        ok = keyring_layout_put(t, " ");
    return ok;
}

static size_t size_of(const json_t *value)
{
    return json_is_array(value) ? json_array_size(value) : json_object_size(value);
}

static bool keyring_layout_is_plain_object(json_t *value)
{
    const char *name;
    json_t *member;
    if (!json_is_object(value))
        return false;
    json_object_foreach(value, name, member)
    {
        if (json_is_object(member) || json_is_array(member))
            return false;
    }
    return true;
}

/* Scalars have no size. */
static bool is_on_one_line(json_t *value, unsigned level)
{
    return level >= FLAT_LEVEL || size_of(value) == 0 ||
           (level > 0 && keyring_layout_is_plain_object(value));
}

static bool put_value(struct text *t, json_t *value, unsigned level);

static bool put_list(struct text *t, const json_t *list, unsigned level)
{
    bool ok = keyring_layout_put(t, "[");
    for (size_t i = 0; ok && i < json_array_size(list); i++)
        ok = (i == 0 || keyring_layout_put(t, ",")) && begin_line(t, level + 1) &&
             put_value(t, json_array_get(list, i), level + 1);
    return ok && begin_line(t, level) && keyring_layout_put(t, "]");
}

static bool keyring_layout_put_name(struct text *t, const char *name)
{
    json_t *text = json_string(name);
    bool ok = text != NULL && put_line(t, text) && keyring_layout_put(t, ": ");
    json_decref(text);
    return ok;
}

static bool put_object(struct text *t, json_t *object, unsigned level)
{
    const char *name;
    json_t *member;
    bool first = true;
    bool ok = keyring_layout_put(t, "{");
    json_object_foreach(object, name, member)
    {
        ok = ok && (first || keyring_layout_put(t, ",")) && begin_line(t, level + 1) &&
             keyring_layout_put_name(t, name) && put_value(t, member, level + 1);
        first = false;
    }
    return ok && begin_line(t, level) && keyring_layout_put(t, "}");
}

static bool put_value(struct text *t, json_t *value, unsigned level)
{
    if (is_on_one_line(value, level))
        return put_line(t, value);
    return json_is_array(value) ? put_list(t, value, level) : put_object(t, value, level);
}

bool kw_layout(json_t *root, struct kw_blob *ret_text)
{
    struct text t = {0};
    if (!put_value(&t, root, 0) || !keyring_layout_put(&t, "\n") || t.failed) {
        kw_free(t.ptr);
        return false;
    }
    *ret_text = (struct kw_blob){t.ptr, t.len};
    return true;
}

size_t kw_layout_line(const json_t *value, char *dst, size_t cap)
{
    return json_dumpb(value, dst, cap, JSON_ENCODE_ANY);
}

char *kw_layout_owned_line(const json_t *value)
{
    size_t len = kw_layout_line(value, NULL, 0);
    char *line = len == 0 ? NULL : kw_new(len + 1, 1);
    if (line != NULL && kw_layout_line(value, line, len) == len)
        return line;
    kw_free(line);
    return NULL;
}
