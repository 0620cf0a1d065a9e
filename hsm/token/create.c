/* SPDX-License-Identifier: Apache-2.0 */
/* create - makes a KEK, at a ceremony; linked into the operator's tool only
 *
 * The template is as narrow as PKCS#11 allows.  Four of its attributes are unknown to
 * some tokens, which then refuse the whole template: they are left out one after the
 * other, in the order of the list, and what was left out is told.  Nothing else is ever
 * tried again: a lost reply would make a second key.
 */
#include "token_internal.h"

#include <stdio.h>
#include <string.h>

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_ULONG key_bytes = 32;
static CK_MECHANISM_TYPE only_gcm[] = {CKM_AES_GCM};
static CK_OBJECT_CLASS secret_key = CKO_SECRET_KEY;
static CK_KEY_TYPE aes = CKK_AES;

static const char *const optional[] = {"CKA_ALLOWED_MECHANISMS", "CKA_DESTROYABLE",
                                       "CKA_COPYABLE", "CKA_MODIFIABLE"};
enum { OPTIONAL = sizeof optional / sizeof optional[0], REQUIRED = 17 };

struct template
{
    CK_BYTE label[KW_KEY_ID_MAX + 8], id[KW_LOCATOR_MAX];
    CK_ATTRIBUTE all[OPTIONAL + REQUIRED]; /* the optional ones first */
    CK_ULONG count;
};

static void create_add(struct template *w, CK_ATTRIBUTE_TYPE type, void *value,
                       CK_ULONG len)
{
    KW_INVARIANT(w->count < OPTIONAL + REQUIRED);
    w->all[w->count++] = (CK_ATTRIBUTE){type, value, len};
}

static void add_flag(struct template *w, CK_ATTRIBUTE_TYPE type, bool on)
{
    create_add(w, type, on ? &yes : &no, sizeof yes);
}

static void template_init(struct template *w, const struct kw_create_options *o)
{
    static const CK_ATTRIBUTE_TYPE never[] = {CKA_WRAP, CKA_UNWRAP, CKA_SIGN, CKA_VERIFY,
                                              CKA_DERIVE};
    kw_span label = kw_span_str(o->key_id);
    *w = (struct template){0};
    kw_copy(w->label, sizeof w->label, label);
    kw_copy(w->id, sizeof w->id, o->locator);
    create_add(w, CKA_ALLOWED_MECHANISMS, only_gcm, sizeof only_gcm);
    add_flag(w, CKA_DESTROYABLE, o->destroyable);
    add_flag(w, CKA_COPYABLE, o->copyable);
    add_flag(w, CKA_MODIFIABLE, false);
    create_add(w, CKA_CLASS, &secret_key, sizeof secret_key);
    create_add(w, CKA_KEY_TYPE, &aes, sizeof aes);
    create_add(w, CKA_VALUE_LEN, &key_bytes, sizeof key_bytes);
    create_add(w, CKA_LABEL, w->label, label.len);
    if (o->locator.len > 0)
        create_add(w, CKA_ID, w->id, o->locator.len);
    add_flag(w, CKA_TOKEN, true);
    add_flag(w, CKA_PRIVATE, true);
    add_flag(w, CKA_SENSITIVE, true);
    add_flag(w, CKA_EXTRACTABLE, false);
    add_flag(w, CKA_ENCRYPT, true);
    add_flag(w, CKA_DECRYPT, true);
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        add_flag(w, never[i], false);
}

static bool may_drop(CK_RV rv)
{
    return rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_VALUE_INVALID ||
           rv == CKR_TEMPLATE_INCONSISTENT;
}

static kw_err create_generate(struct kw_token *t, const struct kw_create_options *o,
                              unsigned *ret_dropped)
{
    struct template w;
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
    CK_OBJECT_HANDLE handle = 0;
    CK_RV rv = CKR_TEMPLATE_INCONSISTENT;
    unsigned dropped = 0;
    template_init(&w, o);
    for (; dropped <= OPTIONAL; dropped++) {
        rv = t->ck->C_GenerateKey(t->session, &mechanism, w.all + dropped,
                                  w.count - dropped, &handle);
        if (!may_drop(rv))
            break;
    }
    if (rv == CKR_OK)
        *ret_dropped = dropped;
    return kw_ckr(rv, "C_GenerateKey");
}

