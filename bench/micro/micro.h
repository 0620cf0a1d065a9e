/* SPDX-License-Identifier: Apache-2.0 */
/* micro - the parts of the house by themselves, each next to what it costs at the least
 *
 * One file a family.  Each registers its cases with the shim; none keeps anything from
 * one run to the next.  The arena is open when they are called.
 *
 * Threads:  one.
 */
#ifndef KEYWARD_BENCH_MICRO_H
#define KEYWARD_BENCH_MICRO_H

#include <keyward/err.h>

#include "shim.h"

/* The largest cache: seeds of that many entries must fit into locked memory. */
enum { KW_MICRO_ENTRIES_MAX = 65536 };

void kw_micro_floor(void);
void kw_micro_envelope(void);
/* Caches of at most `entries_max` entries. */
void kw_micro_cache(int64_t entries_max);
void kw_micro_policy(void);
void kw_micro_codec(void);
void kw_micro_wire(void);
void kw_micro_secret(void);
void kw_micro_keyring(void);

/* kw_micro_fail when it failed; true when it did. */
bool kw_micro_failed(struct kw_micro *m, kw_err e);

/* Bytes that look random and are the same in every run. */
void kw_micro_fill(void *dst, size_t len, uint64_t seed);

#endif
