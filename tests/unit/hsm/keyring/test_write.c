/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical text, and every allocation that can fail on the way there and back. */
#include "ring.h"

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
                      "\"signatures\": [\"one\", \"\", \"t\xc3\xbcwo\"]");
    CHECK_OK(kw_keyring_parse(kw_span_str(text), &ring, NULL));
    CHECK(ring->versions[0].signatures_len == 4 + 1 + 6);
    CHECK_OK(kw_keyring_write(ring, &json));
    kw_keyring_give(ring);
    CHECK(kw_dst_of(json.ptr, json.len).cap > 0);
    CHECK_OK(kw_keyring_parse(kw_blob_peek(&json), &ring, NULL));
    CHECK(memcmp(ring->versions[0].signatures, "one\0\0t\xc3\xbcwo", 11) == 0);
    kw_keyring_give(ring);
    kw_blob_wipe(&json);
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

/* Fails the n-th and all later allocations for every n until a run needs none of them. */
static void fail_each(kw_err (*run)(void *ctx), void *ctx)
{
    long n = 0;
    for (kw_err e = kw_err_at(KW_CODE_NO_MEMORY, "not yet"); kw_failed(e); n++) {
        CHECK(n < 20000);
        kw_alloc_fail_from(n);
        e = run(ctx);
        kw_alloc_fail_from(-1);
        if (kw_failed(e))
            CHECK_CODE(e, KW_CODE_NO_MEMORY);
    }
    CHECK(n > 1); /* it did allocate */
}

static kw_err run_parse(void *text)
{
    struct kw_keyring *ring = NULL;
    kw_err e = kw_keyring_parse(kw_span_str(text), &ring, NULL);
    CHECK(kw_failed(e) == (ring == NULL));
    kw_keyring_give(ring);
    return e;
}

static kw_err run_write(void *ring)
{
    struct kw_blob json = {0};
    kw_err e = kw_keyring_write(ring, &json);
    CHECK(kw_failed(e) == (json.ptr == NULL));
    kw_blob_wipe(&json);
    return e;
}

static kw_err run_dup(void *ring)
{
    struct kw_keyring *copy = NULL;
    kw_err e = kw_keyring_dup(ring, &copy);
    CHECK(kw_failed(e) == (copy == NULL));
    kw_keyring_give(copy);
    return e;
}

static kw_err run_add(void *ring)
{
    const size_t before = ((struct kw_keyring *)ring)->count;
    struct kw_version v = good_version(9, KW_KEY_CREATED);
    kw_err e = kw_keyring_add(ring, &v);
    CHECK(((struct kw_keyring *)ring)->count == before + (kw_failed(e) ? 0 : 1));
    return e;
}

static void fault__parse_each_allocation__no_memory_and_no_ring(void **state)
{
    (void)state;
    fail_each(run_parse, good_text());
}

static void fault__write_each_allocation__no_memory_and_no_text(void **state)
{
    (void)state;
    struct kw_keyring *ring = good_ring();
    fail_each(run_write, ring);
    kw_keyring_give(ring);
}

static void fault__dup_and_add_each_allocation__ring_unchanged(void **state)
{
    (void)state;
    struct kw_keyring *ring = good_ring();
    fail_each(run_dup, ring);
    fail_each(run_add, ring);
    kw_keyring_give(ring);
}

KW_CASES("hsm/keyring/write", CASE(write__what_parse_would_refuse__refused),
         CASE(write__good__reads_back_equal_and_writes_the_same_again),
         CASE(write__signatures__are_kept_as_they_are),
         CASE(write__fixed_order_and_spelling__byte_for_byte),
         CASE(fault__parse_each_allocation__no_memory_and_no_ring),
         CASE(fault__write_each_allocation__no_memory_and_no_text),
         CASE(fault__dup_and_add_each_allocation__ring_unchanged))
