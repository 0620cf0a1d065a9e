/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold between members: each broken alone, in the text of a good ring. */
#include "ring.h"

#include <stdio.h>

#include <keyward/alloc.h>

TEST(rules__two_active__refused)
{
    refused(swap(good_text(), "\"state\": \"retired\"", "\"state\": \"active\""),
            "version 2: state", "version 1");
}

TEST(rules__active_but_not_the_baseline__refused)
{
    refused(swap(good_text(), "\"active\": 2", "\"active\": null"), "version 2: state",
            "active");
    refused(swap(good_text(), "\"active\": 2", "\"active\": 3"), "version 2: state",
            "active");
}

TEST(rules__baseline_that_is_not_active__refused)
{
    refused(swap(good_text(), "\"state\": \"active\"", "\"state\": \"retired\""),
            "active: version 2", "retired");
}

TEST(rules__baseline_of_no_version__refused)
{
    char *json = swap(good_text(), "\"state\": \"active\"", "\"state\": \"retired\"");
    refused(swap(json, "\"active\": 2", "\"active\": 9"), "active", "no version 9");
}

TEST(rules__n_twice__refused)
{
    refused(swap(good_text(), "\"n\": 2", "\"n\": 1"), "version 1: n", "twice");
}

TEST(rules__n_not_ascending__refused)
{
    refused(swap(good_text(), "\"n\": 1", "\"n\": 9"), "version 2: n", "higher");
}

TEST(rules__key_id_twice__refused)
{
    refused(swap(good_text(), "kw1-2-000000000000000000000002",
                 "kw1-1-000000000000000000000001"),
            "version 2: key-id", "version 1's");
}

TEST(rules__key_id_of_another_n_or_shape__refused)
{
    refused(swap(good_text(), "kw1-2-", "kw1-9-"), "version 2: key-id", "kw1-2-");
    refused(swap(good_text(), "kw1-2-0000", "kw1-2-00A0"), "version 2: key-id", "kw1-2-");
}

/* Whether it is one is that version's own verdict: the others go on. */
TEST(rules__check_blob_that_is_none__ring_read_and_that_one_forged)
{
    struct kw_keyring *ring = NULL;
    struct kw_check_job job;
    char *json = swap(good_text(), "\"check-blob\": \"0102", "\"check-blob\": \"0902");
    CHECK_OK(kw_keyring_parse(kw_span_str(json), &ring, NULL));
    CHECK_CODE(kw_check_blob_job(&ring->versions[0], "demo", &job), KW_CODE_FORGED);
    CHECK_OK(kw_check_blob_job(&ring->versions[1], "demo", &job));
    kw_keyring_give(ring);
}

TEST(rules__same_key_as_nobody_itself_or_a_later_one__refused)
{
    refused(swap(good_text(), "\"same-key-as\": null", "\"same-key-as\": 4"),
            "version 1: same-key-as", "4");
    refused(swap(good_text(), "\"same-key-as\": null", "\"same-key-as\": 1"),
            "version 1: same-key-as", "1");
    refused(swap(good_text(), "\"same-key-as\": null", "\"same-key-as\": 2"),
            "version 1: same-key-as", "2 is no earlier");
}

/* Version `n` of a good ring wraps with the key of version 1. */
static void same_key(struct kw_keyring *ring, uint32_t n, uint32_t as)
{
    struct kw_version *v = kw_keyring_edit(ring, n);
    v->same_key_as = as;
    v->objects[0] = kw_keyring_by_n(ring, 1)->objects[0];
}

TEST(rules__same_key_as_one_with_other_objects__refused)
{
    struct kw_keyring *ring = good_ring();
    same_key(ring, 3, 1);
    char *json = text_of(ring);
    refused(swap(json, "\"locator\": \"01\"", "\"locator\": \"09\""),
            "version 3: same-key-as", "other objects");
    refused(swap(json, "\"same-key-as\": 1", "\"same-key-as\": 2"),
            "version 3: same-key-as", "other objects");
}

TEST(rules__chain_of_same_keys__one_object)
{
    struct kw_keyring *ring = good_ring();
    same_key(ring, 2, 1);
    same_key(ring, 3, 2);
    ring = reread(ring);
    CHECK(ring->versions[2].same_key_as == 2);
    CHECK_STR(kw_version_kek(&ring->versions[2])->label, ring->versions[0].key_id);
    kw_keyring_give(ring);
}

TEST(rules__objects_that_do_not_fit_the_mechanism__refused)
{
    refused(swap(good_text(), "\"role\": \"kek\"", "\"role\": \"mac\""),
            "version 1: objects: aes-256-gcm", "role kek");
    refused(swap(good_text(), "\"role\": \"kek\"", "\"role\": \"private\""),
            "version 1: objects: aes-256-gcm", "type aes-256");
    struct kw_keyring *ring = good_ring();
    ring->versions[0].objects[1] = ring->versions[0].objects[0];
    ring->versions[0].object_count = 2;
    cannot_be_written(ring);
    ring->versions[0].object_count = 0;
    cannot_be_written(ring);
    kw_keyring_give(ring);
}

TEST(rules__label_that_is_not_the_key_id__refused)
{
    refused(swap(good_text(), "\"label\": \"kw1-2-", "\"label\": \"Kw1-2-"),
            "version 2: objects: label", "key-id");
}

TEST(rules__next_n_not_above_every_version__refused)
{
    refused(swap(good_text(), "\"next-n\": 4", "\"next-n\": 3"), "next-n",
            "above version 3");
}

