/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical text. */
#include "ring.h"

#include <stdio.h>

#include <keyward/alloc.h>

TEST(write__what_parse_would_refuse__refused)
{
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

TEST(write__good__reads_back_equal_and_writes_the_same_again)
{
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

static void fill(char *dst, size_t cap)
{
    memset(dst, '"', cap - 1); /* two bytes in JSON */
    dst[cap - 1] = '\0';
}

static void time_of(char dst[KW_TIME_TEXT])
{
    memset(dst, '0', KW_TIME_TEXT);
    kw_copy(dst, KW_TIME_TEXT, kw_span_str("2026-01-31T12:00:00."));
    dst[KW_TIME_TEXT - 2] = 'Z';
    dst[KW_TIME_TEXT - 1] = '\0';
}

/* Every text full of what doubles when it is written. */
static struct kw_object largest_object(const struct kw_version *v)
{
    struct kw_object o = v->objects[0];
    o.locator_len = KW_LOCATOR_MAX;
    o.attributes = (struct kw_key_attributes){.value_len = UINT32_MAX};
    o.token_count = KW_OBJECT_TOKENS_MAX;
    for (size_t i = 0; i < KW_OBJECT_TOKENS_MAX; i++) {
        struct kw_object_token *row = &o.tokens[i];
        fill(row->label, sizeof row->label);
        fill(row->serial, sizeof row->serial);
        row->locator_len = KW_LOCATOR_MAX;
        time_of(row->proven);
        fill(row->gone, sizeof row->gone);
    }
    return o;
}

/* A text of KW_EXT_MAX bytes in the file. */
static void largest_ext(char ext[KW_EXT_MAX + 1])
{
    static const char begin[] = "{\"x\": \"";
    static const char end[] = "\"}";
    memset(ext, 'x', KW_EXT_MAX);
    kw_copy(ext, KW_EXT_MAX, kw_span_str(begin));
    kw_copy(ext + KW_EXT_MAX - 2, 3, kw_span_of(end, 3));
}

static struct kw_version largest_version(uint32_t n)
{
    struct kw_version v = good_version(n, KW_KEY_DISABLED);
    (void)kw_copy_str(v.disabled_from, sizeof v.disabled_from, kw_span_str("accepted"));
    char *const times[] = {v.created, v.accepted, v.activated,
                           v.retired, v.disabled, v.destroyed};
    for (size_t i = 0; i < 6; i++)
        time_of(times[i]);
    v.check_blob_len = KW_CHECK_BLOB_MAX;
    v.objects[0] = largest_object(&v);
    fill(v.tool, sizeof v.tool);
    fill(v.operator_, sizeof v.operator_);
    fill(v.token.label, sizeof v.token.label);
    fill(v.token.serial, sizeof v.token.serial);
    fill(v.token.manufacturer, sizeof v.token.manufacturer);
    fill(v.token.model, sizeof v.token.model);
    fill(v.token.firmware, sizeof v.token.firmware);
    fill(v.origin, sizeof v.origin);
    fill(v.second_copy, sizeof v.second_copy);
    largest_ext(v.ext);
    return v;
}

static struct kw_history largest_line(uint64_t serial)
{
    struct kw_history h = {.serial = serial, .n = 999001};
    fill(h.act, sizeof h.act);
    time_of(h.at);
    fill(h.by, sizeof h.by);
    fill(h.tool, sizeof h.tool);
    fill(h.proof, sizeof h.proof);
    return h;
}

static struct kw_keyring *largest_ring(void)
{
    struct kw_keyring *ring = NULL;
    char domain[KW_DOMAIN_MAX + 1] = {0};
    memset(domain, 'd', KW_DOMAIN_MAX);
    CHECK_OK(kw_keyring_new(domain, &ring));
    for (uint32_t n = 999001; n <= 999000 + KW_VERSIONS_MAX; n++) {
        struct kw_version v = largest_version(n);
        v.objects[0].locator[0] = (uint8_t)n;
        CHECK_OK(kw_keyring_add(ring, &v));
    }
    ring->serial = KW_SERIAL_MAX;
    ring->ancestor_count = KW_ANCESTORS_MAX;
    for (size_t i = 0; i < KW_HISTORY_MAX; i++) {
        struct kw_history h = largest_line(KW_SERIAL_MAX);
        CHECK_OK(kw_keyring_record(ring, &h));
    }
    ring->critical_count = KW_CRITICAL_MAX;
    for (size_t i = 0; i < KW_CRITICAL_MAX; i++)
        fill(ring->critical[i], sizeof ring->critical[i]);
    largest_ext(ring->ext);
    return ring;
}

TEST(write__largest_ring__fits_the_files_limit)
{
    struct kw_keyring *ring = largest_ring();
    struct kw_keyring *back = NULL;
    struct kw_blob json = {0};
    CHECK_OK(kw_keyring_write(ring, &json));
    CHECK(json.len <= KW_KEYRING_MAX);
    CHECK_OK(kw_keyring_parse(kw_blob_peek(&json), &back, NULL));
    CHECK(back->count == KW_VERSIONS_MAX && back->history_count == KW_HISTORY_MAX);
    CHECK(memcmp(back->versions, ring->versions, back->count * sizeof *back->versions) ==
          0);
    kw_keyring_give(ring);
    kw_keyring_give(back);
    kw_blob_wipe(&json);
}

TEST(write__fixed_order_and_spelling__byte_for_byte)
{
    struct kw_keyring *ring = NULL;
    struct kw_blob json = {0};
    CHECK_OK(kw_keyring_new("demo", &ring));
    ring->serial = 1;
    CHECK_OK(kw_keyring_write(ring, &json));
    CHECK(kw_span_equal_str(kw_blob_peek(&json), "{\n"
                                                 "  \"keyring\": 1,\n"
                                                 "  \"critical\": [],\n"
                                                 "  \"domain\": \"demo\",\n"
                                                 "  \"serial\": 1,\n"
                                                 "  \"ancestors\": [],\n"
                                                 "  \"next-n\": 1,\n"
                                                 "  \"active\": null,\n"
                                                 "  \"versions\": [],\n"
                                                 "  \"history\": [],\n"
                                                 "  \"ext\": {}\n"
                                                 "}\n"));
    kw_keyring_give(ring);
    kw_blob_wipe(&json);
}

KW_CASES("hsm/keyring/write", CASE(write__what_parse_would_refuse__refused),
         CASE(write__good__reads_back_equal_and_writes_the_same_again),
         CASE(write__largest_ring__fits_the_files_limit),
         CASE(write__fixed_order_and_spelling__byte_for_byte))
