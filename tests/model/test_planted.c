/* SPDX-License-Identifier: Apache-2.0 */
/* The model against a keyring module with a bug in it: it must find the bug. */
#include "check.h"

#include "model.h"

#include <stdio.h>

enum { HISTORIES_MAX = 2000 };

static bool finds(uint64_t seed)
{
    static struct world w;
    CHECK(world_open(&w, seed));
    history_live(&w);
    bool found = w.broken[0] != '\0';
    if (found)
        fprintf(stderr, "history %llu: %s\n", (unsigned long long)seed, w.broken);
    world_close(&w);
    return found;
}

TEST(KW_PLANTED)
{
    for (uint64_t seed = 1; seed <= HISTORIES_MAX; seed++)
        if (finds(seed))
            return;
    fail_msg("%d histories, and the bug was not found", HISTORIES_MAX);
}

/* Its name is what the macro stands for. */
#define EXPANDED(fn) CASE(fn)
KW_CASES("model/planted", EXPANDED(KW_PLANTED))
