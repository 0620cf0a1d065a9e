/* SPDX-License-Identifier: Apache-2.0 */
/* `ext` and `critical`: what a newer keyward may add to a file that this one reads. */
#include "ring.h"

#include <stdio.h>

#include <keyward/alloc.h>

#define NO_EXT "\"ext\": {}"

/* The good text with this as the ext of version 1, which is the first one in the file. */
static char *with_ext(const char *value)
{
    static char member[KW_EXT_MAX + 64];
    snprintf(member, sizeof member, "\"ext\": %s", value);
    return swap(good_text(), NO_EXT, member);
}

/* {"x": "yyy…"} of `len` bytes. */
static char *ext_of(size_t len)
{
    static char value[KW_EXT_MAX + 32];
    const size_t around = sizeof "{\"x\": \"\"}" - 1;
    CHECK(len >= around && len < sizeof value);
    int text = (int)(len - around);
    static char y[KW_EXT_MAX + 32];
    memset(y, 'y', sizeof y - 1);
    snprintf(value, sizeof value, "{\"x\": \"%.*s\"}", text, y);
    CHECK(strlen(value) == len);
    return value;
}

TEST(ext__what_is_no_plain_object__refused)
{
    static const char *const wrong[] = {
        "null",
        "[]",
        "true",
        "\"text\"",
        "{\"a\": null}",
        "{\"a\": 1.5}",
        "{\"a\": 1e3}",
        "{\"a\": 9007199254740992}",
        "{\"a\": -9007199254740992}",
        "{\"a\": \"\\u001b\"}",
        "{\"\": 1}",
        "{\"\\n\": 1}",
        "{\"a\": [[[[1]]]]}",
        "{\"a\": {\"b\": {\"c\": {\"d\": {}}}}}",
        "{\"a\": [{\"b\": [[]]}]}",
        "{\"01234567890123456789012345678901234567890123456789012345678901234\": 1}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        refused(with_ext(wrong[i]), "version 1: ext: must be an object of printable text",
                "at most 4 deep and 4096 bytes");
    refused(with_ext("{\"a\": 1, \"a\": 1}"), "duplicate", "a");
}

TEST(ext__one_byte_too_many__refused)
{
    struct kw_keyring *ring = NULL;
    refused(with_ext(ext_of(KW_EXT_MAX + 1)), "version 1: ext", "4096 bytes");
    CHECK_OK(kw_keyring_parse(kw_span_str(with_ext(ext_of(KW_EXT_MAX))), &ring, NULL));
    CHECK(strlen(ring->versions[0].ext) == KW_EXT_MAX);
    kw_keyring_give(ring);
}

TEST(ext__of_the_file__the_same_rules)
{
    char *json = swap(good_text(), "  ],\n  " NO_EXT, "  ],\n  \"ext\": {\"a\": null}");
    refused(json, "keyring: ext: must be an object of printable text", "");
}

/* Read, written and read again: the same text in the file each time. */
static void kept(const char *value)
{
    struct kw_keyring *ring = NULL;
    char *json = with_ext(value);
    struct kw_note note = {{0}};
    if (kw_failed(kw_keyring_parse(kw_span_str(json), &ring, &note)))
        fail_msg("%s: %s", value, note.text);
    CHECK_STR(ring->versions[0].ext, value);
    CHECK_STR(text_of(ring), json);
}

TEST(ext__everything_that_is_plain__kept_as_it_came)
{
    kept("{\"z\": 1, \"a\": true, \"m\": false}"); /* in its own order */
    kept("{\"a\": 9007199254740991, \"b\": -9007199254740991, \"c\": 0}");
    kept("{\"a\": \"\", \"b\": \"J\xc3\xbcrgen \\\"root\\\"\"}");
    kept("{\"a\": [], \"b\": {}, \"c\": [1, \"x\", true, [2, [3]]]}");
    kept("{\"a\": {\"b\": {\"c\": {\"d\": 1}}}, \"e\": [[[1]]]}");
    kept("{\"0123456789012345678901234567890123456789012345678901234567890123\": 1}");
}

TEST(ext__of_the_file__kept_on_its_own_lines)
{
    struct kw_keyring *ring = NULL;
    char *json = swap(good_text(), "  ],\n  " NO_EXT,
                      "  ],\n  \"ext\": {\n    \"a\": [\n      [1]\n    ]\n  }");
    CHECK_OK(kw_keyring_parse(kw_span_str(json), &ring, NULL));
    CHECK_STR(ring->ext, "{\"a\": [[1]]}");
    CHECK_STR(text_of(ring), json);
}

TEST(ext__text_that_is_none__not_written)
{
    struct kw_keyring *ring = good_ring();
    (void)kw_copy_str(ring->ext, sizeof ring->ext, kw_span_str("{\"a\": "));
    cannot_be_written(ring);
    (void)kw_copy_str(ring->ext, sizeof ring->ext, kw_span_str("[1]"));
    cannot_be_written(ring);
    (void)kw_copy_str(ring->ext, sizeof ring->ext, kw_span_str("{\"a\": null}"));
    cannot_be_written(ring);
    kw_keyring_give(ring);
}

TEST(critical__of_the_file__read_and_kept)
{
    struct kw_keyring *ring = NULL;
    char *json = swap(good_text(), "\"critical\": []",
                      "\"critical\": [\n    \"quorum\",\n    \"sealed-history\"\n  ]");
    CHECK_OK(kw_keyring_parse(kw_span_str(json), &ring, NULL));
    CHECK(ring->critical_count == 2);
    CHECK_STR(ring->critical[0], "quorum");
    CHECK_STR(ring->critical[1], "sealed-history");
    CHECK(ring->versions[1].state == KW_KEY_ACTIVE); /* it serves all the same */
    CHECK_STR(text_of(ring), json);
}

TEST(critical__of_the_file__names_of_thirty_two_bytes)
{
    struct kw_keyring *ring = NULL;
    char *json = swap(good_text(), "\"critical\": []",
                      "\"critical\": [\"01234567890123456789012345678901\"]");
    CHECK_OK(kw_keyring_parse(kw_span_str(json), &ring, NULL));
    CHECK(strlen(ring->critical[0]) == KW_CRITICAL_NAME_MAX);
    kw_keyring_give(ring);
    refused(swap(good_text(), "\"critical\": []",
                 "\"critical\": [\"012345678901234567890123456789012\"]"),
            "critical", "1 to 32 bytes");
}

KW_CASES("hsm/keyring/ext", CASE(ext__what_is_no_plain_object__refused),
         CASE(ext__one_byte_too_many__refused), CASE(ext__of_the_file__the_same_rules),
         CASE(ext__everything_that_is_plain__kept_as_it_came),
         CASE(ext__of_the_file__kept_on_its_own_lines),
         CASE(ext__text_that_is_none__not_written),
         CASE(critical__of_the_file__read_and_kept),
         CASE(critical__of_the_file__names_of_thirty_two_bytes))
