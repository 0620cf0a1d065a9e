/* SPDX-License-Identifier: Apache-2.0 */
/* micro - the parts by themselves, each next to what it costs at the least
 *
 * One file a family, which has its cases in one table; none keeps anything from one run to
 * the next.  The arena is open when they are called.
 *
 * Threads:  one.
 */
#ifndef KEYWARD_BENCH_MICRO_H
#define KEYWARD_BENCH_MICRO_H

#include <keyward/err.h>

#include "shim.h"

/* The largest cache: seeds of that many entries must fit into locked memory. */
enum { KW_MICRO_ENTRIES_MAX = 65536 };

/* The last one has no name. */
extern const struct kw_micro_case kw_micro_floor[], kw_micro_envelope[],
    kw_micro_policy[], kw_micro_codec[], kw_micro_wire[], kw_micro_secret[],
    kw_micro_keyring[];
/* Caches of at most `entries_max` entries. */
const struct kw_micro_case *kw_micro_cache(int64_t entries_max);

/* kw_micro_fail when it failed; true when it did. */
bool kw_micro_failed(struct kw_micro *m, kw_err e);
/* Turn after turn, until `e` is an error, which fails the run. */
#define KW_MICRO_EACH(m, e)                                                              \
    for ((e) = KW_OK; (!kw_failed(e) || !kw_micro_failed((m), (e))) && kw_micro_next(m);)

/* Bytes that look random and are the same in every run. */
void kw_micro_fill(void *dst, size_t len, uint64_t seed);

#endif
