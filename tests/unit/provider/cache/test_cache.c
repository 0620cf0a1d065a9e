/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>

#include <keyward/alloc.h>
#include <keyward/cache.h>

#define TTL (10 * KW_S_NS)

static struct kw_cache *cache;

static void open_cache(size_t entries, int64_t ttl_ns)
{
    kw_test_arena(256 * 1024);
    CHECK_OK(kw_cache_new(entries, ttl_ns, &cache));
}

/* Two neighbours share mark and bucket, so that chains are walked too. */
static struct kw_cache_key key(unsigned i)
{
    static uint8_t texts[65536][8];
    uint8_t *text = texts[i % 65536];
    text[0] = (uint8_t)i;
    text[1] = (uint8_t)(i >> 8);
    text[7] = (uint8_t)(i / 2);
    return (struct kw_cache_key){kw_span_str("kw1-1-a"),
                                 kw_span_of(text, sizeof texts[0])};
}

static void put(unsigned i, int64_t now)
{
    uint8_t seed[32];
    memset(seed, (int)(i & 0xff), sizeof seed);
    struct kw_cache_key k = key(i);
    kw_cache_put(cache, &k, kw_span_of(seed, sizeof seed), now);
}

/* A hit with the right seed, or a miss; a hit with any other bytes fails the case. */
static bool has(unsigned i, int64_t now)
{
    KW_AUTO_SECRET(seed);
    struct kw_cache_key k = key(i);
    if (!kw_cache_get(cache, &k, now, &seed)) {
        CHECK(seed.ptr == NULL && seed.len == 0);
        return false;
    }
    CHECK(seed.len == 32);
    for (size_t b = 0; b < seed.len; b++)
        CHECK(seed.ptr[b] == (i & 0xff));
    return true;
}

static struct kw_cache_stats stats(void)
{
    struct kw_cache_stats s;
    kw_cache_stats(cache, &s);
    return s;
}

/* ---- failures first ---------------------------------------------------------------- */

TEST(new__arena_too_small__no_memory_and_output_untouched)
{
    struct kw_cache *c = NULL;
    struct kw_arena_info info;
    kw_test_arena(4096);
    kw_arena_info(&info);
    CHECK_CODE(kw_cache_new(info.bytes / KW_SEED_MAX + 1, TTL, &c), KW_CODE_NO_MEMORY);
    CHECK(c == NULL);
    kw_arena_info(&info);
    CHECK(info.used == 0);
}

TEST(new__every_allocation_fails_once__no_memory_and_nothing_kept)
{
    struct kw_arena_info info;
    kw_test_arena(64 * 1024);
    for (long n = 0; n < 4; n++) {
        struct kw_cache *c = NULL;
        kw_alloc_fail_from(n);
        kw_err e = kw_cache_new(8, TTL, &c);
        kw_alloc_fail_from(-1);
        CHECK_CODE(e, KW_CODE_NO_MEMORY);
        CHECK(c == NULL);
    }
    kw_arena_info(&info);
    CHECK(info.used == 0);
}

/* Lends what is left, block by block, so that nothing more can be had. */
static size_t take_the_rest(struct kw_secret *rest, size_t max)
{
    size_t n = 0;
    while (n < max && !kw_failed(kw_secret_init(&rest[n], 1)))
        n++;
    CHECK(n < max);
    return n;
}

TEST(get__arena_full__a_miss_and_the_entry_stays)
{
    struct kw_secret rest[128] = {{0}};
    kw_test_arena(4096);
    CHECK_OK(kw_cache_new(2, TTL, &cache));
    put(1, 0);
    size_t n = take_the_rest(rest, 128);
    CHECK(!has(1, 1));
    while (n > 0)
        kw_secret_wipe(&rest[--n]);
    CHECK(has(1, 1));
    kw_cache_free(cache);
}

TEST(get__empty_or_other_key__miss)
{
    open_cache(4, TTL);
    CHECK(!has(1, 0));
    put(1, 0);
    CHECK(!has(0, 0)); /* the same bucket */
    CHECK(!has(2, 0));
    CHECK(stats().misses == 3 && stats().hits == 0);
    kw_cache_free(cache);
}

