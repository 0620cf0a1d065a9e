/* SPDX-License-Identifier: Apache-2.0 */
/* install - a fresh installation: looked at first, then made, all of it or nothing */
#ifndef KEYWARD_CLI_INSTALL_H
#define KEYWARD_CLI_INSTALL_H

#include <keyward/env.h>
#include <keyward/envelope.h>
#include <keyward/file.h>

#include "node_layout.h"
#include "login.h"
#include "place.h"

enum { KW_INSTALL_URI_MAX = 256 };

struct kw_install {
    /* what is wanted */
    const char *dir;  /* NULL: the system's places                 */
    const char *user; /* NULL: see kw_place_owner                  */
    const char *label, *pin_file;
    char domain[KW_DOMAIN_MAX + 1];
    struct kw_blob
        ring; /* another node's keyring, to begin with; empty: the first node */
    char uri[KW_INSTALL_URI_MAX];
    char names[KW_ENV_VARS_MAX][KW_ENV_NAME_MAX];
    struct kw_config_var env[KW_ENV_VARS_MAX];
    struct kw_first_config first; /* points to the texts above */
    /* filled by kw_install_look */
    struct kw_layout layout;
    struct kw_owner owner;
    /* by kw_install_make */
    struct kw_placed made;
};

/* Finds user and places, which must be vacant, judges the PIN's file, and looks at
 * folders, module and token as the daemon's user (look.h).  Makes nothing.  Says on
 * standard error which vendor's variables only this shell has, and when the token is a
 * SoftHSM, which makes it `environment: test`. */
KW_MUST_USE kw_err kw_install_look(struct kw_install *p, struct kw_note *note);

/* Folders, PIN, with `softhsm` a token, the keyring, EncryptionConfiguration,
 * configuration.  After a failure, Ctrl-C's too, what it made is taken back. */
KW_MUST_USE kw_err kw_install_make(struct kw_install *p, struct kw_note *note);

#endif
