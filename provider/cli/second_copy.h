/* SPDX-License-Identifier: Apache-2.0 */
/* second_copy - is the key really in another token too?  Seen, not said. */
#ifndef KEYWARD_CLI_SECOND_COPY_H
#define KEYWARD_CLI_SECOND_COPY_H

#include <keyward/config.h>
#include <keyward/keyring.h>

/* How to reach the other token; NULL: as the configuration's first one is reached. */
struct kw_second_copy {
    const char *uri;
    const char *module; /* another module has none of the first one's variables */
    const char *pin;
    const char *env; /* NAME=VALUE, in place of that variable */
};

/* One login to the other token: the key of `v` is found there, its attributes are judged
 * and its check blob opens.  *ret_proof: "opened on token …, serial …, <time>".
 * BAD_INPUT  an option;  DENIED  it is the token of the ceremony itself;  KEY_BAD, also
 * when the key is not there;  what kw_login_run says */
KW_MUST_USE kw_err kw_second_copy_prove(const struct kw_config *config,
                                        const struct kw_keyring *ring,
                                        const struct kw_version *v,
                                        const struct kw_second_copy *where,
                                        char ret_proof[128], struct kw_note *note);

#endif
