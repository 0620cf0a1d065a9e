/* SPDX-License-Identifier: Apache-2.0 */
#include "html.h"

#include <stdarg.h>
#include <stdio.h>

#include <keyward/alloc.h>

void kw_html_wipe(struct kw_html *h)
{
    kw_free(h->text);
    *h = (struct kw_html){0};
}

/* Room for `more` bytes and a NUL. */
static bool grow(struct kw_html *h, size_t more)
{
    size_t cap = h->cap < 4096 ? 4096 : h->cap;
    if (h->failed)
        return false;
    if (h->text != NULL && more < h->cap - h->len)
        return true;
    while (cap - h->len <= more)
        cap *= 2;
    char *text = kw_new(cap, 1);
    if (text == NULL) {
        h->failed = true;
        return false;
    }
    kw_copy(text, cap, kw_span_of(h->text, h->len));
    kw_free(h->text);
    h->text = text;
    h->cap = cap;
    return true;
}

void kw_html_raw_span(struct kw_html *h, kw_span markup)
{
    if (!grow(h, markup.len))
        return;
    kw_copy(h->text + h->len, h->cap - h->len, markup);
    h->len += markup.len;
    h->text[h->len] = '\0';
}

void kw_html_raw(struct kw_html *h, const char *markup)
{
    kw_html_raw_span(h, kw_span_str(markup));
}

static const char *entity_of(uint8_t c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

/* How many bytes the character at the front has; 0 when it is none to be shown. */
static size_t character(kw_span s)
{
    uint32_t point;
    size_t n = kw_text_first(s, &point);
    return point == '\n' || point == '\t' || kw_is_printable_char(point) ? n : 0;
}

void kw_html_text_span(struct kw_html *h, kw_span words)
{
    while (words.len > 0 && !h->failed) {
        const char *entity = entity_of(words.ptr[0]);
        size_t n = entity != NULL ? 1 : character(words);
        if (entity != NULL)
            kw_html_raw(h, entity);
        else if (n == 0)
            kw_html_raw(h, "\xef\xbf\xbd");
        else
            kw_html_raw_span(h, kw_span_of(words.ptr, n));
        n = n == 0 ? 1 : n;
        words = kw_span_of(words.ptr + n, words.len - n);
    }
}

void kw_html_text(struct kw_html *h, const char *words)
{
    kw_html_text_span(h, kw_span_str(words));
}

static char *formatted(struct kw_html *h, const char *fmt, va_list ap) KW_PRINTF(2, 0);
static char *formatted(struct kw_html *h, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    char *text = n < 0 ? NULL : kw_new((size_t)n + 1, 1);
    if (text != NULL)
        vsnprintf(text, (size_t)n + 1, fmt, again);
    else
        h->failed = true;
    va_end(again);
    return text;
}

void kw_html_rawf(struct kw_html *h, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = formatted(h, fmt, ap);
    va_end(ap);
    kw_html_raw(h, text);
    kw_free(text);
}

void kw_html_textf(struct kw_html *h, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = formatted(h, fmt, ap);
    va_end(ap);
    kw_html_text(h, text);
    kw_free(text);
}

void kw_html_cut(struct kw_html *h, size_t len)
{
    if (h->text == NULL || len >= h->len)
        return;
    h->len = len;
    h->text[len] = '\0';
}

void kw_html_in(struct kw_html *h, const char *tag, const char *words)
{
    kw_html_rawf(h, "<%s>", tag);
    kw_html_text(h, words);
    kw_html_rawf(h, "</%s>", tag);
}
