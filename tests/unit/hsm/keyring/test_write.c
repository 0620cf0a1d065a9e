/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical text. */
#include "ring.h"

#include <stdio.h>

#include <keyward/alloc.h>

static void write__what_parse_would_refuse__refused(void **state)
{
    (void)state;
    struct kw_keyring *ring = good_ring();
    ring->versions[1].operator_[0] = '\x1b';
    cannot_be_written(ring);
    kw_copy(ring->versions[1].operator_, 64, kw_span_str("\xff\xfe"));
    cannot_be_written(ring);
    ring->versions[1] = good_version(2, KW_KEY_CREATED);
    cannot_be_written(ring);
    ring->versions[1] = good_version(2, (enum kw_key_state)17);
    cannot_be_written(ring);
    ring->versions[1] = good_version(2, KW_KEY_ACTIVE);
    ring->serial = 0;
    cannot_be_written(ring);
    kw_keyring_give(ring);
}

static void write__good__reads_back_equal_and_writes_the_same_again(void **state)
{
    (void)state;
    struct kw_keyring *ring = good_ring();
    struct kw_keyring *back = NULL;
    struct kw_blob one = {0};
    struct kw_blob two = {0};
    CHECK_OK(kw_keyring_write(ring, &one));
    CHECK_OK(kw_keyring_parse(kw_blob_peek(&one), &back, NULL));
    CHECK(memcmp(back->versions, ring->versions, 3 * sizeof *ring->versions) == 0);
    CHECK_OK(kw_keyring_write(back, &two));
    CHECK(kw_span_equal(kw_blob_peek(&one), kw_blob_peek(&two)));
    CHECK(one.ptr[one.len - 1] == '\n' && one.ptr[one.len - 2] == '}');
    kw_keyring_give(ring);
    kw_keyring_give(back);
    kw_blob_wipe(&one);
    kw_blob_wipe(&two);
}

static void write__signatures__are_kept_as_they_are(void **state)
{
    (void)state;
    struct kw_keyring *ring = NULL;
    struct kw_blob json = {0};
    char *text = swap(good_text(), "\"signatures\": []",
                      "\"signatures\": [\"one\", \"t\xc3\xbcwo\"]");
    CHECK_OK(kw_keyring_parse(kw_span_str(text), &ring, NULL));
    CHECK(ring->versions[0].signatures_len == 4 + 6);
    CHECK_OK(kw_keyring_write(ring, &json));
    kw_keyring_give(ring);
    CHECK_OK(kw_keyring_parse(kw_blob_peek(&json), &ring, NULL));
    CHECK(memcmp(ring->versions[0].signatures, "one\0t\xc3\xbcwo", 10) == 0);
    kw_keyring_give(ring);
    kw_blob_wipe(&json);
}

static void fill(char *dst, size_t cap)
{
    memset(dst, '"', cap - 1); /* two bytes in JSON */
    dst[cap - 1] = '\0';
}

/* Every text full of what doubles when it is written. */
static struct kw_version largest_version(uint32_t n)
{
    struct kw_version v = good_version(n, KW_KEY_DISABLED);
    (void)kw_copy_str(v.disabled_from, sizeof v.disabled_from, kw_span_str("accepted"));
    char *const times[] = {v.created, v.accepted, v.activated,
                           v.retired, v.disabled, v.destroyed};
    for (size_t i = 0; i < 6; i++)
        (void)kw_copy_str(times[i], KW_TIME_TEXT,
                          kw_span_str("2026-01-31T12:00:00.0000000000Z"));
    fill(v.tool, sizeof v.tool);
    fill(v.operator_, sizeof v.operator_);
    fill(v.token.label, sizeof v.token.label);
    fill(v.token.serial, sizeof v.token.serial);
    fill(v.token.manufacturer, sizeof v.token.manufacturer);
    fill(v.token.model, sizeof v.token.model);
    fill(v.token.firmware, sizeof v.token.firmware);
    fill(v.second_copy, sizeof v.second_copy);
    v.attributes = (struct kw_key_attributes){.value_len = UINT32_MAX};
    v.locator_len = KW_LOCATOR_MAX;
    v.same_key_as = n == 999001 ? 0 : 999001;
    for (size_t i = 0; i < KW_SIGNATURES_COUNT; i++)
        fill(v.signatures + i * 64, 64);
    v.signatures_len = KW_SIGNATURES_MAX;
    return v;
}

static void write__largest_ring__fits_the_files_limit(void **state)
{
    (void)state;
    struct kw_keyring *ring = NULL;
    struct kw_blob json = {0};
    CHECK_OK(kw_keyring_new("demo", &ring));
    ring->serial = INT64_MAX;
    for (uint32_t n = 999001; n <= 999000 + KW_VERSIONS_MAX; n++) {
        struct kw_version v = largest_version(n);
        CHECK_OK(kw_keyring_add(ring, &v));
    }
    CHECK_OK(kw_keyring_write(ring, &json));
    CHECK(json.len <= KW_KEYRING_MAX);
    kw_keyring_give(ring);
    kw_blob_wipe(&json);
}

