/* SPDX-License-Identifier: Apache-2.0 */
/* other_token - a token that the command line names: one of the configuration's, or the
 * PKCS#11 URI of another one, reached as the first one is but for what is said */
#ifndef KEYWARD_CLI_OTHER_TOKEN_H
#define KEYWARD_CLI_OTHER_TOKEN_H

#include <keyward/config.h>

/* What the command line says of it; NULL: as the configuration's first one is reached. */
struct kw_token_words {
    const char *name; /* a token of the configuration, as it is; then uri is NULL     */
    const char *uri;
    const char *module; /* another module has none of the first one's variables */
    const char *pin;
    const char *env;    /* NAME=VALUE, in place of that variable */
    const char *option; /* what the verb's options begin with, for messages */
};

/* The token with the options in its place, and the text that it points to. */
struct kw_other_token {
    struct kw_config_token token;
    char uri[KW_PATH_MAX], module[KW_PATH_MAX], pin[KW_PATH_MAX], name[128],
        value[KW_PATH_MAX];
};
/* Borrows from config and points into *ret_other, which stays where it is.
 * BAD_INPUT  an option, or no such token; the note says which */
KW_MUST_USE kw_err kw_other_token_find(const struct kw_config *config,
                                       const struct kw_token_words *where,
                                       struct kw_other_token *ret_other,
                                       struct kw_note *note);

#endif
