/* SPDX-License-Identifier: Apache-2.0 */
/* pin_latch - no login until the PIN source changes, also across restarts
 *
 * The front never reads the PIN; it looks at the source with stat(2): another device,
 * inode, ctime or size is another PIN.  A systemd credential is another file after every
 * start of the service, so a change of it proves nothing: there only `keyward pin retry`
 * ends the latch (it does for a file too).  What is remembered lies in the state
 * directory.
 *
 * Main thread only. */
#ifndef KEYWARD_FRONT_PIN_LATCH_H
#define KEYWARD_FRONT_PIN_LATCH_H

#include <keyward/clock.h>
#include <keyward/state.h>

struct kw_latch {
    struct kw_state_dir *dir; /* borrowed */
    const struct kw_clock *clock;
    char path[KW_PATH_MAX]; /* of the PIN source */
    bool credential;        /* its change lifts nothing */
    struct kw_pin_latch record;
    bool on_disk; /* record is in the state directory: what is lifted there is lifted */
    struct kw_pin_source tried; /* as it was when a worker was last started */
    bool
        cured; /* a human changed the source after we had stopped for it, or said retry */
};
/* `pin` is "file:/path" or "credential:NAME".  BAD_INPUT; what state.h says. */
KW_MUST_USE kw_err kw_latch_open(struct kw_latch *latch, struct kw_state_dir *dir,
                                 const struct kw_clock *clock, const char *token,
                                 const char *pin, struct kw_note *note);
/* Looks at the source and remembers it as the one that is tried next.  false: latched,
 * nobody said retry, and the source is the same or a credential.  A source that cannot be
 * looked at may be tried: the worker says what is wrong with it. */
bool kw_latch_may_login(struct kw_latch *latch);
bool kw_latch_proven(const struct kw_latch *latch);
/* May the worker log in although the token has counted a wrong PIN (COUNT_LOW)?  The PIN
 * has worked here, or a human changed it after the wrong one, which left that mark on the
 * token: without this the right PIN could never take it away.  One try: FINAL_TRY and
 * another PIN_STOP still stop. */
bool kw_latch_vouched(const struct kw_latch *latch);
/* After PIN_STOP; after a login that worked.  An error: nothing was remembered on disk,
 * in memory it holds all the same. */
KW_MUST_USE kw_err kw_latch_stop(struct kw_latch *latch, const char *reason,
                                 struct kw_note *note);
KW_MUST_USE kw_err kw_latch_worked(struct kw_latch *latch, struct kw_note *note);

#endif
