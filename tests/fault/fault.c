/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that have a lie of their own, and the door of the module. */
#include "fault.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

CK_FUNCTION_LIST *fault_real;
static CK_FUNCTION_LIST list;

enum { IV_OWN = 16, SCRATCH = 4096 };

/* The AES-GCM encryption under way: which IV the caller gave and which one is used.  One
 * at a time is enough for a program with one PKCS#11 thread. */
static struct {
    CK_BYTE *callers_iv;
    CK_ULONG callers_len;
    CK_BYTE own[IV_OWN];
    CK_GCM_PARAMS gcm;
    CK_MECHANISM mechanism;
} iv;

/* Where an operation ends that the caller shall not see. */
static CK_BYTE scratch[SCRATCH];

static CK_RV fault_C_GetInfo(CK_INFO *a)
{
    struct fault_apply lie;
    struct fault_settings set;
    fault_enter(FAULT_C_GetInfo, &lie);
    fault_control_settings(&set);
    if (fault_instead(&lie))
        return fault_leave(FAULT_C_GetInfo, lie.rv);
    CK_RV rv = fault_real->C_GetInfo(a);
    if (rv == CKR_OK && set.othermaker) {
        memset(a->manufacturerID, 'x', sizeof a->manufacturerID);
        memset(a->libraryDescription, 'x', sizeof a->libraryDescription);
    }
    return fault_leave(FAULT_C_GetInfo, fault_answer(&lie, rv));
}

static CK_RV fault_C_GetSlotList(CK_BBOOL a, CK_SLOT_ID *b, CK_ULONG *c)
{
    struct fault_apply lie;
    struct fault_settings set;
    fault_enter(FAULT_C_GetSlotList, &lie);
    fault_control_settings(&set);
    if (fault_instead(&lie))
        return fault_leave(FAULT_C_GetSlotList, lie.rv);
    CK_RV rv = fault_real->C_GetSlotList(a, b, c);
    if (rv == CKR_OK && set.emptyslots)
        *c = 0;
    return fault_leave(FAULT_C_GetSlotList, fault_answer(&lie, rv));
}

static CK_RV fault_C_GetTokenInfo(CK_SLOT_ID a, CK_TOKEN_INFO *b)
{
    struct fault_apply lie;
    struct fault_settings set;
    fault_enter(FAULT_C_GetTokenInfo, &lie);
    fault_control_settings(&set);
    if (fault_instead(&lie))
        return fault_leave(FAULT_C_GetTokenInfo, lie.rv);
    CK_RV rv = fault_real->C_GetTokenInfo(a, b);
    if (rv == CKR_OK)
        b->flags |= set.pinflags;
    if (rv == CKR_OK && set.othermaker) {
        memset(b->manufacturerID, 'x', sizeof b->manufacturerID);
        memset(b->model, 'x', sizeof b->model);
    }
    return fault_leave(FAULT_C_GetTokenInfo, fault_answer(&lie, rv));
}

static CK_RV fault_C_GetMechanismInfo(CK_SLOT_ID a, CK_MECHANISM_TYPE b,
                                      CK_MECHANISM_INFO *c)
{
    struct fault_apply lie;
    struct fault_settings set;
    fault_enter(FAULT_C_GetMechanismInfo, &lie);
    fault_control_settings(&set);
    if (fault_instead(&lie))
        return fault_leave(FAULT_C_GetMechanismInfo, lie.rv);
    if (fault_list_has(&set.nomech, b, NULL))
        return fault_leave(FAULT_C_GetMechanismInfo, CKR_MECHANISM_INVALID);
    CK_RV rv = fault_real->C_GetMechanismInfo(a, b, c);
    return fault_leave(FAULT_C_GetMechanismInfo, fault_answer(&lie, rv));
}

