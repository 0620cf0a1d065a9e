/* SPDX-License-Identifier: Apache-2.0 */
/* micro - the parts by themselves, each next to what it costs at the least
 *
 * No case keeps anything from one run to the next.  The arena is open when one is set up.
 *
 * Threads:  one.
 */
#ifndef KEYWARD_BENCH_MICRO_H
#define KEYWARD_BENCH_MICRO_H

#include <keyward/err.h>

#include "shim.h"

/* The last one has no name. */
extern const struct kw_micro_case kw_micro_parts[];
/* Caches of at most `entries_max` entries, a power of four. */
const struct kw_micro_case *kw_micro_cache(int64_t entries_max);
enum { KW_MICRO_ENTRIES_MAX = 65536 };

/* A turn, or a teardown, that is one expression of its number n. */
#define KW_MICRO_OF_N(name, does)                                                        \
    static bool name(uint64_t n)                                                         \
    {                                                                                    \
        return does;                                                                     \
    }

/* Bytes that look random and are the same in every run. */
void kw_micro_fill(void *dst, size_t len, uint64_t seed);

#endif
