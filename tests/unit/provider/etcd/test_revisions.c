/* SPDX-License-Identifier: Apache-2.0 */
/* What is reachable, what is current, and what was not seen before. */
#include "revisions.h"

#include <keyward/alloc.h>

#include "check.h"

static struct kw_etcd_revisions rs;

static void end(void)
{
    kw_alloc_fail_from(-1);
    kw_etcd_revisions_free(&rs);
}

static struct kw_etcd_entry entry_of(uint64_t main, uint64_t sub, const char *key)
{
    return (struct kw_etcd_entry){
        .revision = {main, sub}, .key = kw_span_str(key), .value = kw_span_str("value")};
}

static void add(uint64_t main, const char *key, bool is_tombstone)
{
    struct kw_etcd_entry e = entry_of(main, 0, key);
    e.is_tombstone = is_tombstone;
    CHECK_OK(kw_etcd_revisions_add(&rs, &e));
}

static bool is_current(size_t i, uint64_t main, const char *key)
{
    const struct kw_etcd_entry e = entry_of(main, 0, key);
    bool current = false;
    CHECK_OK(kw_etcd_revisions_is_current(&rs, i, &e, &current));
    return current;
}

static bool is_new(const struct kw_etcd_entry *e)
{
    bool fresh = false;
    CHECK_OK(kw_etcd_revisions_is_new(&rs, e, &fresh));
    return fresh;
}

TEST(init__more_than_numbers_reach__busy_and_still_usable)
{
    const struct kw_etcd_entry e = entry_of(1, 0, "/a");
    CHECK_OK(kw_etcd_revisions_init(&rs, 0));
    CHECK_CODE(kw_etcd_revisions_init(&rs, UINT32_MAX / 2), KW_CODE_BUSY);
    CHECK(is_new(&e) && !is_new(&e));
}

TEST(init__memory_is_out__nothing_to_free)
{
    for (long n = 0; n < 5; n++) {
        kw_alloc_fail_from(n);
        CHECK_CODE(kw_etcd_revisions_init(&rs, 100), KW_CODE_NO_MEMORY);
        kw_alloc_fail_from(-1);
        CHECK(rs.all == NULL);
    }
}

TEST(add__more_than_were_counted__bad_input)
{
    const struct kw_etcd_entry e = entry_of(3, 0, "/b");
    CHECK_OK(kw_etcd_revisions_init(&rs, 1));
    add(2, "/a", false);
    CHECK_CODE(kw_etcd_revisions_add(&rs, &e), KW_CODE_BAD_INPUT);
    CHECK(rs.count == 1 && is_current(0, 2, "/a"));
}

TEST(is_current__another_revision_at_its_place__bad_input)
{
    const struct kw_etcd_entry other = entry_of(3, 0, "/a"), far = entry_of(2, 0, "/a");
    bool current = true;
    CHECK_OK(kw_etcd_revisions_init(&rs, 2));
    add(2, "/a", false);
    CHECK_CODE(kw_etcd_revisions_is_current(&rs, 0, &other, &current), KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_etcd_revisions_is_current(&rs, 1, &far, &current), KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_etcd_revisions_is_current(&rs, (size_t)1 << 32, &far, &current),
               KW_CODE_BAD_INPUT);
}

TEST(is_new__memory_is_out__asked_again_it_is_new)
{
    uint64_t main = 1;
    bool fresh = true;
    CHECK_OK(kw_etcd_revisions_init(&rs, 0));
    kw_alloc_fail_from(0);
    struct kw_etcd_entry e = entry_of(main, 0, "/a");
    while (!kw_failed(kw_etcd_revisions_is_new(&rs, &e, &fresh)))
        e = entry_of(++main, 0, "/a");
    CHECK(main > 64);
    kw_alloc_fail_from(-1);
    CHECK(is_new(&e) && !is_new(&e));
}

TEST(is_current__the_latest_of_its_key_and_no_tombstone)
{
    CHECK_OK(kw_etcd_revisions_init(&rs, 6));
    add(2, "/a", false);
    add(3, "/b", false);
    add(4, "/a", false);
    add(5, "/c", false);
    add(6, "/c", true);
    add(7, "/a\0b", false); /* another one than /a, if it were longer */
    CHECK(!is_current(0, 2, "/a"));
    CHECK(is_current(1, 3, "/b"));
    CHECK(!is_current(2, 4, "/a"));
    CHECK(!is_current(3, 5, "/c"));
    CHECK(!is_current(4, 6, "/c"));
    CHECK(is_current(5, 7, "/a"));
}

TEST(is_current__deleted_and_made_again__the_new_one)
{
    CHECK_OK(kw_etcd_revisions_init(&rs, 3));
    add(2, "/a", false);
    add(3, "/a", true);
    add(4, "/a", false);
    CHECK(!is_current(0, 2, "/a") && !is_current(1, 3, "/a") && is_current(2, 4, "/a"));
}

TEST(is_new__reachable_ones__never)
{
    CHECK_OK(kw_etcd_revisions_init(&rs, 3));
    add(2, "/a", false);
    add(5, "/b", false);
    add(9, "/c", true);
    static const uint64_t reached[] = {2, 5, 9};
    for (size_t i = 0; i < 3; i++) {
        const struct kw_etcd_entry e = entry_of(reached[i], 0, "/a");
        CHECK(!is_new(&e));
    }
    static const uint64_t others[] = {0, 1, 3, 6, 10, UINT64_MAX};
    for (size_t i = 0; i < 6; i++) {
        const struct kw_etcd_entry e = entry_of(others[i], 0, "/a");
        CHECK(is_new(&e) && !is_new(&e));
    }
    const struct kw_etcd_entry sub = entry_of(2, 1, "/a");
    CHECK(is_new(&sub) && !is_new(&sub));
}

/* Bytes that somebody stored may look like a page.  What they say of a revision must not
 * hide another entry that says the same. */
TEST(is_new__same_revision_with_other_bytes__new)
{
    struct kw_etcd_entry e = entry_of(4, 0, "/a");
    CHECK_OK(kw_etcd_revisions_init(&rs, 0));
    CHECK(is_new(&e));
    e.value = kw_span_str("valuf");
    CHECK(is_new(&e) && !is_new(&e));
    e.key = kw_span_str("/av");
    e.value = kw_span_str("aluf"); /* the same bytes, cut elsewhere */
    CHECK(is_new(&e) && !is_new(&e));
    e.key = kw_span_str("/a");
    e.value = kw_span_str("valuf");
    e.is_tombstone = true;
    CHECK(is_new(&e) && !is_new(&e));
    e.is_tombstone = false;
    CHECK(!is_new(&e));
}

TEST(memory__reachable_ones__at_most_43_bytes_each)
{
    enum { MANY = 10000 };
    CHECK_OK(kw_etcd_revisions_init(&rs, MANY));
    CHECK(rs.cap * sizeof rs.all[0] +
              rs.latest.places * (KW_ETCD_HASH + sizeof rs.latest.number[0]) <=
          (size_t)43 * MANY);
}

KW_SUITE_AROUND("provider/etcd/revisions", NULL, end)
