/* SPDX-License-Identifier: Apache-2.0 */
/* Rows and seeds: what is one and the same, what is not, and in which order. */
#include "inventory.h"

#include <stdio.h>

#include <keyward/alloc.h>

#include "check.h"

static struct kw_etcd_inventory inv;

static void begin(void)
{
    CHECK_OK(kw_etcd_inventory_init(&inv));
}

static void end(void)
{
    kw_alloc_fail_from(-1);
    kw_etcd_inventory_free(&inv);
}

static struct kw_etcd_key key_of(const char *group, const char *resource)
{
    return (struct kw_etcd_key){.group = kw_span_str(group),
                                .resource = kw_span_str(resource)};
}

static struct kw_stored stored_of(const char *name, const char *key_id,
                                  const char *wrapped)
{
    return (struct kw_stored){.kind = KW_STORED_KMS_V2,
                              .name = kw_span_str(name),
                              .key_id = kw_span_str(key_id),
                              .wrapped = kw_span_str(wrapped)};
}

/* The row's number, from 0; whether it is new is checked. */
static size_t row_of(const struct kw_etcd_key *key, const struct kw_stored *stored)
{
    struct kw_etcd_row *row;
    bool is_new;
    const size_t before = inv.rows.count;
    CHECK_OK(kw_etcd_inventory_row(&inv, key, stored, &row, &is_new));
    CHECK(is_new == (inv.rows.count > before));
    return (size_t)(row - (struct kw_etcd_row *)inv.rows.items);
}

static size_t seed_of(const struct kw_stored *stored)
{
    struct kw_etcd_seed *seed;
    CHECK_OK(kw_etcd_inventory_seed(&inv, stored, &seed));
    return (size_t)(seed - (struct kw_etcd_seed *)inv.seeds.items);
}

TEST(init__memory_is_out__nothing_to_free)
{
    for (long n = 0; n < 4; n++) {
        struct kw_etcd_inventory other;
        kw_alloc_fail_from(n);
        CHECK_CODE(kw_etcd_inventory_init(&other), KW_CODE_NO_MEMORY);
        kw_alloc_fail_from(-1);
    }
}

/* Each place where memory may be out: at the first thing, and when both lists grow. */
TEST(row_and_seed__memory_is_out_anywhere__nothing_is_added)
{
    char name[16];
    size_t refused = 0;
    for (uint32_t i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "n%u", i);
        const struct kw_stored stored = stored_of(name, "k", name);
        struct kw_etcd_row *row;
        struct kw_etcd_seed *seed;
        bool is_new;
        for (long n = 0;; n++) {
            kw_alloc_fail_from(n);
            kw_err e = kw_etcd_inventory_row(&inv, NULL, &stored, &row, &is_new);
            if (!kw_failed(e))
                e = kw_etcd_inventory_seed(&inv, &stored, &seed);
            kw_alloc_fail_from(-1);
            if (!kw_failed(e))
                break;
            CHECK(e.code == KW_CODE_NO_MEMORY && inv.seeds.count == i);
            refused++;
        }
        CHECK(inv.rows.count == i + 1 && inv.seeds.count == i + 1);
        CHECK(kw_span_equal_str(row->name, name) && row->at[0].objects == 0);
    }
    CHECK(refused > 600);
    for (uint32_t i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "n%u", i);
        const struct kw_stored stored = stored_of(name, "k", name);
        CHECK(row_of(NULL, &stored) == i && seed_of(&stored) == i);
    }
}

TEST(row__one_more_than_the_maximum__busy_and_known_ones_are_found)
{
    char name[16];
    struct kw_etcd_row *row;
    bool is_new;
    struct kw_stored stored = stored_of("", "k", "w");
    for (uint32_t i = 0; i < KW_ETCD_ROWS_MAX; i++) {
        snprintf(name, sizeof name, "%u", i);
        stored.name = kw_span_str(name);
        CHECK_OK(kw_etcd_inventory_row(&inv, NULL, &stored, &row, &is_new));
        CHECK(is_new);
    }
    stored.name = kw_span_str("one more");
    CHECK_CODE(kw_etcd_inventory_row(&inv, NULL, &stored, &row, &is_new), KW_CODE_BUSY);
    stored.name = kw_span_str("4711");
    CHECK(row_of(NULL, &stored) == 4711);
}

