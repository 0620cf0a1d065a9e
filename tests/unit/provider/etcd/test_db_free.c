/* SPDX-License-Identifier: Apache-2.0 */
/* Pages that no tree leads to, and what stands behind them: cut, written over, or as they
 * were left. */
#include <keyward/etcd_db.h>

#include <stdio.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "bolt.h"
#include "check.h"

static struct bolt bolt;
static struct bolt_seen seen;

/* Sixteen pages: 2 the root, 3 its bucket `key` (/a=one), 4 to 15 unreachable zeroes. */
static void before(void)
{
    bolt_begin(&bolt, 1024, 16);
    bolt_metas(&bolt, 2);
    bolt_leaf(&bolt, 2, (const struct bolt_item[]){bolt_bucket(&bolt, "key", 3)}, 1);
    bolt_leaf(&bolt, 3,
              (const struct bolt_item[]){bolt_put(&bolt, 9, "/a", kw_span_str("now"))},
              1);
}

static void after(void)
{
    bolt_end(&bolt);
}

#define NOW "r3 9.0 /a=now\n"

static const char *walked(void)
{
    const char *text = bolt_walk(bolt_file(&bolt), &seen);
    CHECK(strncmp(text, NOW, strlen(NOW)) == 0);
    return text + strlen(NOW);
}

/* A leaf of four entries that takes pages 5 to 9: /w (30 bytes), /x (1,500), /y (2,000),
 * /z (800). */
static void four_entries(void)
{
    const struct bolt_item items[] = {bolt_put(&bolt, 2, "/w", bolt_letters(&bolt, 30)),
                                      bolt_put(&bolt, 3, "/x", bolt_letters(&bolt, 1500)),
                                      bolt_put(&bolt, 4, "/y", bolt_letters(&bolt, 2000)),
                                      bolt_put(&bolt, 5, "/z", bolt_letters(&bolt, 800))};
    bolt_leaf(&bolt, 5, items, 4);
}

#define W "u5 2.0 /w=abcdefghijklmnopqrstuvwxyzabcd\n"
#define X "u5 3.0 /x=<1500>\n"
#define Y "u5 4.0 /y=<2000>\n"
#define Z "u5 5.0 /z=<800>\n"

TEST(free__pages_without_a_header__one_stretch)
{
    memset(bolt_page(&bolt, 4), 'x', 3 * 1024);
    memset(bolt_page(&bolt, 8), 'x', 1024);
    CHECK_STR(walked(), "u4 ! pages that lost their header 3072\n"
                        "u8 ! pages that lost their header 1024\n");
}

TEST(free__a_long_stretch__in_pieces)
{
    struct bolt b;
    bolt_begin(&b, 65536, 24);
    bolt_metas(&b, 2);
    bolt_leaf(&b, 2, (const struct bolt_item[]){bolt_bucket(&b, "key", 3)}, 1);
    bolt_leaf(&b, 3, NULL, 0);
    memset(bolt_page(&b, 4), 'x', (size_t)20 * 65536);
    CHECK_STR(bolt_walk(bolt_file(&b), &seen),
              "u4 ! pages that lost their header 1048576\n"
              "u20 ! pages that lost their header 262144\n");
    bolt_end(&b);
}

TEST(free__another_page_s_number_or_kind__raw)
{
    bolt_leaf(&bolt, 5, (const struct bolt_item[]){bolt_pair("k", kw_span_str("v"))}, 1);
    bolt_number(bolt_page(&bolt, 5), 6, 8);
    CHECK_STR(walked(), "u5 ! pages that lost their header 1024\n");
    bolt_head(&bolt, 5, META, 1, 0);
    CHECK_STR(walked(), "u5 ! pages that lost their header 1024\n");
    bolt_head(&bolt, 5, LEAF | FREELIST, 1, 0);
    CHECK_STR(walked(), "u5 ! pages that lost their header 1024\n");
}

TEST(free__written_over_by_a_freed_page__what_lies_before_is_taken)
{
    four_entries();
    bolt_leaf(&bolt, 7,
              (const struct bolt_item[]){bolt_put(&bolt, 8, "/n", kw_span_str("new"))},
              1);
    /* 5 and 6 hold the table, /w, /x and the first 379 bytes of /y; 8 and 9 the end. */
    CHECK_STR(walked(), W X "u5 ! the rest of it is gone 379\n"
                            "u7 8.0 /n=new\n"
                            "u8 ! pages that lost their header 2048\n");
}

