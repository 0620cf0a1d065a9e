/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>

#include "beside.h"

#define KEY_A "kw1-1-00112233445566778899aabb"
#define KEY_B "kw1-2-00112233445566778899aabb"

static struct kw_beside b;

static struct kw_listed_key key(const char *label, const char *domain)
{
    struct kw_listed_key k = {.locator_len = KW_NEW_LOCATOR};
    snprintf(k.label, sizeof k.label, "%s", label);
    kw_locator_make(domain, label, k.locator);
    return k;
}

/* A ring of domain "demo" that has version 1 with this object. */
static struct kw_keyring *ring_with(const char *key_id, const char *label)
{
    struct kw_keyring *ring = NULL;
    struct kw_version v = {.n = 1, .object_count = 1};
    snprintf(v.key_id, sizeof v.key_id, "%s", key_id);
    snprintf(v.objects[0].label, sizeof v.objects[0].label, "%s", label);
    CHECK_OK(kw_keyring_new("demo", &ring));
    CHECK_OK(kw_keyring_add(ring, &v));
    return ring;
}

TEST(sort__of_this_domain_and_unknown__named_and_not_free)
{
    const struct kw_listed_key keys[] = {key(KEY_A, "demo"), key(KEY_B, "demo")};
    struct kw_keyring *ring = ring_with(KEY_A, KEY_A);
    kw_beside_sort(keys, 2, ring, "demo", &b);
    CHECK(b.unknown.count == 1 && b.others.count == 0);
    CHECK_STR(b.unknown.name[0], KEY_B);
    CHECK(!kw_beside_is_free(&b, ring));
    kw_keyring_give(ring);
}

TEST(sort__of_another_domain__free_unless_there_is_no_keyring)
{
    const struct kw_listed_key keys[] = {key(KEY_B, "other")};
    struct kw_keyring *ring = ring_with(KEY_A, KEY_A);
    kw_beside_sort(keys, 1, ring, "demo", &b);
    CHECK(b.unknown.count == 0 && b.others.count == 1);
    CHECK(kw_beside_is_free(&b, ring));
    CHECK(!kw_beside_is_free(&b, NULL));
    kw_keyring_give(ring);
}

TEST(sort__no_locator_or_a_short_one__of_others)
{
    struct kw_listed_key keys[] = {key(KEY_A, "demo"), key(KEY_B, "demo")};
    keys[0].locator_len = 0;
    keys[1].locator_len = KW_NEW_LOCATOR - 1;
    kw_beside_sort(keys, 2, NULL, "demo", &b);
    CHECK(b.unknown.count == 0 && b.others.count == 2);
}

TEST(sort__labels_that_are_no_key_id__left_out)
{
    const struct kw_listed_key keys[] = {key("kw1-x", "demo"), key(KEY_A "-mac", "demo"),
                                         key("kw1-01-00112233445566778899aabb", "demo")};
    kw_beside_sort(keys, 3, NULL, "demo", &b);
    CHECK(b.unknown.count == 0 && b.others.count == 0);
    CHECK(kw_beside_is_free(&b, NULL));
}

/* By the key_id of a version, by the object that another one lends it, by the line of a
 * pruned one. */
TEST(sort__known_in_any_way__left_out)
{
    const struct kw_listed_key keys[] = {key(KEY_A, "demo"), key(KEY_B, "demo"),
                                         key("kw1-3-00112233445566778899aabb", "demo")};
    struct kw_keyring *ring = ring_with(KEY_A, KEY_B);
    struct kw_history line = {.serial = 1, .act = "prune", .n = 3};
    snprintf(line.proof, sizeof line.proof, "%s destroyed yesterday", keys[2].label);
    CHECK_OK(kw_keyring_record(ring, &line));
    kw_beside_sort(keys, 3, ring, "demo", &b);
    CHECK(b.unknown.count == 0 && b.others.count == 0);
    kw_keyring_give(ring);
}

TEST(sort__a_version_of_a_newer_keyward__known_by_its_text)
{
    const struct kw_listed_key keys[] = {key(KEY_B, "demo")};
    struct kw_keyring *ring = ring_with(KEY_A, KEY_A);
    static char text[] = "{\"objects\": [{\"label\": \"" KEY_B "\"}]}";
    ring->versions[0].state = KW_KEY_UNKNOWN;
    ring->versions[0].unknown_json = text;
    kw_beside_sort(keys, 1, ring, "demo", &b);
    ring->versions[0].unknown_json = NULL; /* not the ring's to free */
    CHECK(b.unknown.count == 0);
    kw_keyring_give(ring);
}

TEST(more_than_could_be_looked_at__not_free)
{
    struct kw_keyring *ring = ring_with(KEY_A, KEY_A);
    b = (struct kw_beside){.more = true};
    CHECK(!kw_beside_is_free(&b, ring));
    kw_keyring_give(ring);
}

TEST(text__many__the_first_and_how_many_more)
{
    struct kw_listed_key keys[11];
    char dst[512], label[KW_KEY_ID_MAX + 1];
    for (unsigned i = 0; i < 11; i++) {
        snprintf(label, sizeof label, "kw1-%u-00112233445566778899aabb", 999980 + i);
        keys[i] = key(label, "demo");
    }
    kw_beside_sort(keys, 2, NULL, "demo", &b);
    kw_beside_text(&b.unknown, dst);
    CHECK_STR(dst, "kw1-999980-00112233445566778899aabb, "
                   "kw1-999981-00112233445566778899aabb");
    kw_beside_sort(keys, 11, NULL, "demo", &b);
    kw_beside_text(&b.unknown, dst);
    CHECK_HAS(dst, "kw1-999987-00112233445566778899aabb and 3 more");
}

KW_CASES("provider/cli/beside",
         CASE(sort__of_this_domain_and_unknown__named_and_not_free),
         CASE(sort__of_another_domain__free_unless_there_is_no_keyring),
         CASE(sort__no_locator_or_a_short_one__of_others),
         CASE(sort__labels_that_are_no_key_id__left_out),
         CASE(sort__known_in_any_way__left_out),
         CASE(sort__a_version_of_a_newer_keyward__known_by_its_text),
         CASE(more_than_could_be_looked_at__not_free),
         CASE(text__many__the_first_and_how_many_more))
