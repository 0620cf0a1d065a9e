/* SPDX-License-Identifier: Apache-2.0 */
/* context - configuration, keyring and this node's memory, as the key verbs find them */
#ifndef KEYWARD_CLI_CONTEXT_H
#define KEYWARD_CLI_CONTEXT_H

#include <keyward/config.h>
#include <keyward/keyring.h>
#include <keyward/act.h>
#include <keyward/state.h>

#include "child.h"
#include "cli.h"
#include "login.h"
#include "window.h"

struct kw_context {
    struct kw_config *config;
    struct kw_keyring *ring; /* NULL: there is no keyring file, or it cannot be read */
    struct kw_note damage;   /* "" or why what lies there cannot be read as a keyring */
    struct kw_marks marks;
    struct kw_activation act;
    struct kw_keyring *last; /* the last good one; NULL: none, or not readable */
    kw_err last_err;         /* MISSING: there is none; else why it is not readable */
    kw_err
        state_err; /* OK: the state directory could be read; MISSING: it is not there */
    struct kw_note state_why;
    struct kw_judgement judgement; /* of `ring` by this node, when state_err is OK; of
                                      what is damaged always */
    /* "" or why keywardd would not read the configuration or the keyring that were read
     * here: others could have changed it. */
    struct kw_note doubt;
    bool doubts_config;
    bool stranger; /* neither root nor the state directory's user: sees little */
    /* As the tokens were found: an open one is sealed. */
    enum kw_seal seal[KW_TOKENS_MAX];
};

/* Loads the configuration and, when it is there, the keyring; and judges it as this
 * node's daemon does.  What others could have changed is read all the same, and doubted;
 * what is no keyring is refused by the judgement.
 * The state directory is read as far as this uid may.  {0} before. */
KW_MUST_USE kw_err kw_context_open(const struct kw_cli *cli, struct kw_context *context,
                                   struct kw_note *note);
/* The same with the keyring in `path`, which must be there (MISSING), whoever could have
 * changed it: what it is taken for is for the caller to say.  When it is the keyring of
 * the configuration, it is doubted as by kw_context_open. */
KW_MUST_USE kw_err kw_context_open_with(const struct kw_cli *cli, const char *path,
                                        struct kw_context *context, struct kw_note *note);
void kw_context_close(struct kw_context *context);

/* Is `path` the configuration's keyring file, by whatever name? */
bool kw_context_is_keyring(const struct kw_context *context, const char *path);

/* What this node wraps with; 0 = nothing, or it is not known. */
uint32_t kw_context_active(const struct kw_context *context);

/* The configuration's token of this name, the first for NULL.  MISSING */
KW_MUST_USE kw_err kw_context_token(const struct kw_context *context, const char *name,
                                    const struct kw_config_token **ret_token,
                                    struct kw_note *note);

/* Version n of the keyring.  UNKNOWN_KEY */
KW_MUST_USE kw_err kw_context_version(const struct kw_context *context, uint32_t n,
                                      const struct kw_version **ret_version,
                                      struct kw_note *note);

/* May this node make this act on version n (0: a new one)?  -1 to go on, else the exit
 * code, and it has said why and what to do.  What the state directory says is looked at
 * by every act: without it nothing is changed. */
int kw_context_may(const struct kw_cli *cli, const struct kw_context *context,
                   enum kw_act act, uint32_t n);

/* Could the state directory be read?  -1 to go on, else the exit code, and it has said
 * why. */
int kw_context_remembers(const struct kw_cli *cli, const struct kw_context *context);

/* Would keywardd read configuration and keyring, too?  -1 to go on, else the exit code,
 * and it has said why and what to do. */
int kw_context_trusts(const struct kw_cli *cli, const struct kw_context *context);

/* Says why this node refuses its keyring, and the way out; the exit code. */
int kw_context_refuse(const struct kw_cli *cli, const struct kw_context *context);

/* Who does it, now, with this program. */
KW_MUST_USE kw_err kw_context_facts(const char *operator_, struct kw_act_facts *ret_facts,
                                    struct kw_note *note);

/* Writes `changed`, a dup of context->ring (or what is to lie where there is none), over
 * the keyring file.  IO: kw_file_is_written tells which of the two lies there. */
KW_MUST_USE kw_err kw_context_save(const struct kw_context *context,
                                   struct kw_keyring *changed, struct kw_note *note);

/* Since when version n of the ring unwraps on this node, or is disabled, as its daemon
 * would say of this very ring.  wall_ns is 0: the daemon has not seen it so, or it was
 * otherwise in between. */
struct kw_moment kw_context_since(const struct kw_context *context, uint32_t n);

/* Records an act of this node, as the owner of the state directory. */
KW_MUST_USE kw_err kw_context_activate(const struct kw_context *context,
                                       const struct kw_activation *act,
                                       struct kw_note *note);

/* Who runs this: --operator, else the login behind sudo or su, else the user's name.
 * BAD_INPUT when it has a control character or is too long. */
KW_MUST_USE kw_err kw_operator_name(const char *given, char dst[64],
                                    struct kw_note *note);

#endif