TEST(free__written_over_by_a_page_in_use__what_lies_before_is_taken)
{
    four_entries();
    bolt_leaf(&bolt, 2, (const struct bolt_item[]){bolt_bucket(&bolt, "key", 6)}, 1);
    bolt_leaf(&bolt, 6,
              (const struct bolt_item[]){bolt_put(&bolt, 8, "/n", kw_span_str("new"))},
              1);
    CHECK_STR(bolt_walk(bolt_file(&bolt), &seen),
              "r6 8.0 /n=new\n"
              "u3 9.0 /a=now\n" W "u5 ! the rest of it is gone 885\n"
              "u7 ! pages that lost their header 3072\n");
}

TEST(free__a_tree_leads_into_it__the_page_is_handed_over_once)
{
    four_entries();
    bolt_leaf(&bolt, 2, (const struct bolt_item[]){bolt_bucket(&bolt, "key", 4)}, 1);
    bolt_branch(&bolt, 4, (const uint64_t[]){3, 8}, 2);
    CHECK_STR(bolt_walk(bolt_file(&bolt), &seen),
              NOW "r8 ! a page that holds something else 1024\n" W X
                  "u5 ! the rest of it is gone 1403\n"
                  "u9 ! pages that lost their header 1024\n");
}

TEST(free__written_over_at_its_second_page_with_its_table__told)
{
    struct bolt_item items[80];
    for (uint16_t i = 0; i < 80; i++)
        items[i] = bolt_put(&bolt, 10 + (uint64_t)i, "/m", kw_span_str("v"));
    bolt_leaf(&bolt, 5, items, 80); /* its table has 1,296 bytes */
    bolt_leaf(&bolt, 6, NULL, 0);
    CHECK_STR(walked(), "u5 ! the rest of it is gone 0\n"
                        "u7 ! pages that lost their header 2048\n");
}

TEST(free__reaches_behind_the_file__what_is_there_is_taken)
{
    four_entries();
    bolt_head(&bolt, 5, LEAF, 4, UINT32_MAX);
    CHECK_STR(walked(), W X Y Z);
    bolt_number(bolt_page(&bolt, 5) + 16 + 3 * 16 + 12, 1 << 30, 4);
    CHECK_STR(walked(), W X Y "u5 ! the rest of it is gone 7565\n");
}

TEST(free__an_element_outside__the_others_are_taken)
{
    four_entries();
    bolt_number(bolt_page(&bolt, 5) + 16 + 16 + 12, 6000, 4);
    CHECK_STR(walked(), W "u5 ! an element lies outside of its page 1530\n" Y Z);
}

TEST(free__more_elements_than_fit__unread)
{
    four_entries();
    bolt_head(&bolt, 5, LEAF, 400, 4);
    CHECK_STR(walked(), "u5 ! more elements than fit 5120\n");
}

TEST(free__a_run_of_more_than_64_mib__page_by_page)
{
    struct bolt b;
    bolt_begin(&b, 65536, 1040);
    bolt_metas(&b, 2);
    bolt_leaf(&b, 2, (const struct bolt_item[]){bolt_bucket(&b, "key", 3)}, 1);
    bolt_leaf(&b, 3, NULL, 0);
    bolt_head(&b, 4, LEAF, 0, 1030);
    bolt_leaf(&b, 1039,
              (const struct bolt_item[]){bolt_put(&b, 2, "/a", kw_span_str("one"))}, 1);
    bolt_page(&b, 9)[5] = 1;
    CHECK_STR(bolt_walk(bolt_file(&b), &seen),
              "u4 ! a run of more than 64 MiB 65536\n"
              "u9 ! pages that lost their header 65536\nu1039 2.0 /a=one\n");
    bolt_end(&b);
}

