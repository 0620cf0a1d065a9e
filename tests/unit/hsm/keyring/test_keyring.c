/* SPDX-License-Identifier: Apache-2.0 */
/* Rings in memory, states, key_ids. */
#include "ring.h"

#include <pthread.h>

TEST(new__domain_that_is_none__refused)
{
    struct kw_keyring *ring = NULL;
    CHECK_CODE(kw_keyring_new("", &ring), KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_keyring_new("Demo", &ring), KW_CODE_BAD_INPUT);
    CHECK(ring == NULL);
}

TEST(add__n_or_key_id_there__refused_and_unchanged)
{
    struct kw_keyring *ring = good_ring();
    struct kw_version v = good_version(2, KW_KEY_CREATED);
    CHECK_CODE(kw_keyring_add(ring, &v), KW_CODE_BAD_INPUT);
    v.n = 4;
    CHECK_CODE(kw_keyring_add(ring, &v), KW_CODE_BAD_INPUT);
    CHECK(ring->count == 3);
    kw_keyring_give(ring);
}

TEST(add__ring_full__busy)
{
    struct kw_keyring *ring = NULL;
    CHECK_OK(kw_keyring_new("demo", &ring));
    for (uint32_t n = 1; n <= KW_VERSIONS_MAX; n++) {
        struct kw_version v = good_version(n, KW_KEY_CREATED);
        CHECK_OK(kw_keyring_add(ring, &v));
    }
    struct kw_version v = good_version(65, KW_KEY_CREATED);
    CHECK_CODE(kw_keyring_add(ring, &v), KW_CODE_BUSY);
    CHECK(ring->count == KW_VERSIONS_MAX);
    kw_keyring_give(ring);
}

TEST(add__lower_n__stays_ascending)
{
    static const uint32_t order[] = {5, 2, 9, 1};
    struct kw_keyring *ring = NULL;
    CHECK_OK(kw_keyring_new("demo", &ring));
    for (size_t i = 0; i < 4; i++) {
        struct kw_version v = good_version(order[i], KW_KEY_CREATED);
        CHECK_OK(kw_keyring_add(ring, &v));
    }
    CHECK(ring->versions[0].n == 1 && ring->versions[1].n == 2);
    CHECK(ring->versions[2].n == 5 && ring->versions[3].n == 9);
    kw_keyring_give(ring);
}

TEST(dup__changed__original_is_not)
{
    struct kw_keyring *ring = good_ring();
    struct kw_keyring *copy = NULL;
    memset(ring->sha256, 0xab, sizeof ring->sha256);
    CHECK_OK(kw_keyring_dup(ring, &copy));
    CHECK(copy->serial == 7 && copy->active == 2 && copy->count == 3 && copy->refs == 1);
    CHECK_STR(copy->domain, "demo");
    CHECK(copy->ancestor_count == 6 && copy->next_n == 4 && copy->history_count == 9);
    CHECK(memcmp(copy->ancestors, ring->ancestors, sizeof ring->ancestors) == 0);
    CHECK(copy->sha256[0] == 0);
    kw_keyring_edit(copy, 1)->state = KW_KEY_DISABLED;
    CHECK(ring->versions[0].state == KW_KEY_RETIRED);
    CHECK(kw_keyring_edit(copy, 9) == NULL);
    kw_keyring_give(ring);
    kw_keyring_give(copy);
}

TEST(take_give__last_reference__ring_lives_until_then)
{
    struct kw_keyring *ring = good_ring();
    CHECK(kw_keyring_take(ring) == ring && ring->refs == 2);
    kw_keyring_give(ring);
    CHECK(ring->refs == 1 && ring->count == 3);
    kw_keyring_give(ring);
    kw_keyring_give(NULL);
}

enum { TURNS = 20000 };

static void *take_and_give(void *ring)
{
    for (unsigned i = 0; i < TURNS; i++)
        kw_keyring_give(kw_keyring_take(ring));
    return NULL;
}

TEST(take_give__two_threads__count_is_right)
{
    struct kw_keyring *ring = good_ring();
    struct kw_keyring *copy = NULL;
    pthread_t other;
    CHECK(pthread_create(&other, NULL, take_and_give, ring) == 0);
    take_and_give(ring);
    CHECK_OK(kw_keyring_dup(ring, &copy)); /* reads a ring that others count */
    CHECK(pthread_join(other, NULL) == 0);
    CHECK(ring->refs == 1);
    kw_keyring_give(copy);
    kw_keyring_give(ring);
}

