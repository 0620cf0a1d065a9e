/* SPDX-License-Identifier: Apache-2.0 */
/* member_table - the members of the keyring file, and the rules that hold between them */
#ifndef KEYWARD_KEYRING_MEMBER_TABLE_H
#define KEYWARD_KEYRING_MEMBER_TABLE_H

#include <keyward/keyring.h>

#include "member.h"

/* Over struct kw_keyring; reading allocates its versions, also when it fails. */
extern const struct kw_member kw_keyring_table[];

/* A version: one that is not understood is read as KW_KEY_UNKNOWN.  BAD_INPUT, NO_MEMORY;
 * v->unknown_json belongs to the caller then too.  NULL as a kind's write. */
KW_MUST_USE kw_err kw_version_read(json_t *value, struct kw_version *v,
                                   struct kw_note *note);
json_t *kw_version_write(const struct kw_version *v);

/* What no single member can say: order, duplicates, states, the baseline, check blobs.
 * BAD_INPUT with *note naming the version and the member. */
KW_MUST_USE kw_err kw_keyring_rules(const struct kw_keyring *ring, struct kw_note *note);

/* The canonical text of a ring that parse would read back; else BAD_INPUT with a note. */
KW_MUST_USE kw_err kw_keyring_text(const struct kw_keyring *ring,
                                   struct kw_blob *ret_json, struct kw_note *note);

#endif
