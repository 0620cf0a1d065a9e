/* SPDX-License-Identifier: Apache-2.0 */
/* Versions that a newer keyward made: kept as they stand, counted, and used by nobody. */
#include "ring.h"

#include <stdio.h>

#include <keyward/alloc.h>

/* The good text with version 3, the last one, changed. */
static char *third(const char *from, const char *to)
{
    char *text = good_text();
    char *at = strstr(text, "\"n\": 3,");
    static char out[65536];
    CHECK(at != NULL);
    snprintf(out, sizeof out, "%.*s%s", (int)(at - text), text, swap(at, from, to));
    return out;
}

static struct kw_keyring *read_text(const char *json)
{
    struct kw_keyring *ring = NULL;
    struct kw_note note = {{0}};
    if (kw_failed(kw_keyring_parse(kw_span_str(json), &ring, &note)))
        fail_msg("%s", note.text);
    return ring;
}

/* Opaque for this reason, its neighbours untouched, and written back as it came. */
static void is_opaque(char *json, const char *why)
{
    struct kw_keyring *ring = read_text(json);
    const struct kw_version *v = kw_keyring_by_n(ring, 3);
    CHECK(v->state == KW_KEY_UNKNOWN && v->unknown_json != NULL);
    CHECK_STR(v->unknown, why);
    CHECK_STR(v->key_id, "kw1-3-000000000000000000000003");
    CHECK(v->object_count == 0 && v->check_blob_len == 0);
    CHECK(ring->versions[0].state == KW_KEY_RETIRED);
    CHECK(ring->versions[1].state == KW_KEY_ACTIVE && ring->active == 2);
    CHECK_STR(text_of(ring), json);
}

TEST(opaque__names_it_is_known_by__as_strict_as_ever)
{
    char *json = third("\"state\": \"accepted\"", "\"state\": \"suspended\"");
    refused(swap(json, "\"n\": 3", "\"n\": 0"), "element 2: n: must be", "");
    refused(swap(json, "\"n\": 3", "\"n\": 2"), "version 2: n", "twice");
    refused(swap(json, "\"key-id\": \"kw1-3-", "\"key-id\": \"kw1-4-"),
            "version 3: key-id", "kw1-3-");
    refused(swap(json, "\"key-id\": \"kw1-3-000000000000000000000003", "\"key-id\": \""),
            "version 3: key-id", "printable");
    refused(swap(json, "\"next-n\": 4", "\"next-n\": 3"), "next-n", "above version 3");
}

TEST(opaque__state_that_is_no_name__refused)
{
    char *json =
        third("\"mechanism\": \"aes-256-gcm\"", "\"mechanism\": \"aes-256-gcm-siv\"");
    refused(swap(json, "\"state\": \"accepted\"", "\"state\": 3"), "version 3: state",
            "1 to 15 bytes");
    refused(swap(json, "\"state\": \"accepted\"", "\"status\": 3"), "version 3: state",
            "1 to 15 bytes");
    refused(third("\"state\": \"accepted\"", "\"state\": \"accepted-by-all\xc3\xbc\""),
            "version 3: state", "1 to 15 bytes");
}

