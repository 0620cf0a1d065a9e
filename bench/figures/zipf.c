/* SPDX-License-Identifier: Apache-2.0 */
#include "zipf.h"

#include <math.h>

#include <keyward/alloc.h>

kw_err kw_zipf_init(struct kw_zipf *z, size_t count, double s)
{
    KW_INVARIANT(count > 0 && s >= 0);
    double all = 0;
    double *sum = kw_new(count, sizeof sum[0]);
    if (sum == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "zipf");
    for (size_t i = 0; i < count; i++)
        sum[i] = all += pow((double)i + 1, -s);
    for (size_t i = 0; i < count; i++)
        sum[i] /= all;
    *z = (struct kw_zipf){count, sum};
    return KW_OK;
}

void kw_zipf_wipe(struct kw_zipf *z)
{
    kw_free(z->sum);
    *z = (struct kw_zipf){0};
}

size_t kw_zipf_at(const struct kw_zipf *z, double unit)
{
    size_t low = 0,
           high = z->count - 1; /* whatever the roundings, the last is the last */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (z->sum[middle] > unit)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}
