/* SPDX-License-Identifier: Apache-2.0 */
/* pin_latch - may a login be tried with this PIN?
 *
 * A wrong PIN in a loop of restarts locks a token.  So whoever wants to log in (a worker
 * of the daemon, a child of the tool) opens the token, reads the PIN once, and says which
 * token it is and what stands for the PIN (struct kw_pin_facts).  Its parent compares
 * that with what this node remembers of the token, makes durable that a login is tried,
 * and answers; only then C_Login.  What became of it is remembered again.  Daemon and
 * tool go through the same functions and the same file, so each sees what the other did.
 *
 * The rules, all of them in kw_pin_judge and kw_pin_settle:
 *   - What is remembered belongs to the token's serial number (its label, when it has
 *     none).
 *   - A refused PIN (PIN_INCORRECT and its kin) is latched at once: not tried again.
 *   - A PIN that has never worked here has one try, whatever comes of it.
 *   - One that has worked (proven), with an unclear end of a login: once more after 10 s,
 *     then once an hour, never while the token says COUNT_LOW or FINAL_TRY.
 *   - Another PIN lifts the latch.  The same one in a file of another mode, owner or time
 *     is the same one, and one that was latched before stays so, whatever came between:
 *     two wrong ones by turns cost one login each.  As many are remembered as
 *     KW_PIN_REFUSED_MAX; then any other PIN is stopped, as nobody could tell whether it
 *     was tried.  `keyward pin retry` alone forgets them, and owes one try, whatever the
 *     PIN.
 *   - A mark that was made with another key (it is lost when the machine restarts) cannot
 *     be compared: a latch counts as about this PIN, a proof counts as none.  What was
 *     refused under that key may be any PIN: but for the one try of the PIN read next
 *     after one that worked, and for any other PIN after a single one that was refused
 *     and was read again, none is tried until `keyward pin retry` is said.
 *   - What ends before C_Login counts nothing.
 *   - Never with FINAL_TRY or a locked PIN; with COUNT_LOW only a proven PIN, or when a
 *     human has acted since (another PIN after a stop, or a retry).
 *
 * Threads:   one at a time per struct kw_pin_book.
 * Blocking:  on the disk; never on another process.
 * Secrets:   a PIN comes near kw_pin_mark_make alone.  The key is a secret.
 */
#ifndef KEYWARD_PIN_LATCH_H
#define KEYWARD_PIN_LATCH_H

#include <sys/types.h>

#include <keyward/moment.h>
#include <keyward/pin_source.h>
#include <keyward/secret.h>
#include <keyward/state.h>

/* A process, so that it is not taken for a later one of the same number. */
struct kw_pin_owner {
    char boot[KW_BOOT_ID];
    uint32_t pid;   /* 0 = none                                        */
    uint64_t start; /* of the process: field 22 of /proc/PID/stat      */
};

/* A PIN that was latched, and the token's label then: two may have one serial. */
struct kw_pin_refused {
    char label[33];
    struct kw_pin_mark mark;
};
enum { KW_PIN_REFUSED_MAX = 4 }; /* fewer than the wrong PINs that lock most tokens */

/* What this node remembers of one token and the PIN that was used last. */
struct kw_pin_record {
    char serial[17], label[33];
    uint64_t change; /* how often it was written: the newer one of two is higher     */
    struct kw_pin_mark mark; /* of the PIN that the words below are about            */
    struct kw_pin_refused refused[KW_PIN_REFUSED_MAX]; /* all that were latched      */
    size_t refused_count;
    bool latched;     /* no login with this PIN                               */
    bool proven;      /* a login with this PIN has worked here                */
    bool retry;       /* a human acted since the last stop: one try is owed   */
    uint32_t unclear; /* of a proven PIN: logins in a row whose end is unclear */
    char ended_boot[KW_BOOT_ID]; /* when the last of those ended: which boot,        */
    int64_t ended_ns;            /* and CLOCK_BOOTTIME                               */
    struct kw_pin_owner tried;   /* a login that was begun, and not settled          */
    int64_t tried_ns;            /* when, CLOCK_BOOTTIME of its boot                 */
    char reason[160];            /* why it is stopped; "" = it is not                */
    char at[KW_TIME_TEXT];       /* when that was, or ""                             */
};

/* ---- the decision: pure ------------------------------------------------------------ */

enum kw_pin_word {
    KW_PIN_GO = 1, /* write the record (it says who tries), then C_Login              */
    KW_PIN_STOP,   /* latched                                                         */
    KW_PIN_FLAGS,  /* the token's flags forbid it; they may change, nothing is counted */
    KW_PIN_LATER,  /* not before `not_before_ns`                                      */
    KW_PIN_WAIT,   /* another process is logging in to this token                     */
};
struct kw_pin_verdict {
    enum kw_pin_word word;
    int64_t not_before_ns; /* LATER: CLOCK_BOOTTIME                    */
    bool changed;          /* `record` is not what it was: write it    */
    struct kw_pin_record record;
    struct kw_note why; /* "" with GO; else what stops it and what to do about that */
    struct kw_note unwritten; /* kw_pin_ask alone: why the state directory could not take
                                 it, so that it lies in the runtime directory; else "" */
};

/* `record` is what is remembered of the token that `facts` name (all zero but for serial
 * and label: nothing); `tried_lives`: the process in record->tried is still there. */
void kw_pin_judge(const struct kw_pin_record *record, const struct kw_pin_facts *facts,
                  bool tried_lives, const struct kw_pin_owner *asker,
                  const struct kw_moment *now, struct kw_pin_verdict *ret);

/* OK for GO; PIN_STOP, HSM_DOWN (LATER) and BUSY (WAIT). */
kw_err kw_pin_word_err(enum kw_pin_word word);