TEST(opaque__critical_that_is_no_list_of_names__refused)
{
    static const char *const wrong[] = {
        "\"critical\": [\"quorum\", 1]",
        "\"critical\": [\"quorum\", \"\"]",
        "\"critical\": [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\", \"i\"]",
        "\"critical\": \"quorum\"",
        "\"critical\": [\"012345678901234567890123456789012\"]",
        "\"critical\": [1]",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        refused(third("\"critical\": []", wrong[i]), "version 3: critical", "names");
    refused(third("\"critical\": [],\n      \"mechanism\": \"aes-256-gcm\"",
                  "\"critical\": [1],\n      \"mechanism\": \"ml-kem-1024\""),
            "version 3: critical", "names");
}

TEST(opaque__larger_than_sixteen_kib__refused)
{
    static char big[KW_UNKNOWN_VERSION_MAX + 64];
    static const char head[] = "\"state\": \"suspended\", \"more\": \"";
    struct kw_keyring *ring = read_text(third("\"accepted\"", "\"accepteD\""));
    size_t len = strlen(ring->versions[2].unknown_json);
    size_t room =
        KW_UNKNOWN_VERSION_MAX - len - (sizeof head - sizeof "\"state\": \"accepteD");
    kw_keyring_give(ring);
    snprintf(big, sizeof big, "%s%0*d\"", head, (int)room, 7);
    ring = read_text(third("\"state\": \"accepted\"", big));
    CHECK(strlen(ring->versions[2].unknown_json) == KW_UNKNOWN_VERSION_MAX);
    kw_keyring_give(ring);
    snprintf(big, sizeof big, "%s%0*d\"", head, (int)room + 1, 7);
    refused(third("\"state\": \"accepted\"", big), "version 3",
            "larger than 16384 bytes");
}

TEST(opaque__active_but_not_the_baseline__refused)
{
    char *json =
        third("\"mechanism\": \"aes-256-gcm\"", "\"mechanism\": \"aes-256-gcm-siv\"");
    refused(swap(json, "\"state\": \"accepted\"", "\"state\": \"active\""),
            "version 3: state: active", "another");
    json = swap(json, "\"active\": 2", "\"active\": 3");
    refused(swap(json, "\"state\": \"active\"", "\"state\": \"retired\""),
            "active: version 3 is in state accepted", "");
}

TEST(opaque__unknown_name__kept_and_said_why)
{
    is_opaque(third("\"mechanism\": \"aes-256-gcm\"", "\"mechanism\": \"ml-kem-1024\""),
              "its mechanism is \"ml-kem-1024\"");
    is_opaque(third("\"state\": \"accepted\"", "\"state\": \"suspended\""),
              "its state is \"suspended\"");
    is_opaque(third("\"role\": \"kek\"", "\"role\": \"wrapper\""),
              "it has an object of a new role or type");
    is_opaque(third("\"type\": \"aes-256\"", "\"type\": \"rsa-4096\""),
              "it has an object of a new role or type");
    is_opaque(third("\"critical\": []", "\"critical\": [\"quorum\", \"escrow\"]"),
              "\"quorum\" must be understood to use it");
    is_opaque(third("\"format\": 1", "\"format\": 2"), "its format is 2");
}

TEST(opaque__its_state__as_it_stands)
{
    struct kw_keyring *ring =
        read_text(third("\"state\": \"accepted\"", "\"state\": \"suspended\""));
    CHECK_STR(ring->versions[2].unknown_state, "suspended");
    kw_keyring_give(ring);
    ring = read_text(third("\"format\": 1", "\"format\": 2"));
    CHECK_STR(ring->versions[2].unknown_state, "accepted");
    kw_keyring_give(ring);
}

TEST(opaque__members_nobody_knows__kept_in_their_order)
{
    is_opaque(third("\"state\": \"accepted\"",
                    "\"state\": \"suspended\",\n      \"z\": {\"y\": [null, 1.5]},\n"
                    "      \"a\": \"J\xc3\xbcrgen\""),
              "its state is \"suspended\"");
}

/* Two thousand lists deep: broken up over lines it would have eight megabytes. */
TEST(opaque__deeply_nested__written_as_small_as_it_was)
{
    enum { DEEP = 2000 };
    static char nested[2 * DEEP + 64];
    size_t len = (size_t)snprintf(nested, sizeof nested,
                                  "\"state\": \"suspended\",\n      \"z\": ");
    memset(nested + len, '[', DEEP);
    memset(nested + len + DEEP, ']', DEEP);
    nested[len + 2 * DEEP] = '\0';
    is_opaque(third("\"state\": \"accepted\"", nested), "its state is \"suspended\"");
}

TEST(opaque__the_baseline__the_ring_is_read)
{
    struct kw_keyring *ring =
        read_text(swap(good_text(), "\"state\": \"active\"", "\"state\": \"sealed\""));
    CHECK(ring->active == 2 && kw_keyring_by_n(ring, 2)->state == KW_KEY_UNKNOWN);
    kw_keyring_give(ring);
}

TEST(opaque__copied_and_taken_out__its_text_goes_along)
{
    struct kw_keyring *ring =
        read_text(third("\"state\": \"accepted\"", "\"state\": \"suspended\""));
    struct kw_keyring *copy = NULL;
    CHECK_OK(kw_keyring_dup(ring, &copy));
    CHECK(copy->versions[2].unknown_json != ring->versions[2].unknown_json);
    CHECK_STR(copy->versions[2].unknown_json, ring->versions[2].unknown_json);
    kw_keyring_remove(copy, 3);
    CHECK(copy->count == 2 && kw_keyring_by_n(copy, 3) == NULL);
    CHECK(copy->next_n == 4);
    kw_keyring_give(copy);
    kw_keyring_give(ring);
}

/* A newer keyward would not read a ring whose version 3 names a version that is gone. */
TEST(opaque__same_key_as__seen_all_the_same)
{
    char *json = third("\"state\": \"accepted\"", "\"state\": \"suspended\"");
    struct kw_keyring *ring =
        read_text(swap(json, "\"same-key-as\": null,\n      \"ext\": {}\n    }\n  ]",
                       "\"same-key-as\": 1,\n      \"ext\": {}\n    }\n  ]"));
    CHECK(ring->versions[2].same_key_as == 1);
    kw_keyring_give(ring);
    static const char *const none[] = {"null", "3", "0", "-1", "\"1\"", "1000000"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        char member[64];
        snprintf(member, sizeof member,
                 "\"same-key-as\": %s,\n      \"ext\": {}\n    }\n  ]", none[i]);
        ring = read_text(
            swap(json, "\"same-key-as\": null,\n      \"ext\": {}\n    }\n  ]", member));
        CHECK(ring->versions[2].same_key_as == 0);
        kw_keyring_give(ring);
    }
}

TEST(opaque__mentions_anothers_key__is_a_sharer)
{
    char *json = third("\"state\": \"accepted\"", "\"state\": \"suspended\", \"lent\": "
                                                  "[\"kw1-1-000000000000000000000001\"]");
    struct kw_keyring *ring = read_text(json);
    const struct kw_version *v = kw_keyring_by_n(ring, 1);
    CHECK(kw_keyring_sharer(ring, v, NULL) == kw_keyring_by_n(ring, 3));
    CHECK(kw_keyring_sharer(ring, kw_keyring_by_n(ring, 2), NULL) == NULL);
    kw_keyring_give(ring);
}

TEST(opaque__who_shares_its_key__asked_by_its_name)
{
    struct kw_keyring *ring =
        read_text(third("\"state\": \"accepted\"", "\"state\": \"suspended\""));
    CHECK(kw_keyring_sharer(ring, kw_keyring_by_n(ring, 3), NULL) == NULL);
    struct kw_version v = good_version(4, KW_KEY_ACCEPTED);
    v.same_key_as = 3;
    snprintf(v.objects[0].label, sizeof v.objects[0].label, "%s",
             ring->versions[2].key_id);
    CHECK_OK(kw_keyring_add(ring, &v));
    ring = reread(ring); /* a key of an opaque version may be used again */
    CHECK(kw_keyring_sharer(ring, kw_keyring_by_n(ring, 3), NULL)->n == 4);
    kw_keyring_give(ring);
}

KW_CASES("hsm/keyring/opaque", CASE(opaque__names_it_is_known_by__as_strict_as_ever),
         CASE(opaque__state_that_is_no_name__refused),
         CASE(opaque__critical_that_is_no_list_of_names__refused),
         CASE(opaque__larger_than_sixteen_kib__refused),
         CASE(opaque__active_but_not_the_baseline__refused),
         CASE(opaque__unknown_name__kept_and_said_why),
         CASE(opaque__its_state__as_it_stands),
         CASE(opaque__members_nobody_knows__kept_in_their_order),
         CASE(opaque__deeply_nested__written_as_small_as_it_was),
         CASE(opaque__the_baseline__the_ring_is_read),
         CASE(opaque__copied_and_taken_out__its_text_goes_along),
         CASE(opaque__same_key_as__seen_all_the_same),
         CASE(opaque__mentions_anothers_key__is_a_sharer),
         CASE(opaque__who_shares_its_key__asked_by_its_name))
