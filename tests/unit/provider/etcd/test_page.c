/* SPDX-License-Identifier: Apache-2.0 */
/* A page of bbolt, as bytes: each thing that is none, then what there is in a good one. */
#include "page.h"

#include "check.h"

/* The first 56 bytes of a meta, as bbolt wrote them, and its checksum. */
static const uint8_t good_meta[KW_BOLT_HEADER + KW_BOLT_META] = {
    0,    0,    0, 0, 0, 0, 0, 0,    4, 0, 0, 0, 0,    0,    0,    0,    0xed, 0xda,
    0x0c, 0xed, 2, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0,    0,    3,    0,    0,    0,
    0,    0,    0, 0, 0, 0, 0, 0,    0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 7, 0, 0, 0, 0, 0,    0, 0, 9, 0, 0,    0,    0,    0,    0,    0,
};

/* FNV-1a 64 over the 56 bytes (draft-eastlake-fnv), spelled another way than page.c. */
static void sum(uint8_t meta[KW_BOLT_HEADER + KW_BOLT_META])
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < 56; i++) {
        h ^= meta[KW_BOLT_HEADER + i];
        h *= 1099511628211u;
    }
    for (unsigned i = 0; i < 8; i++)
        meta[KW_BOLT_HEADER + 56 + i] = (uint8_t)(h >> (8 * i));
}

/* The good meta with one byte changed before it is summed. */
static const char *meta_with(size_t at, uint8_t byte, size_t len)
{
    static uint8_t page[sizeof good_meta];
    struct kw_bolt_meta m = {.txid = 77};
    memcpy(page, good_meta, sizeof page);
    page[at] = byte;
    sum(page);
    const char *why = kw_bolt_meta_read(kw_span_of(page, len), &m);
    CHECK(m.txid == (why == NULL ? 9 : 77));
    return why;
}

TEST(meta__what_is_none__says_why)
{
    CHECK_STR(meta_with(16, 0xee, 80), "it is no bbolt file");
    CHECK_STR(meta_with(20, 1, 80), "it has another version than bbolt's 2");
    CHECK_STR(meta_with(25, 0x11, 80), "it has an impossible page size");
    CHECK_STR(meta_with(25, 0x02, 80), "it has an impossible page size");
    CHECK_STR(meta_with(26, 0x02, 80), "it has an impossible page size");
    CHECK_STR(meta_with(0, 0, 79), "the file ends before it");
}

TEST(meta__of_a_big_endian_machine__told)
{
    uint8_t page[sizeof good_meta];
    struct kw_bolt_meta m;
    memcpy(page, good_meta, sizeof page);
    for (unsigned i = 0; i < 4; i++)
        page[16 + i] = good_meta[19 - i];
    CHECK_STR(kw_bolt_meta_read(kw_span_of(page, sizeof page), &m),
              "it was written by a big-endian machine");
}