TEST(find__unknown_and_known__as_asked)
{
    struct kw_keyring *ring = good_ring();
    CHECK(kw_keyring_by_n(ring, 0) == NULL && kw_keyring_by_n(ring, 4) == NULL);
    CHECK(kw_keyring_by_key_id(ring, kw_span_str("")) == NULL);
    CHECK(kw_keyring_by_key_id(ring, kw_span_str("kw1-2-00000000000000000000000")) ==
          NULL);
    CHECK(kw_keyring_by_key_id(
              ring, kw_span_of("kw1-2-000000000000000000000002\0", 31)) == NULL);
    CHECK(kw_keyring_by_key_id(ring, kw_span_str("kw1-2-000000000000000000000002"))->n ==
          2);
    CHECK(kw_keyring_by_n(ring, 3)->n == 3);
    kw_keyring_give(ring);
}

TEST(states__each__name_and_rights)
{
    static const struct {
        const char *name;
        bool unwraps, wraps;
    } want[] = {{"created", false, false},  {"accepted", true, true},
                {"active", true, true},     {"retired", true, false},
                {"disabled", false, false}, {"destroyed", false, false}};
    for (unsigned s = 0; s < KW_KEY_UNKNOWN; s++) {
        enum kw_key_state back = KW_KEY_CREATED;
        CHECK_STR(kw_key_state_name((enum kw_key_state)s), want[s].name);
        CHECK(kw_key_state_from_name(want[s].name, &back) && back == s);
        CHECK(kw_key_state_unwraps(back) == want[s].unwraps);
        CHECK(kw_key_state_wraps(back) == want[s].wraps);
        CHECK(kw_key_state_is_probed(back) ==
              (want[s].unwraps || back == KW_KEY_CREATED));
    }
    enum kw_key_state untouched = KW_KEY_RETIRED;
    CHECK(kw_key_state_name((enum kw_key_state)7) == NULL);
    CHECK(!kw_key_state_from_name("", &untouched) && untouched == KW_KEY_RETIRED);
}

TEST(states__not_understood__nobodys_and_in_no_file)
{
    enum kw_key_state untouched = KW_KEY_RETIRED;
    CHECK_STR(kw_key_state_name(KW_KEY_UNKNOWN), "unknown");
    CHECK(!kw_key_state_from_name("unknown", &untouched) && untouched == KW_KEY_RETIRED);
    CHECK(!kw_key_state_unwraps(KW_KEY_UNKNOWN) && !kw_key_state_wraps(KW_KEY_UNKNOWN));
    CHECK(!kw_key_state_is_probed(KW_KEY_UNKNOWN));
}

TEST(key_id__other_shapes__refused)
{
    static const char *const wrong[] = {
        "",
        "kw1-",
        "kw1-1",
        "kw1-1-",
        "kw1--00112233445566778899aabb",
        "kw1-0-00112233445566778899aabb",
        "kw1-01-00112233445566778899aabb",
        "kw1-1000000-00112233445566778899aabb",
        "kw2-1-00112233445566778899aabb",
        "KW1-1-00112233445566778899aabb",
        "kw1-1-00112233445566778899aab",
        "kw1-1-00112233445566778899aabbc",
        "kw1-1-00112233445566778899AABB",
        "kw1-1-00112233445566778899aabg",
        "kw1-+1-00112233445566778899aabb",
        " kw1-1-00112233445566778899aabb",
    };
    uint32_t n = 77;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(!kw_key_id_parse(kw_span_str(wrong[i]), &n) && n == 77);
    CHECK(!kw_key_id_parse(kw_span_of("kw1-1-00112233445566778899aabb\0", 31), &n));
}

TEST(key_id__made__reads_back_and_is_fresh)
{
    static const uint32_t ns[] = {1, 10, 654321, KW_VERSION_N_MAX};
    for (size_t i = 0; i < 4; i++) {
        char one[KW_KEY_ID_MAX + 1];
        char two[KW_KEY_ID_MAX + 1];
        uint32_t n = 0;
        kw_key_id_make(ns[i], one);
        kw_key_id_make(ns[i], two);
        CHECK(kw_key_id_parse(kw_span_str(one), &n) && n == ns[i]);
        CHECK(kw_key_id_parse(kw_span_str(one), NULL));
        CHECK(strcmp(one, two) != 0);
        CHECK(ns[i] < KW_VERSION_N_MAX || strlen(one) + strlen("-mac") == KW_LABEL_MAX);
    }
}

KW_CASES("hsm/keyring/keyring", CASE(new__domain_that_is_none__refused),
         CASE(add__n_or_key_id_there__refused_and_unchanged), CASE(add__ring_full__busy),
         CASE(add__lower_n__stays_ascending), CASE(dup__changed__original_is_not),
         CASE(take_give__last_reference__ring_lives_until_then),
         CASE(take_give__two_threads__count_is_right),
         CASE(find__unknown_and_known__as_asked), CASE(states__each__name_and_rights),
         CASE(states__not_understood__nobodys_and_in_no_file),
         CASE(key_id__other_shapes__refused), CASE(key_id__made__reads_back_and_is_fresh))
