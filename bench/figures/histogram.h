/* SPDX-License-Identifier: Apache-2.0 */
/* histogram - how long each of many calls took, in fixed memory
 *
 * Log-linear buckets: exact below 256, above that 128 to each doubling, so that a value
 * is told at most 1/128 too high and never too low.
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_HISTOGRAM_H
#define KEYWARD_BENCH_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

enum {
    KW_HISTOGRAM_BITS = 40, /* 18 minutes in nanoseconds; more counts as that much */
    KW_HISTOGRAM_BUCKETS = 256 + (KW_HISTOGRAM_BITS - 8) * 128,
    KW_HISTOGRAM_BEYOND = 100, /* samples above a percentile that may be told */
};

/* {0} is empty. */
struct kw_histogram {
    uint64_t count, sum, max;
    uint64_t bucket[KW_HISTOGRAM_BUCKETS];
};

void kw_histogram_add(struct kw_histogram *h, uint64_t value);
/* The largest value that bucket[bucket] counts. */
uint64_t kw_histogram_top(unsigned bucket);

/* The value that `ppm` of a million samples do not exceed: 500000 is the median.
 * false when fewer than KW_HISTOGRAM_BEYOND samples lie beyond it: then nobody knows. */
bool kw_histogram_at(const struct kw_histogram *h, uint32_t ppm, uint64_t *ret_value);

#endif