TEST(new__no_entries_or_no_ttl__holds_nothing_and_takes_nothing)
{
    static const struct {
        size_t entries;
        int64_t ttl_ns;
    } off[] = {{0, TTL}, {8, 0}, {0, 0}};
    struct kw_arena_info info;
    kw_test_arena(4096);
    for (size_t i = 0; i < 3; i++) {
        CHECK_OK(kw_cache_new(off[i].entries, off[i].ttl_ns, &cache));
        put(1, 0);
        CHECK(!has(1, 0));
        CHECK(kw_cache_expire(cache, 0) == INT64_MAX);
        CHECK(kw_cache_wipe(cache) == 0);
        CHECK(stats().capacity == 0 && stats().entries == 0 && stats().puts == 0);
        kw_arena_info(&info);
        CHECK(info.used == 0);
        kw_cache_free(cache);
    }
    kw_cache_free(NULL);
}

/* ---- age --------------------------------------------------------------------------- */

TEST(get__to_the_nanosecond__younger_than_ttl_only)
{
    open_cache(4, TTL);
    put(1, 5);
    CHECK(has(1, 5 + TTL - 1));
    CHECK(!has(1, 5 + TTL));
    CHECK(stats().expired == 1 && stats().entries == 0);
    kw_cache_free(cache);
}

TEST(get__hits__do_not_prolong)
{
    open_cache(4, TTL);
    put(1, 0);
    for (int64_t t = 0; t < TTL; t += KW_S_NS)
        CHECK(has(1, t));
    CHECK(!has(1, TTL));
    kw_cache_free(cache);
}

TEST(expire__some_too_old__those_go_and_the_next_is_named)
{
    open_cache(4, TTL);
    CHECK(kw_cache_expire(cache, 0) == INT64_MAX);
    put(1, 0);
    put(2, 3);
    put(3, 7);
    CHECK(has(1, 4)); /* used last, still the oldest */
    CHECK(kw_cache_expire(cache, TTL - 1) == TTL);
    CHECK(stats().entries == 3);
    CHECK(kw_cache_expire(cache, TTL + 3) == TTL + 7);
    CHECK(stats().entries == 1 && stats().expired == 2);
    CHECK(kw_cache_expire(cache, TTL + 7) == INT64_MAX);
    CHECK(stats().entries == 0);
    kw_cache_free(cache);
}

TEST(expire__ttl_beyond_all_time__never)
{
    open_cache(4, INT64_MAX);
    put(1, 1);
    CHECK(kw_cache_expire(cache, 100 * TTL) == INT64_MAX);
    CHECK(has(1, 100 * TTL));
    kw_cache_free(cache);
}

/* ---- bounds ------------------------------------------------------------------------ */

TEST(put__full__whoever_was_used_longest_ago_goes)
{
    open_cache(3, TTL);
    put(1, 0);
    put(2, 1);
    put(3, 2);
    CHECK(has(1, 3)); /* order of use now 2 3 1 */
    put(4, 4);        /* 2 goes */
    CHECK(!has(2, 5));
    CHECK(has(3, 5)); /* 1 4 3 */
    put(5, 6);        /* 1 goes */
    CHECK(!has(1, 7));
    CHECK(has(3, 7) && has(4, 7) && has(5, 7));
    CHECK(stats().evicted == 2 && stats().entries == 3);
    kw_cache_free(cache);
}

