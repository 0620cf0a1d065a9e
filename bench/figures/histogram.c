/* SPDX-License-Identifier: Apache-2.0 */
#include "histogram.h"

#include <keyward/err.h>

static unsigned histogram_bucket_of(uint64_t value)
{
    const uint64_t most = (UINT64_C(1) << KW_HISTOGRAM_BITS) - 1;
    if (value > most)
        value = most;
    if (value < 256)
        return (unsigned)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - 7u;
    return 256u + (shift - 1u) * 128u + (unsigned)(value >> shift) - 128u;
}

uint64_t kw_histogram_top(unsigned bucket)
{
    KW_INVARIANT(bucket < KW_HISTOGRAM_BUCKETS);
    if (bucket < 256)
        return bucket;
    unsigned shift = (bucket - 256u) / 128u + 1u;
    uint64_t sub = (bucket - 256u) % 128u + 128u;
    return ((sub + 1u) << shift) - 1u;
}

void kw_histogram_add(struct kw_histogram *h, uint64_t value)
{
    h->count++;
    h->sum += value;
    if (value > h->max)
        h->max = value;
    h->bucket[histogram_bucket_of(value)]++;
}

bool kw_histogram_at(const struct kw_histogram *h, uint32_t ppm, uint64_t *ret_value)
{
    KW_INVARIANT(ppm > 0 && ppm < 1000000u);
    /* ceil(count * ppm / 1000000), in two parts that cannot run over. */
    uint64_t rank =
        h->count / 1000000u * ppm + (h->count % 1000000u * ppm + 999999u) / 1000000u;
    uint64_t seen = 0;
    if (h->count - rank < KW_HISTOGRAM_BEYOND)
        return false;
    for (unsigned b = 0; b < KW_HISTOGRAM_BUCKETS; b++) {
        seen += h->bucket[b];
        if (seen >= rank) {
            uint64_t top = kw_histogram_top(b);
            *ret_value = top < h->max ? top : h->max;
            return true;
        }
    }
    return false;
}
