/* SPDX-License-Identifier: Apache-2.0 */
/* objects - lies about which objects there are, and whom a lie is about */
#include "fault.h"

#include <stdio.h>
#include <string.h>

enum { EXTRA = 4 };

/* Of the search under way: objects to be found besides the real ones. */
static struct {
    CK_OBJECT_HANDLE handles[EXTRA];
    CK_ULONG count;
} extra;

bool fault_is_labelled(const char *label, CK_SESSION_HANDLE session,
                       CK_OBJECT_HANDLE object)
{
    char got[FAULT_LABEL] = "";
    CK_ATTRIBUTE asked = {CKA_LABEL, got, sizeof got - 1};
    return fault_real->C_GetAttributeValue(session, object, &asked, 1) == CKR_OK &&
           asked.ulValueLen == strlen(label) && strcmp(got, label) == 0;
}

/* The label that this search is for is the pair's first. */
static bool is_for(const struct fault_pair *pair, const CK_ATTRIBUTE *template,
                   CK_ULONG n)
{
    size_t len = strlen(pair->label);
    for (CK_ULONG i = 0; len > 0 && i < n; i++)
        if (template[i].type == CKA_LABEL && template[i].ulValueLen == len &&
            memcmp(template[i].pValue, pair->label, len) == 0)
            return true;
    return false;
}

static CK_RV begin_for(CK_SESSION_HANDLE session, const char *label)
{
    char copy[FAULT_LABEL];
    snprintf(copy, sizeof copy, "%s", label);
    CK_ATTRIBUTE wanted = {CKA_LABEL, copy, strlen(copy)};
    return fault_real->C_FindObjectsInit(session, &wanted, 1);
}

static CK_RV find_extra(CK_SESSION_HANDLE session, const char *label)
{
    CK_RV rv = begin_for(session, label);
    if (rv == CKR_OK)
        rv = fault_real->C_FindObjects(session, extra.handles, EXTRA, &extra.count);
    if (rv == CKR_OK)
        rv = fault_real->C_FindObjectsFinal(session);
    return rv;
}

static CK_RV begin_search(const struct fault_settings *set, CK_SESSION_HANDLE session,
                          CK_ATTRIBUTE *template, CK_ULONG n)
{
    extra.count = 0;
    if (is_for(&set->swap, template, n))
        return begin_for(session, set->swap.other);
    CK_RV rv =
        is_for(&set->twin, template, n) ? find_extra(session, set->twin.other) : CKR_OK;
    return rv == CKR_OK ? fault_real->C_FindObjectsInit(session, template, n) : rv;
}

CK_RV fault_C_FindObjectsInit(CK_SESSION_HANDLE a, CK_ATTRIBUTE *b, CK_ULONG c)
{
    struct fault_apply lie;
    struct fault_settings set;
    fault_enter(FAULT_C_FindObjectsInit, &lie);
    fault_control_settings(&set);
    if (fault_instead(&lie))
        return fault_leave(FAULT_C_FindObjectsInit, lie.rv);
    CK_RV rv = begin_search(&set, a, b, c);
    return fault_leave(FAULT_C_FindObjectsInit, fault_answer(&lie, rv));
}

CK_RV fault_C_FindObjects(CK_SESSION_HANDLE a, CK_OBJECT_HANDLE *b, CK_ULONG c,
                          CK_ULONG *d)
{
    struct fault_apply lie;
    struct fault_settings set;
    fault_enter(FAULT_C_FindObjects, &lie);
    fault_control_settings(&set);
    if (fault_instead(&lie))
        return fault_leave(FAULT_C_FindObjects, lie.rv);
    CK_RV rv = fault_real->C_FindObjects(a, b, c, d);
    if (rv == CKR_OK && set.nofind)
        *d = 0;
    while (rv == CKR_OK && !set.nofind && *d < c && extra.count > 0)
        b[(*d)++] = extra.handles[--extra.count];
    return fault_leave(FAULT_C_FindObjects, fault_answer(&lie, rv));
}
