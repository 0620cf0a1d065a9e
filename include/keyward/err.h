/* SPDX-License-Identifier: Apache-2.0 */
/* err - one error value for all of keyward
 *
 * An error is a value of 16 bytes, returned, never stored in a thread-local.
 * Its code says what the caller may do; `native` and `where` are for the operator
 * who reads the log.  A new code is added only if some caller will act differently.
 *
 * Threads:  plain values; any thread.
 * Secrets:  `where` is a string literal of this source, never data from outside.
 */
#ifndef KEYWARD_ERR_H
#define KEYWARD_ERR_H

#include <stdbool.h>
#include <stdint.h>

#define KW_MUST_USE __attribute__((warn_unused_result))
#define KW_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum kw_code {
    KW_CODE_OK = 0,
    KW_CODE_BAD_INPUT,    /* the request, file or argument is wrong; never retry       */
    KW_CODE_DENIED,       /* policy said no: scope, peer, file mode                    */
    KW_CODE_UNKNOWN_KEY,  /* no KEK version has this key_id                            */
    KW_CODE_KEY_DISABLED, /* the version's state forbids this use; a human decides     */
    KW_CODE_KEY_BAD,      /* the version is quarantined: key missing, changed, ill-made*/
    KW_CODE_FORGED,       /* tag or bound context does not match: not sealed by us     */
    KW_CODE_UNSURE,       /* an unwrap failed: the data's fault or the token's; a
                             canary decides between FORGED and HSM_DOWN                */
    KW_CODE_WRONG_ANSWER, /* the token answered, and the answer proves to be false     */
    KW_CODE_QUARANTINED,  /* this ciphertext was in flight at two worker deaths        */
    KW_CODE_BUSY,         /* a bound of ours is reached; retry later                   */
    KW_CODE_DEADLINE,     /* the caller's time is over                                 */
    KW_CODE_CANCELLED,    /* the caller went away                                      */
    KW_CODE_STARTING,     /* not ready yet; nothing is known to be wrong               */
    KW_CODE_SESSION,      /* PKCS#11 session or handle spent: open anew, find, retry   */
    KW_CODE_HSM_BUSY,     /* the token throttles: retry once, then as HSM_DOWN         */
    KW_CODE_HSM_DOWN,     /* token gone or library spoilt: only a new worker helps     */
    KW_CODE_HSM_CONFIG,   /* the token or its settings refuse; a human must change them*/
    KW_CODE_PIN_STOP,     /* one more login could lock the token; a human now          */
    KW_CODE_NO_MEMORY,
    KW_CODE_IO,      /* a system call failed; native is errno                     */
    KW_CODE_MISSING, /* the named file or object is not there                     */
    KW_CODE_AUDIT,   /* it cannot be put on record, and must be; a human now      */
    KW_CODE_BUG,     /* an invariant of ours broke                                */
    KW_CODE_COUNT,   /* not a code: how many there are                            */
};

typedef struct kw_err {
    enum kw_code code;
    uint32_t native;   /* CK_RV or errno as received, else 0          */
    const char *where; /* literal such as "C_Decrypt"; NULL when OK   */
} kw_err;

#define KW_OK ((kw_err){KW_CODE_OK, 0, 0})

static inline kw_err kw_err_at(enum kw_code code, const char *where)
{
    return (kw_err){code, 0, where};
}

static inline kw_err kw_err_native(enum kw_code code, uint32_t native, const char *where)
{
    return (kw_err){code, native, where};
}

static inline bool kw_failed(kw_err e)
{
    return e.code != KW_CODE_OK;
}

/* A short lower-case name such as "hsm-down"; "?" for a number that is no code. */
const char *kw_code_name(enum kw_code code);

/* The inverse of kw_code_name.  false when no code has this name. */
bool kw_code_from_name(const char *name, enum kw_code *ret_code);

/* What to do about an errno that says that a limit of the process, of its user or of the
 * machine is reached; "" for any other. */
const char *kw_errno_cure(uint32_t native);

/* An explanation for the operator: which thing, what is wrong, what to do next.
 * Functions that take one write it only when they fail; NULL means nobody reads it.
 * Never holds a secret.  Longer text is cut, and what may not be shown (bytes.h,
 * kw_copy_printable) is replaced: a note may quote what a file or a peer said. */
enum { KW_NOTE_MAX = 512 };
struct kw_note {
    char text[KW_NOTE_MAX];
};
void kw_note_set(struct kw_note *note, const char *fmt, ...) KW_PRINTF(2, 3);
/* "cannot WHAT: WHERE: the errno's text; what to do about it", or with the code's name for an
 * error without an errno. */
void kw_note_failed(struct kw_note *note, const char *what, kw_err e);

/* Both stay on in release builds and abort: for bugs of our own, never for input.
 * KW_INVARIANT looks and changes nothing; KW_MUST does something that cannot fail. */
#define KW_INVARIANT(x)                                                                  \
    do {                                                                                 \
        if (!(x))                                                                        \
            kw_invariant_broken(#x, __FILE__, __LINE__);                                 \
    } while (0)
#define KW_MUST(x) KW_INVARIANT(x)
_Noreturn void kw_invariant_broken(const char *what, const char *file, int line);

#endif
