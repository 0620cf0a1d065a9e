/* SPDX-License-Identifier: Apache-2.0 */
/* login_permit - the child that logs in asks, its parent answers (<keyward/pin_latch.h>)
 *
 *   parent                            child (with the vendor's library)
 *   kw_permit_open, fork ------------> kw_permit_child; opens the token
 *   kw_permit_serve <------ PIN ----- kw_permit_log_in: reads the PIN
 *     looks, makes it durable
 *     ------- PERMIT ----------------> C_Login
 *     remembers the end <--- LOGIN ---
 *     ------- PERMIT ----------------> works with the token
 *   kw_permit_close: what the child did not live to tell
 *
 * The files of the state directory are its owner's, so the parent looks and writes in
 * children of its own.
 */
#ifndef KEYWARD_CLI_LOGIN_PERMIT_H
#define KEYWARD_CLI_LOGIN_PERMIT_H

#include <keyward/config.h>
#include <keyward/pin_latch.h>
#include <keyward/token.h>

#include "child.h"

struct kw_permit_shared; /* what parent and children share */

struct kw_permit {
    const struct kw_config *config;
    struct kw_child files; /* who looks after the state directory */
    int parent_fd, child_fd;
    struct kw_permit_shared *board;
};

/* Borrows config.  uid, gid: the state directory's owner.  IO, NO_MEMORY */
KW_MUST_USE kw_err kw_permit_open(const struct kw_config *config, uid_t uid, gid_t gid,
                                  struct kw_permit *ret);
/* Once the child has ended: it called C_Login and never told how that went. */
bool kw_permit_is_inside(const struct kw_permit *permit);
/* Once the child has ended. */
void kw_permit_close(struct kw_permit *permit);

/* In the parent, while the child runs: answers until the child is gone. */
void kw_permit_serve(struct kw_permit *permit);

/* In the child: before the vendor's library is loaded. */
void kw_permit_child(struct kw_permit *permit);
/* In the child: C_Login has begun. */
void kw_permit_begun(struct kw_permit *permit);
/* In the child: reads the PIN, asks, and logs in when it may.  Errors: of the PIN, of the
 * word (PIN_STOP, BUSY, HSM_DOWN, IO), of the login; CANCELLED: nobody is there any more
 * who would write down what is made. */
KW_MUST_USE kw_err kw_permit_log_in(struct kw_permit *permit, struct kw_token *token,
                                    struct kw_note *note);

#endif
