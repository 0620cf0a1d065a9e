/* SPDX-License-Identifier: Apache-2.0 */
/* login - C_Login at most once, and not at all when a try could lock the token
 *
 * The flags are read twice: before whoever decides is asked (pin_latch.h), who may take
 * his time, and just before the call: somebody else may have used up tries meanwhile.
 * Tokens without flags exist, so that one also remembers a refused PIN across processes;
 * this file only sees to one process.
 */
#include "token_internal.h"

static kw_err token_login_stop(struct kw_note *note, const char *why)
{
    kw_note_set(note, "%s; no login was tried", why);
    return kw_err_at(KW_CODE_PIN_STOP, "C_GetTokenInfo");
}

static kw_err read_flags(struct kw_token *t, struct kw_note *note)
{
    CK_TOKEN_INFO info = {0};
    kw_err e = kw_ckr(t->ck->C_GetTokenInfo(t->slot, &info), "C_GetTokenInfo");
    if (kw_failed(e))
        kw_ckr_note(note, e, "the token does not answer");
    else
        kw_facts_of_token(&info, &t->facts);
    return e;
}

/* What nobody's word overrides. */
static kw_err look_at_flags(struct kw_token *t, struct kw_note *note)
{
    kw_err e = read_flags(t, note);
    if (kw_failed(e))
        return e;
    if (t->facts.pin_locked)
        return token_login_stop(note,
                                "the token says that its user PIN is locked: the token's "
                                "security officer must unlock it");
    if (t->facts.pin_final_try)
        return token_login_stop(
            note, "the token says that one more wrong PIN locks it: prove the PIN "
                  "with the vendor's own tool, which clears this");
    return KW_OK;
}

static const char *advice(kw_err e)
{
    if (e.code == KW_CODE_PIN_STOP)
        return "no further login is tried with this PIN";
    if (e.code == KW_CODE_HSM_CONFIG)
        return "the token refuses this kind of login";
    return "the token did not take the login";
}

static kw_err token_login_log_in(struct kw_token *t, const struct kw_secret *pin,
                                 struct kw_note *note)
{
    t->login_tried = true;
    kw_phase_set(t, KW_PHASE_LOGIN);
    CK_RV rv = t->ck->C_Login(t->session, CKU_USER, pin->ptr, pin->len);
    kw_phase_set(t, KW_PHASE_INIT);
    t->was_logged_in = rv == CKR_USER_ALREADY_LOGGED_IN;
    if (t->was_logged_in)
        rv = CKR_OK;
    kw_err e = kw_ckr(rv, "C_Login");
    if (kw_failed(e))
        kw_ckr_note(note, e, advice(e));
    t->logged_in = !kw_failed(e);
    return e;
}

bool kw_token_was_logged_in(const struct kw_token *t)
{
    return t->was_logged_in;
}

static kw_err second_login(struct kw_note *note)
{
    kw_note_set(note, "a second login in one process");
    return kw_err_at(KW_CODE_BUG, "C_Login");
}

static struct kw_pin_facts token_login_facts_of(const struct kw_token_facts *t)
{
    struct kw_pin_facts f = {.count_low = t->pin_count_low,
                             .final_try = t->pin_final_try,
                             .locked = t->pin_locked};
    kw_copy_str(f.serial, sizeof f.serial, kw_span_str(t->serial));
    kw_copy_str(f.label, sizeof f.label, kw_span_str(t->label));
    return f;
}

kw_err kw_token_pin(struct kw_token *t, struct kw_secret *ret_pin,
                    struct kw_pin_facts *ret_facts, struct kw_note *note)
{
    struct kw_pin_source read;
    if (t->login_tried)
        return second_login(note);
    kw_phase_set(t, KW_PHASE_INIT);
    kw_err e = read_flags(t, note);
    if (!kw_failed(e)) {
        e = kw_session_ready(t);
        if (kw_failed(e))
            kw_ckr_note(note, e, "the token gives no session");
    }
    if (!kw_failed(e))
        e = kw_pin_read(t->pin, ret_pin, &read, note);
    if (!kw_failed(e)) {
        *ret_facts = token_login_facts_of(&t->facts);
        ret_facts->source = read;
    }
    kw_phase_set(t, KW_PHASE_IDLE);
    return e;
}

kw_err kw_token_login_with(struct kw_token *t, struct kw_secret *pin, bool *ret_tried,
                           struct kw_note *note)
{
    KW_AUTO_SECRET(mine);
    kw_secret_move(&mine, pin);
    if (ret_tried != NULL)
        *ret_tried = false;
    if (t->login_tried)
        return second_login(note);
    kw_phase_set(t, KW_PHASE_INIT);
    kw_err e = look_at_flags(t, note);
    if (!kw_failed(e))
        e = token_login_log_in(t, &mine, note);
    if (ret_tried != NULL)
        *ret_tried = t->login_tried;
    kw_phase_set(t, KW_PHASE_IDLE);
    return e;
}

kw_err kw_token_login(struct kw_token *t, struct kw_note *note)
{
    KW_AUTO_SECRET(pin);
    struct kw_pin_facts facts;
    kw_err e = t->login_tried ? second_login(note) : look_at_flags(t, note);
    if (!kw_failed(e) && t->facts.pin_count_low && !t->pin_proven)
        e = token_login_stop(
            note, "the token has counted a wrong PIN, and this PIN has never worked "
                  "here: prove it with the vendor's own tool, which clears this");
    if (!kw_failed(e))
        e = kw_token_pin(t, &pin, &facts, note);
    return kw_failed(e) ? e : kw_token_login_with(t, &pin, NULL, note);
}
