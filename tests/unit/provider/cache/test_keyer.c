/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/alloc.h>
#include <keyward/cache.h>

static struct kw_cache_keyer *keyer;

static void open_keyer(void)
{
    kw_test_arena(64 * 1024);
    CHECK_OK(kw_cache_keyer_new(&keyer));
}

static struct kw_cache_key make(uint32_t class_index, const char *key_id,
                                kw_span ciphertext)
{
    struct kw_cache_key k = {{0}};
    kw_cache_keyer_make(keyer, class_index, kw_span_str(key_id), ciphertext, &k);
    return k;
}

static bool meet(struct kw_cache_key a, struct kw_cache_key b)
{
    return memcmp(a.b, b.b, sizeof a.b) == 0;
}

static void make__any_part_differs__never_meet(void **state)
{
    (void)state;
    open_keyer();
    struct kw_cache_key k = make(1, "kw1-1-a", kw_span_str("sealed"));
    CHECK(!meet(k, make(0, "kw1-1-a", kw_span_str("sealed"))));
    CHECK(!meet(k, make(1 + (UINT32_C(1) << 24), "kw1-1-a", kw_span_str("sealed"))));
    CHECK(!meet(k, make(1, "kw1-1-b", kw_span_str("sealed"))));
    CHECK(!meet(k, make(1, "kw1-1-a", kw_span_str("sealeD"))));
    CHECK(!meet(k, make(1, "kw1-1-a", kw_span_of("sealed\0", 7))));
    kw_cache_keyer_free(keyer);
}

static void make__bytes_move_over_the_boundary__never_meet(void **state)
{
    (void)state;
    open_keyer();
    CHECK(!meet(make(1, "ab", kw_span_str("c")), make(1, "a", kw_span_str("bc"))));
    CHECK(!meet(make(1, "abc", kw_span_str("")), make(1, "", kw_span_str("abc"))));
    kw_cache_keyer_free(keyer);
}

static void make__any_one_bit_of_the_ciphertext__never_meet(void **state)
{
    uint8_t text[130] = {7};
    (void)state;
    open_keyer();
    struct kw_cache_key k = make(0, "id", kw_span_of(text, sizeof text));
    for (size_t bit = 0; bit < sizeof text * 8; bit++) {
        text[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(!meet(k, make(0, "id", kw_span_of(text, sizeof text))));
        text[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    kw_cache_keyer_free(keyer);
}

static void make__equal_requests__meet_whatever_came_between(void **state)
{
    (void)state;
    open_keyer();
    struct kw_cache_key k = make(3, "id", kw_span_str("sealed"));
    CHECK(!meet(k, make(3, "other", kw_span_str("something much longer than before"))));
    CHECK(meet(k, make(3, "id", kw_span_str("sealed"))));
    kw_cache_keyer_free(keyer);
}

static void make__another_process_key__never_meet(void **state)
{
    struct kw_cache_keyer *other = NULL;
    struct kw_cache_key k = {{0}};
    (void)state;
    open_keyer();
    CHECK_OK(kw_cache_keyer_new(&other));
    kw_cache_keyer_make(other, 0, kw_span_str("id"), kw_span_str("sealed"), &k);
    CHECK(!meet(k, make(0, "id", kw_span_str("sealed"))));
    kw_cache_keyer_free(other);
    kw_cache_keyer_free(keyer);
}

static void new__arena_full__no_memory_and_output_untouched(void **state)
{
    struct kw_cache_keyer *k = NULL;
    struct kw_secret all[128] = {{0}};
    size_t n = 0;
    (void)state;
    kw_test_arena(4096);
    while (n < 128 && !kw_failed(kw_secret_init(&all[n], 1)))
        n++;
    CHECK(n < 128);
    CHECK_CODE(kw_cache_keyer_new(&k), KW_CODE_NO_MEMORY);
    CHECK(k == NULL);
    while (n > 0)
        kw_secret_wipe(&all[--n]);
}

static void new__memory_out__no_memory_and_nothing_kept(void **state)
{
    struct kw_cache_keyer *k = NULL;
    (void)state;
    kw_test_arena(4096);
    kw_alloc_fail_from(0);
    kw_err e = kw_cache_keyer_new(&k);
    kw_alloc_fail_from(-1);
    CHECK_CODE(e, KW_CODE_NO_MEMORY);
    CHECK(k == NULL);
}

static void new__any__its_key_is_in_the_arena_until_freed(void **state)
{
    struct kw_arena_info info;
    (void)state;
    open_keyer();
    kw_arena_info(&info);
    CHECK(info.used >= 32);
    kw_cache_keyer_free(keyer);
    kw_arena_info(&info);
    CHECK(info.used == 0);
    kw_cache_keyer_free(NULL);
}

KW_CASES("provider/cache/keyer", CASE(make__any_part_differs__never_meet),
         CASE(make__bytes_move_over_the_boundary__never_meet),
         CASE(make__any_one_bit_of_the_ciphertext__never_meet),
         CASE(make__equal_requests__meet_whatever_came_between),
         CASE(make__another_process_key__never_meet),
         CASE(new__arena_full__no_memory_and_output_untouched),
         CASE(new__memory_out__no_memory_and_nothing_kept),
         CASE(new__any__its_key_is_in_the_arena_until_freed))
