/* SPDX-License-Identifier: Apache-2.0 */
/* ckr_internal - the one translator from CK_RV to our codes */
#ifndef KEYWARD_TOKEN_CKR_INTERNAL_H
#define KEYWARD_TOKEN_CKR_INTERNAL_H

#include <p11-kit/pkcs11.h>

#include <keyward/ckr.h>
#include <keyward/err.h>

/* decrypt: for what C_Decrypt itself returned. */
kw_err kw_ckr(CK_RV rv, const char *where);
kw_err kw_ckr_decrypt(CK_RV rv, const char *where);
/* "C_Login: CKR_PIN_LOCKED" into the note, with what to do. */
void kw_ckr_note(struct kw_note *note, kw_err e, const char *advice);

#endif
