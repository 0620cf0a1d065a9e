/* SPDX-License-Identifier: Apache-2.0 */
/* ceremony - one KEK version made inside a token, read back, judged and proven
 *
 * Steps, in the token's child: facts · self-test of the mechanism on a throw-away key ·
 * the key with the narrow template (or, to finish an interrupted ceremony, the one that
 * is there, or the key of an earlier version) · its attributes read back and judged · a
 * check blob sealed under it · the check blob opened and a fresh text wrapped, as the
 * daemon's canary will.
 */
#ifndef KEYWARD_CLI_CEREMONY_H
#define KEYWARD_CLI_CEREMONY_H

#include <keyward/config.h>
#include <keyward/keyring.h>

/* Whether this run has made an object in the token. */
enum kw_made {
    KW_MADE_NOTHING,
    KW_MADE_PERHAPS, /* it was asked for, and no answer came */
    KW_MADE_A_KEY,
};

struct kw_ceremony {
    /* in */
    char domain[KW_DOMAIN_MAX + 1];
    bool adopt; /* find the object instead of making it */
    /* in: n, key_id, mechanism, format, choices, words, the object's role, type, label
     * and locator; out: the rest */
    struct kw_version v;
    /* out */
    enum kw_made made;
    char dropped[128];
    struct kw_note remarks;
};

/* `c` lies in shared memory (kw_shared_new). */
KW_MUST_USE kw_err kw_ceremony_run(const struct kw_config *config,
                                   const struct kw_config_token *token,
                                   struct kw_ceremony *c, struct kw_note *note);

#endif
