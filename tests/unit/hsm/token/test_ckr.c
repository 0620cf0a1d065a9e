/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "check.h"
#include "constants.h"
#include "token_internal.h"

struct named {
    CK_RV rv;
    const char *name;
};

static const struct named of_header[] = {
#define CKR(name) {name, #name},
#include "ckr_of_header.h"
#undef CKR
};

static void check_name(CK_RV rv, const char *want)
{
    char name[48];
    kw_ckr_name((uint32_t)rv, name);
    CHECK_STR(name, want);
}

TEST(name__every_value_of_the_header__known)
{
    CHECK(sizeof of_header / sizeof of_header[0] > 90);
    for (size_t i = 0; i < sizeof of_header / sizeof of_header[0]; i++)
        if (of_header[i].rv != CKR_VENDOR_DEFINED)
            check_name(of_header[i].rv, of_header[i].name);
}

TEST(name__value_of_a_later_standard__known)
{
    check_name(0x1a, "CKR_COPY_PROHIBITED");
    check_name(0x42, "CKR_AEAD_DECRYPT_FAILED");
    check_name(0x1b8, "CKR_PIN_TOO_WEAK");
    check_name(0x201, "CKR_TOKEN_RESOURCE_EXCEEDED");
    check_name(0x202, "CKR_OPERATION_CANCEL_FAILED");
    check_name(0x203, "CKR_KEY_EXHAUSTED");
    check_name(0x209, "CKR_PARAMETER_SET_NOT_SUPPORTED");
}

TEST(name__unknown_value__its_number)
{
    check_name(0x4711, "CKR_0x00004711");
    check_name(0x80000001, "CKR_0x80000001");
}

enum class { S, R, RC, B, BC, P, F, D, E, X, XC };
static const struct {
    enum kw_code any, decrypt;
} codes[] = {
    [S] = {KW_CODE_SESSION, KW_CODE_SESSION},
    [R] = {KW_CODE_HSM_DOWN, KW_CODE_HSM_DOWN},
    [RC] = {KW_CODE_HSM_DOWN, KW_CODE_UNSURE},
    [B] = {KW_CODE_HSM_BUSY, KW_CODE_HSM_BUSY},
    [BC] = {KW_CODE_HSM_BUSY, KW_CODE_UNSURE},
    [P] = {KW_CODE_PIN_STOP, KW_CODE_PIN_STOP},
    [F] = {KW_CODE_HSM_CONFIG, KW_CODE_HSM_CONFIG},
    [D] = {KW_CODE_HSM_CONFIG, KW_CODE_FORGED},
    [E] = {KW_CODE_HSM_DOWN, KW_CODE_FORGED},
    [X] = {KW_CODE_BUG, KW_CODE_BUG},
    [XC] = {KW_CODE_BUG, KW_CODE_UNSURE},
};

