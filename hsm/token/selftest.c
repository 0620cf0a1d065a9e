/* SPDX-License-Identifier: Apache-2.0 */
/* selftest - what AES-GCM really does here, found out on a throw-away session key
 *
 * Never on a KEK: on a token that uses the caller's IV, trying what it does with a zero
 * one is a nonce used twice.  The key lives in the token's own session; each trial has a
 * side session of its own, as a refused decrypt may spoil the session it ran in.
 */
#include "token_internal.h"

enum { TEXT = 32 };

struct trial {
    struct kw_token *t;
    CK_OBJECT_HANDLE key;
    uint8_t iv[KW_GCM_IV], aad[16];
    struct kw_secret text, sealed;
};

static kw_err session_key(struct kw_token *t, CK_OBJECT_HANDLE *ret_key)
{
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ULONG len = 32;
    CK_ATTRIBUTE wanted[] = {
        {CKA_TOKEN, &no, sizeof no},       {CKA_SENSITIVE, &yes, sizeof yes},
        {CKA_EXTRACTABLE, &no, sizeof no}, {CKA_ENCRYPT, &yes, sizeof yes},
        {CKA_DECRYPT, &yes, sizeof yes},   {CKA_VALUE_LEN, &len, sizeof len},
    };
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
    CK_RV rv = t->ck->C_GenerateKey(t->session, &mechanism, wanted,
                                    sizeof wanted / sizeof wanted[0], ret_key);
    return kw_ckr(rv, "C_GenerateKey");
}

static kw_err selftest_seal(struct trial *x, kw_span iv, uint8_t iv_after[KW_GCM_IV])
{
    CK_SESSION_HANDLE side = 0;
    kw_err e = kw_session_open(x->t, &side);
    if (kw_failed(e))
        return e;
    e = kw_gcm_encrypt(x->t,
                       &(struct kw_gcm){side, x->key, iv,
                                        kw_span_of(x->aad, sizeof x->aad),
                                        kw_secret_peek(&x->text)},
                       iv_after, &x->sealed);
    kw_session_close(x->t, side);
    return e;
}

static kw_err open_it(struct trial *x, struct kw_secret *ret_text)
{
    CK_SESSION_HANDLE side = 0;
    kw_err e = kw_session_open(x->t, &side);
    if (kw_failed(e))
        return e;
    e = kw_gcm_decrypt(x->t,
                       &(struct kw_gcm){side, x->key, kw_span_of(x->iv, sizeof x->iv),
                                        kw_span_of(x->aad, sizeof x->aad),
                                        kw_secret_peek(&x->sealed)},
                       ret_text);
    kw_session_close(x->t, side);
    return e;
}

static kw_err write_back(struct kw_note *note)
{
    kw_note_set(note,
                "the token makes its own IV and writes it back, as HSMs in FIPS mode "
                "do: this version of keyward does not support that; use a token or "
                "a mode that takes the caller's IV");
    return kw_err_at(KW_CODE_HSM_CONFIG, "C_Encrypt");
}

static kw_err appended(struct kw_note *note)
{
    kw_note_set(note,
                "the token makes its own IV and appends it to the ciphertext, as HSMs "
                "in FIPS mode do: this version of keyward does not support that; use "
                "a token or a mode that takes the caller's IV");
    return kw_err_at(KW_CODE_HSM_CONFIG, "C_Encrypt");
}

/* It refused a random IV.  One that demands zeros to fill in its own is told apart from
 * one that has no AES-GCM. */
static kw_err selftest_refused(struct trial *x, kw_err e, struct kw_note *note)
{
    static const uint8_t zeros[KW_GCM_IV];
    uint8_t after[KW_GCM_IV];
    if (e.code != KW_CODE_HSM_CONFIG && e.code != KW_CODE_BUG) {
        kw_ckr_note(note, e, "the self-test's encryption failed");
        return e;
    }
    if (e.native != CKR_MECHANISM_INVALID &&
        !kw_failed(selftest_seal(x, kw_span_of(zeros, sizeof zeros), after)))
        return x->sealed.len == TEXT + KW_GCM_TAG ? write_back(note) : appended(note);
    kw_ckr_note(note, e,
                "the token cannot do AES-256-GCM (CKM_AES_GCM), which this "
                "version of keyward needs");
    return kw_err_native(KW_CODE_HSM_CONFIG, e.native, e.where);
}

