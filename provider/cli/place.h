/* SPDX-License-Identifier: Apache-2.0 */
/* place - making the folders and files of a fresh installation, each with its safe mode
 *
 * Nothing that is there is ever overwritten.
 */
#ifndef KEYWARD_CLI_PLACE_H
#define KEYWARD_CLI_PLACE_H

#include <stdio.h>
#include <sys/types.h>

#include "layout.h"
#include "login.h"

/* The daemon's user.  name NULL: this process's uid; for root outside --dir: `keyward`.
 * BAD_INPUT  there is no such user, or this process may not give files to it. */
KW_MUST_USE kw_err kw_place_owner(const char *name, bool system_wide,
                                  struct kw_owner *ret_owner, struct kw_note *note);

/* Makes `dir` unless it is there and gives its true absolute name.
 * DENIED  somebody else than root and this uid may write it: what lies in it could be
 *         exchanged. */
KW_MUST_USE kw_err kw_place_base(const char *dir, char ret_real[KW_PATH_MAX],
                                 struct kw_note *note);

/* DENIED, naming the first one, when any file of the layout is there already. */
KW_MUST_USE kw_err kw_place_vacant(const struct kw_layout *layout, struct kw_note *note);

/* A folder for `owner`; one that is there must be empty when `fresh` is wanted. */
KW_MUST_USE kw_err kw_place_folder(const char *path, mode_t mode, bool fresh,
                                   const struct kw_owner *owner, struct kw_note *note);

/* An empty new file of mode 0600 for `owner` (NULL: this process). */
KW_MUST_USE kw_err kw_place_secret(const char *path, const struct kw_owner *owner,
                                   int *ret_fd, struct kw_note *note);

/* A new file of mode 0644 with what `write` prints. */
typedef void kw_place_write(const void *what, FILE *out);
KW_MUST_USE kw_err kw_place_text(const char *path, kw_place_write *write,
                                 const void *what, struct kw_note *note);

#endif
