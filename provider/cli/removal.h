/* SPDX-License-Identifier: Apache-2.0 */
/* removal - how the object of a destroyed version is taken out of a token
 *
 * keyward itself never deletes a key.  Pure but for the owner of the state directory.
 */
#ifndef KEYWARD_CLI_REMOVAL_H
#define KEYWARD_CLI_REMOVAL_H

#include "gone.h"
#include "next.h"

/* An object that is still there, and that no other version needs. */
struct kw_removal {
    const struct kw_config *config;
    const struct kw_keyring *ring;
    const struct kw_version *v;
    const struct kw_object_token *row;
    const struct kw_gone_row *found; /* STILL_THERE */
};
/* Adds what CKA_DESTROYABLE means for it, and the commands. */
void kw_removal_commands(const struct kw_removal *r, struct kw_commands *next);

#endif
