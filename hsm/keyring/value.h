/* SPDX-License-Identifier: Apache-2.0 */
/* value - the kinds of members that only the keyring file has */
#ifndef KEYWARD_KEYRING_VALUE_H
#define KEYWARD_KEYRING_VALUE_H

#include <keyward/keyring.h>

#include "member.h"

extern const struct kw_member_kind kw_kind_mechanism;     /* enum kw_mechanism          */
extern const struct kw_member_kind kw_kind_state;         /* enum kw_key_state          */
extern const struct kw_member_kind kw_kind_stored_format; /* uint8_t: the ciphertext's  */
extern const struct kw_member_kind kw_kind_attributes;    /* struct kw_key_attributes   */

/* object.c */
extern const struct kw_member kw_object_table[]; /* of struct kw_object */
/* No role and no type that a newer keyward brought. */
bool kw_object_is_known(const json_t *object);
/* ext.c */
extern const struct kw_member_kind
    kw_kind_ext; /* char[KW_EXT_MAX + 1], one line of JSON */
extern const struct kw_member_kind kw_kind_critical; /* struct kw_keyring, offset 0 */
#define KW_CRITICAL_RULE "must be an array of at most %u names of 1 to %u bytes"
bool kw_is_critical(const json_t *value); /* is it that? */
/* ancestors.c */
extern const struct kw_member_kind kw_kind_ancestors; /* uint8_t[max][32], its count at
                                                         len_at */

#endif
