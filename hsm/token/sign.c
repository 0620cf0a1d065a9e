/* SPDX-License-Identifier: Apache-2.0 */
/* sign - the audit log's key pair: found, judged, used
 *
 * Everything is looked at before each signature: that there is one pair of this label,
 * that its private half can do nothing else and cannot leave, that it is the one that is
 * meant.  Nobody has a hash signed but this file and sign_bundle.c, which make it.
 */
#include "token_internal.h"

#include <stdio.h>
#include <string.h>

/* prime256v1, as CKA_EC_PARAMS has it (RFC 5480 2.1.1.1). */
static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48,
                               0xce, 0x3d, 0x03, 0x01, 0x07};

struct sign_pair {
    CK_OBJECT_HANDLE private_, public_;
    uint8_t spki[KW_SPKI];
};

/* ---- which it is ---- */

static kw_err sign_find_half(struct kw_token *t, CK_OBJECT_CLASS class, const char *label,
                             CK_OBJECT_HANDLE *ret_handle, struct kw_note *note)
{
    const char *half = class == CKO_PRIVATE_KEY ? "private" : "public";
    CK_OBJECT_HANDLE handles[2] = {0, 0};
    unsigned count = 0;
    kw_err e =
        kw_object_search(t, class, kw_span_str(label), (kw_span){0}, handles, 2, &count);
    if (kw_failed(e)) {
        kw_ckr_note(note, e, "looking for the audit log's key failed");
        return e;
    }
    if (count == 1) {
        *ret_handle = handles[0];
        return KW_OK;
    }
    kw_note_set(note, "%s %s key has the label %s on token %s",
                count == 0 ? "no" : "more than one", half, label, t->facts.label);
    return kw_err_at(count == 0 ? KW_CODE_MISSING : KW_CODE_HSM_CONFIG, "audit key");
}

/* ---- what it may do ---- */

struct sign_rule {
    CK_ATTRIBUTE_TYPE type;
    enum kw_answer want;
    bool answered; /* no answer is not enough */
};
/* What is asked for at its creation, and what says that nobody else ever had it. */
static const struct sign_rule rules[] = {
    {CKA_TOKEN, KW_ANSWER_TRUE, true},
    {CKA_PRIVATE, KW_ANSWER_TRUE, true},
    {CKA_SENSITIVE, KW_ANSWER_TRUE, true},
    {CKA_ALWAYS_SENSITIVE, KW_ANSWER_TRUE, true},
    {CKA_EXTRACTABLE, KW_ANSWER_FALSE, true},
    {CKA_NEVER_EXTRACTABLE, KW_ANSWER_TRUE, true},
    {CKA_SIGN, KW_ANSWER_TRUE, true},
    {CKA_ENCRYPT, KW_ANSWER_FALSE, false},
    {CKA_DECRYPT, KW_ANSWER_FALSE, false},
    {CKA_WRAP, KW_ANSWER_FALSE, false},
    {CKA_UNWRAP, KW_ANSWER_FALSE, false},
    {CKA_DERIVE, KW_ANSWER_FALSE, false},
};

static const struct kw_attribute_ck *sign_attribute(CK_ATTRIBUTE_TYPE type)
{
    size_t i = 0;
    while (kw_attribute_cks[i].type != type)
        KW_MUST(++i < kw_attribute_cks_count);
    return &kw_attribute_cks[i];
}

static kw_err sign_judge(const struct kw_key_attributes *a, struct kw_note *note)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct kw_attribute_ck *row = sign_attribute(rules[i].type);
        const void *field = (const char *)a + row->offset;
        const enum kw_answer given = *(const enum kw_answer *)field;
        if (given == rules[i].want || (given == KW_ANSWER_NONE && !rules[i].answered))
            continue;
        kw_note_set(note,
                    "%s of the audit log's key is %s and must be %s: it can do more than "
                    "sign in the token; make another with keyward audit key create",
                    row->name,
                    given == KW_ANSWER_NONE   ? "not answered"
                    : given == KW_ANSWER_TRUE ? "true"
                                              : "false",
                    rules[i].want == KW_ANSWER_TRUE ? "true" : "false");
        return kw_err_at(KW_CODE_KEY_BAD, "audit key");
    }
    return KW_OK;
}

static kw_err sign_judge_private(struct kw_token *t, CK_OBJECT_HANDLE key,
                                 struct kw_note *note)
{
    struct kw_key_attributes a = {0};
    kw_err e = kw_attributes_of(t, key, &a);
    if (kw_failed(e)) {
        kw_ckr_note(note, e, "reading the attributes of the audit log's key failed");
        return e;
    }
    return sign_judge(&a, note);
}

/* ---- its public half ---- */

static kw_err sign_read_public(struct kw_token *t, CK_OBJECT_HANDLE key,
                               uint8_t ret_spki[KW_SPKI], struct kw_note *note)
{
    uint8_t curve[64], point[128];
    size_t curve_len = 0, point_len = 0;
    kw_err e = kw_object_bytes(t, key, CKA_EC_PARAMS, curve, sizeof curve, &curve_len);
    if (!kw_failed(e))
        e = kw_object_bytes(t, key, CKA_EC_POINT, point, sizeof point, &point_len);
    if (kw_failed(e)) {
        kw_ckr_note(note, e, "reading the audit log's public key failed");
        return e;
    }
    if (kw_span_equal(kw_span_of(curve, curve_len), kw_span_of(p256, sizeof p256)) &&
        !kw_failed(kw_spki_of_point(kw_span_of(point, point_len), ret_spki)))
        return KW_OK;
    kw_note_set(note,
                "the audit log's key is no key on P-256 with an uncompressed point");
    return kw_err_at(KW_CODE_KEY_BAD, "audit key");
}