TEST(seed__one_more_than_the_maximum__busy_and_known_ones_are_found)
{
    struct kw_etcd_seed *seed;
    uint32_t n;
    struct kw_stored stored = stored_of("p", "k", "");
    stored.wrapped = kw_span_of(&n, sizeof n);
    for (n = 0; n < KW_ETCD_SEEDS_MAX; n++)
        CHECK_OK(kw_etcd_inventory_seed(&inv, &stored, &seed));
    CHECK_CODE(kw_etcd_inventory_seed(&inv, &stored, &seed), KW_CODE_BUSY);
    n = 4711;
    CHECK(seed_of(&stored) == 4711);
}

/* Whoever writes to etcd chooses these bytes, and how many. */
TEST(row__long_names__no_more_is_kept_than_the_maximum)
{
    static uint8_t name[1 << 20];
    struct kw_etcd_row *row;
    bool is_new;
    struct kw_stored stored = stored_of("", "", "");
    stored.name = kw_span_of(name, sizeof name);
    const size_t fit = KW_ETCD_KEPT_MAX / sizeof name;
    for (size_t i = 0; i < fit; i++) {
        memcpy(name + sizeof name - sizeof i, &i, sizeof i);
        CHECK_OK(kw_etcd_inventory_row(&inv, NULL, &stored, &row, &is_new));
        CHECK(is_new && row->name.len == sizeof name);
    }
    name[0] = 1;
    CHECK_CODE(kw_etcd_inventory_row(&inv, NULL, &stored, &row, &is_new), KW_CODE_BUSY);
    name[0] = 0;
    CHECK_OK(kw_etcd_inventory_row(&inv, NULL, &stored, &row, &is_new));
    CHECK(!is_new);
}

TEST(row__what_could_be_confused__told_apart)
{
    const struct kw_etcd_key keys[] = {key_of("a", "bc"), key_of("ab", "c"),
                                       key_of("abc", ""), key_of("", "abc")};
    const struct kw_stored stored[] = {
        stored_of("d", "ef", "w"), stored_of("de", "f", "w"), stored_of("def", "", "w"),
        stored_of("", "def", "w")};
    struct kw_stored other = stored[0];
    size_t at = 0;
    for (size_t k = 0; k < 4; k++)
        for (size_t s = 0; s < 4; s++)
            CHECK(row_of(&keys[k], &stored[s]) == at++);
    other.type = 1;
    CHECK(row_of(&keys[0], &other) == at++);
    other.type = 0;
    other.kind = KW_STORED_KMS_V1;
    CHECK(row_of(&keys[0], &other) == at++);
    CHECK(row_of(NULL, &stored[0]) == at++);
    at = 0;
    for (size_t k = 0; k < 4; k++)
        for (size_t s = 0; s < 4; s++)
            CHECK(row_of(&keys[k], &stored[s]) == at++);
}

/* A long span is spelled by its hash: not to be taken for a short one that is that hash. */
TEST(row__long_span_and_its_hash__told_apart)
{
    static char text[600];
    uint8_t hash[KW_ETCD_HASH];
    memset(text, 'x', sizeof text);
    struct kw_stored stored = stored_of("", "k", "");
    size_t at = 0;
    for (size_t len = 510; len <= 515; len++) {
        stored.name = kw_span_of(text, len);
        CHECK(row_of(NULL, &stored) == at++);
    }
    CHECK_OK(kw_etcd_hash(kw_span_of(text, 515), hash));
    stored.name = kw_span_of(hash, sizeof hash);
    CHECK(row_of(NULL, &stored) == at++);
    stored.name = kw_span_of(text, 515);
    CHECK(row_of(NULL, &stored) == 5);
    text[514] = 'y';
    CHECK(row_of(NULL, &stored) == at);
}

