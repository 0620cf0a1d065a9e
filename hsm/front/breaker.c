/* SPDX-License-Identifier: Apache-2.0 */
/* A token that failed several jobs in a row. */
#include "breaker.h"

enum { FAILURES = 3 };

bool kw_breaker_failed(struct kw_breaker *b, size_t most, uint64_t now_id)
{
    if (b->open || ++b->failures < (most < FAILURES ? most : FAILURES))
        return false;
    *b = (struct kw_breaker){.open = true, .opened_id = now_id};
    return true;
}

void kw_breaker_good(struct kw_breaker *b)
{
    b->failures = 0;
}

bool kw_breaker_proven(struct kw_breaker *b, uint64_t canary_id)
{
    if (!b->open || canary_id <= b->opened_id)
        return false;
    *b = (struct kw_breaker){0};
    return true;
}
