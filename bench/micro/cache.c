/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of unwrapped seeds.  What each case claims to have done is counted by the
 * cache itself and reported beside the time: hits, misses, evicted, expired. */
#include <keyward/cache.h>
#include <keyward/clock.h>

#include "micro.h"

enum { SEED = 32 };

#define TTL_NS (60 * KW_S_NS)

static struct kw_cache *cache;
static size_t entries;
static uint8_t seed[SEED];

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

/* So that neighbours in time are no neighbours in memory: odd, hence every key's turn
 * comes once before any comes twice, the number of entries being a power of two. */
static uint64_t scattered(uint64_t turn)
{
    return turn * UINT64_C(2654435761) % entries;
}

static void cache_put(uint64_t n, int64_t now_ns)
{
    struct kw_cache_key key = key_of(n);
    kw_cache_put(cache, &key, kw_span_of(seed, SEED), now_ns);
}

static void cache_fill(int64_t now_ns)
{
    for (uint64_t n = 0; n < entries; n++)
        cache_put(n, now_ns);
}

static bool setup_empty(struct kw_micro *m)
{
    entries = (size_t)kw_micro_argument(m);
    kw_micro_fill(seed, SEED, 1);
    return !kw_micro_failed(m, kw_cache_new(entries, TTL_NS, &cache));
}

static bool setup_full(struct kw_micro *m)
{
    if (!setup_empty(m))
        return false;
    cache_fill(0);
    return true;
}

static void cache_teardown(void)
{
    kw_cache_free(cache);
    cache = NULL;
}

static struct kw_cache_stats stats(void)
{
    struct kw_cache_stats s;
    kw_cache_stats(cache, &s);
    return s;
}

/* The case is what it says only when the cache counted as much. */
static void cache_report(struct kw_micro *m, const char *name, uint64_t counted,
                         uint64_t expected)
{
    kw_micro_count(m, name, (double)counted);
    kw_micro_items(m, (int64_t)counted);
    if (counted != expected)
        kw_micro_fail(m, "the cache did not do what this case measures");
}

/* Gets key after key, each from `first` on; how many were there. */
static uint64_t get_all(struct kw_micro *m, uint64_t first)
{
    struct kw_secret got = {0};
    uint64_t hits = 0, turn = 0;
    while (kw_micro_next(m)) {
        struct kw_cache_key key = key_of(first + scattered(turn++));
        hits += kw_cache_get(cache, &key, 1, &got);
        kw_secret_wipe(&got);
    }
    return hits;
}

static void hit(struct kw_micro *m)
{
    uint64_t hits = get_all(m, 0);
    kw_micro_count(m, "misses", (double)stats().misses);
    cache_report(m, "hits", stats().hits, hits);
    if (hits != (uint64_t)kw_micro_iterations(m))
        kw_micro_fail(m, "a get was no hit");
}

static void miss(struct kw_micro *m)
{
    uint64_t hits = get_all(m, entries);
    kw_micro_count(m, "hits", (double)(stats().hits + hits));
    cache_report(m, "misses", stats().misses, (uint64_t)kw_micro_iterations(m));
}

/* Into room that is free: when none is left the clock stands still while all is wiped. */
static void insert(struct kw_micro *m)
{
    uint64_t n = 0;
    while (kw_micro_next(m)) {
        cache_put(n++, 0);
        if (n % entries == 0) {
            kw_micro_pause(m);
            (void)kw_cache_wipe(cache);
            kw_micro_resume(m);
        }
    }
    kw_micro_count(m, "evicted", (double)stats().evicted);
    cache_report(m, "puts", stats().puts, (uint64_t)kw_micro_iterations(m));
}

static void evict(struct kw_micro *m)
{
    uint64_t n = entries;
    while (kw_micro_next(m))
        cache_put(n++, 0);
    cache_report(m, "evicted", stats().evicted, (uint64_t)kw_micro_iterations(m));
}

/* One turn is a full cache that gets too old at once. */
static void expire(struct kw_micro *m)
{
    uint64_t turns = 0;
    int64_t now_ns = 0;
    while (kw_micro_next(m)) {
        kw_micro_pause(m);
        cache_fill(now_ns);
        now_ns += TTL_NS + 1;
        kw_micro_resume(m);
        (void)kw_cache_expire(cache, now_ns);
        turns++;
    }
    cache_report(m, "expired", stats().expired, turns * entries);
}

/* Powers of two, see scattered; the last ones only where they fit. */
static const int64_t sizes[] = {64, 1024, 16384, KW_MICRO_ENTRIES_MAX};
#define SIZES "entries", sizes
static struct kw_micro_case cases[] = {
    {"cache/hit", setup_full, hit, cache_teardown, false, SIZES},
    {"cache/miss", setup_full, miss, cache_teardown, false, SIZES},
    {"cache/insert", setup_empty, insert, cache_teardown, false, SIZES},
    {"cache/evict", setup_full, evict, cache_teardown, false, SIZES},
    {"cache/expire", setup_empty, expire, cache_teardown, false, SIZES},
    {.name = NULL},
};

const struct kw_micro_case *kw_micro_cache(int64_t entries_max)
{
    for (size_t i = 0; cases[i].name != NULL; i++)
        while (cases[i].value_count < sizeof sizes / sizeof sizes[0] &&
               sizes[cases[i].value_count] <= entries_max)
            cases[i].value_count++;
    return cases;
}
