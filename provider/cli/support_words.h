/* SPDX-License-Identifier: Apache-2.0 */
/* support_words - what was withheld in one place is looked for in all others
 *
 * An error message may quote what the configuration has in the wrong place, and a log or a
 * report the message: what was withheld from the one is taken out of the others.
 *
 * Threads:   plain values; words are borrowed.
 */
#ifndef KEYWARD_CLI_SUPPORT_WORDS_H
#define KEYWARD_CLI_SUPPORT_WORDS_H

#include "support_text.h"

enum { KW_SUPPORT_WORDS_MAX = 1024, KW_SUPPORT_WORD_LEAST = 4 };

struct kw_support_words {
    kw_span at[KW_SUPPORT_WORDS_MAX];
    size_t count;
    bool are_too_many; /* there were more: no text may be shown */
};

/* A value as it stands, without its blanks and quotes, and each of its words; those of fewer
 * than four bytes are in everything, and keywardd's own words no secret: they are not kept,
 * nor what stands in `shown`, which is what others see of the value; empty: nothing. */
void kw_support_words_add(struct kw_support_words *words, kw_span value, kw_span shown);
/* `text` to `dst` with each of the words as "[redacted]"; gives how many there were. */
unsigned kw_support_scrub(const struct kw_support_words *words, kw_span text,
                          struct kw_support_text *dst);

#endif
