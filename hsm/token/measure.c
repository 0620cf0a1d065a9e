/* SPDX-License-Identifier: Apache-2.0 */
/* measure - what a token costs besides wrapping; linked into keyward-bench only */
#include "token_internal.h"

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
