/* SPDX-License-Identifier: Apache-2.0 */
/* front_latch - the front's end of <keyward/pin_latch.h>: one token, many workers
 *
 * A worker that wants to log in asks; what is remembered on disk decides, each time anew,
 * so that what the operator's tool did meanwhile counts.  Between two askings this knows
 * why no worker needs to be started: it would be stopped again, as neither the PIN's
 * source (by its stat: the front never reads it) nor the file on disk has changed.
 *
 * Main thread only; what reads or writes a file wants no lock held. */
#ifndef KEYWARD_FRONT_PIN_LATCH_H
#define KEYWARD_FRONT_PIN_LATCH_H

#include <keyward/mutex.h>
#include <keyward/pin_latch.h>

/* An end that could not be written down yet. */
struct kw_latch_debt {
    struct kw_pin_facts facts;
    struct kw_pin_owner owner;
    enum kw_pin_end end;
    char reason[KW_NOTE_MAX];
};
/* While one is owed nobody else may log in: there can be as many as there are workers in
 * a login when the first of them ends. */
enum { KW_LATCH_DEBTS = 3 * KW_WORKERS_MAX };

struct kw_latch {
    struct kw_pin_book book;
    char path[KW_PATH_MAX];      /* of the PIN source                                  */
    char runtime[KW_PATH_MAX];   /* where the key lies; "" = nowhere                   */
    struct kw_pin_record record; /* as read last; no serial and no label: no worker has
                                    told yet which token it is                       */
    struct kw_pin_stamp seen;    /* of the files when they were read last            */
    int64_t looked_ns;

    kw_err why; /* OK, or why no worker needs to be started                          */
    struct kw_note reason;
    struct kw_pin_source stopped_at; /* what the one that was stopped had read       */
    struct kw_pin_stamp stopped_by;  /* the files as they were then                  */
    int64_t not_before_ns;           /* CLOCK_BOOTTIME; INT64_MAX: time heals nothing */

    struct kw_latch_debt debts[KW_LATCH_DEBTS];
    size_t debt_count;
    bool lost_one;           /* more than that: nobody logs in in this life           */
    struct kw_note owed_why; /* why the first of them is not written down            */
    struct kw_note key_told; /* what the log was told of the key last                */
};

/* `pin` is "file:/path" or "credential:NAME"; `status`: path of the status socket, whose
 * folder is the runtime directory; NULL: there is none.  BAD_INPUT */
KW_MUST_USE kw_err kw_latch_open(struct kw_latch *latch, struct kw_state_dir *dir,
                                 const char *status, const struct kw_clock *clock,
                                 const char *pin, struct kw_note *note);

/* The key of marks, for a worker's brief; empty when there is none (logged). */
void kw_latch_key(struct kw_latch *latch, struct kw_secret *ret_key) KW_FREE;

/* Is there any use in starting a worker?  false: see why and reason. */
bool kw_latch_may_start(struct kw_latch *latch) KW_FREE;

/* A worker's question.  OK: it may log in; else the word for it, and BUSY: ask again.
 * BUSY also while an end is owed: nobody logs in before it is written down. */
KW_MUST_USE kw_err kw_latch_ask(struct kw_latch *latch, const struct kw_pin_facts *facts,
                                const struct kw_pin_owner *owner,
                                struct kw_note *why) KW_FREE;
/* What became of it.  What cannot be written down now is, as soon as it can. */
void kw_latch_ended(struct kw_latch *latch, const struct kw_pin_facts *facts,
                    const struct kw_pin_owner *owner, enum kw_pin_end end,
                    const char *reason) KW_FREE;

/* Before the end: writes down what is owed, and waits up to a second for whoever is at
 * the files.  What stays owed is logged, and counts as begun and unclear in the next
 * life. */
void kw_latch_close(struct kw_latch *latch) KW_FREE;

/* At most once a second: writes down what is owed, reads what changed on disk.  true: a
 * retry was said since. */
bool kw_latch_look(struct kw_latch *latch) KW_FREE;

/* No login until the PIN is another one, a retry is said, or the token's flags change. */
bool kw_latch_is_latched(const struct kw_latch *latch);
const char *kw_latch_reason(const struct kw_latch *latch);

#endif
