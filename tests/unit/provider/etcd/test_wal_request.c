/* SPDX-License-Identifier: Apache-2.0 */
/* The puts of a request: alone, in transactions, and what is no request. */
#include "check.h"
#include "wal_frame.h"
#include "wal_sample.h"

enum { FOUND = 8 };

struct found {
    size_t puts, unread;
    struct kw_wal_found put[FOUND], fault[FOUND];
};

static struct found walk_request(kw_span data)
{
    struct found all = {0};
    struct kw_wal_puts puts;
    struct kw_wal_found f;
    kw_wal_puts_begin(&puts, data);
    while (kw_wal_puts_next(&puts, &f)) {
        if (f.why == NULL)
            all.put[all.puts++ % FOUND] = f;
        else
            all.fault[all.unread++ % FOUND] = f;
    }
    return all;
}

static bool has_put(const struct found *all, size_t i, const char *key, const char *value)
{
    return i < all->puts && kw_span_equal_str(all->put[i].key, key) &&
           kw_span_equal_str(all->put[i].value, value);
}

/* Nothing was found but one fault, with its bytes. */
static bool is_unread(const struct found *all, const char *why, kw_span bytes)
{
    return all->puts == 0 && all->unread == 1 && strcmp(all->fault[0].why, why) == 0 &&
           kw_span_equal(all->fault[0].bytes, bytes);
}

TEST(puts__no_message__unread_wholly)
{
    static const char *const rows[] = {"\x22\x05hi", "\x0b", "k8s: plain text",
                                       "\x20\x01\x30\x01\x18\x01"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const kw_span data = kw_span_str(rows[i]);
        const struct found all = walk_request(data);
        CHECK(is_unread(&all, "no request that is known", data));
    }
}

TEST(puts__request_of_a_later_version__unread)
{
    struct pb m;
    pb_begin(&m);
    pb_text(&m.dst, 12, "what");
    struct found all = walk_request(pb_done(&m));
    CHECK(is_unread(&all, "no request that is known", kw_span_str("what")));
    pb_begin(&m);
    pb_text(&m.dst, 9901, "ever");
    all = walk_request(pb_done(&m));
    CHECK(is_unread(&all, "no request that is known", kw_span_str("ever")));
}

/* A put within a request, made of fields by hand. */
static struct found walk_put(kw_span put, struct pb *request)
{
    pb_begin(request);
    pb_bytes(&request->dst, 4, put);
    return walk_request(pb_done(request));
}

TEST(puts__put_that_is_none__unread)
{
    static const char *const rows[] = {
        "\x0a\x01k\x0a\x01l", /* a key twice             */
        "\x12\x01v\x12\x01w", /* a value twice           */
        "\x0a\x01k\x12\x05v", /* cut off                 */
        "\x0a\x01k\x38\x01",  /* field 7                 */
        "\x0a\x01k\x10\x01",  /* a value that is a number*/
        "\x0a\x01k\x1a\x01x", /* a lease of bytes        */
    };
    struct pb m;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct found all = walk_put(kw_span_str(rows[i]), &m);
        CHECK(is_unread(&all, "no put", kw_span_str(rows[i])));
    }
}

TEST(puts__put_that_keeps_the_value__none)
{
    struct pb m;
    struct found all = walk_put(kw_span_str("\x0a\x01k\x28\x01"), &m);
    CHECK(all.puts == 0 && all.unread == 0);
    /* etcd refuses one that brings a value as well; what lies there is shown. */
    all = walk_put(kw_span_str("\x0a\x01k\x28\x01\x12\x01v"), &m);
    CHECK(all.unread == 0 && has_put(&all, 0, "k", "v"));
}

TEST(puts__alone__key_and_value)
{
    struct pb m;
    struct found all = walk_request(wal_put_request(&m, "/registry/x", "k8s:enc:"));
    CHECK(all.unread == 0 && all.puts == 1 &&
          has_put(&all, 0, "/registry/x", "k8s:enc:"));
    all = walk_put(kw_span_of("\x0a\x01k\x12\x01v\x18\x07\x20\x01\x28\x00\x30\x01", 14),
                   &m);
    CHECK(all.unread == 0 && has_put(&all, 0, "k", "v"));
    all = walk_put(kw_span_str("\x0a\x01k"), &m);
    CHECK(all.unread == 0 && has_put(&all, 0, "k", ""));
}

TEST(puts__in_either_branch__found)
{
    struct pb m;
    for (unsigned branch = 2; branch <= 3; branch++) {
        const struct found all = walk_request(wal_txn_request(&m, branch, 1, "a", "b"));
        CHECK(all.unread == 0 && all.puts == 1 && has_put(&all, 0, "a", "b"));
    }
}

TEST(puts__nested_as_deep_as_is_read__found)
{
    struct pb m;
    const struct found all = walk_request(wal_txn_request(&m, 2, KW_WAL_DEPTH, "a", "b"));
    CHECK(all.unread == 0 && all.puts == 1 && has_put(&all, 0, "a", "b"));
}