static kw_err sign_pair_look(struct kw_token *t, const char *label, struct sign_pair *ret,
                             struct kw_note *note)
{
    kw_err e = kw_session_ready(t);
    if (kw_failed(e)) {
        kw_ckr_note(note, e, "the token gives no session");
        return e;
    }
    e = sign_find_half(t, CKO_PRIVATE_KEY, label, &ret->private_, note);
    if (!kw_failed(e))
        e = sign_find_half(t, CKO_PUBLIC_KEY, label, &ret->public_, note);
    if (!kw_failed(e))
        e = sign_judge_private(t, ret->private_, note);
    if (!kw_failed(e))
        e = sign_read_public(t, ret->public_, ret->spki, note);
    return e;
}

static kw_err sign_check_label(const char *label, struct kw_note *note)
{
    const size_t len = kw_span_str(label).len;
    if (len >= 1 && len <= KW_LABEL_MAX)
        return KW_OK;
    kw_note_set(note, "the label of the audit log's key is empty or too long");
    return kw_err_at(KW_CODE_BAD_INPUT, "audit key");
}

/* What was found out about a key leaves the session as it was. */
static kw_err sign_after(struct kw_token *t, kw_err e)
{
    return kw_failed(e) && e.native == 0 ? e : kw_session_after(t, NULL, e);
}

kw_err kw_token_audit_key(struct kw_token *token, const char *label,
                          uint8_t ret_spki[KW_SPKI], struct kw_note *note)
{
    struct sign_pair pair = {0};
    kw_err e = sign_check_label(label, note);
    if (kw_failed(e))
        return e;
    kw_phase_set(token, KW_PHASE_FIND);
    e = sign_after(token, sign_pair_look(token, label, &pair, note));
    kw_phase_set(token, KW_PHASE_IDLE);
    if (!kw_failed(e))
        kw_copy(ret_spki, KW_SPKI, kw_span_of(pair.spki, sizeof pair.spki));
    return e;
}

/* ---- its use ---- */

static kw_err sign_is_meant(const struct sign_pair *pair,
                            const struct kw_token_signer *signer, struct kw_note *note)
{
    uint8_t sha256[KW_SHA256];
    kw_err e = kw_sha256(kw_span_of(pair->spki, sizeof pair->spki), sha256);
    if (kw_failed(e))
        return e;
    if (kw_span_equal(kw_span_of(sha256, sizeof sha256),
                      kw_span_of(signer->sha256, sizeof signer->sha256)))
        return KW_OK;
    kw_note_set(note,
                "the key with the label %s is another one than the configuration "
                "means: its public key has another SHA-256",
                signer->label);
    return kw_err_at(KW_CODE_KEY_BAD, "audit key");
}

static kw_err sign_hash(struct kw_token *t, CK_OBJECT_HANDLE key,
                        const uint8_t hash[KW_SHA256],
                        uint8_t ret_signature[KW_SIGNATURE], struct kw_note *note)
{
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_BYTE digest[KW_SHA256], signature[2 * KW_SIGNATURE];
    CK_ULONG len = sizeof signature;
    kw_copy(digest, sizeof digest, kw_span_of(hash, KW_SHA256));
    kw_err e = kw_ckr(t->ck->C_SignInit(t->session, &mechanism, key), "C_SignInit");
    if (!kw_failed(e))
        e = kw_ckr(t->ck->C_Sign(t->session, digest, sizeof digest, signature, &len),
                   "C_Sign");
    if (kw_failed(e)) {
        kw_ckr_note(note, e, "the token did not sign");
        return e;
    }
    if (len != KW_SIGNATURE) {
        kw_note_set(note, "the token gave a signature of %lu bytes, not %u", len,
                    KW_SIGNATURE);
        return kw_err_at(KW_CODE_WRONG_ANSWER, "C_Sign");
    }
    kw_copy(ret_signature, KW_SIGNATURE, kw_span_of(signature, KW_SIGNATURE));
    return KW_OK;
}

static kw_err sign_with(struct kw_token *t, const struct kw_token_signer *signer,
                        const uint8_t hash[KW_SHA256], struct kw_token_signed *ret,
                        struct kw_note *note)
{
    struct sign_pair pair = {0};
    struct kw_token_signed made;
    kw_err e = sign_pair_look(t, signer->label, &pair, note);
    if (!kw_failed(e))
        e = sign_is_meant(&pair, signer, note);
    if (!kw_failed(e))
        e = sign_hash(t, pair.private_, hash, made.signature, note);
    if (kw_failed(e))
        return e;
    kw_copy(made.spki, sizeof made.spki, kw_span_of(pair.spki, sizeof pair.spki));
    *ret = made;
    return KW_OK;
}

kw_err kw_sign_under(struct kw_token *t, const struct kw_token_signer *signer,
                     const uint8_t hash[KW_SHA256], struct kw_token_signed *ret_signed,
                     struct kw_note *note)
{
    kw_err e = sign_check_label(signer->label, note);
    if (kw_failed(e))
        return e;
    kw_phase_set(t, KW_PHASE_OP);
    e = sign_after(t, sign_with(t, signer, hash, ret_signed, note));
    kw_phase_set(t, KW_PHASE_IDLE);
    return e;
}

kw_err kw_token_sign(struct kw_token *token, const struct kw_token_signer *signer,
                     const struct kw_checkpoint *checkpoint,
                     struct kw_token_signed *ret_signed, struct kw_note *note)
{
    uint8_t hash[KW_SHA256];
    const kw_err e = kw_checkpoint_hash(checkpoint, hash);
    return kw_failed(e) ? e : kw_sign_under(token, signer, hash, ret_signed, note);
}
