/* SPDX-License-Identifier: Apache-2.0 */
/* rehearse - a key ceremony up to the moment where it would make the key
 *
 * One login, in a session that could make none: the token's facts, the self-test of the
 * mechanism, is there room, are the names free; or, when the key is one that is there,
 * is it there with attributes that pass.
 */
#ifndef KEYWARD_CLI_REHEARSE_H
#define KEYWARD_CLI_REHEARSE_H

#include <keyward/config.h>
#include <keyward/token.h>

struct kw_rehearsal {
    /* in */
    char label[KW_KEY_ID_MAX + 8];
    uint8_t locator[KW_LOCATOR_MAX];
    size_t locator_len;
    bool is_there; /* the key is found, not made */
    /* out */
    struct kw_token_facts facts;
    struct kw_note remarks;
};

/* `r` lies in shared memory (kw_shared_new).  Errors are those of the ceremony. */
KW_MUST_USE kw_err kw_rehearse(const struct kw_config *config,
                               const struct kw_config_token *token,
                               struct kw_rehearsal *r, struct kw_note *note);

/* Pure.  HSM_CONFIG  nothing can be written to this token now: it is write-protected, has
 *                    no read-write session left, or no room for one more object */
KW_MUST_USE kw_err kw_rehearse_room(const struct kw_token_facts *facts,
                                    struct kw_note *note);

/* What was seen, a line each. */
void kw_rehearse_print(const struct kw_rehearsal *r);

#endif
