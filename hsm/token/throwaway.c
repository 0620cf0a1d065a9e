/* SPDX-License-Identifier: Apache-2.0 */
/* throwaway - a key that lives for one measurement; linked into keyward-bench only
 *
 * As sensitive and private as a KEK, as those flags cost time, and told from one by its
 * label: what makes, copies or destroys a key here looks at that label first.
 */
#include "token_internal.h"

#include <stdio.h>
#include <string.h>

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static const kw_span no_locator = {0};

static bool is_throwaway(const char *label)
{
    return strncmp(label, KW_THROWAWAY_BEGIN, sizeof KW_THROWAWAY_BEGIN - 1) == 0;
}

void kw_token_throwaway_label(char dst[KW_KEY_ID_MAX + 1])
{
    char hex[25];
    uint8_t random[12];
    kw_random(random, sizeof random);
    kw_hex(hex, sizeof hex, kw_span_of(random, sizeof random));
    snprintf(dst, KW_KEY_ID_MAX + 1, "%s%s", KW_THROWAWAY_BEGIN, hex);
}

static kw_err throwaway_generate(struct kw_token *t, const char *label, bool on_token)
{
    CK_ULONG len = 32;
    CK_ATTRIBUTE wanted[] = {
        {CKA_TOKEN, on_token ? &yes : &no, sizeof yes},
        {CKA_PRIVATE, &yes, sizeof yes},
        {CKA_SENSITIVE, &yes, sizeof yes},
        {CKA_EXTRACTABLE, &no, sizeof no},
        {CKA_ENCRYPT, &yes, sizeof yes},
        {CKA_DECRYPT, &yes, sizeof yes},
        {CKA_VALUE_LEN, &len, sizeof len},
        {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)},
    };
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
    CK_OBJECT_HANDLE handle = 0;
    CK_RV rv = t->ck->C_GenerateKey(t->session, &mechanism, wanted,
                                    sizeof wanted / sizeof wanted[0], &handle);
    return kw_ckr(rv, "C_GenerateKey");
}

kw_err kw_token_make_throwaway(struct kw_token *token, const char *label, bool on_token,
                               struct kw_token_key **ret_key, struct kw_note *note)
{
    KW_INVARIANT(is_throwaway(label));
    if (!token->logged_in || (on_token && !token->read_write)) {
        kw_note_set(note, "a key is made after a login, on the token in a read-write "
                          "session only");
        return kw_err_at(KW_CODE_BUG, "throwaway");
    }
    kw_err e = kw_session_ready(token);
    if (!kw_failed(e))
        e = kw_session_after(token, NULL, throwaway_generate(token, label, on_token));
    if (kw_failed(e)) {
        kw_ckr_note(note, e, "the token made no key to measure with");
        return e;
    }
    return kw_token_find(token, label, no_locator, ret_key, note);
}

static kw_err throwaway_copy(struct kw_token *t, const struct kw_token_key *key,
                             const char *label)
{
    CK_ATTRIBUTE changed[] = {
        {CKA_TOKEN, &no, sizeof no},
        {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)},
    };
    CK_OBJECT_HANDLE handle = 0;
    CK_RV rv = t->ck->C_CopyObject(t->session, key->handle, changed,
                                   sizeof changed / sizeof changed[0], &handle);
    return kw_ckr(rv, "C_CopyObject");
}

kw_err kw_token_copy_throwaway(struct kw_token *token, const char *from,
                               const char *label, struct kw_token_key **ret_key,
                               struct kw_note *note)
{
    struct kw_token_key *key = NULL;
    KW_INVARIANT(is_throwaway(from) && is_throwaway(label));
    kw_err e = kw_token_find(token, from, no_locator, &key, note);
    if (kw_failed(e))
        return e;
    e = kw_session_after(token, NULL, throwaway_copy(token, key, label));
    if (kw_failed(e)) {
        kw_ckr_note(note, e,
                    "the token does not copy its key into a session object: measure "
                    "with --key token, or with --key session");
        return e;
    }
    return kw_token_find(token, label, no_locator, ret_key, note);
}

static kw_err destroy(struct kw_token *t, const struct kw_token_key *key)
{
    uint8_t label[sizeof key->label];
    size_t len = 0;
    kw_err e = kw_object_bytes(t, key->handle, CKA_LABEL, label, sizeof label, &len);
    if (kw_failed(e))
        return e;
    if (!kw_span_equal_str(kw_span_of(label, len), key->label))
        return kw_err_at(KW_CODE_WRONG_ANSWER, "C_GetAttributeValue");
    return kw_ckr(t->ck->C_DestroyObject(t->session, key->handle), "C_DestroyObject");
}

kw_err kw_token_destroy_throwaway(struct kw_token *token, struct kw_token_key *key)
{
    KW_INVARIANT(is_throwaway(key->label));
    kw_err e = kw_key_ready(token, key);
    if (!kw_failed(e))
        e = destroy(token, key);
    return kw_session_after(token, NULL, e);
}

kw_err kw_token_leftovers(struct kw_token *token, struct kw_listed_key *dst, size_t max,
                          size_t *ret_count, struct kw_note *note)
{
    return kw_token_list(token, KW_THROWAWAY_BEGIN, dst, max, ret_count, note);
}
