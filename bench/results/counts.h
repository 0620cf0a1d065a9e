/* SPDX-License-Identifier: Apache-2.0 */
/* counts - how many calls took up to how long: a histogram as it stands in a document
 *
 * Buckets that hold something, by rising upper limit.  {0} is empty.
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_COUNTS_H
#define KEYWARD_BENCH_COUNTS_H

#include <jansson.h>

#include <keyward/err.h>

struct kw_count {
    uint64_t upper_ns, count;
};

struct kw_counts {
    struct kw_count *bucket; /* owned */
    size_t count;
};

void kw_counts_wipe(struct kw_counts *c);

/* Adds what `more` has. */
KW_MUST_USE kw_err kw_counts_add(struct kw_counts *c, const struct kw_counts *more);

/* [[upper_ns, count], …].  BAD_INPUT: not that, or not rising. */
KW_MUST_USE kw_err kw_counts_read(const json_t *array, struct kw_counts *ret_counts);
json_t *kw_counts_document(const struct kw_counts *c); /* NULL: out of memory */

/* The value that `ppm` of a million calls do not exceed; false when fewer than
 * KW_HISTOGRAM_BEYOND calls lie beyond it. */
bool kw_counts_at(const struct kw_counts *c, uint32_t ppm, uint64_t *ret_ns);

#endif
