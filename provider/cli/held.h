/* SPDX-License-Identifier: Apache-2.0 */
/* held - keyring files and saved statuses, read for a comparison */
#ifndef KEYWARD_CLI_HELD_H
#define KEYWARD_CLI_HELD_H

#include "compare.h"

/* A keyring file; the item owns its ring.  What kw_keyring_load says. */
KW_MUST_USE kw_err kw_held_file(const char *path, struct kw_held *ret_item,
                                struct kw_note *note);
/* What `keyward status --json` printed: domain, keyring.serial, keyring.sha256.
 * MISSING, IO; BAD_INPUT when it is no such document */
KW_MUST_USE kw_err kw_held_status(const char *path, struct kw_held *ret_item,
                                  struct kw_note *note);
void kw_held_wipe(struct kw_held *item);

#endif
