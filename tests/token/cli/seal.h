/* SPDX-License-Identifier: Apache-2.0 */
/* seal - what was sealed under a site's key before its keyring was lost
 *
 * Uses a copy of the token's files, so the site's own stay as they are. */
#ifndef KEYWARD_TESTS_SEAL_H
#define KEYWARD_TESTS_SEAL_H

#include "sample.h"
#include "site.h"

/* A sample of class and scope "secrets", sealed with the object of label `label`, that
 * says it was under `key_id` in `domain`; a new file at `path`. */
void seal_sample(const struct site *s, const char *label, const char *key_id,
                 const char *domain, const char *path);

/* What one wrapped seed is bound to. */
struct seal_words {
    const char *label, *key_id, *domain, *scope;
};
/* The seed, wrapped so; up to KW_CIPHERTEXT_MAX bytes are appended. */
void seal_seed(const struct site *s, const struct seal_words *words, kw_span seed,
               kw_dst *dst);

#endif
