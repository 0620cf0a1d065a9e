/* SPDX-License-Identifier: Apache-2.0 */
/* list - which secret keys lie in a token, by what they say of themselves */
#include "token_internal.h"

#include <string.h>

enum { OBJECTS_AT_ONCE = 64 };

static CK_BBOOL yes = CK_TRUE;

/* What is looked for, and what was found. */
struct hunt {
    const char *label_begin;
    struct kw_listed_key *dst;
    size_t max, count;
};

kw_err kw_object_bytes(struct kw_token *t, CK_OBJECT_HANDLE object,
                       CK_ATTRIBUTE_TYPE type, void *dst, size_t cap, size_t *ret_len)
{
    CK_ATTRIBUTE a = {type, dst, cap};
    CK_RV rv = t->ck->C_GetAttributeValue(t->session, object, &a, 1);
    bool there = rv == CKR_OK && a.ulValueLen <= cap;
    *ret_len = there ? a.ulValueLen : 0;
    if (rv == CKR_BUFFER_TOO_SMALL || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
        rv == CKR_ATTRIBUTE_SENSITIVE)
        return KW_OK;
    return kw_ckr(rv, "C_GetAttributeValue");
}

/* Reads one object's label and locator; it is taken when the label begins as wanted. */
static kw_err list_look(struct kw_token *t, CK_OBJECT_HANDLE object, struct hunt *h)
{
    struct kw_listed_key one = {{0}, {0}, 0};
    size_t len = 0;
    kw_err e =
        kw_object_bytes(t, object, CKA_LABEL, one.label, sizeof one.label - 1, &len);
    one.label[len] = '\0';
    if (kw_failed(e) || strncmp(one.label, h->label_begin, strlen(h->label_begin)) != 0)
        return e;
    e = kw_object_bytes(t, object, CKA_ID, one.locator, sizeof one.locator,
                        &one.locator_len);
    if (kw_failed(e))
        return e;
    if (h->count == h->max)
        return kw_err_at(KW_CODE_BUSY, "list");
    h->dst[h->count++] = one;
    return KW_OK;
}

/* Between Init and Final.  A module may look at attributes while it searches; PKCS#11 has
 * one search a session, and that is no other operation. */
static kw_err list_walk(struct kw_token *t, struct hunt *h)
{
    CK_OBJECT_HANDLE got[OBJECTS_AT_ONCE];
    CK_ULONG n = 0;
    do {
        kw_err e = kw_ckr(t->ck->C_FindObjects(t->session, got, OBJECTS_AT_ONCE, &n),
                          "C_FindObjects");
        if (kw_failed(e))
            return e;
        for (CK_ULONG i = 0; i < n && i < OBJECTS_AT_ONCE; i++) {
            e = list_look(t, got[i], h);
            if (kw_failed(e))
                return e;
        }
    } while (n > 0);
    return KW_OK;
}

static kw_err search_all(struct kw_token *t, struct hunt *h)
{
    CK_OBJECT_CLASS secret_key = CKO_SECRET_KEY;
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &secret_key, sizeof secret_key},
                             {CKA_TOKEN, &yes, sizeof yes}};
    kw_err e = kw_session_ready(t);
    if (!kw_failed(e))
        e = kw_ckr(t->ck->C_FindObjectsInit(t->session, wanted, 2), "C_FindObjectsInit");
    if (kw_failed(e))
        return e;
    e = list_walk(t, h);
    kw_err end = kw_ckr(t->ck->C_FindObjectsFinal(t->session), "C_FindObjectsFinal");
    return kw_failed(e) ? e : end;
}

kw_err kw_token_list(struct kw_token *token, const char *label_begin,
                     struct kw_listed_key *dst, size_t max, size_t *ret_count,
                     struct kw_note *note)
{
    struct hunt h = {label_begin, dst, max, 0};
    KW_INVARIANT(token->logged_in);
    kw_phase_set(token, KW_PHASE_FIND);
    kw_err e = kw_session_after(token, NULL, search_all(token, &h));
    kw_phase_set(token, KW_PHASE_IDLE);
    if (e.code == KW_CODE_BUSY)
        kw_note_set(note, "more than %zu keys have a label that begins with %s", max,
                    label_begin);
    else if (kw_failed(e))
        kw_ckr_note(note, e, "looking through the token's keys failed");
    if (!kw_failed(e) || e.code == KW_CODE_BUSY)
        *ret_count = h.count;
    return e;
}