enum kw_pin_end {
    KW_PIN_WORKED = 1,
    KW_PIN_REFUSED,   /* PIN_INCORRECT and its kin                       */
    KW_PIN_UNCLEAR,   /* anything else, also that nobody came back       */
    KW_PIN_NOT_BEGUN, /* C_Login was never called, or did not look at it */
};
/* `was_in`: somebody was logged in to the token already, whatever the PIN. */
enum kw_pin_end kw_pin_end_of(kw_err login, bool was_in);

/* What became of the login in record->tried.  `reason` is for the operator. */
void kw_pin_settle(struct kw_pin_record *record, enum kw_pin_end end, const char *reason,
                   const struct kw_moment *now);

/* Remembers the PIN of `facts` as a refused one.  false: it is one already, it has no
 * mark, or there is no more room (then nothing that is not remembered is tried). */
bool kw_pin_refuse(struct kw_pin_record *record, const struct kw_pin_facts *facts);

/* Whoever tried is gone and left no word: an unclear end at the time that it was
 * begun. */
void kw_pin_settle_orphan(struct kw_pin_record *record, const struct kw_moment *now);

/* LATER ends then (CLOCK_BOOTTIME of this boot); 0: there is nothing to wait for. */
int64_t kw_pin_due(const struct kw_pin_record *record, const struct kw_moment *now);

/* ---- what stands for a PIN --------------------------------------------------------- */

/* The runtime directory: the folder of the status socket.  false: too long. */
bool kw_pin_runtime(const char *status_socket, char dst[KW_PATH_MAX]);
/* On a file system that lives in memory; "no" also when it cannot be looked at. */
bool kw_pin_runtime_is_volatile(const char *runtime);

/* The key of this node in `runtime`, KW_PIN_KEY bytes; made when there is none, by
 * whoever comes first. MISSING    there is no such folder (yet) DENIED     others can
 * write to the folder or read the file, or it is another user's BAD_INPUT  no key in the
 * file;  IO, NO_MEMORY */
KW_MUST_USE kw_err kw_pin_key(const char *runtime, struct kw_secret *ret_key,
                              struct kw_note *note);
/* A sink for key and PIN.  An empty key makes an empty mark.  NO_MEMORY */
KW_MUST_USE kw_err kw_pin_mark_make(kw_span key, const char *serial, kw_span pin,
                                    struct kw_pin_mark *ret_mark);

/* ---- whose login it is ------------------------------------------------------------- */

/* false: there is no such process. */
bool kw_pin_owner_of(pid_t pid, struct kw_pin_owner *ret_owner);
/* It is still there, and can still be in C_Login (a zombie cannot). */
bool kw_pin_owner_lives(const struct kw_pin_owner *owner);

/* ---- the book: what daemon and tool call ---------------------------------------------
 *
 * `pin-latch.json` in the state directory.  What cannot be written there goes into a file
 * of the same name in the runtime directory (the newer of the two is what counts), but
 * for the try of a PIN that has never worked here: without a durable word, none.
 */
struct kw_pin_book {
    struct kw_state_dir *state;   /* borrowed                       */
    const char *runtime;          /* borrowed; "" = there is none   */
    const struct kw_clock *clock; /* borrowed                       */
};

/* The record of a token; all zero but for serial and label when nothing is remembered.
 * BAD_INPUT, IO  the file cannot be read: never "nothing" */
KW_MUST_USE kw_err kw_pin_look(const struct kw_pin_book *book, const char *serial,
                               const char *label, struct kw_pin_record *ret_record,
                               struct kw_note *note);

/* May `asker` log in?  OK: *ret says so, and with GO it is durable that a login is tried.
 * With any error nothing may be tried, and nothing is counted:
 * BUSY       somebody else is at the files: ask again
 * IO         it could not be made durable (the note says what that means), or nobody
 *            could tell who asks
 * BAD_INPUT  the file cannot be read */
KW_MUST_USE kw_err kw_pin_ask(const struct kw_pin_book *book,
                              const struct kw_pin_facts *facts,
                              const struct kw_pin_owner *asker,
                              struct kw_pin_verdict *ret, struct kw_note *note);

/* What became of asker's login with the PIN of `facts`.  Another PIN that was asked for
 * meanwhile, and another login that was begun, are left as they are; that this one was
 * refused is remembered beside it.
 * BUSY  say it again;  IO  it is not remembered: the login counts as begun and unclear */
KW_MUST_USE kw_err kw_pin_settled(const struct kw_pin_book *book,
                                  const struct kw_pin_facts *facts,
                                  const struct kw_pin_owner *asker, enum kw_pin_end end,
                                  const char *reason, struct kw_note *note);

/* A human says that what is stopped may be tried once more, and that what was refused
 * before is to be forgotten. */
struct kw_pin_lift {
    char serial[17], label[33];
    bool lifted;      /* false: nothing is stopped      */
    size_t forgotten; /* PINs that were refused before  */
    char reason[160]; /* what it was stopped for, since */
    char at[KW_TIME_TEXT];
};
enum { KW_PIN_RECORDS_MAX = 32 };
/* Every token that is remembered, or those whose label or serial is `name`. */
KW_MUST_USE kw_err kw_pin_retry(const struct kw_pin_book *book, const char *name,
                                struct kw_pin_lift dst[KW_PIN_RECORDS_MAX],
                                size_t *ret_count, struct kw_note *note);

/* Has a file changed since *seen was filled?  Fills it. */
struct kw_pin_stamp {
    struct kw_pin_source state, runtime;
};
bool kw_pin_changed(const struct kw_pin_book *book, struct kw_pin_stamp *seen);

#endif