static void golden__keyring_file__reads_and_writes_byte_for_byte(void **state)
{
    (void)state;
    struct kw_keyring *ring = NULL;
    struct kw_blob file = {0};
    struct kw_blob json = {0};
    CHECK_OK(kw_keyring_load(KW_VECTORS "/keyring.json", &ring, &file, NULL));
    CHECK_STR(ring->domain, "demo");
    CHECK(ring->serial == 2 && ring->active == 1 && ring->count == 1);
    CHECK_STR(ring->versions[0].key_id, "kw1-1-00112233445566778899aabb");
    CHECK_STR(ring->versions[0].token.model, "SoftHSM v2");
    CHECK(ring->versions[0].attributes.local == KW_ANSWER_TRUE);
    CHECK_OK(kw_keyring_write(ring, &json));
    CHECK(kw_span_equal(kw_blob_peek(&file), kw_blob_peek(&json)));
    kw_keyring_give(ring);
    kw_blob_wipe(&file);
    kw_blob_wipe(&json);
}

/* The check text and inner digest of the vector "check blob" in envelope.txt. */
static void golden__check_blob_of_that_file__opens(void **state)
{
    (void)state;
    static const char inner_hex[] =
        "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
        "1c9002a45667c959911fcf87b5a71ab5";
    struct kw_keyring *ring = NULL;
    struct kw_check_job job;
    struct kw_secret inner = {0};
    kw_test_arena(4096);
    CHECK_OK(kw_keyring_load(KW_VECTORS "/keyring.json", &ring, NULL, NULL));
    CHECK_OK(kw_check_blob_job(&ring->versions[0], ring->domain, &job));
    CHECK_OK(kw_secret_init(&inner, 48));
    CHECK(kw_unhex(inner.ptr, 48, kw_span_str(inner_hex)));
    CHECK_OK(kw_check_blob_judge(&job, &inner));
    kw_keyring_give(ring);
}

/* Each name in quotes before a colon must stand in docs/FORMATS.md as `name`. */
static void golden__every_member_of_that_file__documented(void **state)
{
    (void)state;
    struct kw_blob file = {0};
    struct kw_blob formats = {0};
    unsigned names = 0;
    CHECK_OK(kw_file_read(KW_VECTORS "/keyring.json", KW_KEYRING_MAX, &file, NULL));
    CHECK_OK(kw_file_read(KW_FORMATS, KW_KEYRING_MAX, &formats, NULL));
    char *text = kw_strdup(kw_blob_peek(&file));
    char *doc = kw_strdup(kw_blob_peek(&formats));
    for (char *at = text; (at = strstr(at, "\":")) != NULL; at++) {
        char quoted[64];
        char *name = at;
        while (name[-1] != '"')
            name--;
        snprintf(quoted, sizeof quoted, "`%.*s`", (int)(at - name), name);
        CHECK_HAS(doc, quoted);
        names++;
    }
    CHECK(names > 40);
    kw_free(text);
    kw_free(doc);
    kw_blob_wipe(&file);
    kw_blob_wipe(&formats);
}

static void write__fixed_order_and_spelling__byte_for_byte(void **state)
{
    (void)state;
    struct kw_keyring *ring = NULL;
    struct kw_blob json = {0};
    CHECK_OK(kw_keyring_new("demo", &ring));
    ring->serial = 1;
    CHECK_OK(kw_keyring_write(ring, &json));
    CHECK(kw_span_equal_str(kw_blob_peek(&json), "{\n"
                                                 "  \"keyring\": 1,\n"
                                                 "  \"domain\": \"demo\",\n"
                                                 "  \"serial\": 1,\n"
                                                 "  \"prev-sha256\": null,\n"
                                                 "  \"active\": null,\n"
                                                 "  \"versions\": []\n"
                                                 "}\n"));
    kw_keyring_give(ring);
    kw_blob_wipe(&json);
}

KW_CASES("hsm/keyring/write", CASE(write__what_parse_would_refuse__refused),
         CASE(write__good__reads_back_equal_and_writes_the_same_again),
         CASE(write__signatures__are_kept_as_they_are),
         CASE(write__largest_ring__fits_the_files_limit),
         CASE(golden__keyring_file__reads_and_writes_byte_for_byte),
         CASE(golden__check_blob_of_that_file__opens),
         CASE(golden__every_member_of_that_file__documented),
         CASE(write__fixed_order_and_spelling__byte_for_byte))
