/* SPDX-License-Identifier: Apache-2.0 */
/* create - one run of `keyward key create`, from its words to the keyring
 *
 * plan.c says what shall be made, adopt.c what shall be found again and what proves that
 * it is the old key, ceremony.c does it in the token, neighbours.c says what
 * is in the way there, orphan.c what a run that
 * failed has left there.
 */
#ifndef KEYWARD_CLI_CREATE_H
#define KEYWARD_CLI_CREATE_H

#include "ceremony.h"
#include "context.h"
#include "commands.h"

struct kw_create {
    const struct kw_cli *cli;
    /* the words */
    const char *operator_, *ticket, *token_name, *adopt, *same_key_as, *backup_path,
        *sample_path;
    bool destroyable, copyable, unproven, beside_others, dry_run;
    uint32_t same_n; /* --same-key-as; 0 = a new key */
    /* what they mean here */
    struct kw_context context;
    const struct kw_config_token *token;
    struct kw_act_facts facts;
    struct kw_keyring *backup; /* --keyring-backup; owned */
    struct kw_keyring *ring;   /* to be written with the new version; owned */
    struct kw_ceremony *job;   /* shared with the token's child */
};

/* Fills in token, facts, ring and job.  -1 to go on, else the exit code, and it has said
 * why. */
int kw_create_plan(struct kw_create *c);
/* Without the names in a dry run: those are chosen at the ceremony. */
void kw_create_print_plan(const struct kw_create *c);

/* The rest of the plan for --adopt: what proves the old key, the ring to build upon, the
 * version's record.  As kw_create_plan.
 * Without a keyring, and with a last good one in the state directory, that one is to be
 * put back and nothing is adopted; a backup that this node would take as it is, too. */
int kw_adopt_plan(struct kw_create *c);
/* Adopting has not come to its end: each key that c->ring still lacks, and what may prove
 * it; of --keyring-backup's only what is in it. */
void kw_adopt_next(const struct kw_create *c, struct kw_commands *next);
/* May --adopt bring this key_id, which the keyring does not know, into it?  Not when its
 * number is another key's here: it is of another keyring of the domain, as after a fork.
 */
bool kw_adopt_may_add(const struct kw_create *c, const char *key_id);
/* What this node would say of a ring in the keyring's place. */
void kw_create_judge(const struct kw_create *c, const struct kw_keyring *ring,
                     struct kw_judgement *ret);

/* A version with this run's choices, and nothing else yet, into c->job->v. */
void kw_create_blank(struct kw_create *c);
/* Of --same-key-as: the object of version c->same_n of c->ring, into c->job->v. */
KW_MUST_USE kw_err kw_create_share(struct kw_create *c, struct kw_note *note);
/* The last good keyring lies in the state directory, and nothing where the keyring should
 * be: says how to put it back. */
int kw_create_put_back(const struct kw_create *c);

/* keyward key create with this run's choices, --adopt `key_id` unless it is NULL, and
 * `more` words up to NULL. */
void kw_create_command(const struct kw_create *c, const char *key_id,
                       const char *const more[], struct kw_commands *w);

/* The ceremony, or the writing of the keyring, failed: says so, and what lies in the
 * token now.  Gives the exit code. */
int kw_create_failed(const struct kw_create *c, kw_err e, const struct kw_note *note);
/* Nothing was made, as there are keys that the keyring does not know (neighbours.c). */
int kw_create_not_beside(const struct kw_create *c);

#endif
