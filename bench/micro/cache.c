/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of unwrapped seeds.  Each case is what it is called only when the cache itself
 * counted as much. */
#include <keyward/cache.h>
#include <keyward/clock.h>

#include "micro.h"

static struct kw_cache *cache;
static size_t entries;
static uint8_t seed[32];

/* The n-th key of all, good until the next one is made.  As long as a real one; only its
 * end changes, where a genuine ciphertext has its tag: that keeps the making of one,
 * which is timed too, short. */
static struct kw_cache_key key_of(uint64_t n)
{
    static uint8_t ciphertext[102];
    kw_micro_fill(ciphertext + sizeof ciphertext - 8, 8, n);
    return (struct kw_cache_key){kw_span_str("kw1-1-0123456789abcdef01234567"),
                                 kw_span_of(ciphertext, sizeof ciphertext)};
}

static bool cache_put(uint64_t n)
{
    struct kw_cache_key key = key_of(n);
    kw_cache_put(cache, &key, kw_span_of(seed, sizeof seed), 0);
    return true;
}

/* Full. */
static bool cache_setup(int64_t count)
{
    entries = (size_t)count;
    kw_micro_fill(seed, sizeof seed, 1);
    if (kw_failed(kw_cache_new(entries, 60 * KW_S_NS, &cache)))
        return false;
    for (uint64_t n = 0; n < entries; n++)
        (void)cache_put(n);
    return true;
}

/* Has the cache counted so many?  It is given back. */
static bool cache_did(uint64_t hits, uint64_t misses, uint64_t evicted)
{
    struct kw_cache_stats s = {0};
    if (cache != NULL)
        kw_cache_stats(cache, &s);
    kw_cache_free(cache);
    cache = NULL;
    return s.hits == hits && s.misses == misses && s.evicted == evicted;
}

/* Key after key, from `first` on.  Neighbours in time are no neighbours in memory: the
 * factor is odd, hence every key's turn comes once before any comes twice, the number of
 * entries being a power of two. */
static bool cache_get(uint64_t first, uint64_t n)
{
    struct kw_secret got = {0};
    struct kw_cache_key key = key_of(first + n * UINT64_C(2654435761) % entries);
    bool hit = kw_cache_get(cache, &key, 1, &got);
    kw_secret_wipe(&got);
    return hit;
}

/* Turns, and what the cache must have counted after so many. */
KW_MICRO_OF_N(cache_hit, cache_get(0, n))
KW_MICRO_OF_N(cache_all_hit, cache_did(n, 0, 0))
KW_MICRO_OF_N(cache_miss, !cache_get(entries, n))
KW_MICRO_OF_N(cache_all_missed, cache_did(0, n, 0))
KW_MICRO_OF_N(cache_evict, cache_put(entries + n))
KW_MICRO_OF_N(cache_all_evicted, cache_did(0, 0, n))

static const int64_t sizes[4] = {64, 1024, 16384, KW_MICRO_ENTRIES_MAX};
static struct kw_micro_case cases[] = {
    {"cache/hit", cache_setup, cache_hit, cache_all_hit, "entries", sizes, 0},
    {"cache/miss", cache_setup, cache_miss, cache_all_missed, "entries", sizes, 0},
    {"cache/evict", cache_setup, cache_evict, cache_all_evicted, "entries", sizes, 0},
    {.name = NULL},
};

const struct kw_micro_case *kw_micro_cache(int64_t entries_max)
{
    for (struct kw_micro_case *c = cases; c->name != NULL; c++)
        while (c->value_count < 4 && sizes[c->value_count] <= entries_max)
            c->value_count++;
    return cases;
}
