/* SPDX-License-Identifier: Apache-2.0 */
/* The table of acts and states. */
#include "check.h"

#include <keyward/act.h>

enum { STATES = KW_KEY_UNKNOWN + 1, NO = -1 };

/* The state after each act, by the state before: created, accepted, active, retired,
 * disabled (from accepted), destroyed, unknown. */
static const int after[KW_ACT_COUNT][STATES] = {
    [KW_ACT_ACCEPT] = {KW_KEY_ACCEPTED, NO, NO, NO, NO, NO, NO},
    [KW_ACT_ACTIVATE] = {NO, KW_KEY_ACTIVE, KW_KEY_ACTIVE, NO, NO, NO, NO},
    [KW_ACT_RETIRE] = {NO, KW_KEY_RETIRED, NO, NO, NO, NO, NO},
    [KW_ACT_DISABLE] = {KW_KEY_DISABLED, KW_KEY_DISABLED, NO, KW_KEY_DISABLED, NO, NO,
                        NO},
    [KW_ACT_ENABLE] = {NO, NO, NO, NO, KW_KEY_ACCEPTED, NO, NO},
    [KW_ACT_DESTROY] = {KW_KEY_DESTROYED, NO, NO, NO, KW_KEY_DESTROYED, NO, NO},
    [KW_ACT_PRUNE] = {NO, NO, NO, NO, NO, KW_KEY_DESTROYED, NO},
    [KW_ACT_PROVE] = {KW_KEY_CREATED, KW_KEY_ACCEPTED, KW_KEY_ACTIVE, KW_KEY_RETIRED, NO,
                      NO, NO},
    [KW_ACT_GONE] = {NO, NO, NO, NO, NO, KW_KEY_DESTROYED, NO},
};

TEST(every_act_on_every_state__as_the_table_says)
{
    for (int act = KW_ACT_ACCEPT; act < KW_ACT_COUNT; act++)
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

TEST(refused__the_state_is_untouched_and_the_reason_says_what_to_do)
{
    enum kw_key_state to = KW_KEY_RETIRED;
    CHECK_HAS(kw_transition(KW_ACT_ACTIVATE, KW_KEY_CREATED, "", &to), "key accept");
    CHECK_HAS(kw_transition(KW_ACT_ACTIVATE, KW_KEY_RETIRED, "", &to), "key create");
    CHECK_HAS(kw_transition(KW_ACT_RETIRE, KW_KEY_ACTIVE, "", &to), "--baseline");
    CHECK_HAS(kw_transition(KW_ACT_ENABLE, KW_KEY_UNKNOWN, "", &to), "newer keyward");
    CHECK_HAS(kw_transition(KW_ACT_PRUNE, KW_KEY_DISABLED, "", &to), "not destroyed");
    CHECK(to == KW_KEY_RETIRED);
}

/* A mistyped number must not come to the way to lose a KEK. */
TEST(prune_or_gone__of_one_in_use__no_advice_to_destroy_it)
{
    static const enum kw_key_state in_use[] = {
        KW_KEY_CREATED, KW_KEY_ACCEPTED, KW_KEY_ACTIVE, KW_KEY_RETIRED, KW_KEY_DISABLED};
    enum kw_key_state to;
    for (size_t i = 0; i < sizeof in_use / sizeof in_use[0]; i++) {
        CHECK(strstr(kw_transition(KW_ACT_PRUNE, in_use[i], "", &to), "key destroy") ==
              NULL);
        CHECK(strstr(kw_transition(KW_ACT_GONE, in_use[i], "", &to), "key destroy") ==
              NULL);
    }
}

TEST(enable__back_to_where_it_was)
{
    enum kw_key_state to = KW_KEY_DESTROYED;
    CHECK(kw_transition(KW_ACT_ENABLE, KW_KEY_DISABLED, "retired", &to) == NULL);
    CHECK(to == KW_KEY_RETIRED);
}

TEST(enable_without_a_former_state__refused)
{
    enum kw_key_state to = KW_KEY_DESTROYED;
    CHECK(kw_transition(KW_ACT_ENABLE, KW_KEY_DISABLED, "", &to) != NULL);
    CHECK(to == KW_KEY_DESTROYED);
}

TEST(names__each_act__its_word_in_the_history)
{
    static const char *const words[KW_ACT_COUNT] = {
        "create", "adopt",   "accept", "activate", "retire", "disable",
        "enable", "destroy", "prune",  "prove",    "gone"};
    for (int act = 0; act < KW_ACT_COUNT; act++)
        CHECK_STR(kw_act_name((enum kw_act)act), words[act]);
    CHECK_STR(kw_act_name(KW_ACT_COUNT), "?");
}

KW_CASES("hsm/keyring/transitions", CASE(every_act_on_every_state__as_the_table_says),
         CASE(refused__the_state_is_untouched_and_the_reason_says_what_to_do),
         CASE(prune_or_gone__of_one_in_use__no_advice_to_destroy_it),
         CASE(enable__back_to_where_it_was), CASE(enable_without_a_former_state__refused),
         CASE(names__each_act__its_word_in_the_history))
