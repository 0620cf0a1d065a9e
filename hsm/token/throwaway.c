/* SPDX-License-Identifier: Apache-2.0 */
/* throwaway - a key that lives for one measurement; linked into keyward-bench only
 *
 * As sensitive and private as a KEK, as those flags cost time, and told from one by its
 * label: what destroys a key here looks at that label first.
 */
#include "parts.h"

#include <stdio.h>
#include <string.h>

static const char label_begin[] = "kw-bench-";

static kw_err generate(struct kw_token *t, const char *label, bool on_token)
{
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
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

kw_err kw_token_make_throwaway(struct kw_token *token, bool on_token,
                               struct kw_token_key **ret_key, struct kw_note *note)
{
    const kw_span no_locator = {0};
    char label[KW_KEY_ID_MAX + 1], hex[25];
    uint8_t random[12];
    if (!token->logged_in || (on_token && !token->read_write)) {
        kw_note_set(note, "a key is made after a login, on the token in a read-write "
                          "session only");
        return kw_err_at(KW_CODE_BUG, "throwaway");
    }
    kw_random(random, sizeof random);
    kw_hex(hex, sizeof hex, kw_span_of(random, sizeof random));
    snprintf(label, sizeof label, "%s%s", label_begin, hex);
    kw_err e = kw_session_ready(token);
    if (!kw_failed(e))
        e = kw_session_after(token, NULL, generate(token, label, on_token));
    if (kw_failed(e)) {
        kw_ckr_note(note, e, "the token made no key to measure with");
        return e;
    }
    return kw_token_find(token, label, no_locator, ret_key, note);
}

kw_err kw_token_destroy_throwaway(struct kw_token *token, struct kw_token_key *key)
{
    KW_INVARIANT(strncmp(key->label, label_begin, sizeof label_begin - 1) == 0);
    kw_err e = kw_key_ready(token, key);
    if (!kw_failed(e))
        e = kw_ckr(token->ck->C_DestroyObject(token->session, key->handle),
                   "C_DestroyObject");
    return kw_session_after(token, NULL, e);
}
