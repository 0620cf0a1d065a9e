/* SPDX-License-Identifier: Apache-2.0 */
/* place - making the folders and files of a fresh installation, each with its safe mode
 *
 * Nothing that is there is ever overwritten, and what was made can be taken back.
 */
#ifndef KEYWARD_CLI_PLACE_H
#define KEYWARD_CLI_PLACE_H

#include <stdio.h>
#include <sys/types.h>

#include "node_layout.h"
#include "login.h"

/* The daemon's user.  name NULL: this process's uid; for root outside --dir: `keyward`.
 * BAD_INPUT  there is no such user, or this process may not give files to it. */
KW_MUST_USE kw_err kw_place_owner(const char *name, bool system_wide,
                                  struct kw_owner *ret_owner, struct kw_note *note);

/* What this run has made or changed, so that a failure can take it back. */
enum { KW_MADE_MAX = 16 };
struct kw_placed {
    struct kw_made_thing {
        char path[KW_PATH_MAX];
        bool is_folder, was_there;
        mode_t mode; /* of a folder that was there, before */
        uid_t uid;
        gid_t gid;
    } things[KW_MADE_MAX];
    size_t count;
};
/* Takes all of it back, the newest first: files and folders that were made go, with what
 * came to lie in them; a folder that was there gets its owner and mode back.  What cannot
 * be taken back is said on standard error. */
void kw_place_undo(struct kw_placed *made);

/* The true absolute name of `dir`, which need not be there; makes nothing.
 * DENIED  somebody else than root and this uid may write it: what lies in it could be
 *         exchanged;  IO  the folder above it is not there */
KW_MUST_USE kw_err kw_place_base(const char *dir, char ret_real[KW_PATH_MAX],
                                 struct kw_note *note);

/* DENIED, naming the first one, when any file of the layout is there already, or when
 * the state's or the token's folder is and holds something. */
KW_MUST_USE kw_err kw_place_vacant(const struct kw_layout *layout, bool softhsm,
                                   struct kw_note *note);

/* A folder for `owner` (NULL: this process, which leaves one that is there as it is). */
KW_MUST_USE kw_err kw_place_folder(struct kw_placed *made, const char *path, mode_t mode,
                                   const struct kw_owner *owner, struct kw_note *note);

/* An empty new file of mode 0600 for `owner` (NULL: this process). */
KW_MUST_USE kw_err kw_place_secret(struct kw_placed *made, const char *path,
                                   const struct kw_owner *owner, int *ret_fd,
                                   struct kw_note *note);

/* A new file of mode 0644. */
KW_MUST_USE kw_err kw_place_bytes(struct kw_placed *made, const char *path, kw_span bytes,
                                  struct kw_note *note);
/* The same with what `write` prints. */
typedef void kw_place_write(const void *what, FILE *out);
KW_MUST_USE kw_err kw_place_text(struct kw_placed *made, const char *path,
                                 kw_place_write *write, const void *what,
                                 struct kw_note *note);

#endif
