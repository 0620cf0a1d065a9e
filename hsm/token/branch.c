/* SPDX-License-Identifier: Apache-2.0 */
/* branch - further sessions of one login, and what a session costs besides wrapping;
 * linked into keyward-bench only
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

kw_err kw_token_try_session(struct kw_token *token)
{
    CK_SESSION_HANDLE side = 0;
    kw_err e = kw_session_open(token, &side);
    if (!kw_failed(e))
        e = kw_ckr(token->ck->C_CloseSession(side), "C_CloseSession");
    return e;
}

kw_err kw_token_random(struct kw_token *token, uint8_t *dst, size_t len)
{
    kw_err e = kw_session_ready(token);
    if (!kw_failed(e))
        e = kw_ckr(token->ck->C_GenerateRandom(token->session, dst, len),
                   "C_GenerateRandom");
    return kw_session_after(token, NULL, e);
}

kw_err kw_token_logout(struct kw_token *token)
{
    kw_err e = kw_session_ready(token);
    if (!kw_failed(e))
        e = kw_ckr(token->ck->C_Logout(token->session), "C_Logout");
    if (!kw_failed(e)) {
        token->logged_in = token->login_tried = false;
        token->epoch++;
    }
    return kw_session_after(token, NULL, e);
}
