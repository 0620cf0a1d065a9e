/* SPDX-License-Identifier: Apache-2.0 */
/* describe - what else a key says of itself, for a report: nothing is decided by it
 *
 * CKA_CHECK_VALUE is not among it.  Of an AES key it is the beginning of the encrypted zero
 * block (PKCS#11 v2.40, secret key objects), and that block is the secret by which AES-GCM
 * authenticates (SP 800-38D, 7.1).  The check blob proves more and tells nothing.
 */
#include "token_internal.h"

#include <stdio.h>
#include <string.h>

#include "constants.h"

enum { PROPERTY_BYTES = 256 };

typedef bool property_text(kw_span value, char *dst, size_t cap);

static bool property_number(kw_span value, CK_ULONG *ret)
{
    if (value.len != sizeof *ret)
        return false;
    kw_copy(ret, sizeof *ret, value);
    return true;
}

/* What is not among these is told by its number. */
static void property_name(const char *kind, CK_ULONG number, char *dst, size_t cap)
{
    static const struct {
        const char *kind;
        CK_ULONG number;
        const char *name;
    } names[] = {
        {"CKO", CKO_SECRET_KEY, "CKO_SECRET_KEY"},
        {"CKK", CKK_AES, "CKK_AES"},
        {"CKK", CKK_GENERIC_SECRET, "CKK_GENERIC_SECRET"},
        {"CKM", CKM_AES_KEY_GEN, "CKM_AES_KEY_GEN"},
        {"CKM", CKM_AES_GCM, "CKM_AES_GCM"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].kind, kind) == 0 && names[i].number == number) {
            snprintf(dst, cap, "%s", names[i].name);
            return;
        }
    snprintf(dst, cap, "%s_0x%08lx", kind, number);
}

static bool property_class(kw_span value, char *dst, size_t cap)
{
    CK_ULONG number = 0;
    const bool is_one = property_number(value, &number);
    property_name("CKO", number, dst, cap);
    return is_one;
}

static bool property_type(kw_span value, char *dst, size_t cap)
{
    CK_ULONG number = 0;
    const bool is_one = property_number(value, &number);
    property_name("CKK", number, dst, cap);
    return is_one;
}

/* CK_UNAVAILABLE_INFORMATION: it was not made in this token. */
static bool property_mechanism(kw_span value, char *dst, size_t cap)
{
    CK_ULONG number = 0;
    const bool is_one = property_number(value, &number);
    property_name("CKM", number, dst, cap);
    return is_one && number != CK_UNAVAILABLE_INFORMATION;
}

static bool property_mechanisms(kw_span value, char *dst, size_t cap)
{
    size_t len = 0;
    dst[0] = '\0';
    if (value.len % sizeof(CK_ULONG) != 0)
        return false;
    for (size_t i = 0; i < value.len; i += sizeof(CK_ULONG)) {
        CK_ULONG number = 0;
        char name[32];
        KW_MUST(property_number(kw_span_of(value.ptr + i, sizeof number), &number));
        property_name("CKM", number, name, sizeof name);
        const int n = snprintf(dst + len, cap - len, "%s%s", len > 0 ? " " : "", name);
        if (n < 0 || (size_t)n >= cap - len)
            return false;
        len += (size_t)n;
    }
    return len > 0;
}

static bool property_printable(kw_span value, char *dst, size_t cap)
{
    (void)kw_copy_printable(dst, cap, value);
    return value.len > 0;
}

static bool property_hex(kw_span value, char *dst, size_t cap)
{
    if (value.len == 0 || 2 * value.len + 1 > cap)
        return false;
    kw_hex(dst, cap, value);
    return true;
}

static bool property_flag(kw_span value, char *dst, size_t cap)
{
    if (value.len != sizeof(CK_BBOOL))
        return false;
    snprintf(dst, cap, "%s", value.ptr[0] != CK_FALSE ? "true" : "false");
    return true;
}

/* A CK_DATE is eight digits; nothing when there is none. */
static bool property_date(kw_span value, char *dst, size_t cap)
{
    char text[9];
    if (value.len != sizeof(CK_DATE) || !kw_copy_str(text, sizeof text, value) ||
        strspn(text, "0123456789") != sizeof(CK_DATE))
        return false;
    snprintf(dst, cap, "%.4s-%.2s-%.2s", text, text + 4, text + 6);
    return true;
}

static const struct {
    const char *name;
    CK_ATTRIBUTE_TYPE type;
    property_text *text;
} properties[] = {
    {"CKA_CLASS", CKA_CLASS, property_class},
    {"CKA_KEY_TYPE", CKA_KEY_TYPE, property_type},
    {"CKA_LABEL", CKA_LABEL, property_printable},
    {"CKA_ID", CKA_ID, property_hex},
    {"CKA_UNIQUE_ID", KW_CKA_UNIQUE_ID, property_printable},
    {"CKA_KEY_GEN_MECHANISM", CKA_KEY_GEN_MECHANISM, property_mechanism},
    {"CKA_ALLOWED_MECHANISMS", CKA_ALLOWED_MECHANISMS, property_mechanisms},
    {"CKA_TRUSTED", CKA_TRUSTED, property_flag},
    {"CKA_WRAP_WITH_TRUSTED", CKA_WRAP_WITH_TRUSTED, property_flag},
    {"CKA_START_DATE", CKA_START_DATE, property_date},
    {"CKA_END_DATE", CKA_END_DATE, property_date},
};
_Static_assert(sizeof properties / sizeof properties[0] == KW_KEY_PROPERTIES, "token.h");

/* A refusal of one of them is no answer, as for kw_attributes_of. */
static kw_err property_read(struct kw_token *t, CK_OBJECT_HANDLE key, size_t i,
                            struct kw_key_property *ret)
{
    uint8_t value[PROPERTY_BYTES];
    CK_ATTRIBUTE a = {properties[i].type, value, sizeof value};
    const CK_RV rv = t->ck->C_GetAttributeValue(t->session, key, &a, 1);
    *ret = (struct kw_key_property){.name = properties[i].name};
    if (rv != CKR_OK)
        return kw_ck_is_no_answer(rv) ? KW_OK : kw_ckr(rv, "C_GetAttributeValue");
    if (a.ulValueLen <= sizeof value)
        ret->is_answered = properties[i].text(kw_span_of(value, a.ulValueLen), ret->text,
                                              sizeof ret->text);
    return KW_OK;
}

kw_err kw_token_describe(struct kw_token *token, struct kw_token_key *key,
                         struct kw_key_property ret_properties[KW_KEY_PROPERTIES])
{
    kw_phase_set(token, KW_PHASE_FIND);
    kw_err e = kw_key_ready(token, key);
    for (size_t i = 0; i < KW_KEY_PROPERTIES && !kw_failed(e); i++)
        e = property_read(token, key->handle, i, &ret_properties[i]);
    e = kw_session_after(token, key, e);
    kw_phase_set(token, KW_PHASE_IDLE);
    return e;
}
