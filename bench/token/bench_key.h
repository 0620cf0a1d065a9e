/* SPDX-License-Identifier: Apache-2.0 */
/* bench_key - the throw-away key that is measured with, and those that are not touched
 *
 * The latter are those of a keyring: their labels (key_ids) and locators (CKA_ID).  A key of
 * another label and locator is not known here, and is no less safe for it: nothing is looked
 * for but the label that this run made up.
 *
 * Threads:   plain values.
 */
#ifndef KEYWARD_BENCH_KEY_H
#define KEYWARD_BENCH_KEY_H

#include <keyward/keyring.h>
#include <keyward/token.h>

/* Where the key lives: on the token, in the session of each process, or there as a copy of
 * the one on the token. */
enum kw_bench_key { KW_BENCH_KEY_TOKEN, KW_BENCH_KEY_SESSION, KW_BENCH_KEY_COPY };
extern const char *const kw_bench_key_names[]; /* NULL behind the last */

struct kw_key_guard {
    const char *path; /* NULL: no keyring was there to be read */
    struct kw_keyring *ring;
};

/* Reads the keyring at `path`; with NULL the one at `standard`, when there is one and
 * this user may read it.  A keyring that cannot be understood is refused in both cases:
 * MISSING, BAD_INPUT, IO as kw_keyring_load. */
KW_MUST_USE kw_err kw_key_guard_open(const char *path, const char *standard,
                                     struct kw_key_guard *ret_guard,
                                     struct kw_note *note);
void kw_key_guard_close(struct kw_key_guard *g);
/* DENIED  a key of the keyring has this label, or this locator (unless that is empty);
 *         the note names the version */
KW_MUST_USE kw_err kw_key_guard_allows(const struct kw_key_guard *g, const char *label,
                                       kw_span locator, struct kw_note *note);
/* Draws a label that no key of the keyring has. */
KW_MUST_USE kw_err kw_key_guard_label(const struct kw_key_guard *g,
                                      char ret_label[KW_KEY_ID_MAX + 1],
                                      struct kw_note *note);

/* DENIED  the token is no SoftHSM, and the operator did not say --yes */
KW_MUST_USE kw_err kw_bench_token_allowed(const struct kw_token_facts *facts,
                                          bool any_token, struct kw_note *note);

#endif
