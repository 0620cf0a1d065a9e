/* SPDX-License-Identifier: Apache-2.0 */
/* create_pair - makes the audit log's key pair; linked into the operator's tool only
 *
 * As create.c does: a narrow template, what some tokens do not know is left out in a fixed
 * order and told, and nothing else is tried again.
 */
#include "token_internal.h"

#include <stdio.h>
#include <string.h>

static CK_BBOOL pair_yes = CK_TRUE, pair_no = CK_FALSE;
static CK_KEY_TYPE pair_type = CKK_EC;
static CK_MECHANISM_TYPE pair_only[] = {CKM_ECDSA};
static CK_BYTE pair_curve[] = {0x06, 0x08, 0x2a, 0x86, 0x48,
                               0xce, 0x3d, 0x03, 0x01, 0x07};

static const char *const pair_optional[] = {"CKA_ALLOWED_MECHANISMS", "CKA_COPYABLE",
                                            "CKA_MODIFIABLE"};
enum {
    PAIR_OPTIONAL = sizeof pair_optional / sizeof pair_optional[0],
    PAIR_MAX = 16,
    PAIR_LOCATOR = 16
};

/* Both halves have label and locator. */
struct pair_template {
    CK_BYTE label[KW_LABEL_MAX], locator[PAIR_LOCATOR];
    CK_ATTRIBUTE private_[PAIR_MAX], public_[PAIR_MAX]; /* optional ones first */
    CK_ULONG private_count, public_count;
};

static void pair_put(CK_ATTRIBUTE *all, CK_ULONG *count, CK_ATTRIBUTE_TYPE type,
                     void *value, CK_ULONG len)
{
    KW_INVARIANT(*count < PAIR_MAX);
    all[(*count)++] = (CK_ATTRIBUTE){type, value, len};
}

static void pair_flag(CK_ATTRIBUTE *all, CK_ULONG *count, CK_ATTRIBUTE_TYPE type, bool on)
{
    pair_put(all, count, type, on ? &pair_yes : &pair_no, sizeof pair_yes);
}

static void pair_names(struct pair_template *w, CK_ATTRIBUTE *all, CK_ULONG *count,
                       size_t label_len)
{
    pair_put(all, count, CKA_KEY_TYPE, &pair_type, sizeof pair_type);
    pair_put(all, count, CKA_LABEL, w->label, label_len);
    pair_put(all, count, CKA_ID, w->locator, sizeof w->locator);
    pair_flag(all, count, CKA_TOKEN, true);
}

static void pair_private_init(struct pair_template *w, size_t label_len)
{
    CK_ATTRIBUTE *all = w->private_;
    CK_ULONG *count = &w->private_count;
    pair_put(all, count, CKA_ALLOWED_MECHANISMS, pair_only, sizeof pair_only);
    pair_flag(all, count, CKA_COPYABLE, false);
    pair_flag(all, count, CKA_MODIFIABLE, false);
    pair_names(w, all, count, label_len);
    pair_flag(all, count, CKA_PRIVATE, true);
    pair_flag(all, count, CKA_SENSITIVE, true);
    pair_flag(all, count, CKA_EXTRACTABLE, false);
    pair_flag(all, count, CKA_SIGN, true);
    pair_flag(all, count, CKA_SIGN_RECOVER, false);
    pair_flag(all, count, CKA_DECRYPT, false);
    pair_flag(all, count, CKA_UNWRAP, false);
    pair_flag(all, count, CKA_DERIVE, false);
}

static void pair_template_init(struct pair_template *w, kw_span label)
{
    *w = (struct pair_template){.private_count = 0};
    kw_copy(w->label, sizeof w->label, label);
    kw_random(w->locator, sizeof w->locator);
    pair_private_init(w, label.len);
    pair_names(w, w->public_, &w->public_count, label.len);
    pair_put(w->public_, &w->public_count, CKA_EC_PARAMS, pair_curve, sizeof pair_curve);
    pair_flag(w->public_, &w->public_count, CKA_PRIVATE, false);
    pair_flag(w->public_, &w->public_count, CKA_VERIFY, true);
    pair_flag(w->public_, &w->public_count, CKA_ENCRYPT, false);
    pair_flag(w->public_, &w->public_count, CKA_WRAP, false);
}

static bool pair_may_drop(CK_RV rv)
{
    return rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_VALUE_INVALID ||
           rv == CKR_TEMPLATE_INCONSISTENT;
}

