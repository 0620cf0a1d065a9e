/* SPDX-License-Identifier: Apache-2.0 */
/* ckr - the one table from CK_RV to what the caller may do
 *
 * A row names a return value and its class.  A class is two codes: what the value means
 * anywhere, and what it means when C_Decrypt itself returned it, where tokens say with
 * half a dozen different values that the tag does not match.
 */
#include "ckr_internal.h"

#include <stdio.h>

#include "constants.h"

struct row {
    CK_RV rv;
    const char *name;
    enum kw_code any, decrypt;
};

/*                   anywhere              from C_Decrypt      */
#define GOOD KW_CODE_OK, KW_CODE_OK
#define SESSION KW_CODE_SESSION, KW_CODE_SESSION
#define LOGIN KW_CODE_HSM_DOWN, KW_CODE_HSM_DOWN /* a worker logs in once */
#define RESTART KW_CODE_HSM_DOWN, KW_CODE_HSM_DOWN
#define CANARY KW_CODE_HSM_DOWN, KW_CODE_UNSURE
#define BUSY KW_CODE_HSM_BUSY, KW_CODE_HSM_BUSY
#define BUSY_CANARY KW_CODE_HSM_BUSY, KW_CODE_UNSURE
#define PIN KW_CODE_PIN_STOP, KW_CODE_PIN_STOP
#define CONFIG KW_CODE_HSM_CONFIG, KW_CODE_HSM_CONFIG
#define DATA KW_CODE_HSM_CONFIG, KW_CODE_FORGED /* it refuses our sizes */
#define SEALED KW_CODE_HSM_DOWN, KW_CODE_FORGED /* no answer to our question */
#define BUG KW_CODE_BUG, KW_CODE_BUG
#define BUG_CANARY KW_CODE_BUG, KW_CODE_UNSURE

#define ROW(name, class)                                                                 \
    {                                                                                    \
        name, #name, class                                                               \
    }
#define OUR(name, class)                                                                 \
    {                                                                                    \
        KW_##name, #name, class                                                          \
    }

