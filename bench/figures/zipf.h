/* SPDX-License-Identifier: Apache-2.0 */
/* zipf - a few things are asked for often, most hardly ever
 *
 * Thing i of `count` has the share (i + 1)^-s of all draws.  Exact: the sums are kept in
 * a table and a draw is looked up in it.
 *
 * Threads:  plain values; drawing changes nothing.
 */
#ifndef KEYWARD_BENCH_ZIPF_H
#define KEYWARD_BENCH_ZIPF_H

#include <stddef.h>

#include <keyward/err.h>

struct kw_zipf {
    size_t count;
    double *sum; /* [count], owned: the share of things 0..i together */
};

/* count is at least 1; s is 0 (all alike) or more.  NO_MEMORY. */
KW_MUST_USE kw_err kw_zipf_init(struct kw_zipf *z, size_t count, double s);
void kw_zipf_wipe(struct kw_zipf *z); /* {0} does nothing */
/* The thing at `unit` of [0, 1): the first whose sum is above it. */
size_t kw_zipf_at(const struct kw_zipf *z, double unit);

#endif
