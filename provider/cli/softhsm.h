/* SPDX-License-Identifier: Apache-2.0 */
/* softhsm - the files of a SoftHSM token, sealed against its own habit
 *
 * SoftHSM 2.6 and 2.7 truncate and rewrite token.object at every successful login; a
 * process that dies there leaves no token.  Files of mode 0400 in directories of mode
 * 0500, under a user that is not root, make it skip the rewriting; everything but making
 * keys still works.  So the window is open only during a ceremony, and token.object stays
 * as it is even then: keys are made without it, and workers log in meanwhile.
 *
 * Threads:   one.
 */
#ifndef KEYWARD_CLI_SOFTHSM_H
#define KEYWARD_CLI_SOFTHSM_H

#include <sys/types.h>

#include <keyward/config.h>

/* The softhsm2.conf that this token uses: of its env, else the system's when its module
 * is there and called so; NULL when it is not SoftHSM. */
const char *kw_softhsm_conf(const struct kw_config_token *token);
/* It is the whole system's, and its tokens are not keyward's alone. */
bool kw_softhsm_is_systems(const char *conf);

/* The value of directories.tokendir.  BAD_INPUT when the file names none. */
KW_MUST_USE kw_err kw_softhsm_tokendir(const char *conf, char dst[KW_PATH_MAX],
                                       struct kw_note *note);

/* Opens or closes the window: 0600 (token.object: 0400) and 0700, or 0400 and 0500, all
 * through the tree.
 * Never follows a symbolic link. */
KW_MUST_USE kw_err kw_softhsm_seal(const char *tokendir, bool seal, struct kw_note *note);

struct kw_softhsm_look {
    bool sealed;
    bool one_owner;            /* everything belongs to tokendir's owner */
    char example[KW_PATH_MAX]; /* the first name that is otherwise, in tokendir */
};
KW_MUST_USE kw_err kw_softhsm_look(const char *tokendir, struct kw_softhsm_look *ret_look,
                                   struct kw_note *note);

#endif
