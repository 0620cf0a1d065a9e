/* SPDX-License-Identifier: Apache-2.0 */
/* window - the time in which the files of a SoftHSM token may be written
 *
 * They are open for a ceremony only and sealed (softhsm.h) whatever happens: an open
 * token is one that its own library spoils.
 *
 * Who is in it: flock(2), exclusive, on the token directory itself (directories.tokendir
 * of softhsm2.conf; nothing is written for it).  The children of a ceremony inherit the
 * descriptor, so the lock lasts as long as any process of the ceremony, also when keyward
 * itself was killed, and ends with the last one.  Open and not locked means that a
 * ceremony was killed, or that another tool made the files: kw_window_mend seals them,
 * and every verb that reads the keyring or logs in does so first.
 *
 * Signals:   Ctrl-C and its like (interrupt.h) are held from kw_window_open to
 *            kw_window_close: before the login they end the ceremony, from the login on
 *            it is finished first, and so is what follows it.
 * Blocking:  no wait for another ceremony.
 * Threads:   as child.h.
 */
#ifndef KEYWARD_CLI_WINDOW_H
#define KEYWARD_CLI_WINDOW_H

#include "login.h"

struct kw_window {
    int fd; /* the lock; -1 = this window is not open */
    struct kw_owner owner;
    char tokendir[KW_PATH_MAX];
};
#define KW_WINDOW_SHUT ((struct kw_window){.fd = -1})

/* Opens the window, which is shut, on `tokendir`, whose files are `owner`'s.
 * BUSY  another ceremony is in it;  CANCELLED, and those of kw_softhsm_seal and flock */
KW_MUST_USE kw_err kw_window_open(struct kw_window *w, const char *tokendir,
                                  const struct kw_owner *owner, struct kw_note *note);

/* Seals the token, whether the work inside gave OK or not (`work`, told by *note), and
 * lets signals through again.  Gives `work`, or the error of the seal when the work was
 * good.  A token that is not sealed is said on standard error, always.  One that is shut
 * stays so. */
KW_MUST_USE kw_err kw_window_close(struct kw_window *w, kw_err work,
                                   struct kw_note *note);

enum kw_seal {
    KW_SEAL_NONE,     /* the token is no SoftHSM's                        */
    KW_SEAL_GOOD,     /* sealed                                           */
    KW_SEAL_MENDED,   /* it was open, in no ceremony, and is sealed now   */
    KW_SEAL_CEREMONY, /* open: a ceremony is running                      */
    KW_SEAL_OPEN,     /* open, and cannot be sealed; the note says why    */
    KW_SEAL_UNKNOWN,  /* cannot be looked at; the note says why           */
};
/* Seals what is open with no ceremony running; MENDED is said on standard error. */
enum kw_seal kw_window_mend(const struct kw_config *config,
                            const struct kw_config_token *token, struct kw_note *note);

#endif
