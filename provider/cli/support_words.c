/* SPDX-License-Identifier: Apache-2.0 */
#include "support_words.h"

#include <string.h>

#include "support_value.h"

#define BETWEEN " \t\"'{}[],;?&=:#\\|<>"

static bool is_between(uint8_t c)
{
    return c == '\0' || c == '\r' || c == '\n' || strchr(BETWEEN, c) != NULL;
}

static void words_keep(struct kw_support_words *w, kw_span word, kw_span shown)
{
    if (word.len == 0 || memmem(shown.ptr, shown.len, word.ptr, word.len) != NULL)
        return;
    for (size_t i = 0; i < w->count; i++)
        if (kw_span_equal(w->at[i], word))
            return;
    if (word.len < KW_SUPPORT_WORD_LEAST || kw_support_is_common(word))
        return;
    if (w->count == KW_SUPPORT_WORDS_MAX)
        w->are_too_many = true;
    else
        w->at[w->count++] = word;
}

/* The whole goes first: where it stands as a whole, nothing of it is left. */
void kw_support_words_add(struct kw_support_words *words, kw_span value, kw_span shown)
{
    size_t from = 0, to = value.len;
    while (from < to && is_between(value.ptr[from]))
        from++;
    while (to > from && is_between(value.ptr[to - 1]))
        to--;
    words_keep(words, kw_span_of(value.ptr + from, to - from), shown);
    for (size_t i = from; i < to; i++) {
        size_t end = i;
        while (end < to && !is_between(value.ptr[end]))
            end++;
        words_keep(words, kw_span_of(value.ptr + i, end - i), shown);
        i = end;
    }
}

/* The longest one that begins here; 0: none. */
static size_t words_here(const struct kw_support_words *w, kw_span rest)
{
    size_t longest = 0;
    for (size_t i = 0; i < w->count; i++) {
        const kw_span word = w->at[i];
        if (word.len > longest && word.len <= rest.len && word.ptr[0] == rest.ptr[0] &&
            kw_span_equal(word, kw_span_of(rest.ptr, word.len)))
            longest = word.len;
    }
    return longest;
}

unsigned kw_support_scrub(const struct kw_support_words *words, kw_span text,
                          struct kw_support_text *dst)
{
    unsigned found = 0;
    size_t plain = 0, i = 0;
    while (i < text.len) {
        const size_t len = words_here(words, kw_span_of(text.ptr + i, text.len - i));
        if (len == 0) {
            i++;
            continue;
        }
        kw_support_put(dst, kw_span_of(text.ptr + plain, i - plain));
        kw_support_put(dst, kw_span_str("[redacted]"));
        i += len;
        plain = i;
        found++;
    }
    kw_support_put(dst, kw_span_of(text.ptr + plain, text.len - plain));
    return found;
}