TEST(rules__ancestors_not_one_per_file_before__refused)
{
    refused(swap(good_text(), "\"serial\": 7", "\"serial\": 8"), "ancestors",
            "the 7 files before");
    refused(swap(good_text(), "\"serial\": 7", "\"serial\": 6"), "ancestors",
            "the 5 files before");
    refused(swap(good_text(), "\"serial\": 7", "\"serial\": 9007199254740991"),
            "ancestors", "the 64 files before");
}

TEST(rules__largest_serial__sixty_four_ancestors)
{
    struct kw_keyring *ring = good_ring();
    ring->serial = KW_SERIAL_MAX;
    ring->ancestor_count = KW_ANCESTORS_MAX;
    ring = reread(ring);
    CHECK(ring->serial == KW_SERIAL_MAX && ring->ancestor_count == KW_ANCESTORS_MAX);
    kw_keyring_give(ring);
}

TEST(rules__history_that_goes_back_or_ahead__refused)
{
    refused(swap(good_text(), "\"serial\": 2, \"act\"", "\"serial\": 6, \"act\""),
            "history: element 2: serial", "line before");
    refused(swap(good_text(), "\"serial\": 1, \"act\"", "\"serial\": 0, \"act\""),
            "history: element 0: serial", "");
    refused(swap(good_text(), "\"serial\": 7, \"act\"", "\"serial\": 8, \"act\""),
            "history: element 8: serial", "the file's");
    refused(swap(good_text(), "\"accept\", \"n\": 3", "\"accept\", \"n\": 4"),
            "history: element 8: n", "next-n");
}

TEST(rules__locator_shared_by_strangers__refused)
{
    refused(swap(good_text(), "\"locator\": \"02\"", "\"locator\": \"01\""),
            "version 2: locator", "same-key-as");
}

TEST(rules__locator_shared_by_same_keys__accepted)
{
    struct kw_keyring *ring = good_ring();
    struct kw_keyring *back = NULL;
    struct kw_blob json = {0};
    same_key(ring, 2, 1);
    CHECK_OK(kw_keyring_write(ring, &json));
    CHECK_OK(kw_keyring_parse(kw_blob_peek(&json), &back, NULL));
    CHECK(back->versions[1].same_key_as == 1);
    kw_blob_wipe(&json);
    kw_keyring_give(back);
    kw_keyring_give(ring);
}

TEST(rules__no_locators_at_all__accepted)
{
    struct kw_keyring *ring = NULL;
    char *json = swap(good_text(), "\"locator\": \"01\"", "\"locator\": null");
    json = swap(json, "\"locator\": \"02\"", "\"locator\": null");
    CHECK_OK(kw_keyring_parse(kw_span_str(json), &ring, NULL));
    CHECK(kw_version_kek(&ring->versions[0])->locator_len == 0);
    CHECK(kw_version_kek(&ring->versions[1])->locator_len == 0);
    kw_keyring_give(ring);
}

TEST(rules__disabled_from__only_and_always_when_disabled)
{
    struct kw_keyring *ring = NULL;
    char *json =
        swap(good_text(), "\"disabled-from\": null", "\"disabled-from\": \"retired\"");
    refused(json, "version 1: disabled-from", "retired");
    refused(swap(good_text(), "\"state\": \"retired\"", "\"state\": \"disabled\""),
            "version 1: disabled-from", "return");
    json = swap(json, "\"state\": \"retired\"", "\"state\": \"disabled\"");
    CHECK_OK(kw_keyring_parse(kw_span_str(json), &ring, NULL));
    CHECK_STR(ring->versions[0].disabled_from, "retired");
    kw_keyring_give(ring);
    static const char *const nowhere[] = {"destroyed", "disabled", "active", "unknown"};
    for (size_t i = 0; i < 4; i++) {
        char member[64];
        snprintf(member, sizeof member, "\"disabled-from\": \"%s\"", nowhere[i]);
        json = swap(good_text(), "\"state\": \"retired\"", "\"state\": \"disabled\"");
        refused(swap(json, "\"disabled-from\": null", member), "version 1: disabled-from",
                "return");
    }
}

KW_CASES("hsm/keyring/rules", CASE(rules__two_active__refused),
         CASE(rules__active_but_not_the_baseline__refused),
         CASE(rules__baseline_that_is_not_active__refused),
         CASE(rules__baseline_of_no_version__refused), CASE(rules__n_twice__refused),
         CASE(rules__n_not_ascending__refused), CASE(rules__key_id_twice__refused),
         CASE(rules__key_id_of_another_n_or_shape__refused),
         CASE(rules__check_blob_that_is_none__ring_read_and_that_one_forged),
         CASE(rules__same_key_as_nobody_itself_or_a_later_one__refused),
         CASE(rules__same_key_as_one_with_other_objects__refused),
         CASE(rules__chain_of_same_keys__one_object),
         CASE(rules__objects_that_do_not_fit_the_mechanism__refused),
         CASE(rules__label_that_is_not_the_key_id__refused),
         CASE(rules__next_n_not_above_every_version__refused),
         CASE(rules__ancestors_not_one_per_file_before__refused),
         CASE(rules__largest_serial__sixty_four_ancestors),
         CASE(rules__history_that_goes_back_or_ahead__refused),
         CASE(rules__locator_shared_by_strangers__refused),
         CASE(rules__locator_shared_by_same_keys__accepted),
         CASE(rules__no_locators_at_all__accepted),
         CASE(rules__disabled_from__only_and_always_when_disabled))
