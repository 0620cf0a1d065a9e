/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of unwrapped seeds.  What each case claims to have done is counted by the
 * cache itself and reported beside the time: hits, misses, evicted, expired. */
#include <keyward/cache.h>
#include <keyward/clock.h>

#include "micro.h"

enum { SEED = 32 };

#define TTL_NS (60 * KW_S_NS)

static struct fixture {
    struct kw_cache *cache;
    size_t entries;
    uint8_t seed[SEED];
} f;

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
    return turn * UINT64_C(2654435761) % f.entries;
}

static void put(uint64_t n, int64_t now_ns)
{
    struct kw_cache_key key = key_of(n);
    kw_cache_put(f.cache, &key, kw_span_of(f.seed, SEED), now_ns);
}

static void fill(int64_t now_ns)
{
    for (uint64_t n = 0; n < f.entries; n++)
        put(n, now_ns);
}

static void *setup_empty(struct kw_micro *m)
{
    f.entries = (size_t)kw_micro_argument(m);
    kw_micro_fill(f.seed, SEED, 1);
    if (kw_micro_failed(m, kw_cache_new(f.entries, TTL_NS, &f.cache)))
        return NULL;
    return &f;
}

static void *setup_full(struct kw_micro *m)
{
    if (setup_empty(m) == NULL)
        return NULL;
    fill(0);
    return &f;
}

static void teardown(void *fixture)
{
    (void)fixture;
    kw_cache_free(f.cache);
    f.cache = NULL;
}

static struct kw_cache_stats stats(void)
{
    struct kw_cache_stats s;
    kw_cache_stats(f.cache, &s);
    return s;
}

/* The case is what it says only when the cache counted as much. */
static void report(struct kw_micro *m, const char *name, uint64_t counted,
                   uint64_t expected)
{
    kw_micro_count(m, name, (double)counted, KW_MICRO_TOTAL);
    kw_micro_items(m, (int64_t)counted);
    if (counted != expected)
        kw_micro_fail(m, "the cache did not do what this case measures");
}

/* Gets key after key, each from `first` on; how many were there. */
static uint64_t get_all(struct kw_micro *m, uint64_t first)
{
    struct kw_secret seed = {0};
    uint64_t hits = 0, turn = 0;
    while (kw_micro_next(m)) {
        struct kw_cache_key key = key_of(first + scattered(turn++));
        hits += kw_cache_get(f.cache, &key, 1, &seed);
        kw_secret_wipe(&seed);
    }
    return hits;
}

static void hit(struct kw_micro *m, void *fixture)
{
    (void)fixture;
    uint64_t hits = get_all(m, 0);
    kw_micro_count(m, "misses", (double)stats().misses, KW_MICRO_TOTAL);
    report(m, "hits", stats().hits, hits);
    if (hits != (uint64_t)kw_micro_iterations(m))
        kw_micro_fail(m, "a get was no hit");
}

static void miss(struct kw_micro *m, void *fixture)
{
    (void)fixture;
    uint64_t hits = get_all(m, f.entries);
    kw_micro_count(m, "hits", (double)(stats().hits + hits), KW_MICRO_TOTAL);
    report(m, "misses", stats().misses, (uint64_t)kw_micro_iterations(m));
}

/* Into room that is free: when none is left the clock stands still while all is wiped. */
static void insert(struct kw_micro *m, void *fixture)
{
    uint64_t n = 0;
    (void)fixture;
    while (kw_micro_next(m)) {
        put(n++, 0);
        if (n % f.entries == 0) {
            kw_micro_pause(m);
            (void)kw_cache_wipe(f.cache);
            kw_micro_resume(m);
        }
    }
    kw_micro_count(m, "evicted", (double)stats().evicted, KW_MICRO_TOTAL);
    report(m, "puts", stats().puts, (uint64_t)kw_micro_iterations(m));
}

static void evict(struct kw_micro *m, void *fixture)
{
    uint64_t n = f.entries;
    (void)fixture;
    while (kw_micro_next(m))
        put(n++, 0);
    report(m, "evicted", stats().evicted, (uint64_t)kw_micro_iterations(m));
}

/* One turn is a full cache that gets too old at once. */
static void expire(struct kw_micro *m, void *fixture)
{
    uint64_t turns = 0;
    int64_t now_ns = 0;
    (void)fixture;
    while (kw_micro_next(m)) {
        kw_micro_pause(m);
        fill(now_ns);
        now_ns += TTL_NS + 1;
        kw_micro_resume(m);
        (void)kw_cache_expire(f.cache, now_ns);
        turns++;
    }
    report(m, "expired", stats().expired, turns * f.entries);
}

/* Powers of two, see scattered; the last ones only where they fit. */
static const int64_t entries[] = {64, 1024, 16384, KW_MICRO_ENTRIES_MAX};
static struct kw_micro_case cases[] = {
    {.name = "cache/hit",
     .setup = setup_full,
     .run = hit,
     .teardown = teardown,
     .argument = "entries",
     .values = entries},
    {.name = "cache/miss",
     .setup = setup_full,
     .run = miss,
     .teardown = teardown,
     .argument = "entries",
     .values = entries},
    {.name = "cache/insert",
     .setup = setup_empty,
     .run = insert,
     .teardown = teardown,
     .argument = "entries",
     .values = entries},
    {.name = "cache/evict",
     .setup = setup_full,
     .run = evict,
     .teardown = teardown,
     .argument = "entries",
     .values = entries},
    {.name = "cache/expire",
     .setup = setup_empty,
     .run = expire,
     .teardown = teardown,
     .argument = "entries",
     .values = entries},
};

void kw_micro_cache(int64_t entries_max)
{
    size_t fitting = 0;
    while (fitting < sizeof entries / sizeof entries[0] &&
           entries[fitting] <= entries_max)
        fitting++;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cases[i].value_count = fitting;
        kw_micro_register(&cases[i]);
    }
}
