/* SPDX-License-Identifier: Apache-2.0 */
/* support_redact - a configuration for others to see, whether it reads as YAML or not
 *
 * Line by line, and closed: shown is what is understood, which is `key: value` with a key of
 * keywardd's and a value of the kind that it has.  Of anything else the value is withheld, and
 * whatever could belong to it: deeper lines, and after a quote or bracket that does not end on
 * its line, or a line with a sign of YAML's in a place of its own, all the rest.  No comment is
 * shown, no variable of a token, nothing behind `?` in a URI, and of a PIN's place its kind.
 *
 * Threads:   plain values; the words are borrowed from the text.
 * Secrets:   a PIN may stand in the text, where nobody should have put it; what is written
 *            does not have it.
 */
#ifndef KEYWARD_CLI_SUPPORT_REDACT_H
#define KEYWARD_CLI_SUPPORT_REDACT_H

#include <keyward/bytes.h>
#include <keyward/limits.h>

#include "support_text.h"
#include "support_words.h"

#define KW_SUPPORT_MODULES_MAX KW_TOKENS_MAX

struct kw_support_redacted {
    unsigned shown, withheld, dropped, comments; /* values, values, lines, lines */
    /* Paths as they were shown, the last of each; where none was, the default of a
     * configuration, and "" for a log that need not be there. */
    char keyring[KW_PATH_MAX], state[KW_PATH_MAX], status[KW_PATH_MAX],
        audit[KW_PATH_MAX];
    char modules[KW_SUPPORT_MODULES_MAX][KW_PATH_MAX];
    size_t module_count;
    struct kw_support_words words; /* that were withheld, comments left out */
};

/* Never fails: what has no room in `dst` is cut, which `dst` knows. */
void kw_support_redact(kw_span yaml, struct kw_support_text *dst,
                       struct kw_support_redacted *ret);

#endif
