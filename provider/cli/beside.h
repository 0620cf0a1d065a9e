/* SPDX-License-Identifier: Apache-2.0 */
/* beside - keys of keyward that lie in a token and that a keyring does not know
 *
 * A key's CKA_ID tells its domain.  One of this domain that the keyring does not know was
 * made by another node, or by a ceremony that stopped half way: a version that is made
 * beside it makes a second keyring of one domain, and the two exclude each other.
 *
 * Threads:   pure functions.
 * Secrets:   none.
 */
#ifndef KEYWARD_CLI_BESIDE_H
#define KEYWARD_CLI_BESIDE_H

#include <keyward/token.h>

#define KW_BESIDE_LISTED 256u /* keys that are looked at */
#define KW_BESIDE_NAMED 8u    /* that are named          */
#define KW_BESIDE_LABEL "kw1-"

struct kw_beside_names {
    size_t count; /* all of them; the first KW_BESIDE_NAMED have names */
    char name[KW_BESIDE_NAMED][KW_KEY_ID_MAX + 1];
};
struct kw_beside {
    struct kw_beside_names unknown; /* of this domain, and not in the keyring      */
    struct kw_beside_names others;  /* of other domains, as far as CKA_ID tells it */
    bool more;                      /* there were more than could be looked at     */
};

/* Sorts what kw_token_list found.  Labels that are no key_id are left out.  `ring` (NULL
 * = none yet) knows a key by its key_id, by the label of an object, and by the line that
 * a pruned version has left. */
void kw_beside_sort(const struct kw_listed_key *keys, size_t count,
                    const struct kw_keyring *ring, const char *domain,
                    struct kw_beside *ret);

/* Has a version of this key_id left a line in the history, and nothing else? */
bool kw_beside_is_pruned(const struct kw_keyring *ring, const char *key_id);

/* May a key be made beside these?  Keys of other domains are no reason against it, unless
 * there is no keyring yet: then the domain may be a slip of the pen. */
bool kw_beside_is_free(const struct kw_beside *b, const struct kw_keyring *ring);

/* "kw1-1-…, kw1-2-… and 3 more" */
void kw_beside_text(const struct kw_beside_names *names, char dst[512]);

#endif
