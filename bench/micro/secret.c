/* SPDX-License-Identifier: Apache-2.0 */
/* The arena: loans of locked memory, and wiping. */
#include <keyward/secret.h>

#include <keyward/limits.h>

#include "micro.h"

enum { CROWD_MAX = 4096, SEED = 32 };

static struct kw_secret crowd[CROWD_MAX];

static void leave(size_t count)
{
    for (size_t i = 0; i < count; i++)
        kw_secret_wipe(&crowd[i]);
}

/* As many seeds are lent out as the argument says. */
static bool setup_crowd(struct kw_micro *m)
{
    size_t count = (size_t)kw_micro_argument(m);
    for (size_t i = 0; i < count; i++)
        if (kw_micro_failed(m, kw_secret_init(&crowd[i], SEED))) {
            leave(i);
            return false;
        }
    return true;
}

static void teardown_crowd(void)
{
    leave(CROWD_MAX); /* of the empty ones too: that does nothing */
}

static void take_give(struct kw_micro *m, size_t len)
{
    struct kw_secret s = {0};
    kw_err e;
    KW_MICRO_EACH(m, e)
    {
        e = kw_secret_init(&s, len);
        kw_micro_keep(s.ptr);
        kw_secret_wipe(&s);
    }
}

static void take_give_sized(struct kw_micro *m)
{
    take_give(m, (size_t)kw_micro_argument(m));
}

static void take_give_among(struct kw_micro *m)
{
    take_give(m, SEED);
}

static void wipe(struct kw_micro *m)
{
    uint8_t bytes[4096];
    size_t len = (size_t)kw_micro_argument(m);
    while (kw_micro_next(m)) {
        kw_wipe(bytes, len);
        kw_micro_keep(bytes);
    }
    kw_micro_bytes(m, kw_micro_iterations(m) * (int64_t)len);
}

static const int64_t lengths[] = {SEED, KW_INNER_MAX, 4096};
static const int64_t lent[] = {0, 256, CROWD_MAX};
const struct kw_micro_case kw_micro_secret[] = {
    {"secret/take_give", NULL, take_give_sized, NULL, false, "bytes", lengths, 3},
    {"secret/take_give_among", setup_crowd, take_give_among, teardown_crowd, false,
     "lent", lent, 3},
    {"secret/wipe", NULL, wipe, NULL, false, "bytes", lengths, 3},
    {.name = NULL},
};
