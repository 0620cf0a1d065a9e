/* SPDX-License-Identifier: Apache-2.0 */
/* transitions - the table of acts and states: every pair has an answer, the new state or
 * the reason why not */
#include <keyward/act.h>

#include <stddef.h>

enum { STATES = KW_KEY_UNKNOWN + 1 };

/* A reason, or NULL and the state that follows. */
struct answer {
    const char *refusal;
    enum kw_key_state to;
};
#define TO(s)                                                                            \
    {                                                                                    \
        NULL, KW_KEY_##s                                                                 \
    }
#define NO(why)                                                                          \
    {                                                                                    \
        why, KW_KEY_CREATED                                                              \
    }

#define GONE NO("it is destroyed, for good")
#define NEWER                                                                            \
    NO("a newer keyward made it, and this program does not understand it; use that "     \
       "one")
#define ENABLE_FIRST NO("it is disabled; enable it first (keyward key enable)")
/* No word of destroying to somebody who did not ask for it. */
#define IN_USE NO("it is in use; this is for versions that are destroyed")
#define NOT_DESTROYED NO("it is not destroyed; this is for versions that are")
#define NO_WAY_BACK                                                                      \
    NO("it is retired, and a key_id never comes back into use; make a new version "      \
       "(keyward key create)")

static const struct answer table[KW_ACT_COUNT][STATES] = {
    [KW_ACT_ACCEPT] =
        {
            [KW_KEY_CREATED] = TO(ACCEPTED),
            [KW_KEY_ACCEPTED] = NO("it is accepted already"),
            [KW_KEY_ACTIVE] = NO("it is active, which is more than accepted"),
            [KW_KEY_RETIRED] = NO_WAY_BACK,
            [KW_KEY_DISABLED] = ENABLE_FIRST,
            [KW_KEY_DESTROYED] = GONE,
            [KW_KEY_UNKNOWN] = NEWER,
        },
    [KW_ACT_ACTIVATE] =
        {
            [KW_KEY_CREATED] =
                NO("it is not accepted yet; accept it, hand the keyring to "
                   "every node and reload them first (keyward key accept)"),
            [KW_KEY_ACCEPTED] = TO(ACTIVE),
            [KW_KEY_ACTIVE] = TO(ACTIVE),
            [KW_KEY_RETIRED] = NO_WAY_BACK,
            [KW_KEY_DISABLED] = ENABLE_FIRST,
            [KW_KEY_DESTROYED] = GONE,
            [KW_KEY_UNKNOWN] = NEWER,
        },
    [KW_ACT_RETIRE] =
        {
            [KW_KEY_CREATED] = NO("it was never accepted, so nothing is sealed under it; "
                                  "disable it instead (keyward key disable)"),
            [KW_KEY_ACCEPTED] = TO(RETIRED),
            [KW_KEY_ACTIVE] = NO("it is the active one; activate another version with "
                                 "--baseline, which retires this one"),
            [KW_KEY_RETIRED] = NO("it is retired already"),
            [KW_KEY_DISABLED] = ENABLE_FIRST,
            [KW_KEY_DESTROYED] = GONE,
            [KW_KEY_UNKNOWN] = NEWER,
        },
    [KW_ACT_DISABLE] =
        {
            [KW_KEY_CREATED] = TO(DISABLED),
            [KW_KEY_ACCEPTED] = TO(DISABLED),
            [KW_KEY_ACTIVE] = NO("it is the active one; activate another version with "
                                 "--baseline first"),
            [KW_KEY_RETIRED] = TO(DISABLED),
            [KW_KEY_DISABLED] = NO("it is disabled already"),
            [KW_KEY_DESTROYED] = GONE,
            [KW_KEY_UNKNOWN] = NEWER,
        },
    [KW_ACT_ENABLE] =
        {
            [KW_KEY_CREATED] = NO("it is not disabled"),
            [KW_KEY_ACCEPTED] = NO("it is not disabled"),
            [KW_KEY_ACTIVE] = NO("it is not disabled"),
            [KW_KEY_RETIRED] = NO("it is not disabled"),
            [KW_KEY_DISABLED] = TO(DISABLED), /* kw_transition knows where to */
            [KW_KEY_DESTROYED] = GONE,
            [KW_KEY_UNKNOWN] = NEWER,
        },
    [KW_ACT_DESTROY] =
        {
            [KW_KEY_CREATED] = TO(DESTROYED),
            [KW_KEY_ACCEPTED] =
                NO("it is accepted, so data may be sealed under it; retire "
                   "and disable it first"),
            [KW_KEY_ACTIVE] = NO("it is the active one"),
            [KW_KEY_RETIRED] = NO("disable it first and watch for Decrypts that miss it: "
                                  "disabled is reversible, destroyed is not "
                                  "(keyward key disable)"),
            [KW_KEY_DISABLED] = TO(DESTROYED),
            [KW_KEY_DESTROYED] = NO("it is destroyed already"),
            [KW_KEY_UNKNOWN] = NEWER,
        },
    [KW_ACT_PRUNE] =
        {
            [KW_KEY_CREATED] = NOT_DESTROYED,
            [KW_KEY_ACCEPTED] = IN_USE,
            [KW_KEY_ACTIVE] = IN_USE,
            [KW_KEY_RETIRED] = IN_USE,
            [KW_KEY_DISABLED] = NOT_DESTROYED,
            [KW_KEY_DESTROYED] = TO(DESTROYED),
            [KW_KEY_UNKNOWN] = NEWER,
        },
    [KW_ACT_PROVE] =
        {
            [KW_KEY_CREATED] = TO(CREATED),
            [KW_KEY_ACCEPTED] = TO(ACCEPTED),
            [KW_KEY_ACTIVE] = TO(ACTIVE),
            [KW_KEY_RETIRED] = TO(RETIRED),
            [KW_KEY_DISABLED] = ENABLE_FIRST,
            [KW_KEY_DESTROYED] = GONE,
            [KW_KEY_UNKNOWN] = NEWER,
        },
    [KW_ACT_GONE] =
        {
            [KW_KEY_CREATED] = NOT_DESTROYED,
            [KW_KEY_ACCEPTED] = IN_USE,
            [KW_KEY_ACTIVE] = IN_USE,
            [KW_KEY_RETIRED] = IN_USE,
            [KW_KEY_DISABLED] = NOT_DESTROYED,
            [KW_KEY_DESTROYED] = TO(DESTROYED),
            [KW_KEY_UNKNOWN] = NEWER,
        },
};

