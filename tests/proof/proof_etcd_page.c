/* SPDX-License-Identifier: Apache-2.0 */
/* Target: a page of bbolt: header, meta, elements, buckets, the list of free pages.
 * Input: pages of a file of etcd's.  Useful maximum: none of its own, so runs of each
 * length around two elements and a little data stand for all; every number in them is any.
 * Claim: nothing outside the run is read; a key and a value lie in it, behind the table. */
#include "proof.h"

#include "page.h"

enum { LONGEST = KW_BOLT_HEADER + KW_BOLT_META + 1 };
static uint8_t in[LONGEST];

static kw_span tail(size_t len)
{
    return kw_span_of(PROOF_TAIL(in, len), len);
}

static void meta(size_t len)
{
    struct kw_bolt_meta m = {.page_size = 7};
    bool ok = kw_bolt_meta_read(tail(len), &m) == NULL;
    /*@ assert size: ok ==> 1024 <= m.page_size <= 65536; */
    /*@ assert untouched: !ok ==> m.page_size == 7; */
    (void)ok;
}

static void leaf(size_t len, uint16_t count, uint16_t i)
{
    struct kw_bolt_element e = {.end = 0};
    bool ok = kw_bolt_leaf_at(tail(len), count, i, &e) == NULL;
    /*@ assert within: ok ==> 16 + 16 * count <= e.begin && e.end <= len; */
    (void)ok;
}

static void branch(size_t len, uint16_t count, uint16_t i)
{
    struct kw_bolt_element e = {.end = 0};
    bool ok = kw_bolt_branch_at(tail(len), count, i, &e) == NULL;
    /*@ assert within_too: ok ==> 16 + 16 * count <= e.begin && e.end <= len; */
    (void)ok;
}

static void bucket(size_t len)
{
    uint64_t root = 7;
    kw_span page = {NULL, 0};
    (void)kw_bolt_bucket_read(tail(len), &root, &page);
    /*@ assert its_page: page.len + 16 <= len || page.len == 0; */
}

static void free_pages(size_t len)
{
    size_t end = kw_bolt_freelist_end(tail(len), proof_u8());
    /*@ assert list: end <= len; */
    end = kw_bolt_freelist_end(tail(len), KW_BOLT_FREE_LONG);
    /*@ assert long_list: end <= len; */
    (void)end;
}

static void header(void)
{
    const struct kw_bolt_header h = kw_bolt_header_of(tail(KW_BOLT_HEADER));
    (void)kw_bolt_is_head(&h, 2);
}

int main(void)
{
    PROOF_UNKNOWN(in);
    static const uint8_t counts[] = {1, 2, 3, 255};
    header();
    for (size_t len = 0; len <= LONGEST; len++)
        meta(len);
    for (size_t len = 0; len <= 56; len++) {
        bucket(len);
        free_pages(len);
        for (size_t c = 0; c < sizeof counts; c++)
            for (uint16_t i = 0; i < 3 && i < counts[c]; i++) {
                leaf(len, counts[c], i);
                branch(len, counts[c], i);
            }
    }
    return 0;
}
