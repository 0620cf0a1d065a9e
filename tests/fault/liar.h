/* SPDX-License-Identifier: Apache-2.0 */
/* liar - a PKCS#11 module that forwards to a real one and lies when told to
 *
 * Environment: KW_LIAR_MODULE   path of the real module (SoftHSM)
 *              KW_LIAR_CONTROL  path of the control file; none: always honest
 *              KW_LIAR_LOG      path of the call log; none: no log
 *
 * Control file, read again whenever its inode, size or mtime changes; "#" begins a
 * comment.  A rule of a function, all words optional:
 *
 *   C_Func [rv=0x30] [delay=MS|delay=Nus] [hang] [crash] [flip] [leave] [after] [skip=N]
 * [count=N]
 *
 *     rv     answer this instead of calling the real function
 *     after  do call it, then answer rv: the operation happened, the reply was lost
 *     leave  with rv on C_Encrypt or C_Decrypt: the operation stays active (without it,
 *            it is ended unseen)
 *     flip   change one bit of the output
 *     delay  wait first: milliseconds, or with "us" behind it microseconds
 *     hang   wait until the control file changes, then do as it says
 *     crash  abort(3)
 *     skip   be honest for the first N calls;  count: lie in the next N only
 *
 * Settings of the whole module:
 *
 *   ivmode=1  wants a zero IV, makes its own and writes it back
 *   ivmode=2  ignores the IV, makes its own of 16 bytes and appends it to the output
 *   ivmode=3  ignores the IV, makes its own and writes it back
 *   ivmode=4  ignores the IV and uses a fixed one, without telling
 *   pinflags=count-low,final-try,locked
 *   nomech=0x1087       this mechanism does not exist           (several lines: several)
 *   noattr=0x40000600   C_GenerateKey refuses this attribute    (")
 *   noread=0x163        C_GetAttributeValue does not know it    (")
 *   fake=0x162:1        C_GetAttributeValue answers this bool   (")
 *   fakefor=LABEL       and only for objects with this CKA_LABEL
 *   nofind              C_FindObjects finds nothing
 *   twin=LABEL:OTHER    a search for LABEL finds the objects of OTHER too
 *   swap=LABEL:OTHER    a search for LABEL finds the objects of OTHER instead
 *   deadkey=LABEL       C_EncryptInit and C_DecryptInit with an object of this CKA_LABEL
 *                       answer CKR_DEVICE_ERROR
 *   only=PID            fake, nofind, twin and swap are for this process alone: the
 * library of another one still shows what was there before emptyslots          no slots
 *   othermaker          C_GetInfo names another maker and library, C_GetTokenInfo
 *                       another maker and model
 *
 * Call log, appended: "> C_Func pid=1" at entry, "< C_Func rv=0x00000000 pid=1" at exit.
 * Names, codes and pids; never data.
 */
#ifndef KEYWARD_TESTS_LIAR_H
#define KEYWARD_TESTS_LIAR_H

#include <stdbool.h>

#include <p11-kit/pkcs11.h>

#include "functions.h"

#define ID_OF(name, params, args) LIAR_##name,
enum liar_fn { KW_LIAR_PLAIN(ID_OF) KW_LIAR_OWN(ID_OF) LIAR_COUNT };
#undef ID_OF

extern const char *const liar_names[LIAR_COUNT];
extern CK_FUNCTION_LIST *liar_real;

/* What a call shall do. */
struct liar_lie {
    bool has_rv, after, leave, flip;
    CK_RV rv;
};

enum { LIAR_LIST = 8, LIAR_LABEL = 64 };
struct liar_list {
    unsigned count;
    CK_ULONG type[LIAR_LIST], value[LIAR_LIST];
};
struct liar_pair {
    char label[LIAR_LABEL], other[LIAR_LABEL]; /* "" = none */
};
struct liar_settings {
    unsigned ivmode;
    CK_FLAGS pinflags;
    bool emptyslots, othermaker, nofind;
    char fakefor[LIAR_LABEL]; /* "" = all */
    char deadkey[LIAR_LABEL]; /* "" = none */
    struct liar_pair twin, swap;
    struct liar_list nomech, noattr, noread, fake;
};

/* calls.c: entry reads the control file, waits, hangs or crashes, and logs. */
void liar_enter(enum liar_fn fn, struct liar_lie *ret_lie);
CK_RV liar_leave(enum liar_fn fn, CK_RV rv);
/* The real function shall not be called: the answer is lie->rv. */
static inline bool liar_instead(const struct liar_lie *lie)
{
    return lie->has_rv && !lie->after;
}
static inline CK_RV liar_answer(const struct liar_lie *lie, CK_RV rv)
{
    return lie->has_rv ? lie->rv : rv;
}

/* control.c.  Thread-safe. */
void liar_control_refresh(void);
/* Takes the rule that applies to this call and counts it. */
struct liar_order {
    struct liar_lie lie;
    unsigned long delay_us;
    bool hang, crash;
};
void liar_control_order(enum liar_fn fn, struct liar_order *ret_order);
void liar_control_settings(struct liar_settings *ret_settings);
/* Waits until the control file is another one. */
void liar_control_wait_change(void);
bool liar_list_has(const struct liar_list *list, CK_ULONG type, CK_ULONG *ret_value);

/* objects.c */
bool liar_is_labelled(const char *label, CK_SESSION_HANDLE session,
                      CK_OBJECT_HANDLE object);
CK_RV liar_C_FindObjectsInit(CK_SESSION_HANDLE a, CK_ATTRIBUTE *b, CK_ULONG c);
CK_RV liar_C_FindObjects(CK_SESSION_HANDLE a, CK_OBJECT_HANDLE *b, CK_ULONG c,
                         CK_ULONG *d);

/* forward.c: the plain functions, put into a list. */
void liar_forward_fill(CK_FUNCTION_LIST *list);

#endif
