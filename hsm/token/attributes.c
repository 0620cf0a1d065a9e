/* SPDX-License-Identifier: Apache-2.0 */
/* attributes - reads a key's attributes back, one a call; some of them again, in one
 *
 * One call with many attributes fails as a whole when the token does not know one of
 * them, and how it says so differs: a refusal of one attribute is "not answered".
 */
#include "token_internal.h"

#define FIELD(ck, member)                                                                \
    {                                                                                    \
#ck, ck, offsetof(struct kw_key_attributes, member)                              \
    }
const struct kw_attribute_ck kw_attribute_cks[] = {
    FIELD(CKA_TOKEN, token),
    FIELD(CKA_PRIVATE, private_),
    FIELD(CKA_SENSITIVE, sensitive),
    FIELD(CKA_ALWAYS_SENSITIVE, always_sensitive),
    FIELD(CKA_EXTRACTABLE, extractable),
    FIELD(CKA_NEVER_EXTRACTABLE, never_extractable),
    FIELD(CKA_LOCAL, local),
    FIELD(CKA_ENCRYPT, encrypt),
    FIELD(CKA_DECRYPT, decrypt),
    FIELD(CKA_WRAP, wrap),
    FIELD(CKA_UNWRAP, unwrap),
    FIELD(CKA_SIGN, sign),
    FIELD(CKA_VERIFY, verify),
    FIELD(CKA_DERIVE, derive),
    FIELD(CKA_MODIFIABLE, modifiable),
    FIELD(CKA_COPYABLE, copyable),
    FIELD(CKA_DESTROYABLE, destroyable),
};
const size_t kw_attribute_cks_count =
    sizeof kw_attribute_cks / sizeof kw_attribute_cks[0];

bool kw_ck_is_no_answer(CK_RV rv)
{
    return rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE ||
           rv == CKR_ATTRIBUTE_VALUE_INVALID || rv == CKR_BUFFER_TOO_SMALL ||
           rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED ||
           rv == CKR_ARGUMENTS_BAD;
}

/* *ret_answered: exactly `len` bytes came. */
static kw_err attributes_read_one(struct kw_token *t, CK_OBJECT_HANDLE key,
                                  CK_ATTRIBUTE_TYPE type, void *value, CK_ULONG len,
                                  bool *ret_answered)
{
    CK_ATTRIBUTE attribute = {type, value, len};
    CK_RV rv = t->ck->C_GetAttributeValue(t->session, key, &attribute, 1);
    *ret_answered = rv == CKR_OK && attribute.ulValueLen == len;
    if (rv == CKR_OK || kw_ck_is_no_answer(rv))
        return KW_OK;
    return kw_ckr(rv, "C_GetAttributeValue");
}

kw_err kw_attributes_of(struct kw_token *t, CK_OBJECT_HANDLE key,
                        struct kw_key_attributes *ret)
{
    bool answered = false;
    for (size_t i = 0; i < kw_attribute_cks_count; i++) {
        CK_BBOOL yes = 0;
        kw_err e = attributes_read_one(t, key, kw_attribute_cks[i].type, &yes, sizeof yes,
                                       &answered);
        if (kw_failed(e))
            return e;
        enum kw_answer *answer =
            (enum kw_answer *)(void *)((char *)ret + kw_attribute_cks[i].offset);
        *answer = !answered ? KW_ANSWER_NONE : yes ? KW_ANSWER_TRUE : KW_ANSWER_FALSE;
    }
    CK_ULONG len = 0;
    kw_err e = attributes_read_one(t, key, CKA_VALUE_LEN, &len, sizeof len, &answered);
    if (!kw_failed(e))
        ret->value_len = answered && len <= UINT32_MAX ? (uint32_t)len : 0;
    return e;
}

kw_err kw_attributes_read(struct kw_token *t, struct kw_token_key *key,
                          struct kw_key_attributes *ret_attributes)
{
    struct kw_key_attributes got = {0};
    kw_err e = kw_key_ready(t, key);
    if (!kw_failed(e))
        e = kw_attributes_of(t, key->handle, &got);
    e = kw_session_after(t, key, e);
    if (!kw_failed(e))
        *ret_attributes = got;
    return e;
}

kw_err kw_token_attributes(struct kw_token *token, struct kw_token_key *key,
                           struct kw_key_attributes *ret_attributes)
{
    kw_phase_set(token, KW_PHASE_FIND);
    kw_err e = kw_attributes_read(token, key, ret_attributes);
    kw_phase_set(token, KW_PHASE_IDLE);
    return e;
}

/* ---- one call for the three that matter while a key is in use ---- */

enum { AGAIN = 3, NOT_WRITTEN = 2 };

/* Says which of the attributes it will not tell; the others are filled in (PKCS#11 v2.40,
 * C_GetAttributeValue). */
static bool is_partial(CK_RV rv)
{
    return rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE ||
           rv == CKR_ATTRIBUTE_VALUE_INVALID || rv == CKR_BUFFER_TOO_SMALL;
}

static enum kw_answer attributes_answer_of(const CK_ATTRIBUTE *asked)
{
    CK_BBOOL value = *(const CK_BBOOL *)asked->pValue;
    if (asked->ulValueLen != sizeof value || value == NOT_WRITTEN)
        return KW_ANSWER_NONE;
    return value ? KW_ANSWER_TRUE : KW_ANSWER_FALSE;
}

kw_err kw_attributes_again(struct kw_token *t, struct kw_token_key *key,
                           struct kw_key_attributes *attributes)
{
    CK_BBOOL values[AGAIN] = {NOT_WRITTEN, NOT_WRITTEN, NOT_WRITTEN};
    CK_ATTRIBUTE asked[AGAIN] = {{CKA_EXTRACTABLE, &values[0], sizeof values[0]},
                                 {CKA_SENSITIVE, &values[1], sizeof values[1]},
                                 {CKA_COPYABLE, &values[2], sizeof values[2]}};
    bool copyable = attributes->copyable != KW_ANSWER_NONE;
    kw_err e = kw_key_ready(t, key);
    if (!kw_failed(e)) {
        CK_RV rv = t->ck->C_GetAttributeValue(t->session, key->handle, asked,
                                              copyable ? AGAIN : AGAIN - 1);
        e = is_partial(rv) ? KW_OK : kw_ckr(rv, "C_GetAttributeValue");
    }
    e = kw_session_after(t, key, e);
    if (kw_failed(e))
        return e;
    attributes->extractable = attributes_answer_of(&asked[0]);
    attributes->sensitive = attributes_answer_of(&asked[1]);
    if (copyable)
        attributes->copyable = attributes_answer_of(&asked[2]);
    return KW_OK;
}
