/* SPDX-License-Identifier: Apache-2.0 */
/* Percentiles. */
#include "percentile.h"

#include <stdlib.h>

static int percentile_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

int64_t kw_percentile(int64_t *ns, size_t count, unsigned percent)
{
    if (count == 0)
        return 0;
    qsort(ns, count, sizeof ns[0], percentile_compare);
    size_t rank = (count * percent + 99) / 100;
    return ns[rank > 0 ? rank - 1 : 0];
}
