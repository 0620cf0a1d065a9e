/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes and their numbers: what is found, what is not, and how much room it takes. */
#include "index.h"

#include <keyward/alloc.h>
#include <keyward/sha256.h>

#include "check.h"

static struct kw_etcd_index ix;

static void hash_of(uint32_t n, uint8_t hash[KW_ETCD_HASH])
{
    CHECK_OK(kw_etcd_hash(kw_span_of(&n, sizeof n), hash));
}

static void put(uint32_t n)
{
    uint8_t hash[KW_ETCD_HASH];
    hash_of(n, hash);
    CHECK_OK(kw_etcd_index_put(&ix, hash, n + 1));
}

static uint32_t found(uint32_t n)
{
    uint8_t hash[KW_ETCD_HASH];
    hash_of(n, hash);
    const uint32_t *number = kw_etcd_index_find(&ix, hash);
    return number != NULL ? *number : 0;
}

static void end(void)
{
    kw_alloc_fail_from(-1);
    kw_etcd_index_free(&ix);
}

TEST(init__memory_is_out__nothing_to_free)
{
    for (long n = 0; n < 2; n++) {
        struct kw_etcd_index untouched = {.places = 7};
        kw_alloc_fail_from(n);
        CHECK_CODE(kw_etcd_index_init(&untouched, 100), KW_CODE_NO_MEMORY);
        kw_alloc_fail_from(-1);
        CHECK(untouched.places == 7 && untouched.hash == NULL);
    }
}

TEST(init__more_than_memory_has__no_memory)
{
    CHECK_CODE(kw_etcd_index_init(&ix, SIZE_MAX / 2), KW_CODE_NO_MEMORY);
}

TEST(put__memory_is_out_when_it_grows__all_others_stay)
{
    uint8_t hash[KW_ETCD_HASH];
    uint32_t count = 0;
    CHECK_OK(kw_etcd_index_init(&ix, 0));
    kw_alloc_fail_from(0);
    hash_of(count, hash);
    while (!kw_failed(kw_etcd_index_put(&ix, hash, count + 1)))
        hash_of(++count, hash);
    CHECK(count >= 64 && count == ix.used && found(count) == 0);
    for (uint32_t i = 0; i < count; i++)
        CHECK(found(i) == i + 1);
    kw_alloc_fail_from(1); /* the second piece of the larger one */
    CHECK_CODE(kw_etcd_index_put(&ix, hash, 1), KW_CODE_NO_MEMORY);
    kw_alloc_fail_from(-1);
    put(count);
    CHECK(found(count) == count + 1 && found(0) == 1);
}

TEST(find__empty_or_freed__nothing)
{
    CHECK_OK(kw_etcd_index_init(&ix, 0));
    CHECK(found(1) == 0);
    kw_etcd_index_free(&ix);
    CHECK(found(1) == 0 && ix.places == 0);
    put(1);
    CHECK(found(1) == 2);
}

TEST(put__many_more_than_expected__each_is_found_and_no_other)
{
    enum { MANY = 5000 };
    CHECK_OK(kw_etcd_index_init(&ix, 3));
    for (uint32_t i = 0; i < MANY; i++) {
        put(i);
        CHECK(ix.used <= ix.places - ix.places / 4);
    }
    CHECK(ix.used == MANY);
    for (uint32_t i = 0; i < MANY; i++)
        CHECK(found(i) == i + 1);
    for (uint32_t i = MANY; i < 2 * MANY; i++)
        CHECK(found(i) == 0);
}

TEST(put__known_hash__its_new_number_and_no_place_more)
{
    uint8_t hash[KW_ETCD_HASH];
    CHECK_OK(kw_etcd_index_init(&ix, 0));
    put(5);
    hash_of(5, hash);
    CHECK_OK(kw_etcd_index_put(&ix, hash, 77));
    CHECK(found(5) == 77 && ix.used == 1);
}

/* Of the same first eight bytes, or of others that lead to the last place: around the end. */
static void crowded(size_t places, uint8_t i, uint8_t hash[KW_ETCD_HASH])
{
    kw_dst dst = kw_dst_of(hash, KW_ETCD_HASH);
    memset(hash, 0, KW_ETCD_HASH);
    CHECK(kw_dst_put_u64(&dst, i % 2 == 0 ? 0 : places - 1));
    hash[KW_ETCD_HASH - 1] = i;
}

TEST(put__hashes_that_want_the_same_place__told_apart)
{
    uint8_t hash[KW_ETCD_HASH];
    CHECK_OK(kw_etcd_index_init(&ix, 0));
    const size_t places = ix.places;
    for (uint8_t i = 0; i < 90; i++) {
        crowded(places, i, hash);
        CHECK_OK(kw_etcd_index_put(&ix, hash, i + 1u));
    }
    CHECK(ix.places == places && ix.used == 90);
    CHECK(ix.number[places - 1] != 0 && ix.number[0] != 0);
    for (uint8_t i = 0; i < 90; i++) {
        crowded(places, i, hash);
        CHECK(*kw_etcd_index_find(&ix, hash) == i + 1u);
    }
}

TEST(init__as_many_as_expected__in_27_bytes_each_without_growing)
{
    static const uint32_t expected[] = {64, 65, 100, 1000, 12345};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        CHECK_OK(kw_etcd_index_init(&ix, expected[i]));
        const size_t places = ix.places;
        CHECK(places * (KW_ETCD_HASH + sizeof ix.number[0]) <=
              (size_t)27 * expected[i] + 27);
        kw_alloc_fail_from(0);
        for (uint32_t n = 0; n < expected[i]; n++)
            put(n);
        kw_alloc_fail_from(-1);
        CHECK(ix.places == places);
        kw_etcd_index_free(&ix);
    }
}

/* What an audit's memory for unreachable revisions is made of. */
TEST(grow__old_and_new_together__at_most_64_bytes_each)
{
    enum { MANY = 100000 };
    size_t places = 0;
    CHECK_OK(kw_etcd_index_init(&ix, 1000));
    places = ix.places;
    for (uint32_t i = 0; i < MANY; i++) {
        put(i);
        if (ix.places != places)
            CHECK((places + ix.places) * (KW_ETCD_HASH + sizeof ix.number[0]) <=
                  (size_t)64 * ix.used);
        places = ix.places;
    }
}

TEST(hash__cut_from_sha_256)
{
    uint8_t whole[KW_SHA256], cut[KW_ETCD_HASH];
    CHECK_OK(kw_sha256(kw_span_str("abc"), whole));
    CHECK_OK(kw_etcd_hash(kw_span_str("abc"), cut));
    CHECK(memcmp(whole, cut, sizeof cut) == 0);
    CHECK_OK(kw_etcd_hash(kw_span_of(NULL, 0), cut));
}

KW_SUITE_AROUND("provider/etcd/index", NULL, end)
