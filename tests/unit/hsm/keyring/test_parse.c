/* SPDX-License-Identifier: Apache-2.0 */
/* The members of the keyring file, one by one. */
#include "ring.h"

#include <stdio.h>

#include <keyward/alloc.h>

TEST(parse__no_json__refused_with_line)
{
    refused("", "keyring", "empty");
    refused("{", "line 1", "column");
    refused("[]", "must be an object", "keyring");
    refused("null", "line 1", "keyring");
    refused(swap(good_text(), "\"serial\": 7", "\"serial\": 07"), "line 5", "");
}

TEST(parse__bytes_after_the_document__refused)
{
    refused(swap(good_text(), "\n}\n", "\n}\n{}"), "line", "end of file");
}

TEST(parse__too_large__refused)
{
    static char big[KW_KEYRING_MAX + 2];
    memset(big, ' ', sizeof big - 1);
    refused(big, "larger than", "1048576");
}

TEST(parse__deeply_nested__refused)
{
    static char deep[200001];
    memset(deep, '[', sizeof deep - 1);
    refused(deep, "keyring", "depth");
}

TEST(parse__nul_or_bad_utf8__refused)
{
    refused(swap(good_text(), "\"keyward\"", "\"key\\u0000ward\""), "line", "");
    refused(swap(good_text(), "\"keyward\"", "\"key\xff\""), "line", "");
    refused(swap(good_text(), "\"keyward\"", "\"key\xed\xa0\x80\""), "line", "");
}

TEST(parse__control_character__refused)
{
    refused(swap(good_text(), "\"keyward\"", "\"key\\u001bward\""),
            "version 1: objects: element 0: tokens: element 0: token-label: must be",
            "printable");
    refused(swap(good_text(), "\"label\": \"keyward\"", "\"label\": \"key\\nward\""),
            "version 1: token: label: must be", "printable");
    refused(swap(good_text(), "\"keyward\"", "\"key\\u007f\""), "version 1", "printable");
    refused(swap(good_text(), "\"keyward\"", "\"key\\u009b2J\""), "version 1",
            "printable");
    refused(swap(good_text(), "\"keyward\"", "\"\\u202edrawyek\""), "version 1",
            "printable");
}

TEST(parse__duplicate_member__refused)
{
    refused(swap(good_text(), "\"active\": 2", "\"active\": 2, \"active\": 2"),
            "duplicate", "active");
    refused(swap(good_text(), "\"n\": 2", "\"n\": 2, \"n\": 2"), "duplicate", "n");
}

TEST(parse__unknown_member__refused_by_name)
{
    refused(swap(good_text(), "\"active\": 2", "\"active\": 2, \"Active\": 2"),
            "unknown member", "Active");
    refused(swap(good_text(), "\"n\": 2", "\"n\": 2, \"m\": 2"), "version 2",
            "unknown member \"m\"");
    refused(swap(good_text(), "\"model\": null", "\"model\": null, \"x\": 1"),
            "version 1: token", "unknown member \"x\"");
    refused(swap(good_text(), "\"CKA_TOKEN\"", "\"CKA_TRUSTED\": true, \"CKA_TOKEN\""),
            "version 1: objects: element 0: attributes", "unknown attribute");
    refused(swap(good_text(), "\"role\"", "\"use\": 1, \"role\""),
            "version 1: objects: element 0", "unknown member \"use\"");
    refused(swap(good_text(), "\"gone\"", "\"here\": 1, \"gone\""),
            "objects: element 0: tokens: element 0", "unknown member \"here\"");
    refused(swap(good_text(), "\"act\"", "\"why\": 1, \"act\""), "history: element 0",
            "unknown member \"why\"");
}

TEST(parse__each_member_missing__refused_by_name)
{
    static const char *const names[] = {
        "keyring",
        "critical",
        "domain",
        "serial",
        "ancestors",
        "next-n",
        "active",
        "versions",
        "history",
        "ext",
        "n",
        "key-id",
        "mechanism",
        "format",
        "state",
        "check-blob",
        "objects",
        "role",
        "type",
        "locator",
        "attributes",
        "tokens",
        "token-label",
        "proven",
        "gone",
        "created",
        "accepted",
        "activated",
        "retired",
        "disabled",
        "destroyed",
        "disabled-from",
        "tool",
        "operator",
        "token",
        "destroyable",
        "copyable",
        "origin",
        "second-copy",
        "same-key-as",
        "label",
        "manufacturer",
        "model",
        "firmware",
        "CKA_TOKEN",
        "CKA_VALUE_LEN",
        "CKA_ALWAYS_SENSITIVE",
        "act",
        "at",
        "by",
        "proof",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "\"%s\":", names[i]);
        refused(swap(good_text(), quoted, "\"elsewhere\":"), names[i], "");
    }
}