static void name_dropped(unsigned dropped, char dst[128])
{
    size_t len = 0;
    dst[0] = '\0';
    for (unsigned i = 0; i < dropped; i++)
        len += (size_t)snprintf(dst + len, 128 - len, "%s%s", i ? "," : "", optional[i]);
}

static kw_err refuse_taken(struct kw_token *t, kw_span label, kw_span locator,
                           const char *what, struct kw_note *note)
{
    CK_OBJECT_HANDLE handle = 0;
    unsigned count = 0;
    if (label.len == 0 && locator.len == 0)
        return KW_OK;
    kw_err e = kw_key_search(t, label, locator, &handle, 1, &count);
    if (kw_failed(e)) {
        kw_ckr_note(note, e, "looking for a key of the same name failed");
        return kw_session_after(t, NULL, e);
    }
    if (count == 0)
        return KW_OK;
    kw_note_set(note, "a secret key with this %s is already on token %s", what,
                t->facts.label);
    return kw_err_at(KW_CODE_BAD_INPUT, "C_FindObjects");
}

static kw_err check_options(const struct kw_token *t, const struct kw_create_options *o,
                            struct kw_note *note)
{
    if (!t->read_write || !t->logged_in) {
        kw_note_set(note, "a key is made in a read-write session after a login");
        return kw_err_at(KW_CODE_BUG, "create");
    }
    size_t len = kw_span_str(o->key_id).len;
    if (len == 0 || len > KW_KEY_ID_MAX || o->locator.len > KW_LOCATOR_MAX) {
        kw_note_set(note, "the key's label or locator is empty or too long");
        return kw_err_at(KW_CODE_BAD_INPUT, "create");
    }
    return KW_OK;
}

static kw_err names_free(struct kw_token *t, const struct kw_create_options *o,
                         struct kw_note *note)
{
    const kw_span none = {0};
    kw_err e = kw_session_ready(t);
    if (kw_failed(e)) {
        kw_ckr_note(note, e, "the token gives no session");
        return e;
    }
    e = refuse_taken(t, kw_span_str(o->key_id), none, "label", note);
    if (!kw_failed(e))
        e = refuse_taken(t, none, o->locator, "locator", note);
    return e;
}

kw_err kw_token_names_free(struct kw_token *token,
                           const struct kw_create_options *options, struct kw_note *note)
{
    kw_phase_set(token, KW_PHASE_FIND);
    kw_err e = names_free(token, options, note);
    kw_phase_set(token, KW_PHASE_IDLE);
    return e;
}

static kw_err create(struct kw_token *t, const struct kw_create_options *o,
                     unsigned *ret_dropped, struct kw_note *note)
{
    kw_err e = names_free(t, o, note);
    if (kw_failed(e))
        return e;
    e = create_generate(t, o, ret_dropped);
    if (kw_failed(e)) {
        kw_ckr_note(note, e,
                    "the token did not make the key; look whether it is there "
                    "before trying again");
        e = kw_session_after(t, NULL, e);
    }
    return e;
}

kw_err kw_token_create_key(struct kw_token *token,
                           const struct kw_create_options *options,
                           struct kw_token_key **ret_key, char ret_dropped[128],
                           struct kw_note *note)
{
    unsigned dropped = 0;
    kw_err e = check_options(token, options, note);
    if (kw_failed(e))
        return e;
    kw_phase_set(token, KW_PHASE_FIND);
    e = create(token, options, &dropped, note);
    kw_phase_set(token, KW_PHASE_IDLE);
    if (kw_failed(e))
        return e;
    e = kw_token_find(token, options->key_id, options->locator, ret_key, note);
    if (!kw_failed(e))
        name_dropped(dropped, ret_dropped);
    return e;
}
