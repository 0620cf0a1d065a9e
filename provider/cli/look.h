/* SPDX-License-Identifier: Apache-2.0 */
/* look - what `keyward init` looks at before it makes anything
 *
 * In a child, under the daemon's user and with the variables that its worker will have,
 * without a login.
 */
#ifndef KEYWARD_CLI_LOOK_H
#define KEYWARD_CLI_LOOK_H

#include <keyward/token.h>

#include "login.h"

enum { KW_LOOK_PATHS = 4 };

struct kw_look {
    struct kw_owner owner; /* the daemon's user */
    const char *module;
    const char *uri; /* NULL: there is no token yet, the module is not loaded */
    const struct kw_config_var *env;
    size_t env_count;
    const char *paths[KW_LOOK_PATHS]; /* the folders above these, as far as not NULL */
};

/* The folders can be passed and are nobody else's to write, the module is a file that
 * this user reads and nobody else changes, it loads, and exactly one token matches.
 * *ret_facts is written when a URI was given.
 * Errors are those of kw_reach_* and kw_token_open; the note names folder, module or the
 * tokens that there are. */
KW_MUST_USE kw_err kw_look(const struct kw_look *look, struct kw_token_facts *ret_facts,
                           struct kw_note *note);

#endif
