/* SPDX-License-Identifier: Apache-2.0 */
/* acl - does a file's POSIX ACL (acl(5)) let in anybody but one uid?
 *
 * systemd hands a credential to a service's user by an ACL entry on a file of root's; the
 * file's group bits are then the ACL's mask and say nothing about the group.
 */
#ifndef KEYWARD_BASE_ACL_H
#define KEYWARD_BASE_ACL_H

#include <keyward/bytes.h>

#define KW_ACL_XATTR "system.posix_acl_access"

/* `acl` is the extended attribute's value.  true when it is well-formed and grants
 * nothing to any user but its owner, root and `uid`, to any group, or to others. */
bool kw_acl_is_only_for(kw_span acl, uint32_t uid);

#endif
