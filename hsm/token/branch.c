/* SPDX-License-Identifier: Apache-2.0 */
/* branch - further sessions of one login
 *
 * A branch is a token of its own to the rest of this module: it has its own session and
 * its own handles, and borrows only the module, which several threads may call (the
 * module was initialised with CKF_OS_LOCKING_OK).
 */
#include "token_internal.h"

#include <keyward/alloc.h>

kw_err kw_token_branch(const struct kw_token *token, struct kw_token **ret_branch,
                       struct kw_note *note)
{
    KW_INVARIANT(token->logged_in);
    struct kw_token *b = kw_new(1, sizeof *b);
    if (b == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "branch");
    b->ck = token->ck;
    b->facts = token->facts;
    b->slot = token->slot;
    b->login_tried = b->logged_in = true;
    kw_err e = kw_session_ready(b);
    if (kw_failed(e)) {
        kw_ckr_note(note, e, "the token gives no further session");
        kw_free(b);
        return e;
    }
    *ret_branch = b;
    return KW_OK;
}

void kw_token_branch_close(struct kw_token *branch)
{
    if (branch == NULL)
        return;
    if (branch->has_session)
        kw_session_close(branch, branch->session);
    kw_keys_free(branch);
    kw_free(branch);
}

/* An object handle is for all sessions of the application (PKCS#11 v2.40 3.4,
 * CK_OBJECT_HANDLE): nothing is asked of the token. */
kw_err kw_token_adopt(struct kw_token *branch, const struct kw_token_key *key,
                      struct kw_token_key **ret_key)
{
    kw_span label = kw_span_str(key->label);
    kw_span locator = kw_span_of(key->locator, key->locator_len);
    KW_INVARIANT(key->version[0] != '\0');
    struct kw_token_key *mine = kw_key_known(branch, label, locator, key->version);
    if (mine == NULL) {
        mine = kw_key_new(label, locator, key->version);
        if (mine == NULL)
            return kw_err_at(KW_CODE_NO_MEMORY, "key");
        kw_key_keep(branch, mine);
    }
    mine->handle = key->handle;
    mine->attributes = key->attributes;
    mine->epoch = branch->epoch;
    *ret_key = mine;
    return KW_OK;
}