static kw_err pair_generate(struct kw_token *t, kw_span label, unsigned *ret_dropped)
{
    struct pair_template w;
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_OBJECT_HANDLE public_ = 0, private_ = 0;
    CK_RV rv = CKR_TEMPLATE_INCONSISTENT;
    unsigned dropped = 0;
    pair_template_init(&w, label);
    for (; dropped <= PAIR_OPTIONAL; dropped++) {
        rv = t->ck->C_GenerateKeyPair(t->session, &mechanism, w.public_, w.public_count,
                                      w.private_ + dropped, w.private_count - dropped,
                                      &public_, &private_);
        if (!pair_may_drop(rv))
            break;
    }
    if (rv == CKR_OK)
        *ret_dropped = dropped;
    return kw_ckr(rv, "C_GenerateKeyPair");
}

static kw_err pair_label_free(struct kw_token *t, const char *label, struct kw_note *note)
{
    static const CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY,
                                              CKO_SECRET_KEY};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        CK_OBJECT_HANDLE handle = 0;
        unsigned count = 0;
        kw_err e = kw_object_search(t, classes[i], kw_span_str(label), (kw_span){0},
                                    &handle, 1, &count);
        if (kw_failed(e)) {
            kw_ckr_note(note, e, "looking for a key of the same name failed");
            return kw_session_after(t, NULL, e);
        }
        if (count == 0)
            continue;
        kw_note_set(note, "a key with the label %s is already on token %s", label,
                    t->facts.label);
        return kw_err_at(KW_CODE_BAD_INPUT, "C_FindObjects");
    }
    return KW_OK;
}

static kw_err pair_create(struct kw_token *t, const char *label, unsigned *ret_dropped,
                          struct kw_note *note)
{
    kw_err e = kw_session_ready(t);
    if (kw_failed(e)) {
        kw_ckr_note(note, e, "the token gives no session");
        return e;
    }
    e = pair_label_free(t, label, note);
    if (kw_failed(e))
        return e;
    e = pair_generate(t, kw_span_str(label), ret_dropped);
    if (kw_failed(e)) {
        kw_ckr_note(note, e,
                    "the token did not make the key; look whether it is there "
                    "before trying again");
        e = kw_session_after(t, NULL, e);
    }
    return e;
}

/* It signs, and what it signs verifies: a checkpoint of no log. */
static kw_err pair_prove(struct kw_token *t, const char *label,
                         const uint8_t spki[KW_SPKI], struct kw_note *note)
{
    const struct kw_checkpoint none = {.covered = 0};
    struct kw_token_signer signer = {.label = label};
    struct kw_token_signed made;
    uint8_t der[KW_SIGNATURE_DER_MAX];
    kw_dst dst = kw_dst_of(der, sizeof der);
    kw_err e = kw_sha256(kw_span_of(spki, KW_SPKI), signer.sha256);
    if (!kw_failed(e))
        e = kw_token_sign(t, &signer, &none, &made, note);
    if (kw_failed(e))
        return e;
    e = kw_signature_to_der(made.signature, &dst);
    if (!kw_failed(e))
        e = kw_checkpoint_verify(&none, kw_span_of(spki, KW_SPKI), kw_dst_span(&dst));
    if (!kw_failed(e))
        return KW_OK;
    kw_note_set(note, "the key was made, and what it signs does not verify");
    return kw_err_at(KW_CODE_WRONG_ANSWER, "C_Sign");
}

static void pair_name_dropped(unsigned dropped, char dst[128])
{
    size_t len = 0;
    dst[0] = '\0';
    for (unsigned i = 0; i < dropped && i < PAIR_OPTIONAL; i++)
        len += (size_t)snprintf(dst + len, 128 - len, "%s%s", i ? "," : "",
                                pair_optional[i]);
}

static kw_err pair_check(const struct kw_token *t, const char *label,
                         struct kw_note *note)
{
    const size_t len = kw_span_str(label).len;
    if (!t->read_write || !t->logged_in) {
        kw_note_set(note, "a key is made in a read-write session after a login");
        return kw_err_at(KW_CODE_BUG, "create");
    }
    if (len == 0 || len > KW_LABEL_MAX) {
        kw_note_set(note, "the key's label is empty or longer than %u bytes",
                    KW_LABEL_MAX);
        return kw_err_at(KW_CODE_BAD_INPUT, "create");
    }
    return KW_OK;
}

kw_err kw_token_create_audit_key(struct kw_token *token, const char *label,
                                 uint8_t ret_spki[KW_SPKI], char ret_dropped[128],
                                 struct kw_note *note)
{
    unsigned dropped = 0;
    kw_err e = pair_check(token, label, note);
    if (kw_failed(e))
        return e;
    kw_phase_set(token, KW_PHASE_FIND);
    e = pair_create(token, label, &dropped, note);
    kw_phase_set(token, KW_PHASE_IDLE);
    if (!kw_failed(e))
        e = kw_token_audit_key(token, label, ret_spki, note);
    if (!kw_failed(e))
        e = pair_prove(token, label, ret_spki, note);
    if (!kw_failed(e))
        pair_name_dropped(dropped, ret_dropped);
    return e;
}
