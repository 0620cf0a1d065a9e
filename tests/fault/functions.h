/* SPDX-License-Identifier: Apache-2.0 */
/* functions - every PKCS#11 function the fault module stands before: name, parameters,
 * arguments
 *
 *   FN(name, parameters, arguments)
 *
 * What is not in the list is forwarded unseen.  Functions with a lie of their own (fake
 * flags, IV regimes, objects) have their body in fault.c or objects.c and are in
 * KW_FAULT_OWN. */
#ifndef KEYWARD_TESTS_FUNCTIONS_H
#define KEYWARD_TESTS_FUNCTIONS_H

#define KW_FAULT_PLAIN(FN)                                                               \
    FN(C_Initialize, (void *a), (a))                                                     \
    FN(C_Finalize, (void *a), (a))                                                       \
    FN(C_GetSlotInfo, (CK_SLOT_ID a, CK_SLOT_INFO * b), (a, b))                          \
    FN(C_OpenSession,                                                                    \
       (CK_SLOT_ID a, CK_FLAGS b, void *c, CK_NOTIFY d, CK_SESSION_HANDLE *e),           \
       (a, b, c, d, e))                                                                  \
    FN(C_CloseSession, (CK_SESSION_HANDLE a), (a))                                       \
    FN(C_CloseAllSessions, (CK_SLOT_ID a), (a))                                          \
    FN(C_GetSessionInfo, (CK_SESSION_HANDLE a, CK_SESSION_INFO * b), (a, b))             \
    FN(C_Login, (CK_SESSION_HANDLE a, CK_USER_TYPE b, CK_BYTE * c, CK_ULONG d),          \
       (a, b, c, d))                                                                     \
    FN(C_Logout, (CK_SESSION_HANDLE a), (a))                                             \
    FN(C_DestroyObject, (CK_SESSION_HANDLE a, CK_OBJECT_HANDLE b), (a, b))               \
    FN(C_FindObjectsFinal, (CK_SESSION_HANDLE a), (a))                                   \
    FN(C_CopyObject,                                                                     \
       (CK_SESSION_HANDLE a, CK_OBJECT_HANDLE b, CK_ATTRIBUTE * c, CK_ULONG d,           \
        CK_OBJECT_HANDLE * e),                                                           \
       (a, b, c, d, e))                                                                  \
    FN(C_SignInit, (CK_SESSION_HANDLE a, CK_MECHANISM * b, CK_OBJECT_HANDLE c),          \
       (a, b, c))                                                                        \
    FN(C_GenerateRandom, (CK_SESSION_HANDLE a, CK_BYTE * b, CK_ULONG c), (a, b, c))

#define KW_FAULT_OWN(FN)                                                                 \
    FN(C_Sign,                                                                           \
       (CK_SESSION_HANDLE a, CK_BYTE * b, CK_ULONG c, CK_BYTE * d, CK_ULONG * e),        \
       (a, b, c, d, e))                                                                  \
    FN(C_GetInfo, (CK_INFO * a), (a))                                                    \
    FN(C_GetSlotList, (CK_BBOOL a, CK_SLOT_ID * b, CK_ULONG * c), (a, b, c))             \
    FN(C_GetTokenInfo, (CK_SLOT_ID a, CK_TOKEN_INFO * b), (a, b))                        \
    FN(C_GetMechanismInfo, (CK_SLOT_ID a, CK_MECHANISM_TYPE b, CK_MECHANISM_INFO * c),   \
       (a, b, c))                                                                        \
    FN(C_FindObjectsInit, (CK_SESSION_HANDLE a, CK_ATTRIBUTE * b, CK_ULONG c),           \
       (a, b, c))                                                                        \
    FN(C_FindObjects,                                                                    \
       (CK_SESSION_HANDLE a, CK_OBJECT_HANDLE * b, CK_ULONG c, CK_ULONG * d),            \
       (a, b, c, d))                                                                     \
    FN(C_GetAttributeValue,                                                              \
       (CK_SESSION_HANDLE a, CK_OBJECT_HANDLE b, CK_ATTRIBUTE * c, CK_ULONG d),          \
       (a, b, c, d))                                                                     \
    FN(C_GenerateKey,                                                                    \
       (CK_SESSION_HANDLE a, CK_MECHANISM * b, CK_ATTRIBUTE * c, CK_ULONG d,             \
        CK_OBJECT_HANDLE * e),                                                           \
       (a, b, c, d, e))                                                                  \
    FN(C_GenerateKeyPair,                                                                \
       (CK_SESSION_HANDLE a, CK_MECHANISM * b, CK_ATTRIBUTE * c, CK_ULONG d,             \
        CK_ATTRIBUTE * e, CK_ULONG f, CK_OBJECT_HANDLE * g, CK_OBJECT_HANDLE * h),       \
       (a, b, c, d, e, f, g, h))                                                         \
    FN(C_EncryptInit, (CK_SESSION_HANDLE a, CK_MECHANISM * b, CK_OBJECT_HANDLE c),       \
       (a, b, c))                                                                        \
    FN(C_Encrypt,                                                                        \
       (CK_SESSION_HANDLE a, CK_BYTE * b, CK_ULONG c, CK_BYTE * d, CK_ULONG * e),        \
       (a, b, c, d, e))                                                                  \
    FN(C_DecryptInit, (CK_SESSION_HANDLE a, CK_MECHANISM * b, CK_OBJECT_HANDLE c),       \
       (a, b, c))                                                                        \
    FN(C_Decrypt,                                                                        \
       (CK_SESSION_HANDLE a, CK_BYTE * b, CK_ULONG c, CK_BYTE * d, CK_ULONG * e),        \
       (a, b, c, d, e))

#endif