static CK_RV fault_C_GetAttributeValue(CK_SESSION_HANDLE a, CK_OBJECT_HANDLE b,
                                       CK_ATTRIBUTE *c, CK_ULONG d)
{
    struct fault_apply lie;
    struct fault_settings set;
    CK_ULONG value = 0;
    fault_enter(FAULT_C_GetAttributeValue, &lie);
    fault_control_settings(&set);
    if (fault_instead(&lie))
        return fault_leave(FAULT_C_GetAttributeValue, lie.rv);
    CK_RV rv = fault_real->C_GetAttributeValue(a, b, c, d);
    bool faked = set.fake.count > 0 &&
                 (set.fakefor[0] == '\0' || fault_is_labelled(set.fakefor, a, b));
    for (CK_ULONG i = 0; i < d; i++) {
        if (fault_list_has(&set.noread, c[i].type, NULL)) {
            c[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
            rv = CKR_ATTRIBUTE_TYPE_INVALID;
        } else if (faked && fault_list_has(&set.fake, c[i].type, &value) &&
                   c[i].pValue != NULL) {
            *(CK_BBOOL *)c[i].pValue = (CK_BBOOL)value;
        }
    }
    return fault_leave(FAULT_C_GetAttributeValue, fault_answer(&lie, rv));
}

static CK_RV fault_C_GenerateKey(CK_SESSION_HANDLE a, CK_MECHANISM *b, CK_ATTRIBUTE *c,
                                 CK_ULONG d, CK_OBJECT_HANDLE *e)
{
    struct fault_apply lie;
    struct fault_settings set;
    fault_enter(FAULT_C_GenerateKey, &lie);
    fault_control_settings(&set);
    if (fault_instead(&lie))
        return fault_leave(FAULT_C_GenerateKey, lie.rv);
    if (fault_list_has(&set.nomech, b->mechanism, NULL))
        return fault_leave(FAULT_C_GenerateKey, CKR_MECHANISM_INVALID);
    for (CK_ULONG i = 0; i < d; i++)
        if (fault_list_has(&set.noattr, c[i].type, NULL))
            return fault_leave(FAULT_C_GenerateKey, CKR_ATTRIBUTE_TYPE_INVALID);
    CK_RV rv = fault_real->C_GenerateKey(a, b, c, d, e);
    return fault_leave(FAULT_C_GenerateKey, fault_answer(&lie, rv));
}

static CK_RV fault_C_GenerateKeyPair(CK_SESSION_HANDLE a, CK_MECHANISM *b,
                                     CK_ATTRIBUTE *c, CK_ULONG d, CK_ATTRIBUTE *e,
                                     CK_ULONG f, CK_OBJECT_HANDLE *g, CK_OBJECT_HANDLE *h)
{
    struct fault_apply lie;
    struct fault_settings set;
    fault_enter(FAULT_C_GenerateKeyPair, &lie);
    fault_control_settings(&set);
    if (fault_instead(&lie))
        return fault_leave(FAULT_C_GenerateKeyPair, lie.rv);
    for (CK_ULONG i = 0; i < f; i++)
        if (fault_list_has(&set.noattr, e[i].type, NULL))
            return fault_leave(FAULT_C_GenerateKeyPair, CKR_ATTRIBUTE_TYPE_INVALID);
    CK_RV rv = fault_real->C_GenerateKeyPair(a, b, c, d, e, f, g, h);
    return fault_leave(FAULT_C_GenerateKeyPair, fault_answer(&lie, rv));
}

static bool is_zero(const CK_BYTE *bytes, CK_ULONG len)
{
    CK_ULONG i = 0;
    while (i < len && bytes[i] == 0)
        i++;
    return i == len;
}

/* Gives the mechanism that the real module shall see. */
static CK_RV replace_iv(unsigned ivmode, CK_MECHANISM *asked, CK_MECHANISM **ret_used)
{
    CK_GCM_PARAMS *gcm = asked->pParameter;
    *ret_used = asked;
    if (asked->mechanism != CKM_AES_GCM || ivmode == 0)
        return CKR_OK;
    if (ivmode == 1 && !is_zero(gcm->pIv, gcm->ulIvLen))
        return CKR_MECHANISM_PARAM_INVALID;
    memset(iv.own, 7, sizeof iv.own);
    if (ivmode != 4 && getrandom(iv.own, sizeof iv.own, 0) != (ssize_t)sizeof iv.own)
        abort();
    iv.callers_iv = gcm->pIv;
    iv.callers_len = gcm->ulIvLen;
    iv.gcm = *gcm;
    iv.gcm.pIv = iv.own;
    iv.gcm.ulIvLen = ivmode == 2 ? IV_OWN : gcm->ulIvLen;
    iv.gcm.ulIvBits = 8 * iv.gcm.ulIvLen;
    iv.mechanism = (CK_MECHANISM){CKM_AES_GCM, &iv.gcm, sizeof iv.gcm};
    *ret_used = &iv.mechanism;
    return CKR_OK;
}

static bool is_dead(const struct fault_settings *set, CK_SESSION_HANDLE session,
                    CK_OBJECT_HANDLE key)
{
    return set->deadkey[0] != '\0' && fault_is_labelled(set->deadkey, session, key);
}

static CK_RV fault_C_EncryptInit(CK_SESSION_HANDLE a, CK_MECHANISM *b, CK_OBJECT_HANDLE c)
{
    struct fault_apply lie;
    struct fault_settings set;
    fault_enter(FAULT_C_EncryptInit, &lie);
    fault_control_settings(&set);
    if (fault_instead(&lie))
        return fault_leave(FAULT_C_EncryptInit, lie.rv);
    if (fault_list_has(&set.nomech, b->mechanism, NULL))
        return fault_leave(FAULT_C_EncryptInit, CKR_MECHANISM_INVALID);
    if (is_dead(&set, a, c))
        return fault_leave(FAULT_C_EncryptInit, CKR_DEVICE_ERROR);
    CK_RV rv = replace_iv(set.ivmode, b, &b);
    if (rv == CKR_OK)
        rv = fault_real->C_EncryptInit(a, b, c);
    return fault_leave(FAULT_C_EncryptInit, fault_answer(&lie, rv));
}

/* What the token's own IV does to the answer. */
static CK_RV tell_iv(unsigned ivmode, CK_BYTE *out, CK_ULONG room, CK_ULONG *len)
{
    if (ivmode == 1 || ivmode == 3)
        for (CK_ULONG i = 0; i < iv.callers_len; i++)
            iv.callers_iv[i] = iv.own[i];
    if (ivmode != 2)
        return CKR_OK;
    if (room - *len < IV_OWN)
        return CKR_BUFFER_TOO_SMALL;
    for (CK_ULONG i = 0; i < IV_OWN; i++)
        out[(*len)++] = iv.own[i];
    return CKR_OK;
}

static void flip(const struct fault_apply *lie, CK_RV rv, CK_BYTE *out,
                 const CK_ULONG *len)
{
    if (lie->flip && rv == CKR_OK && *len > 0)
        out[0] ^= 1;
}

enum { NULL_TAG = 16 }; /* bytes behind what nullcipher puts out */

static CK_RV fault_C_Encrypt(CK_SESSION_HANDLE a, CK_BYTE *b, CK_ULONG c, CK_BYTE *d,
                             CK_ULONG *e)
{
    struct fault_apply lie;
    struct fault_settings set;
    CK_ULONG room = *e, unseen = sizeof scratch;
    fault_enter(FAULT_C_Encrypt, &lie);
    fault_control_settings(&set);
    if (fault_instead(&lie)) {
        if (!lie.leave)
            (void)fault_real->C_Encrypt(a, b, c, scratch, &unseen);
        return fault_leave(FAULT_C_Encrypt, lie.rv);
    }
    CK_RV rv = fault_real->C_Encrypt(a, b, c, d, e);
    if (rv == CKR_OK)
        rv = tell_iv(set.ivmode, d, room, e);
    if (rv == CKR_OK && set.nullcipher)
        memcpy(d, b, c);
    flip(&lie, rv, d, e);
    return fault_leave(FAULT_C_Encrypt, fault_answer(&lie, rv));
}

static CK_RV fault_C_DecryptInit(CK_SESSION_HANDLE a, CK_MECHANISM *b, CK_OBJECT_HANDLE c)
{
    struct fault_apply lie;
    struct fault_settings set;
    fault_enter(FAULT_C_DecryptInit, &lie);
    fault_control_settings(&set);
    if (fault_instead(&lie))
        return fault_leave(FAULT_C_DecryptInit, lie.rv);
    if (fault_list_has(&set.nomech, b->mechanism, NULL))
        return fault_leave(FAULT_C_DecryptInit, CKR_MECHANISM_INVALID);
    if (is_dead(&set, a, c))
        return fault_leave(FAULT_C_DecryptInit, CKR_DEVICE_ERROR);
    CK_MECHANISM *used = b;
    CK_RV rv = set.ivmode == 4 ? replace_iv(4, b, &used) : CKR_OK;
    if (rv == CKR_OK)
        rv = fault_real->C_DecryptInit(a, used, c);
    return fault_leave(FAULT_C_DecryptInit, fault_answer(&lie, rv));
}

static CK_RV fault_C_Decrypt(CK_SESSION_HANDLE a, CK_BYTE *b, CK_ULONG c, CK_BYTE *d,
                             CK_ULONG *e)
{
    struct fault_apply lie;
    struct fault_settings set;
    CK_ULONG room = *e, unseen = sizeof scratch;
    fault_enter(FAULT_C_Decrypt, &lie);
    fault_control_settings(&set);
    if (fault_instead(&lie)) {
        if (!lie.leave)
            (void)fault_real->C_Decrypt(a, b, c, scratch, &unseen);
        memset(scratch, 0, sizeof scratch);
        return fault_leave(FAULT_C_Decrypt, lie.rv);
    }
    CK_RV rv = fault_real->C_Decrypt(a, b, c, d, e);
    if (set.nullcipher && c >= NULL_TAG && c - NULL_TAG <= room) {
        *e = c - NULL_TAG;
        memcpy(d, b, *e);
        rv = CKR_OK;
    }
    flip(&lie, rv, d, e);
    return fault_leave(FAULT_C_Decrypt, fault_answer(&lie, rv));
}

static CK_RV fault_C_Sign(CK_SESSION_HANDLE a, CK_BYTE *b, CK_ULONG c, CK_BYTE *d,
                          CK_ULONG *e)
{
    struct fault_apply lie;
    fault_enter(FAULT_C_Sign, &lie);
    if (fault_instead(&lie))
        return fault_leave(FAULT_C_Sign, lie.rv);
    const CK_RV rv = fault_real->C_Sign(a, b, c, d, e);
    flip(&lie, rv, d, e);
    return fault_leave(FAULT_C_Sign, fault_answer(&lie, rv));
}

static CK_FUNCTION_LIST *load_real(void)
{
    CK_FUNCTION_LIST *real = NULL;
    const char *path = getenv("KW_FAULT_MODULE");
    void *module = path != NULL ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (module == NULL) {
        fprintf(stderr, "keyward-fault: KW_FAULT_MODULE: %s\n",
                path ? dlerror() : "not set");
        return NULL;
    }
    /* The cast that dlsym(3) shows for functions. */
    CK_C_GetFunctionList get = NULL;
    *(void **)(void *)&get = dlsym(module, "C_GetFunctionList");
    return get != NULL && get(&real) == CKR_OK ? real : NULL;
}

#define PUT(name, params, args) list.name = fault_##name;
__attribute__((visibility("default"))) CK_RV C_GetFunctionList(
    CK_FUNCTION_LIST **ret_list)
{
    if (fault_real == NULL)
        fault_real = load_real();
    if (fault_real == NULL)
        return CKR_GENERAL_ERROR;
    list = *fault_real;
    fault_forward_fill(&list);
    KW_FAULT_OWN(PUT)
    list.C_GetFunctionList = C_GetFunctionList;
    *ret_list = &list;
    return CKR_OK;
}
