/* SPDX-License-Identifier: Apache-2.0 */
/* Equal requests, and only those, meet. */
#include "check.h"

#include <keyward/cache.h>

static struct kw_cache *cache;

static void open_with(const char *key_id, kw_span ciphertext)
{
    const struct kw_cache_key k = {kw_span_str(key_id), ciphertext};
    kw_test_arena(64 * 1024);
    CHECK_OK(kw_cache_new(4, KW_S_NS, &cache));
    kw_cache_put(cache, &k, kw_span_str("a seed"), 0);
}

static bool found(const char *key_id, kw_span ciphertext)
{
    KW_AUTO_SECRET(seed);
    const struct kw_cache_key k = {kw_span_str(key_id), ciphertext};
    return kw_cache_get(cache, &k, 0, &seed);
}

static bool found_str(const char *key_id, const char *ciphertext)
{
    return found(key_id, kw_span_str(ciphertext));
}

TEST(get__any_part_differs__miss)
{
    open_with("kw1-1-a", kw_span_str("sealed"));
    CHECK(!found_str("kw1-1-b", "sealed"));
    CHECK(!found_str("kw1-1-a", "sealeD"));
    CHECK(!found_str("kw1-1-a", "Sealed")); /* the same mark */
    CHECK(!found_str("kw1-1-a", "xsealed"));
    CHECK(!found_str("kw1-1-a", "ealed"));
    CHECK(!found("kw1-1-a", kw_span_of("sealed\0", 7)));
    CHECK(found_str("kw1-1-a", "sealed"));
    kw_cache_free(cache);
}

TEST(get__bytes_move_over_the_boundary__miss)
{
    open_with("ab", kw_span_str("cdefg"));
    CHECK(!found_str("a", "bcdefg"));
    CHECK(!found_str("abc", "defg"));
    CHECK(!found_str("", "abcdefg"));
    CHECK(found_str("ab", "cdefg"));
    kw_cache_free(cache);
}

TEST(get__any_one_bit_of_the_ciphertext__miss)
{
    uint8_t text[130] = {7};
    open_with("id", kw_span_of(text, sizeof text));
    for (size_t bit = 0; bit < sizeof text * 8; bit++) {
        text[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(!found("id", kw_span_of(text, sizeof text)));
        text[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK(found("id", kw_span_of(text, sizeof text)));
    kw_cache_free(cache);
}

TEST(put__a_copy_is_kept__the_callers_bytes_may_change)
{
    uint8_t text[16] = "sixteen letters";
    open_with("id", kw_span_of(text, sizeof text));
    text[0] = 'S';
    CHECK(!found("id", kw_span_of(text, sizeof text)));
    text[0] = 's';
    CHECK(found("id", kw_span_of(text, sizeof text)));
    kw_cache_free(cache);
}

TEST(put__the_longest_key_and_one_of_no_bytes__both_found)
{
    uint8_t text[KW_ENVELOPE_MAX];
    char key_id[KW_KEY_ID_MAX + 1] = {0};
    memset(text, 0xee, sizeof text);
    memset(key_id, 'k', KW_KEY_ID_MAX);
    open_with(key_id, kw_span_of(text, sizeof text));
    const struct kw_cache_key none = {{0}, {0}};
    kw_cache_put(cache, &none, kw_span_str("another"), 0);
    CHECK(found(key_id, kw_span_of(text, sizeof text)));
    CHECK(!found(key_id, kw_span_of(text, sizeof text - 1)));
    CHECK(found("", (kw_span){0}));
    kw_cache_free(cache);
}

KW_CASES("provider/cache/key", CASE(get__any_part_differs__miss),
         CASE(get__bytes_move_over_the_boundary__miss),
         CASE(get__any_one_bit_of_the_ciphertext__miss),
         CASE(put__a_copy_is_kept__the_callers_bytes_may_change),
         CASE(put__the_longest_key_and_one_of_no_bytes__both_found))