/* The classes that were decided, written down a second time. */
static const struct {
    CK_RV rv;
    enum class class;
} decided[] = {
    {CKR_SESSION_HANDLE_INVALID, S},
    {CKR_SESSION_CLOSED, S},
    {CKR_OPERATION_ACTIVE, S},
    {CKR_OPERATION_NOT_INITIALIZED, S},
    {CKR_FUNCTION_CANCELED, S},
    {CKR_SESSION_READ_ONLY, S},
    {CKR_OBJECT_HANDLE_INVALID, S},
    {CKR_KEY_HANDLE_INVALID, S},
    {CKR_USER_NOT_LOGGED_IN, R},
    {CKR_DEVICE_REMOVED, R},
    {CKR_TOKEN_NOT_PRESENT, R},
    {CKR_TOKEN_NOT_RECOGNIZED, R},
    {CKR_SLOT_ID_INVALID, R},
    {CKR_CRYPTOKI_NOT_INITIALIZED, R},
    {CKR_CANT_LOCK, R},
    {CKR_DEVICE_ERROR, RC},
    {CKR_GENERAL_ERROR, RC},
    {CKR_HOST_MEMORY, RC},
    {0x80000000, RC},
    {0xffffffff, RC},
    {0x4711, RC},
    {CKR_SESSION_COUNT, B},
    {CKR_DEVICE_MEMORY, B},
    {CKR_FUNCTION_FAILED, BC},
    {CKR_ENCRYPTED_DATA_INVALID, E},
    {CKR_ENCRYPTED_DATA_LEN_RANGE, E},
    {KW_CKR_AEAD_DECRYPT_FAILED, E},
    {CKR_SIGNATURE_INVALID, E},
    {CKR_SIGNATURE_LEN_RANGE, E},
    {CKR_WRAPPED_KEY_INVALID, E},
    {CKR_WRAPPED_KEY_LEN_RANGE, E},
    {CKR_DATA_INVALID, D},
    {CKR_DATA_LEN_RANGE, D},
    {CKR_PIN_INCORRECT, P},
    {CKR_PIN_LOCKED, P},
    {CKR_PIN_EXPIRED, P},
    {CKR_PIN_INVALID, P},
    {CKR_PIN_LEN_RANGE, P},
    {CKR_USER_PIN_NOT_INITIALIZED, P},
    {CKR_MECHANISM_INVALID, F},
    {CKR_MECHANISM_PARAM_INVALID, F},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, F},
    {CKR_KEY_TYPE_INCONSISTENT, F},
    {CKR_KEY_SIZE_RANGE, F},
    {CKR_TEMPLATE_INCOMPLETE, F},
    {CKR_TEMPLATE_INCONSISTENT, F},
    {CKR_ATTRIBUTE_READ_ONLY, F},
    {CKR_ATTRIBUTE_SENSITIVE, F},
    {CKR_ATTRIBUTE_TYPE_INVALID, F},
    {CKR_ATTRIBUTE_VALUE_INVALID, F},
    {CKR_USER_TYPE_INVALID, F},
    {CKR_FUNCTION_NOT_SUPPORTED, F},
    {CKR_FUNCTION_REJECTED, F},
    {CKR_ACTION_PROHIBITED, F},
    {CKR_BUFFER_TOO_SMALL, X},
    {CKR_ARGUMENTS_BAD, XC},
    {CKR_CRYPTOKI_ALREADY_INITIALIZED, X},
    {CKR_NEED_TO_CREATE_THREADS, X},
};

TEST(code__what_was_decided__holds)
{
    for (size_t i = 0; i < sizeof decided / sizeof decided[0]; i++) {
        kw_err any = kw_ckr(decided[i].rv, "C_Encrypt");
        kw_err decrypt = kw_ckr_decrypt(decided[i].rv, "C_Decrypt");
        if (any.code != codes[decided[i].class].any ||
            decrypt.code != codes[decided[i].class].decrypt)
            fail_msg("0x%lx: %s, %s", decided[i].rv, kw_code_name(any.code),
                     kw_code_name(decrypt.code));
        CHECK(any.native == decided[i].rv && decrypt.native == decided[i].rv);
        CHECK_STR(any.where, "C_Encrypt");
        CHECK_STR(decrypt.where, "C_Decrypt");
    }
}

TEST(code__ok__ok)
{
    CHECK(!kw_failed(kw_ckr(CKR_OK, "C_Encrypt")));
    CHECK(!kw_failed(kw_ckr_decrypt(CKR_OK, "C_Decrypt")));
}

/* No value of the standard but CKR_OK may pass for success, and none may mean FORGED or
 * UNSURE when it did not come from C_Decrypt. */
TEST(code__every_number__never_a_success_or_a_verdict_on_data)
{
    for (CK_RV rv = 1; rv < 0x300; rv++) {
        kw_err any = kw_ckr(rv, "C_Encrypt"), decrypt = kw_ckr_decrypt(rv, "C_Decrypt");
        CHECK(kw_failed(any) && kw_failed(decrypt));
        CHECK(any.code != KW_CODE_FORGED && any.code != KW_CODE_UNSURE);
    }
}

TEST(code__number_wider_than_32_bits__not_cut_to_another_one)
{
    kw_err e = kw_ckr((CK_RV)0x1000000a0ULL, "C_Login");
    CHECK(e.code == KW_CODE_HSM_DOWN && e.native == UINT32_MAX);
    CHECK(kw_failed(kw_ckr((CK_RV)0x100000000ULL, "C_Login")));
}

KW_CASES("hsm/token/ckr", CASE(name__every_value_of_the_header__known),
         CASE(name__value_of_a_later_standard__known),
         CASE(name__unknown_value__its_number), CASE(code__what_was_decided__holds),
         CASE(code__ok__ok),
         CASE(code__every_number__never_a_success_or_a_verdict_on_data),
         CASE(code__number_wider_than_32_bits__not_cut_to_another_one))
