/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

static int64_t steady(void *self)
{
    return ((struct kw_fake_clock *)self)->now_ns;
}

static int64_t wall(void *self)
{
    return INT64_C(1767225600) * KW_S_NS + ((struct kw_fake_clock *)self)->now_ns;
}

struct kw_clock kw_fake_clock(struct kw_fake_clock *fake)
{
    return (struct kw_clock){steady, steady, wall, fake};
}
