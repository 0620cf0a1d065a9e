/* SPDX-License-Identifier: Apache-2.0 */
/* html - a text that grows, with words that cannot become markup
 *
 * Markup is a literal of this source (kw_html_raw); everything else, above all what comes
 * from a file, goes through kw_html_text or kw_html_textf.  There what HTML knows as
 * markup is escaped, in attributes too, and what is no valid UTF-8 or a control character
 * becomes U+FFFD.
 *
 * Threads:  one at a time.
 * Failure:  out of memory latches `failed`, and from then on nothing is appended; who
 *           uses the text looks at it once.
 */
#ifndef KEYWARD_BENCH_HTML_H
#define KEYWARD_BENCH_HTML_H

#include <keyward/bytes.h>

struct kw_html { /* {0} is empty */
    char *text;  /* owned; NUL after len bytes, or NULL */
    size_t len, cap;
    bool failed;
};

void kw_html_wipe(struct kw_html *h);

/* Appends markup as it is. */
void kw_html_raw(struct kw_html *h, const char *markup);
void kw_html_rawf(struct kw_html *h, const char *fmt, ...) KW_PRINTF(2, 3);
void kw_html_raw_span(struct kw_html *h, kw_span markup);

/* Appends words, escaped.  NULL is no words. */
void kw_html_text(struct kw_html *h, const char *words);
void kw_html_text_span(struct kw_html *h, kw_span words);
void kw_html_textf(struct kw_html *h, const char *fmt, ...) KW_PRINTF(2, 3);

/* Takes back what came after the first `len` bytes. */
void kw_html_cut(struct kw_html *h, size_t len);

/* <tag>words</tag>; `tag` is a literal of this source, without attributes. */
void kw_html_in(struct kw_html *h, const char *tag, const char *words);

#endif
