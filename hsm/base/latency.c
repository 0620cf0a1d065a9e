/* SPDX-License-Identifier: Apache-2.0 */
#include <keyward/latency.h>

size_t kw_latency_at(int64_t ns)
{
    if (ns <= KW_LATENCY_FIRST_NS)
        return 0;
    const uint64_t firsts = ((uint64_t)ns - 1) / (uint64_t)KW_LATENCY_FIRST_NS; /* >= 1 */
    const size_t at = 64 - (size_t)__builtin_clzll(firsts);
    return at < KW_LATENCY_BOUNDS ? at : KW_LATENCY_BOUNDS;
}

void kw_latency_add(struct kw_latency *latency, int64_t ns)
{
    latency->count[kw_latency_at(ns)]++;
    latency->sum_ns += ns > 0 ? (uint64_t)ns : 0;
}
