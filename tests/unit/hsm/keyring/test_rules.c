/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold between members: each broken alone, in the text of a good ring. */
#include "ring.h"

#include <keyward/alloc.h>

static void rules__two_active__refused(void **state)
{
    (void)state;
    refused(swap(good_text(), "\"state\": \"retired\"", "\"state\": \"active\""),
            "version 2: state", "version 1");
}

static void rules__active_but_not_the_baseline__refused(void **state)
{
    (void)state;
    refused(swap(good_text(), "\"active\": 2", "\"active\": null"), "version 2: state",
            "active");
    refused(swap(good_text(), "\"active\": 2", "\"active\": 3"), "version 2: state",
            "active");
}

static void rules__baseline_that_is_not_active__refused(void **state)
{
    (void)state;
    refused(swap(good_text(), "\"state\": \"active\"", "\"state\": \"retired\""),
            "active: version 2", "retired");
}

static void rules__baseline_of_no_version__refused(void **state)
{
    (void)state;
    char *json = swap(good_text(), "\"state\": \"active\"", "\"state\": \"retired\"");
    refused(swap(json, "\"active\": 2", "\"active\": 9"), "active", "no version 9");
}

static void rules__n_twice__refused(void **state)
{
    (void)state;
    refused(swap(good_text(), "\"n\": 2", "\"n\": 1"), "version 1: n", "twice");
}

static void rules__n_not_ascending__refused(void **state)
{
    (void)state;
    refused(swap(good_text(), "\"n\": 1", "\"n\": 9"), "version 2: n", "higher");
}

static void rules__key_id_twice__refused(void **state)
{
    (void)state;
    refused(swap(good_text(), "kw1-2-000000000000000000000002",
                 "kw1-1-000000000000000000000001"),
            "version 2: key-id", "version 1's");
}

static void rules__key_id_of_another_n_or_shape__refused(void **state)
{
    (void)state;
    refused(swap(good_text(), "kw1-2-", "kw1-9-"), "version 2: key-id", "kw1-2-");
    refused(swap(good_text(), "kw1-2-0000", "kw1-2-00A0"), "version 2: key-id", "kw1-2-");
}

static void rules__check_blob_no_envelope__refused(void **state)
{
    (void)state;
    refused(swap(good_text(), "\"check-blob\": \"0102", "\"check-blob\": \"0902"),
            "version 1: check-blob", "format");
    refused(swap(good_text(), "\"check-blob\": \"0102", "\"check-blob\": \"010200"),
            "version 1: check-blob", "envelope");
}

static void rules__check_blob_of_purpose_seed__refused(void **state)
{
    (void)state;
    refused(swap(good_text(), "\"check-blob\": \"0102", "\"check-blob\": \"0101"),
            "version 1: check-blob", "no check blob");
}

static void rules__check_blob_of_another_length__refused(void **state)
{
    (void)state;
    char *json = swap(good_text(), "636865636b0020", "636865636b0021");
    refused(swap(json, "636865636b0021", "636865636b002100"), "version 1: check-blob",
            "no check blob");
}

static void rules__same_key_as_nobody_itself_or_a_later_one__refused(void **state)
{
    (void)state;
    refused(swap(good_text(), "\"same-key-as\": null", "\"same-key-as\": 4"),
            "version 1: same-key-as", "4");
    refused(swap(good_text(), "\"same-key-as\": null", "\"same-key-as\": 1"),
            "version 1: same-key-as", "1");
    refused(swap(good_text(), "\"same-key-as\": null", "\"same-key-as\": 2"),
            "version 1: same-key-as", "2 is no earlier");
}

static void object__chain_of_same_keys__the_first_one(void **state)
{
    (void)state;
    struct kw_keyring *ring = good_ring();
    struct kw_blob json = {0};
    const struct kw_version *first = kw_keyring_by_n(ring, 1);
    CHECK(kw_keyring_object(ring, kw_keyring_by_n(ring, 3)) == kw_keyring_by_n(ring, 3));
    kw_keyring_edit(ring, 2)->same_key_as = 1;
    kw_keyring_edit(ring, 3)->same_key_as = 2;
    kw_keyring_edit(ring, 2)->locator[0] = first->locator[0];
    kw_keyring_edit(ring, 3)->locator[0] = first->locator[0]; /* one object: shared */
    CHECK(kw_keyring_object(ring, kw_keyring_by_n(ring, 3)) == first);
    CHECK(kw_keyring_object(ring, kw_keyring_by_n(ring, 2)) == first);
    CHECK(kw_keyring_object(ring, first) == first);
    CHECK_OK(kw_keyring_write(ring, &json));
    kw_blob_wipe(&json);
    kw_keyring_give(ring);
}

static void rules__locator_shared_by_strangers__refused(void **state)
{
    (void)state;
    refused(swap(good_text(), "\"locator\": \"02\"", "\"locator\": \"01\""),
            "version 2: locator", "same-key-as");
}

static void rules__locator_shared_by_same_keys__accepted(void **state)
{
    (void)state;
    struct kw_keyring *ring = good_ring();
    struct kw_keyring *back = NULL;
    struct kw_blob json = {0};
    kw_keyring_edit(ring, 2)->locator[0] = 1;
    kw_keyring_edit(ring, 2)->same_key_as = 1;
    CHECK_OK(kw_keyring_write(ring, &json));
    CHECK_OK(kw_keyring_parse(kw_blob_peek(&json), &back, NULL));
    CHECK(back->versions[1].same_key_as == 1);
    kw_blob_wipe(&json);
    kw_keyring_give(back);
    kw_keyring_give(ring);
}

static void rules__no_locators_at_all__accepted(void **state)
{
    (void)state;
    struct kw_keyring *ring = NULL;
    char *json = swap(good_text(), "\"locator\": \"01\"", "\"locator\": null");
    json = swap(json, "\"locator\": \"02\"", "\"locator\": null");
    CHECK_OK(kw_keyring_parse(kw_span_str(json), &ring, NULL));
    CHECK(ring->versions[0].locator_len == 0 && ring->versions[1].locator_len == 0);
    kw_keyring_give(ring);
}

static void rules__disabled_from__only_and_always_when_disabled(void **state)
{
    (void)state;
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
    refused(
        swap(json, "\"disabled-from\": \"retired\"", "\"disabled-from\": \"destroyed\""),
        "version 1: disabled-from", "return");
}

KW_CASES("hsm/keyring/rules", CASE(rules__two_active__refused),
         CASE(rules__active_but_not_the_baseline__refused),
         CASE(rules__baseline_that_is_not_active__refused),
         CASE(rules__baseline_of_no_version__refused), CASE(rules__n_twice__refused),
         CASE(rules__n_not_ascending__refused), CASE(rules__key_id_twice__refused),
         CASE(rules__key_id_of_another_n_or_shape__refused),
         CASE(rules__check_blob_no_envelope__refused),
         CASE(rules__check_blob_of_purpose_seed__refused),
         CASE(rules__check_blob_of_another_length__refused),
         CASE(rules__same_key_as_nobody_itself_or_a_later_one__refused),
         CASE(object__chain_of_same_keys__the_first_one),
         CASE(rules__locator_shared_by_strangers__refused),
         CASE(rules__locator_shared_by_same_keys__accepted),
         CASE(rules__no_locators_at_all__accepted),
         CASE(rules__disabled_from__only_and_always_when_disabled))