const char *kw_act_name(enum kw_act act)
{
    static const char *const names[KW_ACT_COUNT] = {
        [KW_ACT_CREATE] = "create", [KW_ACT_ADOPT] = "adopt",
        [KW_ACT_ACCEPT] = "accept", [KW_ACT_ACTIVATE] = "activate",
        [KW_ACT_RETIRE] = "retire", [KW_ACT_DISABLE] = "disable",
        [KW_ACT_ENABLE] = "enable", [KW_ACT_DESTROY] = "destroy",
        [KW_ACT_PRUNE] = "prune",   [KW_ACT_PROVE] = "prove",
        [KW_ACT_GONE] = "gone",
    };
    return (unsigned)act < KW_ACT_COUNT ? names[act] : "?";
}

const char *kw_transition(enum kw_act act, enum kw_key_state from,
                          const char *disabled_from, enum kw_key_state *ret_to)
{
    KW_INVARIANT(act >= KW_ACT_ACCEPT && act < KW_ACT_COUNT && (unsigned)from < STATES);
    struct answer a = table[act][from];
    if (a.refusal != NULL)
        return a.refusal;
    if (act == KW_ACT_ENABLE && !kw_key_state_from_name(disabled_from, &a.to))
        return "the keyring does not say which state it was disabled from";
    *ret_to = a.to;
    return NULL;
}
