/* SPDX-License-Identifier: Apache-2.0 */
/* transitions - what an act of the operator does to the state of a KEK version
 *
 * A pure table: every act and every state has an answer, a new state or the reason why
 * not and what to do instead.
 */
#ifndef KEYWARD_CLI_TRANSITIONS_H
#define KEYWARD_CLI_TRANSITIONS_H

#include <keyward/keyring.h>

enum kw_act {
    KW_ACT_ACCEPT,
    KW_ACT_ACTIVATE, /* become the baseline */
    KW_ACT_RETIRE,
    KW_ACT_DISABLE,
    KW_ACT_ENABLE, /* back to the state it was disabled from */
    KW_ACT_DESTROY,
    KW_ACT_COUNT,
};
const char *kw_act_name(enum kw_act act);

/* NULL when `act` is allowed: *ret_to is the state after it.  Else why not.  For ENABLE
 * `disabled_from` says where to go back to; other acts do not look at it. */
const char *kw_transition(enum kw_act act, enum kw_key_state from,
                          const char *disabled_from, enum kw_key_state *ret_to);

#endif
