/* SPDX-License-Identifier: Apache-2.0 */
/* facts - what module and token say about themselves, made fit to print */
#include "token_internal.h"

#include <stdio.h>
#include <string.h>

/* PKCS#11 pads with blanks and ends with nothing; some modules pad with NULs.  Labels are
 * UTF-8 (PKCS#11 3.1, 2.5). */
static void facts_text_of(char *dst, size_t cap, const unsigned char *src, size_t len)
{
    KW_INVARIANT(len < cap);
    while (len > 0 && (src[len - 1] == ' ' || src[len - 1] == '\0'))
        len--;
    kw_copy_printable(dst, cap, kw_span_of(src, len));
}

static void version_of(char dst[16], CK_VERSION v)
{
    snprintf(dst, 16, "%u.%u", (unsigned)v.major, (unsigned)v.minor);
}

kw_err kw_facts_of_module(CK_FUNCTION_LIST *ck, struct kw_token_facts *facts)
{
    CK_INFO info = {0};
    kw_err e = kw_ckr(ck->C_GetInfo(&info), "C_GetInfo");
    if (kw_failed(e))
        return e;
    facts_text_of(facts->library, sizeof facts->library, info.libraryDescription,
                  sizeof info.libraryDescription);
    facts_text_of(facts->library_manufacturer, sizeof facts->library_manufacturer,
                  info.manufacturerID, sizeof info.manufacturerID);
    version_of(facts->library_version, info.libraryVersion);
    version_of(facts->cryptoki_version, info.cryptokiVersion);
    return KW_OK;
}

/* Read-only sessions count in the sum of all; 0 is no limit (CK_EFFECTIVELY_INFINITE). */
static uint64_t free_sessions(const CK_TOKEN_INFO *info)
{
    if (info->ulMaxSessionCount == CK_EFFECTIVELY_INFINITE ||
        info->ulMaxSessionCount == CK_UNAVAILABLE_INFORMATION ||
        info->ulSessionCount == CK_UNAVAILABLE_INFORMATION ||
        info->ulSessionCount > info->ulMaxSessionCount)
        return KW_TOKEN_NOT_TOLD;
    return info->ulMaxSessionCount - info->ulSessionCount;
}

void kw_facts_of_token(const CK_TOKEN_INFO *info, struct kw_token_facts *facts)
{
    facts_text_of(facts->label, sizeof facts->label, info->label, sizeof info->label);
    facts_text_of(facts->serial, sizeof facts->serial, info->serialNumber,
                  sizeof info->serialNumber);
    facts_text_of(facts->manufacturer, sizeof facts->manufacturer, info->manufacturerID,
                  sizeof info->manufacturerID);
    facts_text_of(facts->model, sizeof facts->model, info->model, sizeof info->model);
    version_of(facts->firmware, info->firmwareVersion);
    version_of(facts->hardware, info->hardwareVersion);
    facts->pin_count_low = (info->flags & CKF_USER_PIN_COUNT_LOW) != 0;
    facts->pin_final_try = (info->flags & CKF_USER_PIN_FINAL_TRY) != 0;
    facts->pin_locked = (info->flags & CKF_USER_PIN_LOCKED) != 0;
    facts->login_required = (info->flags & CKF_LOGIN_REQUIRED) != 0;
    facts->write_protected = (info->flags & CKF_WRITE_PROTECTED) != 0;
    facts->no_rw_session = info->ulMaxRwSessionCount != CK_EFFECTIVELY_INFINITE &&
                           info->ulMaxRwSessionCount != CK_UNAVAILABLE_INFORMATION &&
                           info->ulRwSessionCount != CK_UNAVAILABLE_INFORMATION &&
                           info->ulRwSessionCount >= info->ulMaxRwSessionCount;
    /* A token without any memory is one that does not tell. */
    facts->private_free_bytes = info->ulFreePrivateMemory == CK_UNAVAILABLE_INFORMATION ||
                                        info->ulTotalPrivateMemory == 0
                                    ? KW_TOKEN_NOT_TOLD
                                    : info->ulFreePrivateMemory;
    facts->free_sessions = free_sessions(info);
}

/* The struct is zeroed before each call: some modules only add bits to it. */
void kw_facts_of_mechanisms(CK_FUNCTION_LIST *ck, CK_SLOT_ID slot,
                            struct kw_token_facts *facts)
{
    CK_MECHANISM_INFO info = {0};
    facts->has_gcm = ck->C_GetMechanismInfo(slot, CKM_AES_GCM, &info) == CKR_OK;
    if (facts->has_gcm) {
        facts->gcm_key_min = (uint32_t)info.ulMinKeySize;
        facts->gcm_key_max = (uint32_t)info.ulMaxKeySize;
    }
    info = (CK_MECHANISM_INFO){0};
    facts->has_aes_keygen =
        ck->C_GetMechanismInfo(slot, CKM_AES_KEY_GEN, &info) == CKR_OK;
}

bool kw_facts_say_softhsm(const struct kw_token_facts *facts)
{
    return strcasestr(facts->library, "softhsm") || strcasestr(facts->model, "softhsm") ||
           strcasestr(facts->manufacturer, "softhsm") ||
           strcasestr(facts->library_manufacturer, "softhsm");
}
