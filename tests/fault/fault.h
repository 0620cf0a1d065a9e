/* SPDX-License-Identifier: Apache-2.0 */
/* fault - a PKCS#11 module that forwards to a real one and lies when told to
 *
 * Environment: KW_FAULT_MODULE   path of the real module (SoftHSM)
 *              KW_FAULT_CONTROL  path of the control file; none: always honest
 *              KW_FAULT_LOG      path of the call log; none: no log
 *
 * Control file, read again whenever its inode, size or mtime changes; "#" begins a
 * comment.  A rule of a function, all words optional:
 *
 *   C_Func [rv=0x30] [delay=MS|delay=Nus] [hang] [crash] [flip] [leave] [after]
 *          [helper] [daemon] [leak=MIB] [skip=N] [count=N]
 *
 *     rv     answer this instead of calling the real function
 *     after  do call it, then answer rv: the operation happened, the reply was lost
 *     leave  with rv on C_Encrypt or C_Decrypt: the operation stays active (without it,
 *            it is ended unseen)
 *     flip   change one bit of the output
 *     delay  wait first: milliseconds, or with "us" behind it microseconds
 *     hang   wait until the control file changes, then do as it says
 *     crash  abort(3)
 *     leak   so much memory, and use it
 *     helper start a process that sleeps for ever; daemon: and one in a session of its own.
 *            The log has "+ helper pid=N" or "+ daemon pid=N"
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
 *   noattr=0x40000600   C_GenerateKey and C_GenerateKeyPair refuse this attribute
 *                       (of the private half; several lines: several)
 *   noread=0x163        C_GetAttributeValue does not know it    (")
 *   fake=0x162:1        C_GetAttributeValue answers this bool   (")
 *   fakefor=LABEL       and only for objects with this CKA_LABEL
 *   nofind              C_FindObjects finds nothing
 *   twin=LABEL:OTHER    a search for LABEL finds the objects of OTHER too
 *   swap=LABEL:OTHER    a search for LABEL finds the objects of OTHER instead
 *   deadkey=LABEL       C_EncryptInit and C_DecryptInit with an object of this CKA_LABEL
 *                       answer CKR_DEVICE_ERROR
 *   only=PID            fake, nofind, twin and swap are for this process alone: the
 *                       library of another one still shows what was there before
 *   emptyslots          no slots
 *   nullcipher          C_Encrypt puts out what it was given, with a tag, and C_Decrypt too
 *   othermaker          C_GetInfo names another maker and library, C_GetTokenInfo
 *                       another maker and model
 *
 * Call log, appended: "> C_Func pid=1" at entry, "< C_Func rv=0x00000000 pid=1" at exit.
 * Names, codes and pids; never data.
 */
#ifndef KEYWARD_TESTS_FAULT_H
#define KEYWARD_TESTS_FAULT_H

#include <stdbool.h>

#include <p11-kit/pkcs11.h>

#include "functions.h"

#define ID_OF(name, params, args) FAULT_##name,
enum fault_fn { KW_FAULT_PLAIN(ID_OF) KW_FAULT_OWN(ID_OF) FAULT_COUNT };
#undef ID_OF

extern const char *const fault_names[FAULT_COUNT];
extern CK_FUNCTION_LIST *fault_real;

/* What a call shall do. */
struct fault_apply {
    bool has_rv, after, leave, flip;
    CK_RV rv;
};

enum { FAULT_LIST = 8, FAULT_LABEL = 64 };
struct fault_list {
    unsigned count;
    CK_ULONG type[FAULT_LIST], value[FAULT_LIST];
};
struct fault_pair {
    char label[FAULT_LABEL], other[FAULT_LABEL]; /* "" = none */
};
struct fault_settings {
    unsigned ivmode;
    CK_FLAGS pinflags;
    bool emptyslots, othermaker, nofind, nullcipher;
    char fakefor[FAULT_LABEL]; /* "" = all */
    char deadkey[FAULT_LABEL]; /* "" = none */
    struct fault_pair twin, swap;
    struct fault_list nomech, noattr, noread, fake;
};

/* calls.c: entry reads the control file, waits, hangs or crashes, and logs. */
void fault_enter(enum fault_fn fn, struct fault_apply *ret_lie);
CK_RV fault_leave(enum fault_fn fn, CK_RV rv);
/* The real function shall not be called: the answer is lie->rv. */
static inline bool fault_instead(const struct fault_apply *lie)
{
    return lie->has_rv && !lie->after;
}
static inline CK_RV fault_answer(const struct fault_apply *lie, CK_RV rv)
{
    return lie->has_rv ? lie->rv : rv;
}

/* control.c.  Thread-safe. */
void fault_control_refresh(void);
/* Takes the rule that applies to this call and counts it. */
struct fault_order {
    struct fault_apply lie;
    unsigned long delay_us, leak_mib;
    bool hang, crash, helper, daemon;
};
void fault_control_order(enum fault_fn fn, struct fault_order *ret_order);
void fault_control_settings(struct fault_settings *ret_settings);
/* Waits until the control file is another one. */
void fault_control_wait_change(void);
bool fault_list_has(const struct fault_list *list, CK_ULONG type, CK_ULONG *ret_value);

/* objects.c */
bool fault_is_labelled(const char *label, CK_SESSION_HANDLE session,
                       CK_OBJECT_HANDLE object);
CK_RV fault_C_FindObjectsInit(CK_SESSION_HANDLE a, CK_ATTRIBUTE *b, CK_ULONG c);
CK_RV fault_C_FindObjects(CK_SESSION_HANDLE a, CK_OBJECT_HANDLE *b, CK_ULONG c,
                          CK_ULONG *d);

/* forward.c: the plain functions, put into a list. */
void fault_forward_fill(CK_FUNCTION_LIST *list);

#endif
