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
extern const struct kw_member_kind kw_kind_signatures; /* struct kw_version, offset 0 */

#endif