static const struct row rows[] = {
    ROW(CKR_OK, GOOD),
    ROW(CKR_CANCEL, SESSION),
    ROW(CKR_HOST_MEMORY, CANARY),
    ROW(CKR_SLOT_ID_INVALID, RESTART),
    ROW(CKR_GENERAL_ERROR, CANARY),
    ROW(CKR_FUNCTION_FAILED, BUSY_CANARY),
    ROW(CKR_ARGUMENTS_BAD, BUG_CANARY),
    ROW(CKR_NO_EVENT, BUG),
    ROW(CKR_NEED_TO_CREATE_THREADS, BUG),
    ROW(CKR_CANT_LOCK, RESTART),
    ROW(CKR_ATTRIBUTE_READ_ONLY, CONFIG),
    ROW(CKR_ATTRIBUTE_SENSITIVE, CONFIG),
    ROW(CKR_ATTRIBUTE_TYPE_INVALID, CONFIG),
    ROW(CKR_ATTRIBUTE_VALUE_INVALID, CONFIG),
    OUR(CKR_COPY_PROHIBITED, CONFIG),
    ROW(CKR_ACTION_PROHIBITED, CONFIG),
    ROW(CKR_DATA_INVALID, DATA),
    ROW(CKR_DATA_LEN_RANGE, DATA),
    ROW(CKR_DEVICE_ERROR, CANARY),
    ROW(CKR_DEVICE_MEMORY, BUSY),
    ROW(CKR_DEVICE_REMOVED, RESTART),
    ROW(CKR_ENCRYPTED_DATA_INVALID, SEALED),
    ROW(CKR_ENCRYPTED_DATA_LEN_RANGE, SEALED),
    OUR(CKR_AEAD_DECRYPT_FAILED, SEALED),
    ROW(CKR_FUNCTION_CANCELED, SESSION),
    ROW(CKR_FUNCTION_NOT_PARALLEL, BUG),
    ROW(CKR_FUNCTION_NOT_SUPPORTED, CONFIG),
    ROW(CKR_KEY_HANDLE_INVALID, SESSION),
    ROW(CKR_KEY_SIZE_RANGE, CONFIG),
    ROW(CKR_KEY_TYPE_INCONSISTENT, CONFIG),
    ROW(CKR_KEY_NOT_NEEDED, BUG),
    ROW(CKR_KEY_CHANGED, BUG),
    ROW(CKR_KEY_NEEDED, BUG),
    ROW(CKR_KEY_INDIGESTIBLE, BUG),
    ROW(CKR_KEY_FUNCTION_NOT_PERMITTED, CONFIG),
    ROW(CKR_KEY_NOT_WRAPPABLE, BUG),
    ROW(CKR_KEY_UNEXTRACTABLE, BUG),
    ROW(CKR_MECHANISM_INVALID, CONFIG),
    ROW(CKR_MECHANISM_PARAM_INVALID, CONFIG),
    ROW(CKR_OBJECT_HANDLE_INVALID, SESSION),
    ROW(CKR_OPERATION_ACTIVE, SESSION), /* on a fresh session: busy, see session.c */
    ROW(CKR_OPERATION_NOT_INITIALIZED, SESSION),
    ROW(CKR_PIN_INCORRECT, PIN),
    ROW(CKR_PIN_INVALID, PIN),
    ROW(CKR_PIN_LEN_RANGE, PIN),
    ROW(CKR_PIN_EXPIRED, PIN),
    ROW(CKR_PIN_LOCKED, PIN),
    ROW(CKR_SESSION_CLOSED, SESSION),
    ROW(CKR_SESSION_COUNT, BUSY),
    ROW(CKR_SESSION_HANDLE_INVALID, SESSION),
    ROW(CKR_SESSION_PARALLEL_NOT_SUPPORTED, BUG),
    ROW(CKR_SESSION_READ_ONLY, SESSION),
    ROW(CKR_SESSION_EXISTS, BUG),
    ROW(CKR_SESSION_READ_ONLY_EXISTS, BUG),
    ROW(CKR_SESSION_READ_WRITE_SO_EXISTS, CONFIG),
    ROW(CKR_SIGNATURE_INVALID, SEALED),
    ROW(CKR_SIGNATURE_LEN_RANGE, SEALED),
    ROW(CKR_TEMPLATE_INCOMPLETE, CONFIG),
    ROW(CKR_TEMPLATE_INCONSISTENT, CONFIG),
    ROW(CKR_TOKEN_NOT_PRESENT, RESTART),
    ROW(CKR_TOKEN_NOT_RECOGNIZED, RESTART),
    ROW(CKR_TOKEN_WRITE_PROTECTED, CONFIG),
    ROW(CKR_UNWRAPPING_KEY_HANDLE_INVALID, SESSION),
    ROW(CKR_UNWRAPPING_KEY_SIZE_RANGE, CONFIG),
    ROW(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, CONFIG),
    ROW(CKR_USER_ALREADY_LOGGED_IN, BUG), /* from C_Login it is success, see login.c */
    ROW(CKR_USER_NOT_LOGGED_IN, LOGIN),
    ROW(CKR_USER_PIN_NOT_INITIALIZED, PIN),
    ROW(CKR_USER_TYPE_INVALID, CONFIG),
    ROW(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, CONFIG),
    ROW(CKR_USER_TOO_MANY_TYPES, CONFIG),
    ROW(CKR_WRAPPED_KEY_INVALID, SEALED),
    ROW(CKR_WRAPPED_KEY_LEN_RANGE, SEALED),
    ROW(CKR_WRAPPING_KEY_HANDLE_INVALID, SESSION),
    ROW(CKR_WRAPPING_KEY_SIZE_RANGE, CONFIG),
    ROW(CKR_WRAPPING_KEY_TYPE_INCONSISTENT, CONFIG),
    ROW(CKR_RANDOM_SEED_NOT_SUPPORTED, CONFIG),
    ROW(CKR_RANDOM_NO_RNG, CONFIG),
    ROW(CKR_DOMAIN_PARAMS_INVALID, CONFIG),
    ROW(CKR_CURVE_NOT_SUPPORTED, CONFIG),
    ROW(CKR_BUFFER_TOO_SMALL, BUG),
    ROW(CKR_SAVED_STATE_INVALID, BUG),
    ROW(CKR_INFORMATION_SENSITIVE, BUG),
    ROW(CKR_STATE_UNSAVEABLE, BUG),
    ROW(CKR_CRYPTOKI_NOT_INITIALIZED, RESTART),
    ROW(CKR_CRYPTOKI_ALREADY_INITIALIZED, BUG),
    ROW(CKR_MUTEX_BAD, RESTART),
    ROW(CKR_MUTEX_NOT_LOCKED, RESTART),
    ROW(CKR_NEW_PIN_MODE, PIN),
    ROW(CKR_NEXT_OTP, PIN),
    OUR(CKR_EXCEEDED_MAX_ITERATIONS, CONFIG),
    OUR(CKR_FIPS_SELF_TEST_FAILED, RESTART),
    OUR(CKR_LIBRARY_LOAD_FAILED, RESTART),
    OUR(CKR_PIN_TOO_WEAK, PIN),
    OUR(CKR_PUBLIC_KEY_INVALID, CONFIG),
    ROW(CKR_EXCEEDED_MAX_ITERATIONS, CONFIG),
    ROW(CKR_FIPS_SELF_TEST_FAILED, RESTART),
    ROW(CKR_LIBRARY_LOAD_FAILED, RESTART),
    ROW(CKR_PIN_TOO_WEAK, PIN),
    ROW(CKR_PUBLIC_KEY_INVALID, CONFIG),
    ROW(CKR_FUNCTION_REJECTED, CONFIG),
    OUR(CKR_TOKEN_RESOURCE_EXCEEDED, BUSY),
    OUR(CKR_OPERATION_CANCEL_FAILED, SESSION),
    OUR(CKR_KEY_EXHAUSTED, CONFIG),
    OUR(CKR_PENDING, BUG),
    OUR(CKR_SESSION_ASYNC_NOT_SUPPORTED, BUG),
    OUR(CKR_SEED_RANDOM_REQUIRED, CONFIG),
    OUR(CKR_OPERATION_NOT_VALIDATED, CONFIG),
    OUR(CKR_TOKEN_NOT_INITIALIZED, CONFIG),
    OUR(CKR_PARAMETER_SET_NOT_SUPPORTED, CONFIG),
};

