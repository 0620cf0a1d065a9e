/* SPDX-License-Identifier: Apache-2.0 */
/* The bucket `key`: what is no revision, what is no KeyValue, and both. */
#include "revision.h"

#include "check.h"

static const char name[] = "\0\0\0\0\0\0\1\2_\0\0\0\0\0\0\0\3t";

TEST(revision__another_length_or_sign__none)
{
    struct kw_etcd_revision r = {7, 7};
    bool tombstone = false;
    for (size_t len = 0; len <= sizeof name; len++)
        if (len != 17 && len != 18)
            CHECK(!kw_etcd_revision_read(kw_span_of(name, len), &r, &tombstone));
    char other[18];
    memcpy(other, name, sizeof other);
    other[17] = 'T';
    CHECK(!kw_etcd_revision_read(kw_span_of(other, 18), &r, &tombstone));
    other[8] = '-';
    CHECK(!kw_etcd_revision_read(kw_span_of(other, 17), &r, &tombstone));
    CHECK(r.main == 7 && r.sub == 7 && !tombstone);
}

TEST(revision__of_a_put_and_a_delete__read)
{
    struct kw_etcd_revision r;
    bool tombstone = true;
    CHECK(kw_etcd_revision_read(kw_span_of(name, 17), &r, &tombstone));
    CHECK(r.main == 258 && r.sub == 3 && !tombstone);
    CHECK(kw_etcd_revision_read(kw_span_of(name, 18), &r, &tombstone));
    CHECK(r.main == 258 && r.sub == 3 && tombstone);
}

TEST(compare__main_then_sub__in_order)
{
    static const struct kw_etcd_revision in_order[] = {
        {0, 0}, {0, 1}, {1, 0}, {1, UINT64_MAX}, {UINT64_MAX, 0}};
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++)
            CHECK(kw_etcd_revision_compare(in_order[i], in_order[j]) ==
                  (i > j) - (i < j));
}

#define READ(bytes, kv) kw_etcd_kv_read(kw_span_of(bytes, sizeof(bytes) - 1), kv)

TEST(kv__another_wire_type__none)
{
    struct kw_etcd_kv kv = {.version = 7};
    CHECK(!READ("\x08\x01", &kv));         /* key as a number      */
    CHECK(!READ("\x12\x01z", &kv));        /* create_revision      */
    CHECK(!READ("\x1d\x01\0\0\0", &kv));   /* mod_revision         */
    CHECK(!READ("\x22\x00", &kv));         /* version              */
    CHECK(!READ("\x28\x01", &kv));         /* value as a number    */
    CHECK(!READ("\x32\x00", &kv));         /* lease                */
    CHECK(!READ("\x0a\x05key", &kv));      /* cut                  */
    CHECK(!READ("\x0a\x01k\x0b", &kv));    /* a group              */
    CHECK(!READ("{\"kind\":\"A\"}", &kv)); /* another format       */
    CHECK(kv.version == 7);
}

TEST(kv__in_any_order_with_fields_unknown__read)
{
    struct kw_etcd_kv kv;
    CHECK(READ("\x2a\x05value\x20\x04\x3a\x02zz\x18\x03\x10\x02\x0a\x01k\x30\x09", &kv));
    CHECK(kw_span_equal_str(kv.key, "k") && kw_span_equal_str(kv.value, "value"));
    CHECK(kv.create_revision == 2 && kv.version == 4);
    CHECK(READ("", &kv));
    CHECK(kv.key.len == 0 && kv.value.len == 0 && kv.version == 0);
    CHECK(READ("\x0a\x01k\x0a\x02zz", &kv) && kw_span_equal_str(kv.key, "zz"));
}

KW_SUITE("provider/etcd/revision")