/* Against a model that is nothing but an array in order of use. */
TEST(put_get__long_random_use__the_same_as_a_plain_list)
{
    unsigned model[5], count = 0, x = 12345;
    open_cache(5, TTL);
    for (unsigned round = 0; round < 20000; round++) {
        x = x * 1103515245u + 12345u;
        unsigned k = (x >> 16) % 9, at = 0;
        while (at < count && model[at] != k)
            at++;
        bool known = at < count;
        if ((x >> 28) % 2)
            CHECK(has(k, 0) == known);
        else {
            put(k, 0);
            if (!known && count == 5)
                at = 0; /* the first goes, and makes room */
            else if (!known)
                count++;
            known = true;
        }
        if (known) {
            for (; at + 1 < count; at++)
                model[at] = model[at + 1];
            model[count - 1] = k;
        }
        CHECK(stats().entries == count);
    }
    kw_cache_free(cache);
}

TEST(put__one_class_floods__another_keeps_its_own)
{
    struct kw_cache *quiet = NULL;
    open_cache(2, TTL);
    put(1, 0);
    quiet = cache;
    CHECK_OK(kw_cache_new(2, TTL, &cache));
    for (unsigned i = 0; i < 100; i++)
        put(i, 1);
    CHECK(stats().entries == 2 && stats().evicted == 98);
    kw_cache_free(cache);
    cache = quiet;
    CHECK(has(1, 2));
    kw_cache_free(cache);
}

TEST(put__same_key__replaced_with_a_new_age)
{
    uint8_t other[256];
    struct kw_cache_key k = key(1);
    KW_AUTO_SECRET(seed);
    open_cache(2, TTL);
    put(1, 0);
    memset(other, 0xee, sizeof other);
    kw_cache_put(cache, &k, kw_span_of(other, sizeof other), 5);
    CHECK(stats().entries == 1 && stats().evicted == 0 && stats().puts == 2);
    CHECK(kw_cache_get(cache, &k, TTL + 4, &seed));
    CHECK(kw_span_equal(kw_secret_peek(&seed), kw_span_of(other, sizeof other)));
    kw_cache_free(cache);
}

TEST(put__seeds_of_every_length__come_back_exactly)
{
    uint8_t bytes[KW_SEED_MAX];
    struct kw_cache_key k = key(1);
    open_cache(1, TTL);
    kw_random(bytes, sizeof bytes);
    for (size_t len = KW_SEED_MAX; len >= 1; len--) {
        KW_AUTO_SECRET(seed);
        kw_cache_put(cache, &k, kw_span_of(bytes, len), 0);
        CHECK(kw_cache_get(cache, &k, 0, &seed));
        CHECK(kw_span_equal(kw_secret_peek(&seed), kw_span_of(bytes, len)));
    }
    kw_cache_free(cache);
}

TEST(new__from_then_on__nothing_more_is_taken)
{
    struct kw_arena_info before, after;
    open_cache(16, TTL);
    kw_arena_info(&before);
    CHECK(before.used >= 16 * KW_SEED_MAX && before.used <= 16 * KW_SEED_MAX + 64);
    kw_alloc_fail_from(0);
    for (unsigned i = 0; i < 200; i++) {
        put(i, i);
        kw_arena_info(&after);
        CHECK(after.used == before.used);
    }
    kw_cache_wipe(cache);
    put(1, 0);
    CHECK(has(1, 0));
    kw_alloc_fail_from(-1);
    CHECK(stats().capacity == 16);
    kw_cache_free(cache);
    kw_arena_info(&after);
    CHECK(after.used == 0);
}

/* ---- leaving ----------------------------------------------------------------------- */

TEST(wipe__some_entries__none_left_and_usable_again)
{
    open_cache(4, TTL);
    for (unsigned i = 0; i < 9; i++)
        put(i, i);
    CHECK(kw_cache_wipe(cache) == 4);
    CHECK(kw_cache_wipe(cache) == 0);
    for (unsigned i = 0; i < 9; i++)
        CHECK(!has(i, 9));
    CHECK(kw_cache_expire(cache, 9) == INT64_MAX);
    for (unsigned i = 0; i < 9; i++)
        put(i, 9);
    CHECK(has(8, 9) && stats().entries == 4 && stats().wiped == 4);
    kw_cache_free(cache);
}