/* Vendors' values and numbers of a later standard: the token is in a state we do not
 * know, or it says in its own words that the tag does not match. */
static const struct row unknown = {0, NULL, CANARY};

static const struct row *look_up(CK_RV rv)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].rv == rv)
            return &rows[i];
    return &unknown;
}

static uint32_t narrow(CK_RV rv)
{
    return rv > UINT32_MAX ? UINT32_MAX : (uint32_t)rv;
}

kw_err kw_ckr(CK_RV rv, const char *where)
{
    if (rv == CKR_OK)
        return KW_OK;
    return kw_err_native(look_up(rv)->any, narrow(rv), where);
}

kw_err kw_ckr_decrypt(CK_RV rv, const char *where)
{
    if (rv == CKR_OK)
        return KW_OK;
    return kw_err_native(look_up(rv)->decrypt, narrow(rv), where);
}

void kw_ckr_name(uint32_t rv, char dst[48])
{
    const struct row *row = look_up(rv);
    if (row->name != NULL)
        snprintf(dst, 48, "%s", row->name);
    else
        snprintf(dst, 48, "CKR_0x%08x", rv);
}

void kw_ckr_note(struct kw_note *note, kw_err e, const char *advice)
{
    char name[48];
    kw_ckr_name(e.native, name);
    kw_note_set(note, "%s: %s: %s", e.where ? e.where : "?", name, advice);
}
