/* SPDX-License-Identifier: Apache-2.0 */
/* create - one run of `keyward key create`, from its words to the keyring
 *
 * plan.c says what shall be made, adopt.c what shall be found again and what proves that
 * it is the old key, ceremony.c does it in the token, orphan.c says what a run that
 * failed has left there.
 */
#ifndef KEYWARD_CLI_CREATE_H
#define KEYWARD_CLI_CREATE_H

#include "ceremony.h"
#include "desk.h"

struct kw_create {
    const struct kw_cli *cli;
    /* the words */
    const char *operator_, *token_name, *adopt, *same_key_as;
    bool destroyable, copyable, dry_run;
    uint32_t same_n; /* --same-key-as; 0 = a new key */
    /* what they mean here */
    struct kw_desk desk;
    const struct kw_config_token *token;
    struct kw_act_facts facts;
    struct kw_keyring *ring; /* to be written with the new version; owned */
    struct kw_ceremony *job; /* shared with the token's child */
};

/* Fills in token, facts, ring and job.  -1 to go on, else the exit code, and it has said
 * why. */
int kw_create_plan(struct kw_create *c);
void kw_create_print_plan(const struct kw_create *c);

/* The ceremony, or the writing of the keyring, failed: says so, and what lies in the
 * token now.  Gives the exit code. */
int kw_create_failed(const struct kw_create *c, kw_err e, const struct kw_note *note);

#endif
