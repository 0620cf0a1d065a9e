/* SPDX-License-Identifier: Apache-2.0 */
/* How long to wait after the n-th failure in a row. */
#include "backoff.h"

int64_t kw_backoff_ns(unsigned failures, uint64_t random)
{
    int64_t most = KW_BACKOFF_FIRST_NS;
    for (unsigned i = 1; i < failures && most < KW_BACKOFF_MAX_NS; i++)
        most *= 2;
    if (most > KW_BACKOFF_MAX_NS)
        most = KW_BACKOFF_MAX_NS;
    return (int64_t)(random % (uint64_t)(most + 1));
}