TEST(puts__nested_deeper__unread_once_with_all_that_is_in_it)
{
    static const unsigned depths[] = {KW_WAL_DEPTH + 1, KW_WAL_DEPTH + 2, 400};
    struct pb m;
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        const struct found all =
            walk_request(wal_txn_request(&m, 3, depths[i], "a", "the value"));
        CHECK(all.puts == 0 && all.unread == 1);
        CHECK_STR(all.fault[0].why, "transactions are nested too deep");
        CHECK(memmem(all.fault[0].bytes.ptr, all.fault[0].bytes.len, "the value", 9) !=
              NULL);
    }
}

/* TxnRequest{success{put a}, success{garbage}, failure{put b}} */
TEST(puts__broken_operation_between_two__both_are_found)
{
    static const char a[] = "\x12\x08\x12\x06\x0a\x01"
                            "a\x12\x01"
                            "1";
    static const char bad[] = "\x12\x02\x12\x06";
    static const char b[] = "\x1a\x08\x12\x06\x0a\x01"
                            "b\x12\x01"
                            "2";
    struct pb txn, m;
    pb_begin(&txn);
    CHECK(kw_dst_put(&txn.dst, kw_span_str(a)) &&
          kw_dst_put(&txn.dst, kw_span_str(bad)) && kw_dst_put(&txn.dst, kw_span_str(b)));
    pb_begin(&m);
    pb_bytes(&m.dst, 6, pb_done(&txn));
    const struct found all = walk_request(pb_done(&m));
    CHECK(all.puts == 2 && has_put(&all, 0, "a", "1") && has_put(&all, 1, "b", "2"));
    CHECK(all.unread == 1 && strcmp(all.fault[0].why, "no message") == 0);
}

TEST(puts__unknown_field_in_a_transaction__unread_once)
{
    struct pb m;
    pb_begin(&m);
    pb_bytes(&m.dst, 6, kw_span_str("\x22\x01x\x22\x01y\x10\x01"));
    struct found all = walk_request(pb_done(&m));
    CHECK(is_unread(&all, "no transaction that is known",
                    kw_span_str("\x22\x01x\x22\x01y\x10\x01")));
    pb_begin(&m);
    pb_bytes(&m.dst, 6, kw_span_str("\x12\x06\x2a\x01x\x2a\x01y"));
    all = walk_request(pb_done(&m));
    CHECK(
        is_unread(&all, "no operation that is known", kw_span_str("\x2a\x01x\x2a\x01y")));
}

TEST(puts__other_requests__none)
{
    static const uint32_t fields[] = {3,   5,    7,    8,    9,    10,   11,
                                      100, 1000, 1013, 1107, 1204, 1302, 9900};
    struct pb m;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        pb_begin(&m);
        pb_number(&m.dst, 1, 77);
        pb_text(&m.dst, fields[i], "\x0a\x01k");
        const struct found all = walk_request(pb_done(&m));
        CHECK(all.puts == 0 && all.unread == 0);
    }
    const struct found nothing = walk_request(kw_span_of(NULL, 0));
    CHECK(nothing.puts == 0 && nothing.unread == 0);
}

/* As etcd 3.4 writes it: each field, but for two that may be missing. */
static kw_span v2_request(struct pb *m, const char *method, const char *path,
                          const char *value)
{
    pb_begin(m);
    pb_number(&m->dst, 1, 0x1122334455667788);
    pb_text(&m->dst, 2, method);
    pb_text(&m->dst, 3, path);
    pb_text(&m->dst, 4, value);
    pb_number(&m->dst, 5, 0);
    pb_text(&m->dst, 6, "");
    for (uint32_t field = 7; field <= 16; field++)
        if (field != 8)
            pb_number(&m->dst, field, 0);
    return pb_done(m);
}

TEST(puts__v2_of_others__unread_wholly)
{
    static const char *const paths[] = {"/1/registry/secrets/a", "/01", "registry", "/"};
    struct pb m, outer;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const kw_span data = v2_request(&m, "PUT", paths[i], "plain");
        struct found all = walk_request(data);
        CHECK(is_unread(&all, "a request of the v2 API", data));
        pb_begin(&outer);
        pb_bytes(&outer.dst, 2, data);
        all = walk_request(pb_done(&outer));
        CHECK(is_unread(&all, "a request of the v2 API", data));
    }
}

TEST(puts__v2_of_etcd_itself__none)
{
    static const char *const paths[] = {"/0/members/8e9e05c52164694d/attributes",
                                        "/0/version", "/0", ""};
    struct pb m, outer;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const kw_span data = v2_request(&m, "PUT", paths[i], "{\"name\":\"a\"}");
        struct found all = walk_request(data);
        CHECK(all.puts == 0 && all.unread == 0);
        pb_begin(&outer);
        pb_bytes(&outer.dst, 2, data);
        all = walk_request(pb_done(&outer));
        CHECK(all.puts == 0 && all.unread == 0);
    }
}

KW_SUITE("provider/etcd/wal_request")