static kw_err regime(struct trial *x, struct kw_note *note)
{
    uint8_t after[KW_GCM_IV];
    kw_span iv = kw_span_of(x->iv, sizeof x->iv);
    kw_err e = selftest_seal(x, iv, after);
    if (kw_failed(e))
        return selftest_refused(x, e, note);
    if (x->sealed.len == TEXT + KW_GCM_TAG + 16)
        return appended(note);
    if (!kw_span_equal(iv, kw_span_of(after, sizeof after)))
        return write_back(note);
    if (x->sealed.len == TEXT + KW_GCM_TAG)
        return KW_OK;
    kw_note_set(note, "AES-GCM of %u bytes gave %zu bytes", (unsigned)TEXT,
                x->sealed.len);
    return kw_err_at(KW_CODE_WRONG_ANSWER, "C_Encrypt");
}

static kw_err round_trip(struct trial *x, struct kw_note *note)
{
    KW_AUTO_SECRET(back);
    kw_err e = open_it(x, &back);
    if (kw_failed(e)) {
        kw_ckr_note(note, e, "the self-test's decryption failed");
        return e.code == KW_CODE_FORGED || e.code == KW_CODE_UNSURE
                   ? kw_err_native(KW_CODE_HSM_DOWN, e.native, e.where)
                   : e;
    }
    if (kw_equal_ct(kw_secret_peek(&back), kw_secret_peek(&x->text)))
        return KW_OK;
    kw_note_set(note, "the token decrypted its own ciphertext to something else");
    return kw_err_at(KW_CODE_WRONG_ANSWER, "C_Decrypt");
}

/* Flips one bit, which must make the decryption fail, and flips it back. */
static kw_err changed(struct trial *x, uint8_t *byte, const char *what,
                      struct kw_note *note)
{
    KW_AUTO_SECRET(back);
    *byte ^= 1;
    kw_err e = open_it(x, &back);
    *byte ^= 1;
    if (e.code == KW_CODE_FORGED || e.code == KW_CODE_UNSURE)
        return KW_OK;
    if (kw_failed(e)) {
        kw_ckr_note(note, e, "the self-test's decryption failed");
        return e;
    }
    kw_note_set(note, "the token decrypted a ciphertext although its %s was changed",
                what);
    return kw_err_at(KW_CODE_WRONG_ANSWER, "C_Decrypt");
}

static kw_err trials(struct trial *x, struct kw_note *note)
{
    kw_err e = regime(x, note);
    if (!kw_failed(e))
        e = round_trip(x, note);
    if (!kw_failed(e))
        e = changed(x, &x->sealed.ptr[x->sealed.len - 1], "tag", note);
    if (!kw_failed(e))
        e = changed(x, &x->sealed.ptr[0], "ciphertext", note);
    if (!kw_failed(e))
        e = changed(x, &x->aad[0], "AAD", note);
    if (!kw_failed(e))
        e = changed(x, &x->iv[0], "IV", note);
    return e;
}

static kw_err self_test(struct kw_token *t, struct kw_note *note)
{
    struct trial x = {.t = t};
    kw_err e = kw_session_ready(t);
    if (!kw_failed(e))
        e = session_key(t, &x.key);
    if (kw_failed(e)) {
        kw_ckr_note(note, e,
                    "the token makes no AES-256 session key, on which the "
                    "self-test finds out how its AES-GCM treats the IV");
        return e;
    }
    kw_random(x.iv, sizeof x.iv);
    kw_random(x.aad, sizeof x.aad);
    e = kw_secret_init(&x.text, TEXT);
    if (!kw_failed(e)) {
        kw_random(x.text.ptr, TEXT);
        e = trials(&x, note);
    }
    kw_secret_wipe(&x.text);
    kw_secret_wipe(&x.sealed);
    (void)t->ck->C_DestroyObject(t->session, x.key); /* else it dies with the session */
    return e;
}

kw_err kw_token_self_test(struct kw_token *token, struct kw_note *note)
{
    kw_phase_set(token, KW_PHASE_TEST);
    kw_err e = kw_session_after(token, NULL, self_test(token, note));
    kw_phase_set(token, KW_PHASE_IDLE);
    return e;
}
