/* SPDX-License-Identifier: Apache-2.0 */
/* forward - the functions that only have the lies every function has */
#include "liar.h"

#define DEFINE(name, params, args)                                                       \
    static CK_RV liar_##name params                                                      \
    {                                                                                    \
        struct liar_lie lie;                                                             \
        liar_enter(LIAR_##name, &lie);                                                   \
        if (liar_instead(&lie))                                                          \
            return liar_leave(LIAR_##name, lie.rv);                                      \
        CK_RV rv = liar_real->name args;                                                 \
        return liar_leave(LIAR_##name, liar_answer(&lie, rv));                           \
    }
KW_LIAR_PLAIN(DEFINE)

#define PUT(name, params, args) list->name = liar_##name;
void liar_forward_fill(CK_FUNCTION_LIST *list)
{
    KW_LIAR_PLAIN(PUT)
}
