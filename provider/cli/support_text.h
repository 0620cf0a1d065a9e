/* SPDX-License-Identifier: Apache-2.0 */
/* support_text - text that grows up to a bound, and knows when it was cut
 *
 * Threads:   one a struct.
 * Secrets:   none; it is not wiped.
 */
#ifndef KEYWARD_CLI_SUPPORT_TEXT_H
#define KEYWARD_CLI_SUPPORT_TEXT_H

#include <keyward/bytes.h>

struct kw_support_text {
    char *bytes; /* owned */
    size_t len, cap;
    bool is_cut; /* there was more, or no memory for it */
};

/* Room for `cap` bytes; without memory it is one that is cut at once. */
void kw_support_text_init(struct kw_support_text *t, size_t cap);
void kw_support_text_wipe(struct kw_support_text *t);
void kw_support_put(struct kw_support_text *t, kw_span s);
/* With a question mark for each character that is not printable, but for ends of lines and
 * tabs. */
void kw_support_put_printable(struct kw_support_text *t, kw_span s);
void kw_support_say(struct kw_support_text *t, const char *fmt, ...) KW_PRINTF(2, 3);
kw_span kw_support_text_peek(const struct kw_support_text *t);

#endif