TEST(seed__what_could_be_confused__told_apart)
{
    struct kw_stored stored = stored_of("p", "k", "w");
    CHECK(seed_of(&stored) == 0);
    stored.type = 1;
    CHECK(seed_of(&stored) == 1);
    stored.annotations = 1;
    CHECK(seed_of(&stored) == 2);
    stored.type = 0;
    CHECK(seed_of(&stored) == 3);
    stored = stored_of("pk", "", "w");
    CHECK(seed_of(&stored) == 4);
    stored = stored_of("p", "", "kw");
    CHECK(seed_of(&stored) == 5);
    stored = stored_of("p", "k", "w");
    CHECK(seed_of(&stored) == 0);
}

TEST(row_and_seed__spans__are_the_inventory_s_own)
{
    char name[] = "name", id[] = "id", wrapped[] = "wrapped", group[] = "g.x";
    struct kw_etcd_row *row;
    struct kw_etcd_seed *seed;
    bool is_new;
    uint8_t sha256[KW_SHA256];
    const struct kw_etcd_key key = key_of(group, "things");
    const struct kw_stored stored = stored_of(name, id, wrapped);
    CHECK_OK(kw_etcd_inventory_row(&inv, &key, &stored, &row, &is_new));
    CHECK_OK(kw_etcd_inventory_seed(&inv, &stored, &seed));
    name[0] = id[0] = wrapped[0] = group[0] = '?';
    CHECK(kw_span_equal_str(row->group, "g.x") && kw_span_equal_str(row->name, "name") &&
          kw_span_equal_str(row->key_id, "id") && row->kind == KW_STORED_KMS_V2);
    CHECK(kw_span_equal_str(seed->name, "name") &&
          kw_span_equal_str(seed->key_id, "id") &&
          kw_span_equal_str(seed->wrapped, "wrapped"));
    CHECK_OK(kw_sha256(kw_span_str("wrapped"), sha256));
    CHECK(memcmp(seed->sha256, sha256, KW_SHA256) == 0);
}

/* The same things in another order of arrival: the same list, member for member. */
TEST(sort__however_they_came__by_bytes_of_their_members)
{
    static const char *const words[] = {"", "a", "ab", "a\x7f", "b", "\xc3\xa9"};
    enum { WORDS = 6, ALL = WORDS * WORDS * 2 };
    for (size_t way = 0; way < 2; way++) {
        for (size_t i = 0; i < ALL; i++) {
            const size_t n = way == 0 ? i : (i * 29 + 5) % ALL;
            const struct kw_etcd_key key =
                key_of(words[n % WORDS], words[n / WORDS % WORDS]);
            struct kw_stored stored =
                stored_of(words[n / WORDS % WORDS], words[n % WORDS], words[n % WORDS]);
            stored.type = n / WORDS / WORDS;
            (void)row_of(&key, &stored);
            (void)seed_of(&stored);
        }
        kw_etcd_inventory_sort(&inv);
        const struct kw_etcd_row *rows = inv.rows.items;
        const struct kw_etcd_seed *seeds = inv.seeds.items;
        CHECK(inv.rows.count == ALL && inv.seeds.count == ALL);
        for (size_t i = 0; i < ALL; i++) {
            CHECK(kw_span_equal_str(rows[i].group, words[i / 2 / WORDS]));
            CHECK(kw_span_equal_str(rows[i].resource, words[i / 2 % WORDS]));
            CHECK(rows[i].type == i % 2);
            CHECK(kw_span_equal_str(seeds[i].name, words[i / 2 / WORDS]));
            CHECK(kw_span_equal_str(seeds[i].key_id, words[i / 2 % WORDS]));
            CHECK(seeds[i].type == i % 2);
        }
        kw_etcd_inventory_free(&inv);
        CHECK_OK(kw_etcd_inventory_init(&inv));
    }
}

TEST(sort__nothing__nothing)
{
    kw_etcd_inventory_sort(&inv);
    CHECK(inv.rows.count == 0 && inv.seeds.count == 0);
}

KW_SUITE_AROUND("provider/etcd/inventory", begin, end)
