/* SPDX-License-Identifier: Apache-2.0 */
/* init - makes a fresh SoftHSM token: tests, continuous integration, a first look
 *
 * By PKCS#11 calls and not by softhsm2-util, which takes both PINs as arguments that
 * every user of the machine can read.  Nothing but SoftHSM is ever initialised: in an HSM
 * a slot without a token may be somebody's partition.
 */
#include "token_internal.h"

#include <string.h>

enum { SLOTS_MAX = 64, LABEL_LEN = 32 };

static kw_err init_refused(CK_RV rv, const char *call, struct kw_note *note)
{
    kw_err e = kw_ckr(rv, call);
    kw_ckr_note(note, e, "while the token was initialised");
    return kw_err_native(KW_CODE_HSM_DOWN, e.native, call);
}

static kw_err only_softhsm(CK_FUNCTION_LIST *m, struct kw_note *note)
{
    struct kw_token_facts facts = {0};
    kw_err e = kw_facts_of_module(m, &facts);
    if (kw_failed(e) || !kw_facts_say_softhsm(&facts)) {
        kw_note_set(note,
                    "the module is not SoftHSM (it says \"%s\"), and keyward "
                    "initialises no other token: use the vendor's own tool",
                    facts.library_manufacturer);
        return kw_err_at(KW_CODE_HSM_CONFIG, "C_GetInfo");
    }
    return KW_OK;
}

/* SoftHSM always shows one slot that holds no token yet. */
static kw_err free_slot(CK_FUNCTION_LIST *m, CK_SLOT_ID *ret_slot, struct kw_note *note)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;
    CK_RV rv = m->C_GetSlotList(CK_TRUE, slots, &count);
    if (rv != CKR_OK)
        return init_refused(rv, "C_GetSlotList", note);
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info = {0};
        if (m->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
            (info.flags & CKF_TOKEN_INITIALIZED) == 0) {
            *ret_slot = slots[i];
            return KW_OK;
        }
    }
    kw_note_set(note, "the module shows no slot without a token");
    return kw_err_at(KW_CODE_HSM_CONFIG, "C_GetSlotList");
}

static kw_err user_pin(CK_FUNCTION_LIST *m, CK_SLOT_ID slot,
                       const struct kw_secret *so_pin, const struct kw_secret *pin,
                       struct kw_note *note)
{
    CK_SESSION_HANDLE session = 0;
    CK_RV rv =
        m->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
    if (rv != CKR_OK)
        return init_refused(rv, "C_OpenSession", note);
    const char *call = "C_Login";
    rv = m->C_Login(session, CKU_SO, so_pin->ptr, so_pin->len);
    if (rv == CKR_OK) {
        call = "C_InitPIN";
        rv = m->C_InitPIN(session, pin->ptr, pin->len);
    }
    (void)m->C_CloseSession(session); /* logs out too */
    return rv == CKR_OK ? KW_OK : init_refused(rv, call, note);
}

static kw_err initialise(CK_FUNCTION_LIST *m, const char *label,
                         const struct kw_secret *so_pin, const struct kw_secret *pin,
                         struct kw_note *note)
{
    CK_SLOT_ID slot = 0;
    CK_UTF8CHAR padded[LABEL_LEN];
    memset(padded, ' ', sizeof padded); /* blank-padded, no NUL: PKCS#11 v2.40 5.5 */
    kw_copy(padded, sizeof padded, kw_span_str(label));
    kw_err e = only_softhsm(m, note);
    if (!kw_failed(e))
        e = free_slot(m, &slot, note);
    if (kw_failed(e))
        return e;
    CK_RV rv = m->C_InitToken(slot, so_pin->ptr, so_pin->len, padded);
    return rv == CKR_OK ? user_pin(m, slot, so_pin, pin, note)
                        : init_refused(rv, "C_InitToken", note);
}

kw_err kw_token_init_softhsm(const char *module, const char *label,
                             const struct kw_secret *so_pin, const struct kw_secret *pin,
                             struct kw_note *note)
{
    CK_FUNCTION_LIST *m = NULL;
    if (label[0] == '\0' || strlen(label) > LABEL_LEN) {
        kw_note_set(note, "a token's label has 1 to %d bytes", LABEL_LEN);
        return kw_err_at(KW_CODE_BAD_INPUT, "label");
    }
    kw_err e = kw_module_load(module, &m, note);
    if (kw_failed(e))
        return e;
    e = initialise(m, label, so_pin, pin, note);
    kw_module_unload(m);
    return e;
}