TEST(free__behind_the_high_water_mark__unread_unless_zero)
{
    bolt_meta(&bolt, 0, (struct bolt_meta){2, NO_FREELIST, 10, 9});
    bolt_leaf(&bolt, 12,
              (const struct bolt_item[]){bolt_put(&bolt, 2, "/a", kw_span_str("x"))}, 1);
    CHECK_STR(walked(), "u10 ! bytes behind the last page 6144\n");
    memset(bolt_page(&bolt, 12), 0, 1024);
    CHECK_STR(walked(), "");
    bolt_page(&bolt, 15)[5] = 1;
    bolt.len -= 1018;
    CHECK_STR(walked(), "u10 ! bytes behind the last page 5126\n");
}

TEST(free__wrong_trailer__its_bytes_are_unread)
{
    static const uint8_t digest[32] = {1};
    bolt_file(&bolt);
    CHECK(pwrite(bolt.fd, digest, 32, (off_t)bolt.len) == 32);
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", bolt.fd);
    CHECK_STR(bolt_walk(path, &seen), NOW "u16 ! bytes behind the last page 32\n");
    CHECK_STR(bolt_walk(bolt_snapshot(&bolt), &seen), NOW);
}

TEST(free__wrong_trailer_and_cut__the_end_is_told)
{
    static const uint8_t digest[32] = {0};
    four_entries();
    for (size_t page = 4; page < 16; page++) {
        bolt.len = page * 1024;
        const char *path = bolt_file(&bolt);
        char line[80];
        CHECK(pwrite(bolt.fd, digest, 32, (off_t)bolt.len) == 32);
        (void)snprintf(line, sizeof line, "u%zu ! the file ends before its pages do 0\n",
                       page);
        CHECK_HAS(bolt_walk(path, &seen), line);
        /* A table of 80 and 59 bytes of /w, then 1,530 of /x. */
        CHECK((strstr(seen.text, "/w=") != NULL) == (page > 5));
        CHECK((strstr(seen.text, "/x=") != NULL) == (page > 6));
        CHECK((strstr(seen.text, "/y=") != NULL) == (page > 8));
        CHECK((strstr(seen.text, "/z=") != NULL) == (page > 9));
        CHECK((strstr(seen.text, "u5 ! the rest of it") != NULL) ==
              (page > 5 && page < 10));
    }
}

TEST(free__an_inline_bucket_that_is_wrong__unread)
{
    const struct bolt_item put = bolt_put(&bolt, 2, "/a", kw_span_str("one"));
    const struct bolt_item inner = bolt_inline(&bolt, "inner", &put, 1);
    struct bolt_item items[] = {bolt_inline(&bolt, "key", &inner, 1),
                                bolt_bucket(&bolt, "lease", 0),
                                bolt_inline(&bolt, "meta", &put, 1)};
    bolt_number((uint8_t *)(uintptr_t)items[2].value.ptr + 16 + 10, 99, 2);
    bolt_leaf(&bolt, 5, items, 3);
    CHECK_STR(walked(), "u5 ! a bucket within an inline bucket 85\n"
                        "u5 ! an inline bucket without a page 21\n"
                        "u5 ! more elements than fit 64\n");
}

TEST(free__an_entry_that_is_none__unread)
{
    struct bolt_item put = bolt_put(&bolt, 2, "/a", kw_span_str("one"));
    put.value = kw_span_str("k8s\x01");
    bolt_leaf(&bolt, 5, &put, 1);
    CHECK_STR(walked(), "u5 ! an entry that is no KeyValue 21\n");
}

TEST(free__visitor_fails__ended_and_given_back)
{
    const struct kw_etcd_db_visitor v = bolt_visitor(&seen);
    four_entries();
    memset(bolt_page(&bolt, 11), 'x', 1024);
    memset(bolt_page(&bolt, 15), 'x', 1024);
    for (long at = 1; at < 7; at++) {
        struct kw_etcd_db *db = NULL;
        bolt_visitor(&seen);
        seen.fail_at = at;
        CHECK_OK(kw_etcd_db_open(bolt_file(&bolt), &db, NULL));
        CHECK_OK(kw_etcd_db_walk(db, &v, NULL));
        CHECK_CODE(kw_etcd_db_walk_unreachable(db, &v, NULL), KW_CODE_CANCELLED);
        CHECK(seen.entries + seen.unread == (size_t)at + 1);
        kw_etcd_db_close(db);
    }
}