TEST(meta__each_bit_of_it_wrong__refused)
{
    uint8_t page[sizeof good_meta];
    struct kw_bolt_meta m;
    memcpy(page, good_meta, sizeof page);
    sum(page);
    for (size_t bit = (size_t)8 * KW_BOLT_HEADER; bit < 8 * sizeof page; bit++) {
        page[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(kw_bolt_meta_read(kw_span_of(page, sizeof page), &m) != NULL);
        page[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

TEST(meta__good__its_fields)
{
    uint8_t page[sizeof good_meta];
    struct kw_bolt_meta m;
    memcpy(page, good_meta, sizeof page);
    sum(page);
    CHECK(kw_bolt_meta_read(kw_span_of(page, sizeof page), &m) == NULL);
    CHECK(m.page_size == 4096 && m.root == 3 && m.freelist == KW_BOLT_NO_FREELIST);
    CHECK(m.pages == 7 && m.txid == 9);
}

TEST(head__wrong_place_or_kind__none)
{
    struct kw_bolt_header h = {.id = 5, .flags = KW_BOLT_LEAF};
    CHECK(kw_bolt_is_head(&h, 5));
    CHECK(!kw_bolt_is_head(&h, 6));
    static const uint16_t none[] = {0, 3, KW_BOLT_METAS, 0x08, 0x12, 0x20, 0x102};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        h.flags = none[i];
        CHECK(!kw_bolt_is_head(&h, 5));
    }
}

TEST(header__good__its_fields)
{
    const struct kw_bolt_header h = kw_bolt_header_of(kw_span_of(
        "\x01\x02\x03\x04\x05\x06\x07\x08\x02\x00\x34\x12\x78\x56\x34\x12", 16));
    CHECK(h.id == 0x0807060504030201 && h.flags == 2 && h.count == 0x1234);
    CHECK(h.overflow == 0x12345678);
}

/* A leaf of two elements "ab" = "c" and "d" = "". */
#define LEAF_HEAD "\x05\0\0\0\0\0\0\0\x02\0\x02\0\0\0\0\0"
static const char leaf[] = LEAF_HEAD "\0\0\0\0\x20\0\0\0\x02\0\0\0\x01\0\0\0"
                                     "\x01\0\0\0\x13\0\0\0\x01\0\0\0\0\0\0\0"
                                     "abcd";

static const char *leaf_with(size_t at, char byte, size_t len, uint16_t i)
{
    static char page[sizeof leaf];
    struct kw_bolt_element e = {.end = 77};
    memcpy(page, leaf, sizeof page);
    page[at] = byte;
    const char *why = kw_bolt_leaf_at(kw_span_of(page, len), 2, i, &e);
    CHECK((why == NULL) == (e.end != 77));
    return why;
}

TEST(leaf__element_outside__told)
{
    static const char outside[] = "an element lies outside of its page";
    CHECK_STR(leaf_with(20, 0x1f, 52, 0), outside);       /* within the elements */
    CHECK_STR(leaf_with(20, 0x22, 52, 0), outside);       /* ends behind the page */
    CHECK_STR(leaf_with(23, (char)0x80, 52, 0), outside); /* begins behind it */
    CHECK_STR(leaf_with(27, (char)0xff, 52, 0), outside); /* the key */
    CHECK_STR(leaf_with(31, (char)0xff, 52, 0), outside); /* the value */
    CHECK_STR(leaf_with(0, 5, 51, 1), outside);           /* the page is cut */
    CHECK_STR(leaf_with(0, 5, 47, 1), "more elements than fit");
}

TEST(leaf__good__keys_and_values)
{
    struct kw_bolt_element e;
    CHECK(kw_bolt_leaf_at(kw_span_of(leaf, 52), 2, 0, &e) == NULL);
    CHECK(kw_span_equal_str(e.key, "ab") && kw_span_equal_str(e.value, "c"));
    CHECK(e.flags == 0 && e.begin == 48 && e.end == 51);
    CHECK(kw_bolt_leaf_at(kw_span_of(leaf, 52), 2, 1, &e) == NULL);
    CHECK(kw_span_equal_str(e.key, "d") && e.value.len == 0);
    CHECK(e.flags == KW_BOLT_IS_BUCKET && e.begin == 51 && e.end == 52);
}

TEST(branch__outside_or_good__told)
{
    static const char branch[] = "\x05\0\0\0\0\0\0\0\x01\0\x01\0\0\0\0\0"
                                 "\x10\0\0\0\x02\0\0\0\x09\0\0\0\0\0\0\0ab";
    struct kw_bolt_element e;
    CHECK_STR(kw_bolt_branch_at(kw_span_of(branch, 33), 1, 0, &e),
              "an element lies outside of its page");
    CHECK_STR(kw_bolt_branch_at(kw_span_of(branch, 31), 1, 0, &e),
              "more elements than fit");
    CHECK(kw_bolt_branch_at(kw_span_of(branch, 34), 1, 0, &e) == NULL);
    CHECK(e.child == 9 && kw_span_equal_str(e.key, "ab") && e.end == 34);
}

TEST(bucket__no_header_no_page__told)
{
    uint64_t root = 0;
    kw_span page;
    static const char far[] = "\x09\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    static const char near[] = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                               "\0\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0rest";
    CHECK_STR(kw_bolt_bucket_read(kw_span_of(far, 15), &root, &page),
              "a bucket without a header");
    CHECK_STR(kw_bolt_bucket_read(kw_span_of(near, 31), &root, &page),
              "an inline bucket without a page");
    CHECK_STR(kw_bolt_bucket_read(kw_span_of(near + 8, 28), &root, &page),
              "an inline bucket without a page"); /* no leaf */
    CHECK(kw_bolt_bucket_read(kw_span_of(far, 16), &root, &page) == NULL && root == 9);
    CHECK(kw_bolt_bucket_read(kw_span_of(near, 36), &root, &page) == NULL && root == 0);
    CHECK(page.len == 20 && kw_bolt_header_of(page).flags == KW_BOLT_LEAF);
}

TEST(freelist__longer_than_its_run__told)
{
    static const char ids[] = LEAF_HEAD "\x01\0\0\0\0\0\0\0\x22\0\0\0\0\0\0\0";
    CHECK(kw_bolt_freelist_end(kw_span_of(ids, 32), 2) == 32);
    CHECK(kw_bolt_freelist_end(kw_span_of(ids, 32), 0) == 16);
    CHECK(kw_bolt_freelist_end(kw_span_of(ids, 31), 2) == 0);
    CHECK(kw_bolt_freelist_end(kw_span_of(ids, 32), KW_BOLT_FREE_LONG) == 32);
    CHECK(kw_bolt_freelist_end(kw_span_of(ids, 31), KW_BOLT_FREE_LONG) == 0);
    CHECK(kw_bolt_freelist_end(kw_span_of(ids, 23), KW_BOLT_FREE_LONG) == 0);
}

KW_SUITE("provider/etcd/page")
