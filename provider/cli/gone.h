/* SPDX-License-Identifier: Apache-2.0 */
/* gone - is the object of a destroyed version really not in its tokens any more?
 *
 * Asked are the tokens that the version's rows name, by serial and label: another token
 * that is configured in the place of one has nothing to say.
 *
 * Threads:   before the first thread (login.h).
 * Blocking:  one login to each configured token.
 */
#ifndef KEYWARD_CLI_GONE_H
#define KEYWARD_CLI_GONE_H

#include <jansson.h>

#include <keyward/config.h>
#include <keyward/keyring.h>

enum kw_gone_answer { KW_GONE_NOT_ASKED, KW_GONE_SEEN, KW_GONE_STILL_THERE };

/* What the tokens say of one row. */
struct kw_gone_row {
    enum kw_gone_answer answer;
    enum kw_answer destroyable;          /* STILL_THERE: CKA_DESTROYABLE, as read back */
    const struct kw_config_token *token; /* STILL_THERE: the one that has it */
    uint64_t slot;                       /* and where the module shows it */
};
struct kw_gone {
    struct kw_gone_row rows[KW_OBJECT_TOKENS_MAX];
    struct { /* configured tokens that gave no answer, and why */
        const struct kw_config_token *token;
        struct kw_note why;
    } silent[KW_TOKENS_MAX];
    size_t silent_count;
};

/* Borrows from `config`.  `v` is understood.  A token that does not answer is no failure.
 * NO_MEMORY */
KW_MUST_USE kw_err kw_gone_look(const struct kw_config *config,
                                const struct kw_version *v, struct kw_gone *ret_gone);

/* The first row of `v`, or of another version with its object, that has no end, seen or
 * said, in any of them; NULL: there is none.  *ret_of (may be NULL): the version that has
 * the row. */
const struct kw_object_token *kw_gone_open(const struct kw_keyring *ring,
                                           const struct kw_version *v,
                                           const struct kw_version **ret_of);
/* There is none, and one row at all. */
bool kw_gone_everywhere(const struct kw_keyring *ring, const struct kw_version *v);

/* The word on a second copy, of `v` or of another version with its object, for which no
 * row of its own stands: it was only said, or a restored backup has label and serial of
 * its original.  Of its end nothing is known.  NULL: there is none. */
const char *kw_gone_copy(const struct kw_keyring *ring, const struct kw_version *v);
/* The one sentence on the key of a destroyed version, for every verb: "key material gone:
 * yes", "… no", or what is known. */
#define KW_GONE_WORDS_MAX 384u
void kw_gone_words(const struct kw_keyring *ring, const struct kw_version *v,
                   char dst[KW_GONE_WORDS_MAX]);
/* The same for documents: true or false; null when kw_gone_copy is all that is left. */
json_t *kw_gone_json(const struct kw_keyring *ring, const struct kw_version *v);

/* The first row of `v` without an end that no other version names too: what would be
 * forgotten with `v`.  NULL: there is none. */
const struct kw_object_token *kw_gone_forgotten(const struct kw_keyring *ring,
                                                const struct kw_version *v);

#endif