TEST(free__memory_is_out__no_memory)
{
    const struct kw_etcd_db_visitor v = bolt_visitor(&seen);
    kw_err e = KW_OK;
    long n = 0;
    four_entries();
    memset(bolt_page(&bolt, 11), 'x', 1024);
    do {
        struct kw_etcd_db *db = NULL;
        CHECK_OK(kw_etcd_db_open(bolt_file(&bolt), &db, NULL));
        kw_alloc_fail_from(n++);
        e = kw_etcd_db_walk_unreachable(db, &v, NULL);
        kw_alloc_fail_from(-1);
        CHECK(!kw_failed(e) || e.code == KW_CODE_NO_MEMORY);
        kw_etcd_db_close(db);
    } while (kw_failed(e));
    CHECK(n > 1);
}

TEST(free__cut_while_it_is_open__io)
{
    const struct kw_etcd_db_visitor v = bolt_visitor(&seen);
    four_entries();
    for (off_t len = 4096; len < 16384; len += 1000) {
        struct kw_etcd_db *db = NULL;
        CHECK_OK(kw_etcd_db_open(bolt_file(&bolt), &db, NULL));
        CHECK(ftruncate(bolt.fd, len) == 0);
        CHECK_CODE(kw_etcd_db_walk_unreachable(db, &v, NULL), KW_CODE_IO);
        kw_etcd_db_close(db);
    }
}

TEST(free__no_walk_before__all_pages_but_the_metas)
{
    const struct kw_etcd_db_visitor v = bolt_visitor(&seen);
    struct kw_etcd_db *db = NULL;
    CHECK_OK(kw_etcd_db_open(bolt_file(&bolt), &db, NULL));
    CHECK_OK(kw_etcd_db_walk_unreachable(db, &v, NULL));
    CHECK_STR(seen.text, "u3 9.0 /a=now\n");
    CHECK(seen.progress == 16);
    kw_etcd_db_close(db);
}

TEST(free__a_whole_file__what_was_freed)
{
    after();
    bolt_whole(&bolt);
    CHECK_HAS(bolt_walk(bolt_file(&bolt), &seen),
              "r5 5.0 /a x\nu7 1.0 /old=gone\nu8 6.0 /big=<1500>\n");
}

TEST(free__values_over_pages_and_tombstones__as_they_were)
{
    four_entries();
    bolt_leaf(&bolt, 10, (const struct bolt_item[]){bolt_delete(&bolt, 7, "/x")}, 1);
    CHECK_STR(walked(), W X Y Z "u10 7.0 /x x\n");
}

TEST(free__a_root_with_an_inline_bucket__its_entries)
{
    const struct bolt_item puts[] = {bolt_put(&bolt, 2, "/a", kw_span_str("one")),
                                     bolt_delete(&bolt, 3, "/a")};
    const struct bolt_item root[] = {bolt_inline(&bolt, "key", puts, 2),
                                     bolt_bucket(&bolt, "lease", 9),
                                     bolt_inline(&bolt, "meta", NULL, 0)};
    bolt_leaf(&bolt, 5, root, 3);
    CHECK_STR(walked(), "u5 2.0 /a=one\nu5 3.0 /a x\n");
}

TEST(free__branches_free_lists_other_buckets__nothing)
{
    bolt_branch(&bolt, 4, (const uint64_t[]){3, 5}, 2);
    bolt_freelist(&bolt, 5, (const uint64_t[]){6, 7, 8}, 3);
    bolt_freelist(&bolt, 6, (const uint64_t[]){2, 7, 8}, 3);
    bolt_head(&bolt, 6, FREELIST, 0xffff, 0);
    bolt_leaf(&bolt, 7,
              (const struct bolt_item[]){
                  bolt_pair("consistent_index", kw_span_str("12345678"))},
              1);
    CHECK_STR(walked(), "");
    bolt_head(&bolt, 5, FREELIST, 400, 0);
    bolt_page(&bolt, 4)[1000] = 1;
    CHECK_STR(walked(), "u4 ! bytes that belong to no element 974\n"
                        "u5 ! a free list that is longer than its run 1024\n");
}

KW_SUITE_AROUND("provider/etcd/db_free", before, after)
