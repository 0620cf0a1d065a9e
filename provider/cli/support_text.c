/* SPDX-License-Identifier: Apache-2.0 */
#include "support_text.h"

#include <stdarg.h>
#include <stdio.h>

#include <keyward/alloc.h>

void kw_support_text_init(struct kw_support_text *t, size_t cap)
{
    char *bytes = kw_new(1, cap);
    *t = (struct kw_support_text){.bytes = bytes, .cap = bytes != NULL ? cap : 0};
}

void kw_support_text_wipe(struct kw_support_text *t)
{
    kw_free(t->bytes);
    *t = (struct kw_support_text){0};
}

void kw_support_put(struct kw_support_text *t, kw_span s)
{
    const size_t room = t->cap - t->len, n = s.len < room ? s.len : room;
    if (n > 0)
        kw_copy(t->bytes + t->len, room, kw_span_of(s.ptr, n));
    t->len += n;
    t->is_cut = t->is_cut || n < s.len;
}

void kw_support_put_printable(struct kw_support_text *t, kw_span s)
{
    while (s.len > 0) {
        uint32_t point;
        const size_t n = kw_text_first(s, &point);
        const bool may = kw_is_printable_char(point) || point == '\n' || point == '\t';
        kw_support_put(t, may ? kw_span_of(s.ptr, n) : kw_span_str("?"));
        s = kw_span_of(s.ptr + n, s.len - n);
    }
}

void kw_support_say(struct kw_support_text *t, const char *fmt, ...)
{
    char line[4096];
    va_list args;
    va_start(args, fmt);
    const int n = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    t->is_cut = t->is_cut || n < 0 || (size_t)n >= sizeof line;
    kw_support_put(t, kw_span_str(line));
}

kw_span kw_support_text_peek(const struct kw_support_text *t)
{
    return kw_span_of(t->bytes, t->len);
}
