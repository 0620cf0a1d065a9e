/* SPDX-License-Identifier: Apache-2.0 */
#include "acl.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

/* The attribute's numbers are little-endian on every machine. */
static uint32_t take_le(struct kw_src *src, unsigned bytes)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint32_t)kw_src_u8(src) << (8 * i);
    return v;
}

static bool is_harmless(uint32_t tag, uint32_t perm, uint32_t id, uint32_t uid)
{
    switch (tag) {
    case ACL_USER_OBJ:
    case ACL_MASK: return true; /* the mask only takes away */
    case ACL_USER: return perm == 0 || id == uid || id == 0;
    case ACL_GROUP_OBJ:
    case ACL_GROUP:
    case ACL_OTHER: return perm == 0;
    default: return false;
    }
}

bool kw_acl_is_only_for(kw_span acl, uint32_t uid)
{
    struct kw_src src = kw_src_of(acl);
    if (take_le(&src, 4) != POSIX_ACL_XATTR_VERSION || kw_src_left(&src) == 0)
        return false;
    while (kw_src_left(&src) > 0 && !src.bad) {
        uint32_t tag = take_le(&src, 2);
        uint32_t perm = take_le(&src, 2);
        uint32_t id = take_le(&src, 4);
        if (!is_harmless(tag, perm, id, uid))
            return false;
    }
    return kw_src_done(&src);
}
