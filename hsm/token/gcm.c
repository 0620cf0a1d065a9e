/* SPDX-License-Identifier: Apache-2.0 */
/* gcm - AES-GCM through C_Encrypt and C_Decrypt, single-part
 *
 * No length queries: tokens answer them wrongly, and a buffer that proves too small ends
 * the operation.  The output buffer has room for tag, an appended IV and more.  The
 * parameters are the six fields of v2.40 errata 01 with ulIvBits filled in, which half of
 * the tokens ignore and the other half insist on.
 */
#include "token_internal.h"

enum {
    IV_ROOM = 32,    /* a token may write its own IV over ours; 16 bytes were seen */
    SPARE = 64,      /* beyond what any known token writes                         */
    APPENDED_IV = 16 /* FIPS-mode tokens append it to the ciphertext               */
};

/* What the mechanism points to has to live until the operation ends. */
struct parameters {
    CK_BYTE iv[IV_ROOM];
    CK_BYTE aad[KW_AAD_MAX];
    CK_GCM_PARAMS gcm;
    CK_MECHANISM mechanism;
};

static void parameters_init(struct parameters *p, const struct kw_gcm *op)
{
    *p = (struct parameters){0};
    kw_copy(p->iv, sizeof p->iv, op->iv);
    kw_copy(p->aad, sizeof p->aad, op->aad);
    p->gcm.pIv = p->iv;
    p->gcm.ulIvLen = op->iv.len;
    p->gcm.ulIvBits = 8 * op->iv.len;
    p->gcm.pAAD = p->aad;
    p->gcm.ulAADLen = op->aad.len;
    p->gcm.ulTagBits = 8 * KW_GCM_TAG;
    p->mechanism.mechanism = CKM_AES_GCM;
    p->mechanism.pParameter = &p->gcm;
    p->mechanism.ulParameterLen = sizeof p->gcm;
}

/* The module writes how much it wrote; more than there was room for is beyond repair. */
static kw_err take_out(struct kw_secret *out, CK_ULONG len, const char *where,
                       struct kw_secret *ret_out)
{
    if (len > out->len)
        return kw_err_at(KW_CODE_HSM_DOWN, where);
    kw_secret_shrink(out, len);
    kw_secret_move(ret_out, out);
    return KW_OK;
}

kw_err kw_gcm_encrypt(struct kw_token *t, const struct kw_gcm *op,
                      uint8_t iv_after[KW_GCM_IV], struct kw_secret *ret_out)
{
    struct parameters p;
    KW_AUTO_SECRET(in);
    KW_AUTO_SECRET(out);
    kw_err e = kw_secret_copy(&in, op->text);
    if (!kw_failed(e))
        e = kw_secret_init(&out, op->text.len + KW_GCM_TAG + APPENDED_IV + SPARE);
    if (kw_failed(e))
        return e;
    parameters_init(&p, op);
    e = kw_ckr(t->ck->C_EncryptInit(op->session, &p.mechanism, op->key), "C_EncryptInit");
    if (kw_failed(e))
        return e;
    CK_ULONG len = out.len;
    e = kw_ckr(t->ck->C_Encrypt(op->session, in.ptr, in.len, out.ptr, &len), "C_Encrypt");
    if (kw_failed(e))
        return e;
    kw_copy(iv_after, KW_GCM_IV, kw_span_of(p.iv, KW_GCM_IV));
    return take_out(&out, len, "C_Encrypt", ret_out);
}

kw_err kw_gcm_decrypt(struct kw_token *t, const struct kw_gcm *op,
                      struct kw_secret *ret_out)
{
    struct parameters p;
    CK_BYTE in[KW_SEALED_MAX];
    KW_AUTO_SECRET(out);
    kw_err e = kw_secret_init(&out, op->text.len + SPARE);
    if (kw_failed(e))
        return e;
    kw_copy(in, sizeof in, op->text);
    parameters_init(&p, op);
    e = kw_ckr(t->ck->C_DecryptInit(op->session, &p.mechanism, op->key), "C_DecryptInit");
    if (kw_failed(e))
        return e;
    CK_ULONG len = out.len;
    e = kw_ckr_decrypt(t->ck->C_Decrypt(op->session, in, op->text.len, out.ptr, &len),
                       "C_Decrypt");
    if (kw_failed(e))
        return e;
    return take_out(&out, len, "C_Decrypt", ret_out);
}
