/* SPDX-License-Identifier: Apache-2.0 */
/* opaque - versions that a newer keyward made, and that this program does not understand
 *
 * Such a version is known by n, key_id, the name of its state and same-key-as; all of it
 * goes back into the file as it stands. */
#ifndef KEYWARD_KEYRING_OPAQUE_H
#define KEYWARD_KEYRING_OPAQUE_H

#include <keyward/keyring.h>

#include "member.h"

/* Does something tell that this program cannot use the version?  `why` says what. */
bool kw_version_is_new(const json_t *value, char why[96]);
/* Keeps it; n and key_id are read already.  BAD_INPUT, NO_MEMORY; v->unknown_json belongs
 * to the caller then too. */
KW_MUST_USE kw_err kw_version_keep(const json_t *value, struct kw_version *v,
                                   struct kw_note *note);

#endif
