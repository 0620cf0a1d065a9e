/* SPDX-License-Identifier: Apache-2.0 */
/* key - finds objects, and secret keys, by label and locator; exactly one again when handles
 * died */
#include "token_internal.h"

#include <string.h>

#include <keyward/alloc.h>

/* A template wants pointers to non-const; the bytes are copied to be able to give
 * them. */
struct wanted {
    CK_OBJECT_CLASS class;
    CK_BYTE label[sizeof((struct kw_token_key *)0)->label];
    CK_BYTE locator[KW_LOCATOR_MAX];
    CK_ATTRIBUTE attributes[3];
    CK_ULONG count;
};

static void wanted_init(struct wanted *w, CK_OBJECT_CLASS class, kw_span label,
                        kw_span locator)
{
    w->count = 0;
    w->class = class;
    w->attributes[w->count++] = (CK_ATTRIBUTE){CKA_CLASS, &w->class, sizeof w->class};
    if (label.len > 0) {
        kw_copy(w->label, sizeof w->label, label);
        w->attributes[w->count++] = (CK_ATTRIBUTE){CKA_LABEL, w->label, label.len};
    }
    if (locator.len > 0) {
        kw_copy(w->locator, sizeof w->locator, locator);
        w->attributes[w->count++] = (CK_ATTRIBUTE){CKA_ID, w->locator, locator.len};
    }
}

/* Modules may hand out one object a call, so ask until none comes or all places are
 * taken. */
static kw_err collect(struct kw_token *t, CK_OBJECT_HANDLE *handles, unsigned max,
                      unsigned *count)
{
    *count = 0;
    while (*count < max) {
        CK_ULONG n = 0, room = max - *count;
        kw_err e = kw_ckr(t->ck->C_FindObjects(t->session, handles + *count, room, &n),
                          "C_FindObjects");
        if (kw_failed(e))
            return e;
        if (n == 0)
            break;
        *count += n < room ? (unsigned)n : (unsigned)room;
    }
    return KW_OK;
}

kw_err kw_object_search(struct kw_token *t, CK_OBJECT_CLASS class, kw_span label,
                        kw_span locator, CK_OBJECT_HANDLE *ret_handles, unsigned max,
                        unsigned *ret_count)
{
    struct wanted w;
    unsigned count = 0;
    wanted_init(&w, class, label, locator);
    kw_err e = kw_ckr(t->ck->C_FindObjectsInit(t->session, w.attributes, w.count),
                      "C_FindObjectsInit");
    if (kw_failed(e))
        return e;
    e = collect(t, ret_handles, max, &count);
    kw_err end = kw_ckr(t->ck->C_FindObjectsFinal(t->session), "C_FindObjectsFinal");
    if (kw_failed(e) || kw_failed(end))
        return kw_failed(e) ? e : end;
    *ret_count = count;
    return KW_OK;
}

kw_err kw_key_search(struct kw_token *t, kw_span label, kw_span locator,
                     CK_OBJECT_HANDLE *ret_handles, unsigned max, unsigned *ret_count)
{
    return kw_object_search(t, CKO_SECRET_KEY, label, locator, ret_handles, max,
                            ret_count);
}

static kw_err find_handle(struct kw_token *t, struct kw_token_key *key)
{
    unsigned count = 0;
    CK_OBJECT_HANDLE handles[2] = {0, 0};
    kw_err e =
        kw_key_search(t, kw_span_str(key->label),
                      kw_span_of(key->locator, key->locator_len), handles, 2, &count);
    if (kw_failed(e)) {
        t->is_spoilt = true;
        return e;
    }
    if (count == 0)
        return kw_err_at(KW_CODE_MISSING, "C_FindObjects");
    if (count > 1)
        return kw_err_at(KW_CODE_HSM_CONFIG, "C_FindObjects");
    key->handle = handles[0];
    key->epoch = t->epoch;
    return KW_OK;
}

kw_err kw_key_ready(struct kw_token *t, struct kw_token_key *key)
{
    kw_err e = kw_session_ready(t);
    if (kw_failed(e) || key->epoch == t->epoch)
        return e;
    return key->version[0] == '\0' ? find_handle(t, key)
                                   : kw_err_at(KW_CODE_SESSION, "key");
}

void kw_key_explain(struct kw_note *note, kw_err e, const struct kw_token *t,
                    const char *label)
{
    if (e.code == KW_CODE_MISSING)
        kw_note_set(
            note,
            "no secret key with label %s (and the keyring's locator) on token %s: "
            "was it deleted, or is this another token?",
            label, t->facts.label);
    else if (e.code == KW_CODE_HSM_CONFIG && e.native == 0)
        kw_note_set(note,
                    "more than one secret key has the label %s on token %s: remove or "
                    "rename the one that the keyring does not mean",
                    label, t->facts.label);
    else
        kw_ckr_note(note, e, "looking for the key failed");
}

struct kw_token_key *kw_key_known(struct kw_token *t, kw_span label, kw_span locator,
                                  const char *version)
{
    for (struct kw_token_key *k = t->keys; k != NULL; k = k->next)
        if (strcmp(version, k->version) == 0 && kw_span_equal_str(label, k->label) &&
            kw_span_equal(locator, kw_span_of(k->locator, k->locator_len)))
            return k;
    return NULL;
}

struct kw_token_key *kw_key_new(kw_span label, kw_span locator, const char *version)
{
    struct kw_token_key *key = kw_new(1, sizeof *key);
    if (key == NULL)
        return NULL;
    kw_copy_str(key->label, sizeof key->label, label);
    kw_copy(key->locator, sizeof key->locator, locator);
    key->locator_len = locator.len;
    kw_copy_str(key->version, sizeof key->version, kw_span_str(version));
    return key;
}

void kw_key_keep(struct kw_token *t, struct kw_token_key *key)
{
    key->next = t->keys;
    t->keys = key;
}

/* Looks always, also for a key that was found before: it may be gone. */
static kw_err key_find(struct kw_token *t, kw_span label, kw_span locator,
                       struct kw_token_key **ret_key)
{
    struct kw_token_key *key = kw_key_known(t, label, locator, "");
    bool is_new = key == NULL;
    if (is_new)
        key = kw_key_new(label, locator, "");
    if (key == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "key");
    kw_err e = kw_session_ready(t);
    if (!kw_failed(e))
        e = find_handle(t, key);
    if (kw_failed(e) && t->is_spoilt)
        e = kw_session_after(t, NULL, e);
    if (kw_failed(e)) {
        if (is_new)
            kw_free(key);
        return e;
    }
    if (is_new)
        kw_key_keep(t, key);
    *ret_key = key;
    return KW_OK;
}

kw_err kw_token_find(struct kw_token *token, const char *key_id, kw_span locator,
                     struct kw_token_key **ret_key, struct kw_note *note)
{
    kw_span label = kw_span_str(key_id);
    if (label.len == 0 || label.len >= sizeof((struct kw_token_key *)0)->label ||
        locator.len > KW_LOCATOR_MAX) {
        kw_note_set(note, "the key's label or locator is empty or too long");
        return kw_err_at(KW_CODE_BAD_INPUT, "key");
    }
    kw_phase_set(token, KW_PHASE_FIND);
    kw_err e = key_find(token, label, locator, ret_key);
    if (kw_failed(e))
        kw_key_explain(note, e, token, key_id);
    kw_phase_set(token, KW_PHASE_IDLE);
    return e;
}

void kw_keys_free(struct kw_token *t)
{
    while (t->keys != NULL) {
        struct kw_token_key *next = t->keys->next;
        kw_free(t->keys);
        t->keys = next;
    }
}
