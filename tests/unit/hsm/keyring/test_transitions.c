/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "transitions.h"

enum { STATES = KW_KEY_DESTROYED + 1, NO = -1 };

/* The state after each act, by the state before: created, accepted, active, retired,
 * disabled (from accepted), destroyed. */
static const int after[KW_ACT_COUNT][STATES] = {
    [KW_ACT_ACCEPT] = {KW_KEY_ACCEPTED, NO, NO, NO, NO, NO},
    [KW_ACT_ACTIVATE] = {NO, KW_KEY_ACTIVE, KW_KEY_ACTIVE, NO, NO, NO},
    [KW_ACT_RETIRE] = {NO, KW_KEY_RETIRED, NO, NO, NO, NO},
    [KW_ACT_DISABLE] = {KW_KEY_DISABLED, KW_KEY_DISABLED, NO, KW_KEY_DISABLED, NO, NO},
    [KW_ACT_ENABLE] = {NO, NO, NO, NO, KW_KEY_ACCEPTED, NO},
    [KW_ACT_DESTROY] = {KW_KEY_DESTROYED, NO, NO, NO, KW_KEY_DESTROYED, NO},
};

static void every_act_on_every_state__as_the_table_says(void **state)
{
    (void)state;
    for (int act = 0; act < KW_ACT_COUNT; act++)
        for (int from = 0; from < STATES; from++) {
            enum kw_key_state to = KW_KEY_DESTROYED;
            const char *why =
                kw_transition((enum kw_act)act, (enum kw_key_state)from, "accepted", &to);
            if ((why != NULL) != (after[act][from] == NO) ||
                (why == NULL && (int)to != after[act][from]))
                fail_msg("%s of %s: %s", kw_act_name((enum kw_act)act),
                         kw_key_state_name((enum kw_key_state)from),
                         why != NULL ? why : kw_key_state_name(to));
        }
}

static void refused__the_state_is_untouched_and_the_reason_says_what_to_do(void **state)
{
    enum kw_key_state to = KW_KEY_RETIRED;
    (void)state;
    CHECK_HAS(kw_transition(KW_ACT_ACTIVATE, KW_KEY_CREATED, "", &to), "key accept");
    CHECK_HAS(kw_transition(KW_ACT_ACTIVATE, KW_KEY_RETIRED, "", &to), "key create");
    CHECK_HAS(kw_transition(KW_ACT_RETIRE, KW_KEY_ACTIVE, "", &to), "--baseline");
    CHECK(to == KW_KEY_RETIRED);
}

static void enable__back_to_where_it_was(void **state)
{
    enum kw_key_state to = KW_KEY_DESTROYED;
    (void)state;
    CHECK(kw_transition(KW_ACT_ENABLE, KW_KEY_DISABLED, "retired", &to) == NULL);
    CHECK(to == KW_KEY_RETIRED);
}

static void enable_without_a_former_state__refused(void **state)
{
    enum kw_key_state to = KW_KEY_DESTROYED;
    (void)state;
    CHECK(kw_transition(KW_ACT_ENABLE, KW_KEY_DISABLED, "", &to) != NULL);
    CHECK(to == KW_KEY_DESTROYED);
}

KW_CASES("provider/cli/transitions", CASE(every_act_on_every_state__as_the_table_says),
         CASE(refused__the_state_is_untouched_and_the_reason_says_what_to_do),
         CASE(enable__back_to_where_it_was), CASE(enable_without_a_former_state__refused))