/* The arena as the kernel maps it: the mapping that a secret of ours lies in. */
static kw_span arena_mapping(void)
{
    KW_AUTO_SECRET(inside);
    unsigned long from = 0, to = 0;
    char line[512];
    CHECK_OK(kw_secret_init(&inside, 1));
    FILE *f = fopen("/proc/self/maps", "r");
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "%lx-%lx", &from, &to) == 2 && from <= (uintptr_t)inside.ptr &&
            (uintptr_t)inside.ptr < to)
            break;
    fclose(f);
    return kw_span_of((const uint8_t *)from, to - from);
}

static size_t bytes_not_zero(kw_span s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += s.ptr[i] != 0;
    return n;
}

/* Two seeds of 32 bytes without a zero. */
static void fill_two(void)
{
    put(0xa1, 0);
    put(0xa2, 1);
}

TEST(leaving__every_way__slots_are_zero)
{
    open_cache(2, TTL);
    kw_span arena = arena_mapping();
    size_t empty = bytes_not_zero(arena); /* the arena's own */
    fill_two();
    CHECK(bytes_not_zero(arena) == empty + 64);
    kw_cache_wipe(cache);
    CHECK(bytes_not_zero(arena) == empty);
    fill_two();
    kw_cache_expire(cache, TTL);
    CHECK(bytes_not_zero(arena) == empty + 32);
    kw_cache_expire(cache, TTL + 1);
    CHECK(bytes_not_zero(arena) == empty);
    fill_two();
    CHECK(!has(0xa1, TTL) && !has(0xa2, TTL + 1)); /* found too old */
    CHECK(bytes_not_zero(arena) == empty);
    fill_two();
    kw_cache_free(cache);
    CHECK(bytes_not_zero(arena) == 0);
}

TEST(leaving__evicted_or_replaced_by_a_shorter_one__no_tail_stays)
{
    uint8_t long_seed[KW_SEED_MAX], short_seed[1] = {0xff};
    struct kw_cache_key k = key(1), other = key(2);
    memset(long_seed, 0xdd, sizeof long_seed);
    open_cache(1, TTL);
    kw_span arena = arena_mapping();
    size_t empty = bytes_not_zero(arena);
    kw_cache_put(cache, &k, kw_span_of(long_seed, sizeof long_seed), 0);
    CHECK(bytes_not_zero(arena) == empty + KW_SEED_MAX);
    kw_cache_put(cache, &k, kw_span_of(short_seed, 1), 0); /* replaced */
    CHECK(bytes_not_zero(arena) == empty + 1);
    kw_cache_put(cache, &k, kw_span_of(long_seed, sizeof long_seed), 0);
    kw_cache_put(cache, &other, kw_span_of(short_seed, 1), 0); /* evicted */
    CHECK(bytes_not_zero(arena) == empty + 1);
    kw_cache_free(cache);
}

KW_CASES("provider/cache/cache",
         CASE(new__arena_too_small__no_memory_and_output_untouched),
         CASE(new__every_allocation_fails_once__no_memory_and_nothing_kept),
         CASE(get__arena_full__a_miss_and_the_entry_stays),
         CASE(get__empty_or_other_key__miss),
         CASE(new__no_entries_or_no_ttl__holds_nothing_and_takes_nothing),
         CASE(get__to_the_nanosecond__younger_than_ttl_only),
         CASE(get__hits__do_not_prolong),
         CASE(expire__some_too_old__those_go_and_the_next_is_named),
         CASE(expire__ttl_beyond_all_time__never),
         CASE(put__full__whoever_was_used_longest_ago_goes),
         CASE(put_get__long_random_use__the_same_as_a_plain_list),
         CASE(put__one_class_floods__another_keeps_its_own),
         CASE(put__same_key__replaced_with_a_new_age),
         CASE(put__seeds_of_every_length__come_back_exactly),
         CASE(new__from_then_on__nothing_more_is_taken),
         CASE(wipe__some_entries__none_left_and_usable_again),
         CASE(leaving__every_way__slots_are_zero),
         CASE(leaving__evicted_or_replaced_by_a_shorter_one__no_tail_stays))
