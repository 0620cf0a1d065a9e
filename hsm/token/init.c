/* SPDX-License-Identifier: Apache-2.0 */
/* Initialising a fresh SoftHSM token: tests, continuous integration, a first look.  By
 * PKCS#11 calls and not by softhsm2-util, which takes both PINs as arguments that every
 * user of the machine can read. */
#include <keyward/token.h>

#include <string.h>

#include <p11-kit/p11-kit.h>

enum { SLOTS_MAX = 64, LABEL_LEN = 32 };

static kw_err refused(CK_RV rv, const char *call, struct kw_note *note)
{
    char name[48];
    kw_ckr_name((uint32_t)rv, name);
    kw_note_set(note, "%s: %s while the token was initialised", call, name);
    return kw_err_native(KW_CODE_HSM_DOWN, (uint32_t)rv, call);
}

/* SoftHSM always shows one slot that holds no token yet. */
static kw_err free_slot(CK_FUNCTION_LIST *m, CK_SLOT_ID *ret_slot, struct kw_note *note)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;
    CK_RV rv = m->C_GetSlotList(CK_TRUE, slots, &count);
    if (rv != CKR_OK)
        return refused(rv, "C_GetSlotList", note);
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

/* PKCS#11 takes PINs as pointers to what is not const; it does not write there. */
static CK_UTF8CHAR *pin_of(const struct kw_secret *pin)
{
    return pin->ptr;
}

static kw_err user_pin(CK_FUNCTION_LIST *m, CK_SLOT_ID slot,
                       const struct kw_secret *so_pin, const struct kw_secret *pin,
                       struct kw_note *note)
{
    CK_SESSION_HANDLE session = 0;
    CK_RV rv =
        m->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
    if (rv != CKR_OK)
        return refused(rv, "C_OpenSession", note);
    rv = m->C_Login(session, CKU_SO, pin_of(so_pin), so_pin->len);
    kw_err e = rv == CKR_OK ? KW_OK : refused(rv, "C_Login", note);
    if (!kw_failed(e)) {
        rv = m->C_InitPIN(session, pin_of(pin), pin->len);
        if (rv != CKR_OK)
            e = refused(rv, "C_InitPIN", note);
    }
    rv = m->C_CloseSession(session); /* logs out too */
    return kw_failed(e) || rv == CKR_OK ? e : refused(rv, "C_CloseSession", note);
}

static kw_err initialise(CK_FUNCTION_LIST *m, const char *label,
                         const struct kw_secret *so_pin, const struct kw_secret *pin,
                         struct kw_note *note)
{
    CK_SLOT_ID slot = 0;
    CK_UTF8CHAR padded[LABEL_LEN];
    memset(padded, ' ', sizeof padded); /* blank-padded, no NUL: PKCS#11 2.40, 5.5 */
    kw_copy(padded, sizeof padded, kw_span_str(label));
    kw_err e = free_slot(m, &slot, note);
    if (kw_failed(e))
        return e;
    CK_RV rv = m->C_InitToken(slot, pin_of(so_pin), so_pin->len, padded);
    return rv == CKR_OK ? user_pin(m, slot, so_pin, pin, note)
                        : refused(rv, "C_InitToken", note);
}

kw_err kw_token_init_softhsm(const char *module, const char *label,
                             const struct kw_secret *so_pin, const struct kw_secret *pin,
                             struct kw_note *note)
{
    if (label[0] == '\0' || strlen(label) > LABEL_LEN) {
        kw_note_set(note, "a token's label has 1 to %d bytes", LABEL_LEN);
        return kw_err_at(KW_CODE_BAD_INPUT, "label");
    }
    CK_FUNCTION_LIST *m = p11_kit_module_load(module, P11_KIT_MODULE_CRITICAL);
    if (m == NULL) {
        kw_note_set(note, "%s: %s", module, p11_kit_message());
        return kw_err_at(KW_CODE_MISSING, "module");
    }
    CK_RV rv = p11_kit_module_initialize(m);
    kw_err e = rv == CKR_OK ? initialise(m, label, so_pin, pin, note)
                            : refused(rv, "C_Initialize", note);
    if (rv == CKR_OK)
        p11_kit_module_finalize(m);
    p11_kit_module_release(m);
    return e;
}
