/* SPDX-License-Identifier: Apache-2.0 */
/* session - one session, and a new one after any error
 *
 * An error may leave the operation active for ever, so a session that has seen one is not
 * used again.  The new session is opened before the old one is closed: closing the last
 * session of a process logs it out (PKCS#11 v2.40 5.6, C_CloseSession), and we log in
 * once.
 */
#include "token_internal.h"

kw_err kw_session_open(struct kw_token *t, CK_SESSION_HANDLE *ret_session)
{
    CK_FLAGS flags = CKF_SERIAL_SESSION | (t->read_write ? CKF_RW_SESSION : 0);
    CK_SESSION_HANDLE session = 0;
    CK_RV rv = t->ck->C_OpenSession(t->slot, flags, NULL, NULL, &session);
    if (rv == CKR_OK)
        *ret_session = session;
    return kw_ckr(rv, "C_OpenSession");
}

void kw_session_close(struct kw_token *t, CK_SESSION_HANDLE session)
{
    (void)t->ck->C_CloseSession(session); /* the module may have closed it already */
}

kw_err kw_session_renew(struct kw_token *t)
{
    CK_SESSION_HANDLE fresh = 0;
    kw_err e = kw_session_open(t, &fresh);
    if (kw_failed(e))
        return e;
    if (t->has_session)
        kw_session_close(t, t->session);
    t->session = fresh;
    t->has_session = true;
    t->is_fresh = true;
    t->is_spoilt = false;
    return KW_OK;
}

kw_err kw_session_ready(struct kw_token *t)
{
    return t->has_session && !t->is_spoilt ? KW_OK : kw_session_renew(t);
}

/* What comes now is another operation: one is never blamed for the one before. */
static void session_step(const struct kw_token *t)
{
    if (t->step != NULL)
        t->step(t->step_ctx);
}

kw_err kw_session_after(struct kw_token *t, struct kw_token_key *key, kw_err e)
{
    session_step(t);
    if (!kw_failed(e)) {
        t->is_fresh = false;
        return e;
    }
    if (e.code == KW_CODE_NO_MEMORY || (e.code == KW_CODE_SESSION && e.native == 0))
        return e; /* ours: the token was not asked, or has answered */
    /* A session that never did anything cannot hold an old operation: the token means
     * that it has too much to do. */
    if (e.native == CKR_OPERATION_ACTIVE && t->is_fresh)
        e.code = KW_CODE_HSM_BUSY;
    t->is_spoilt = true;
    if (e.code == KW_CODE_HSM_DOWN)
        return e; /* this process is at its end; not one call more than needed */
    if (e.code == KW_CODE_SESSION)
        t->epoch++;
    kw_err again = kw_session_renew(t);
    session_step(t);
    if (e.code != KW_CODE_SESSION)
        return e;
    if (!kw_failed(again) && key != NULL && key->version[0] == '\0')
        again = kw_key_ready(t, key);
    return kw_failed(again) ? again : e;
}
