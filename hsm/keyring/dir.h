/* SPDX-License-Identifier: Apache-2.0 */
/* dir - the state directory: small JSON files that are replaced whole */
#ifndef KEYWARD_KEYRING_DIR_H
#define KEYWARD_KEYRING_DIR_H

#include <keyward/state.h>

#include "member.h"

#define KW_STATE_FILE_MAX (64u * 1024)

/* Fills *base; a file that is not there leaves it as it was.  BAD_INPUT, IO, NO_MEMORY.
 */
KW_MUST_USE kw_err kw_state_read(const struct kw_state_dir *dir, const char *name,
                                 const struct kw_member *table, void *base,
                                 struct kw_note *note);
KW_MUST_USE kw_err kw_state_write(const struct kw_state_dir *dir, const char *name,
                                  const struct kw_member *table, const void *base,
                                  struct kw_note *note);

#endif
