/* SPDX-License-Identifier: Apache-2.0 */
/* next - what comes after an act, as commands that can be run as they are
 *
 * One place makes every change of a keyring; all other nodes get a copy, under a
 * temporary name and then renamed, as a copy over the file would tear it.
 *
 * Pure: text only.
 */
#ifndef KEYWARD_CLI_NEXT_H
#define KEYWARD_CLI_NEXT_H

#include <keyward/act.h>

#include "cli.h"
#include "commands.h"

/* The copy that every other node gets, and the reload of every daemon. */
void kw_next_hand_out(struct kw_commands *next, const char *keyring);

/* What an act has left behind. */
struct kw_next_facts {
    const char *config;  /* kw_cli_config */
    const char *keyring; /* its path       */
    uint32_t n;
    enum kw_key_state state; /* of n, after the act                             */
    uint32_t former;         /* the baseline before the act, 0 = there was none        */
    bool has_copy;           /* the keyring has a word on a second copy of n           */
    bool node_only;          /* ACTIVATE: this node's own act, the baseline stays      */
};
void kw_next_after(enum kw_act act, const struct kw_next_facts *facts,
                   struct kw_commands *next);

/* The way out of a refusal (struct kw_judgement), its commands with `config`. */
void kw_next_cure(const char *cure, const char *config, struct kw_commands *next);

#endif
