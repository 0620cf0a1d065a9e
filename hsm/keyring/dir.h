/* SPDX-License-Identifier: Apache-2.0 */
/* dir - the state directory: small JSON files that are replaced whole */
#ifndef KEYWARD_KEYRING_DIR_H
#define KEYWARD_KEYRING_DIR_H

#include <keyward/state.h>

#include "member.h"

#define KW_STATE_FILE_MAX (64u * 1024)

struct kw_state_dir {
    char path[KW_PATH_MAX];
    uid_t uid; /* the daemon's user, whose the files must be */
    gid_t gid;
    int lock; /* the descriptor that holds the lock, -1 = not locked */
};

/* false: too long. */
bool kw_state_path(const struct kw_state_dir *dir, const char *name,
                   char ret_path[KW_PATH_MAX]);
/* Makes an open file the directory owner's when root has made it.  false: it cannot be,
 * or is not what it should be. */
bool kw_state_give(const struct kw_state_dir *dir, int fd);

/* What is said of a file of these that will not do. */
void kw_state_say_damaged(const struct kw_state_dir *dir, const char *name,
                          const char *why, struct kw_note *note);
/* Fills *base; a file that is not there leaves it as it was.  BAD_INPUT, IO,
 * NO_MEMORY. */
KW_MUST_USE kw_err kw_state_read(const struct kw_state_dir *dir, const char *name,
                                 const struct kw_member *table, void *base,
                                 struct kw_note *note);
KW_MUST_USE kw_err kw_state_write(const struct kw_state_dir *dir, const char *name,
                                  const struct kw_member *table, const void *base,
                                  struct kw_note *note);

#endif
