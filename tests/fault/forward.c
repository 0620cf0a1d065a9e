/* SPDX-License-Identifier: Apache-2.0 */
/* forward - the functions that only have the lies every function has */
#include "fault.h"

#define DEFINE(name, params, args)                                                       \
    static CK_RV fault_##name params                                                     \
    {                                                                                    \
        struct fault_apply lie;                                                          \
        fault_enter(FAULT_##name, &lie);                                                 \
        if (fault_instead(&lie))                                                         \
            return fault_leave(FAULT_##name, lie.rv);                                    \
        CK_RV rv = fault_real->name args;                                                \
        return fault_leave(FAULT_##name, fault_answer(&lie, rv));                        \
    }
KW_FAULT_PLAIN(DEFINE)

#define PUT(name, params, args) list->name = fault_##name;
void fault_forward_fill(CK_FUNCTION_LIST *list)
{
    KW_FAULT_PLAIN(PUT)
}
