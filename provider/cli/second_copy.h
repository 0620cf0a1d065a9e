/* SPDX-License-Identifier: Apache-2.0 */
/* second_copy - is the key really in another token too?  Seen, not said. */
#ifndef KEYWARD_CLI_SECOND_COPY_H
#define KEYWARD_CLI_SECOND_COPY_H

#include <keyward/config.h>
#include <keyward/keyring.h>

#include "other_token.h"

/* What a word on a second copy begins with. */
#define KW_OPENED "opened on token "
#define KW_STATED "stated: "
#define KW_ONLY_COPY "only-copy"

/* How much a word says: a weaker one replaces no stronger one. */
enum kw_copy_rank {
    KW_COPY_NO_WORD,
    KW_COPY_NONE_THERE, /* only-copy */
    KW_COPY_STATED,
    KW_COPY_OPENED,
};
enum kw_copy_rank kw_second_copy_rank(const char *word);

/* The key was there, and opened the check blob. */
struct kw_second_copy_proof {
    struct kw_object_token row; /* as kw_act_prove takes it */
    bool second;                /* in another token than the ceremony's   */
    bool maybe_group; /* of the same make: it may be of the ceremony's own HA group */
    char text[128];   /* "opened on token LABEL, serial SERIAL, TIME"     */
};

/* One login to the other token: the key of `v` is found there, its attributes are judged
 * and its check blob opens.
 * BAD_INPUT  an option, or no such token;  KEY_BAD, also when the key is not there; what
 * kw_login_run says */
KW_MUST_USE kw_err kw_second_copy_prove(const struct kw_config *config,
                                        const struct kw_keyring *ring,
                                        const struct kw_version *v,
                                        const struct kw_token_words *where,
                                        struct kw_second_copy_proof *ret_proof,
                                        struct kw_note *note);

/* What the keyring itself says of a second copy of `v`: its own word, or a second row
 * that was proven.  "" when nothing. */
void kw_second_copy_known(const struct kw_version *v, char dst[128]);

#endif
