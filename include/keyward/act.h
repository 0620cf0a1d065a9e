/* SPDX-License-Identifier: Apache-2.0 */
/* act - what operators do to a keyring: which act is allowed when, and what it changes
 *
 * One act makes one new file: the states it changes, and a line of history for each
 * version that it touched.  Nothing here reads or writes a file, or asks a token.
 *
 * Threads:   pure functions.
 * Secrets:   none.
 */
#ifndef KEYWARD_ACT_H
#define KEYWARD_ACT_H

#include <keyward/state.h>

enum kw_act {
    KW_ACT_CREATE,
    KW_ACT_ADOPT,
    KW_ACT_ACCEPT,
    KW_ACT_ACTIVATE, /* become the baseline */
    KW_ACT_RETIRE,
    KW_ACT_DISABLE,
    KW_ACT_ENABLE, /* back to the state it was disabled from */
    KW_ACT_DESTROY,
    KW_ACT_PRUNE, /* leave the file: only the line of history stays */
    KW_ACT_PROVE, /* its check blob opened on one more token */
    KW_ACT_GONE,  /* of a destroyed one: its object is gone from a token */
    KW_ACT_COUNT,
};
const char *kw_act_name(enum kw_act act); /* "accept"; as it stands in the history */

/* NULL when `act` is allowed on a version in state `from`: *ret_to is the state after it.
 * Else why not, and what to do instead.  For ENABLE `disabled_from` says where to go back
 * to; other acts do not look at it.  Not for CREATE and ADOPT, which make a version. */
const char *kw_transition(enum kw_act act, enum kw_key_state from,
                          const char *disabled_from, enum kw_key_state *ret_to);

/* May this node make this act on version n (0 for CREATE, ADOPT), as it judges its ring?
 * `ring` may be NULL.  Looks at everything but what the tokens say.
 * DENIED       with the reason and what to do instead: the ring is refused here (those
 *              acts are allowed that lead out of it), this program must not write it, the
 *              transition is none, this node wraps with the version or with a later one,
 *              another version needs its key
 * UNKNOWN_KEY  there is no version n */
KW_MUST_USE kw_err kw_act_may(enum kw_act act, uint32_t n, const struct kw_keyring *ring,
                              const struct kw_judgement *judgement, struct kw_note *note);

/* Who, when, with what, and what was seen or said. */
struct kw_act_facts {
    char at[KW_TIME_TEXT], by[64], tool[32];
    char proof[128];
};

/* Each changes a dup of the ring that kw_act_may allowed, and adds its line of history
 * for serial + 1.  NO_MEMORY, and what kw_keyring_add says (BAD_INPUT also for the number
 * of a pruned version); DENIED as kw_transition. */
KW_MUST_USE kw_err kw_act_add(struct kw_keyring *ring, enum kw_act act,
                              const struct kw_version *v, const struct kw_act_facts *f);
/* ACCEPT to PRUNE.  ACTIVATE retires the former baseline: DENIED when that is one that is
 * not understood.  PRUNE leaves one line of the version's history: "KEY_ID destroyed
 * TIME, serial S, second copy recorded", the serial as far as the history goes back, the
 * copy when there was a word on one.  After a failure the dup is of no use, except after
 * DENIED: then it is as it was. */
KW_MUST_USE kw_err kw_act_apply(struct kw_keyring *ring, enum kw_act act, uint32_t n,
                                const struct kw_act_facts *f, struct kw_note *note);
/* PROVE: the row of the object's first one for the token with this label and serial; a
 * new row when there is none.  BUSY when there are KW_OBJECT_TOKENS_MAX others. */
KW_MUST_USE kw_err kw_act_prove(struct kw_keyring *ring, uint32_t n,
                                const struct kw_object_token *token,
                                const struct kw_act_facts *f);
/* GONE: `gone` into the row-th row. */
KW_MUST_USE kw_err kw_act_gone(struct kw_keyring *ring, uint32_t n, size_t row,
                               const char *gone, const struct kw_act_facts *f);

/* A ring to build anew upon, when the keyring file is lost: as it was in the file that
 * this node took last, as far as `backup` (an older file; NULL = none) and the marks know
 * it.  It has that file's serial, digest and ancestors, so that what is written next
 * follows it; versions are those of the backup, in the states that the marks remember,
 * each with a line "adopt" of history, as what was done in between is not known any more;
 * those that the marks lack were pruned, and stay so.
 * DENIED  the backup is of another domain, or none of the files before the one that this
 *         node took last, or a version has changed in a way that this program does not
 *         understand */
KW_MUST_USE kw_err kw_act_rebuild(const struct kw_keyring *backup, const char *domain,
                                  const struct kw_marks *marks, const char *at,
                                  struct kw_keyring **ret_ring, struct kw_note *note);
/* The state that the marks remember of v->n, put into *v; ring->active follows: of two
 * baselines the lower one is retired.  Not of a version that is not understood. */
void kw_act_recall(struct kw_keyring *ring, struct kw_version *v,
                   const struct kw_marks *marks, const char *at);

#endif
