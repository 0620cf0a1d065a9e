/* SPDX-License-Identifier: Apache-2.0 */
/* ceremony - one KEK version made or found in a token, read back, judged and proven
 *
 * Steps, in the token's child: facts · the keys that lie there · self-test of the
 * mechanism on a throw-away key · the key with the narrow template (or, to adopt one, the
 * object that is there, or the key of an earlier version) · its attributes read back,
 * judged, and compared with the choices · of an adopted one, what proves it: an old check
 * blob, a sample · a check blob sealed under it, unless there is the old one · the check
 * blob opened and a fresh text wrapped, as the daemon's canary will.
 */
#ifndef KEYWARD_CLI_CEREMONY_H
#define KEYWARD_CLI_CEREMONY_H

#include <keyward/config.h>
#include <keyward/keyring.h>

#include "beside.h"
#include "sample.h"

/* Whether this run has made an object in the token. */
enum kw_object_made {
    KW_MADE_NOTHING,
    KW_MADE_PERHAPS, /* it was asked for, and no answer came */
    KW_MADE_A_KEY,
};

/* What shows that an adopted object is the key under which data was sealed. */
enum kw_adopt_proof {
    KW_PROOF_NONE,       /* nothing; nor is it wanted of a key that is made here */
    KW_PROOF_CHECK_BLOB, /* v has the check blob of old, and its record stays as it is */
    KW_PROOF_SAMPLE,
};

struct kw_ceremony {
    /* in */
    char domain[KW_DOMAIN_MAX + 1];
    char at[KW_TIME_TEXT]; /* now */
    bool adopt;            /* find the object instead of making it */
    enum kw_adopt_proof proof;
    bool has_sample; /* it must open, whatever else proves */
    struct kw_sample sample;
    const struct kw_keyring *ring; /* NULL: there is none yet; borrowed */
    bool beside_others;            /* make a key whatever else is there */
    /* in: n, key_id, mechanism, format, choices, words, the object's role, type, label
     * and locator; out: the rest */
    struct kw_version v;
    /* out */
    struct kw_beside beside; /* what lies there; not looked at to adopt a key */
    bool in_the_way;         /* and for that nothing was made: DENIED */
    enum kw_object_made made;
    char token_label[33], token_serial[17]; /* where it was made or found */
    uint64_t slot;
    char dropped[128];
    struct kw_note remarks;
};

/* `c` lies in shared memory (kw_shared_new). */
KW_MUST_USE kw_err kw_ceremony_run(const struct kw_config *config,
                                   const struct kw_config_token *token,
                                   struct kw_ceremony *c, struct kw_note *note);

#endif
