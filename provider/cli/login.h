/* SPDX-License-Identifier: Apache-2.0 */
/* login - one login to one token, in a child, under the uid that owns its files
 *
 * Order: who owns the files (the state directory and, for SoftHSM, its token directory
 * must agree) · the PIN's source, judged (pin_place.h) · for a ceremony the writable
 * window · the child opens the token, reads the PIN and asks (login_permit.h; latched:
 * nothing is tried) · the login and the work · the seal, whatever happened.
 *
 * Threads:   before the first thread.
 * Blocking:  as long as the vendor library does.
 */
#ifndef KEYWARD_CLI_LOGIN_H
#define KEYWARD_CLI_LOGIN_H

#include <sys/types.h>

#include <keyward/config.h>
#include <keyward/token.h>

#include "child.h"

/* The owner of the node's secrets: uid and gid of the state directory. */
struct kw_owner {
    uid_t uid;
    gid_t gid;
};
KW_MUST_USE kw_err kw_owner_of(const struct kw_config *config, struct kw_owner *ret_owner,
                               struct kw_note *note);
/* DENIED when the SoftHSM token directory of `token` belongs to somebody else. */
KW_MUST_USE kw_err kw_owner_agrees(const struct kw_config *config,
                                   const struct kw_config_token *token,
                                   struct kw_owner *ret_owner, struct kw_note *note);

/* In the child, with the arena open and the token logged in. */
typedef kw_err kw_login_work(struct kw_token *token, void *shared, struct kw_note *note);

enum kw_login_kind { KW_LOGIN_LOOK, KW_LOGIN_CEREMONY };

KW_MUST_USE kw_err kw_login_run(const struct kw_config *config,
                                const struct kw_config_token *token,
                                enum kw_login_kind kind, kw_login_work *work,
                                void *shared, struct kw_note *note);

/* Arena of a child that logs in: PIN, scratch of the module's calls, a check text. */
#define KW_LOGIN_ARENA (64u * 1024)

#endif