TEST(parse__wrong_type_or_range__refused_by_name)
{
    static const struct {
        const char *from, *to, *member;
    } wrong[] = {
        {"\"keyring\": 1", "\"keyring\": 2", "keyring: must be 1"},
        {"\"keyring\": 1", "\"keyring\": \"1\"", "keyring: must be 1"},
        {"\"domain\": \"demo\"", "\"domain\": null", "domain"},
        {"\"domain\": \"demo\"", "\"domain\": \"Demo\"", "domain"},
        {"\"serial\": 7", "\"serial\": -7", "serial"},
        {"\"serial\": 7", "\"serial\": 0", "serial"},
        {"\"serial\": 7", "\"serial\": 7.0", "serial"},
        {"\"serial\": 7", "\"serial\": 9223372036854775808", "line 5"},
        {"\"serial\": 7", "\"serial\": 9007199254740992", "serial"},
        {"\"aaaa", "\"AAAA", "ancestors: must be"},
        {"\"aaaa", "\"aa", "ancestors: must be"},
        {"\"ancestors\": [", "\"ancestors\": [null,", "ancestors: must be"},
        {"\"next-n\": 4", "\"next-n\": 0", "next-n"},
        {"\"next-n\": 4", "\"next-n\": 1000001", "next-n"},
        {"\"critical\": []", "\"critical\": {}", "critical"},
        {"\"critical\": []", "\"critical\": [1]", "critical"},
        {"\"critical\": []", "\"critical\": [\"\"]", "critical"},
        {"\"critical\": []", "\"critical\": [1,1,1,1,1,1,1,1,1]", "at most 8"},
        {"\"active\": 2", "\"active\": 0", "active"},
        {"\"active\": 2", "\"active\": \"2\"", "active"},
        {"\"versions\": [", "\"versions\": [1,", "element 0"},
        {"\"n\": 2", "\"n\": 0", "element 1: n"},
        {"\"n\": 2", "\"n\": 1000000", "element 1: n"},
        {"\"mechanism\": \"aes-256-gcm\"", "\"mechanism\": 1", "version 1: mechanism"},
        {"\"mechanism\": \"aes-256-gcm\"", "\"mechanism\": \"\"", "version 1: mechanism"},
        {"\"format\": 1", "\"format\": 0", "version 1: format"},
        {"\"format\": 1", "\"format\": \"1\"", "version 1: format"},
        {"\"state\": \"active\"", "\"state\": null", "version 2: state"},
        {"\"objects\": [", "\"objects\": [1,", "version 1: objects: element 0"},
        {"\"role\": \"kek\"", "\"role\": 1", "version 1: objects: element 0: role"},
        {"\"type\": \"aes-256\"", "\"type\": 1", "version 1: objects: element 0: type"},
        {"\"tokens\": [", "\"tokens\": [1,", "tokens: element 0"},
        {"\"tokens\": [", "\"tokens\": [1,1,1,1,", "at most 4"},
        {"\"check-blob\": \"0102", "\"check-blob\": \"01020", "version 1: check-blob"},
        {"\"check-blob\": \"0102", "\"check-blob\": \"0X02", "version 1: check-blob"},
        {"\"locator\": \"01\"", "\"locator\": \"\"", "element 0: locator"},
        {"\"created\": \"2026-01-31T", "\"created\": \"2026-01-31 ", "created"},
        {"000Z\"", "000+01:00\"", "version 1: created"},
        {".000000Z\"", ".Z\"", "version 1: created"},
        {"\"created\": \"2026", "\"created\": \"26", "version 1: created"},
        {"2026-01-31T", "2026-13-31T", "version 1: created"},
        {"2026-01-31T", "2026-01-00T", "version 1: created"},
        {"T12:00:00", "T24:00:00", "version 1: created"},
        {"T12:00:00", "T12:60:00", "version 1: created"},
        {"\"destroyable\": true", "\"destroyable\": 1", "version 1: destroyable"},
        {"\"same-key-as\": null", "\"same-key-as\": 0", "version 1: same-key-as"},
        {"\"CKA_TOKEN\": true", "\"CKA_TOKEN\": 1", "CKA_TOKEN"},
        {"\"CKA_VALUE_LEN\": 32", "\"CKA_VALUE_LEN\": true", "CKA_VALUE_LEN"},
        {"\"CKA_VALUE_LEN\": 32", "\"CKA_VALUE_LEN\": 0", "CKA_VALUE_LEN"},
        {"\"firmware\": \"2.6\"", "\"firmware\": \"01234567890123456\"", "firmware"},
        {"\"tool\": \"keyward 0.1.0\"", "\"tool\": \"\"", "version 1: tool"},
        {"\"act\": \"create\"", "\"act\": null", "history: element 0: act"},
        {"\"act\": \"create\"", "\"act\": \"0123456789abcdef\"", "element 0: act"},
        {"\"history\": [", "\"history\": [1,", "history: element 0"},
        {"\"history\": [", "\"history\": {}, \"h\": [", "history: must be"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)

        refused(swap(good_text(), wrong[i].from, wrong[i].to), wrong[i].member, "");
}

#define NOTHING_YET                                                                      \
    "{\"keyring\":1,\"critical\":[],\"domain\":\"d\",\"serial\":1,\"ancestors\":[],"     \
    "\"next-n\":1,\"active\":null,"

TEST(parse__file_of_a_pre_release_build__refused_with_the_way_out)
{
    struct kw_note note = {{0}};
    struct kw_keyring *ring = NULL;
    CHECK_CODE(kw_keyring_load(KW_VECTORS "/keyring-prerelease.json", &ring, NULL, &note),
               KW_CODE_BAD_INPUT);
    CHECK(ring == NULL);
    CHECK_HAS(note.text, "prev-sha256: only files of pre-release builds have it");
    CHECK_HAS(note.text, "keyward key create --adopt");
    CHECK_HAS(note.text, "new ceremony");
}

TEST(parse__sixty_five_versions__refused)
{
    static char json[16384];
    size_t len = (size_t)snprintf(json, sizeof json, "%s", NOTHING_YET "\"versions\":[0");
    for (unsigned i = 1; i < KW_VERSIONS_MAX + 1; i++)
        len += (size_t)snprintf(json + len, sizeof json - len, ",0");
    snprintf(json + len, sizeof json - len, "]}");
    refused(json, "versions", "at most 64");
}

TEST(parse__five_hundred_and_thirteen_lines_of_history__refused)
{
    static char json[16384];
    size_t len = (size_t)snprintf(json, sizeof json, "%s",
                                  NOTHING_YET "\"versions\":[],\"history\":[0");
    for (unsigned i = 1; i < KW_HISTORY_MAX + 1; i++)
        len += (size_t)snprintf(json + len, sizeof json - len, ",0");
    snprintf(json + len, sizeof json - len, "]}");
    refused(json, "history", "at most 512");
}

TEST(parse__failure_without_a_note__no_crash)
{
    struct kw_keyring *ring = NULL;
    CHECK_CODE(kw_keyring_parse(kw_span_str("{}"), &ring, NULL), KW_CODE_BAD_INPUT);
    CHECK(ring == NULL);
}

TEST(parse__no_version_active__a_ring_without_a_kek)
{
    struct kw_keyring *ring = NULL;
    const char *json = NOTHING_YET "\"versions\":[],\"history\":[],\"ext\":{}}";
    CHECK_OK(kw_keyring_parse(kw_span_str(json), &ring, NULL));
    CHECK(ring->active == 0 && ring->count == 0 && ring->serial == 1);
    CHECK(ring->ancestor_count == 0 && ring->history_count == 0 && ring->next_n == 1);
    kw_keyring_give(ring);
}

TEST(parse__good__every_field_is_there)
{
    struct kw_keyring *ring = NULL;
    CHECK_OK(kw_keyring_parse(kw_span_str(good_text()), &ring, NULL));
    CHECK(ring->count == 3 && ring->active == 2 && ring->serial == 7 && ring->refs == 1);
    CHECK_STR(ring->domain, "demo");
    const struct kw_version want = good_version(2, KW_KEY_ACTIVE);
    CHECK(memcmp(&ring->versions[1], &want, sizeof want) == 0);
    CHECK(ring->ancestor_count == 6 && ring->ancestors[5][31] == 0xaa);
    CHECK(ring->next_n == 4 && ring->critical_count == 0 && ring->ext[0] == '\0');
    CHECK(ring->history_count == 9 && ring->history[8].serial == 7);
    CHECK(ring->history[7].n == 2);
    CHECK_STR(ring->history[7].act, "activate");
    CHECK_STR(ring->history[7].by, "root");
    kw_keyring_give(ring);
}

KW_CASES("hsm/keyring/parse", CASE(parse__no_json__refused_with_line),
         CASE(parse__bytes_after_the_document__refused), CASE(parse__too_large__refused),
         CASE(parse__deeply_nested__refused), CASE(parse__nul_or_bad_utf8__refused),
         CASE(parse__control_character__refused), CASE(parse__duplicate_member__refused),
         CASE(parse__unknown_member__refused_by_name),
         CASE(parse__each_member_missing__refused_by_name),
         CASE(parse__wrong_type_or_range__refused_by_name),
         CASE(parse__file_of_a_pre_release_build__refused_with_the_way_out),
         CASE(parse__sixty_five_versions__refused),
         CASE(parse__five_hundred_and_thirteen_lines_of_history__refused),
         CASE(parse__failure_without_a_note__no_crash),
         CASE(parse__no_version_active__a_ring_without_a_kek),
         CASE(parse__good__every_field_is_there))
