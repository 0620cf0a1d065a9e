/* SPDX-License-Identifier: Apache-2.0 */
/* What the newest meta leads to: each thing that is wrong in a tree, then a good one. */
#include <keyward/etcd_db.h>

#include <fcntl.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "bolt.h"
#include "check.h"

static struct bolt bolt;
static struct bolt_seen seen;

static void before(void)
{
    bolt_whole(&bolt);
}

static void after(void)
{
    bolt_end(&bolt);
}

/* The reachable walk alone; its code. */
static kw_err walk(const char *path, struct kw_etcd_db_info *ret, struct kw_note *note)
{
    struct kw_etcd_db *db = NULL;
    const long fail_at = seen.fail_at;
    const struct kw_etcd_db_visitor v = bolt_visitor(&seen);
    seen.fail_at = fail_at;
    CHECK_OK(kw_etcd_db_open(path, &db, NULL));
    kw_err e = kw_etcd_db_walk(db, &v, note);
    if (ret != NULL)
        kw_etcd_db_look(db, ret);
    kw_etcd_db_close(db);
    return e;
}

static const char *walked(void)
{
    seen.fail_at = -1;
    CHECK_OK(walk(bolt_file(&bolt), NULL, NULL));
    return seen.text;
}

static void no_key(void)
{
    struct kw_note note = {""};
    seen.fail_at = -1;
    CHECK_CODE(walk(bolt_file(&bolt), NULL, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "no bucket 'key'");
}

/* ---- a file that changes under the walk ---- */

static struct {
    const char *path;
    uint8_t count[2];
} writer;

/* Told between a look at a run's header and the reading of it. */
static void more_elements(void *self, uint64_t pages, uint64_t of_pages)
{
    const int fd = open(writer.path, O_WRONLY | O_CLOEXEC);
    (void)self;
    (void)pages;
    (void)of_pages;
    CHECK(fd >= 0 && pwrite(fd, writer.count, 2, 3L * 1024 + 10) == 2 && close(fd) == 0);
}

TEST(walk__branch_gets_elements_while_it_is_read__as_many_as_were_read)
{
    enum { RUN = 1100 };
    struct bolt b;
    struct kw_etcd_db *db = NULL;
    bolt_begin(&b, 1024, RUN + 4);
    bolt_metas(&b, 2);
    bolt_leaf(&b, 2, (const struct bolt_item[]){bolt_bucket(&b, "key", 3)}, 1);
    bolt_branch(&b, 3, (const uint64_t[]){RUN + 3, RUN + 3, RUN + 3}, 3);
    bolt_head(&b, 3, BRANCH, 1, RUN - 1);
    bolt_leaf(&b, RUN + 3, NULL, 0);
    writer.path = bolt_file(&b);
    bolt_number(writer.count, 3, 2);
    struct kw_etcd_db_visitor v = bolt_visitor(&seen);
    v.progress = more_elements;
    CHECK_OK(kw_etcd_db_open(writer.path, &db, NULL));
    CHECK_OK(kw_etcd_db_walk(db, &v, NULL));
    kw_etcd_db_close(db);
    bolt_end(&b);
}

#define LEAF_4 "r4 2.0 /a=one\nr4 3.0 /a=two\n"
#define LEAF_5 "r5 4.0 /b=three\nr5 5.0 /a x\n"

TEST(walk__root_is_no_page__bad_input)
{
    bolt_metas(&bolt, 1);
    no_key();
    CHECK_STR(seen.text, "r0 ! it leads to a page that is none 0\n");
    bolt_metas(&bolt, 11);
    no_key();
    CHECK_STR(seen.text, "r0 ! it leads to a page that is none 0\n");
    bolt_metas(&bolt, UINT64_MAX);
    no_key();
    bolt_metas(&bolt, 9); /* a page that overflows from another */
    no_key();
    CHECK_STR(seen.text, "r9 ! a page that holds something else 1024\n");
}

TEST(walk__no_bucket_key__bad_input)
{
    bolt_leaf(&bolt, 2, (const struct bolt_item[]){bolt_bucket(&bolt, "lease", 6)}, 1);
    no_key();
    bolt_leaf(&bolt, 2,
              (const struct bolt_item[]){bolt_pair("key", bolt_letters(&bolt, 16))}, 1);
    no_key();
    bolt_leaf(&bolt, 2, (const struct bolt_item[]){bolt_bucket(&bolt, "key", 99)}, 1);
    no_key();
}

TEST(walk__a_page_holds_something_else__unread_and_goes_on)
{
    bolt_number(bolt_page(&bolt, 4), 5, 8);
    CHECK_STR(walked(), "r4 ! a page that holds something else 1024\n" LEAF_5);
    bolt_head(&bolt, 4, FREELIST, 0, 0);
    CHECK_STR(walked(), "r4 ! a page that holds something else 1024\n" LEAF_5);
    bolt_head(&bolt, 4, META, 0, 0);
    CHECK_STR(walked(), "r4 ! a page that holds something else 1024\n" LEAF_5);
    bolt_head(&bolt, 4, LEAF | BRANCH, 0, 0);
    CHECK_STR(walked(), "r4 ! a page that holds something else 1024\n" LEAF_5);
}

TEST(walk__a_child_outside_of_the_file__told_with_its_branch)
{
    bolt_branch(&bolt, 3, (const uint64_t[]){4, 11, 0, UINT64_MAX, 5}, 5);
    CHECK_STR(walked(), LEAF_4 "r3 ! it leads to a page that is none 0\n"
                               "r3 ! it leads to a page that is none 0\n"
                               "r3 ! it leads to a page that is none 0\n" LEAF_5);
}

TEST(walk__a_cycle__ends)
{
    bolt_branch(&bolt, 3, (const uint64_t[]){4, 3, 5}, 3);
    CHECK_STR(walked(), LEAF_4 "r3 ! a page that is reached twice 0\n" LEAF_5);
    bolt_branch(&bolt, 3, (const uint64_t[]){2, 4}, 2);
    CHECK_STR(walked(), "r2 ! a page that is reached twice 0\n" LEAF_4);
}

TEST(walk__a_leaf_twice__entries_once)
{
    bolt_branch(&bolt, 3, (const uint64_t[]){4, 4, 5}, 3);
    CHECK_STR(walked(), LEAF_4 "r4 ! a page that is reached twice 0\n" LEAF_5);
}

TEST(walk__runs_that_meet_or_reach_out__their_first_page_unread)
{
    bolt_head(&bolt, 4, LEAF, 2, 2); /* over 6, which is reached afterwards */
    CHECK_STR(walked(), LEAF_4 "r4 ! bytes that belong to no element 2960\n"
                               "r5 ! a page that is reached twice 0\n"
                               "r6 ! a page that is reached twice 0\n");
    bolt_branch(&bolt, 3, (const uint64_t[]){5, 4}, 2);
    CHECK_STR(walked(), LEAF_5 "r4 ! a run that reaches into another 1024\n");
    bolt_head(&bolt, 4, LEAF, 2, UINT32_MAX);
    CHECK_STR(walked(), LEAF_5 "r4 ! a run that reaches out of the file 1024\n");
    bolt_head(&bolt, 4, LEAF, 2, 7);
    CHECK_STR(walked(), LEAF_5 "r4 ! a run that reaches out of the file 1024\n");
}

TEST(walk__a_run_of_more_than_64_mib__its_first_page_unread)
{
    struct bolt b;
    bolt_begin(&b, 65536, 1030);
    bolt_metas(&b, 2);
    bolt_leaf(&b, 2, (const struct bolt_item[]){bolt_bucket(&b, "key", 3)}, 1);
    bolt_head(&b, 3, LEAF, 0, 1024);
    seen.fail_at = -1;
    CHECK_CODE(walk(bolt_file(&b), NULL, NULL), KW_CODE_BAD_INPUT);
    CHECK_STR(seen.text, "r3 ! a run of more than 64 MiB 65536\n");
    bolt_head(&b, 3, LEAF, 0, 1023);
    CHECK_OK(walk(bolt_file(&b), NULL, NULL));
    CHECK_STR(seen.text, "");
    bolt_end(&b);
}

TEST(walk__deeper_than_64__ends)
{
    struct bolt b;
    bolt_begin(&b, 1024, 80);
    bolt_metas(&b, 2);
    bolt_leaf(&b, 2, (const struct bolt_item[]){bolt_bucket(&b, "key", 3)}, 1);
    for (uint64_t p = 3; p < 79; p++)
        bolt_branch(&b, p, (const uint64_t[]){p + 1}, 1);
    bolt_leaf(&b, 79,
              (const struct bolt_item[]){bolt_put(&b, 2, "/a", kw_span_str("one"))}, 1);
    CHECK_STR(bolt_walk(bolt_file(&b), &seen),
              "r65 ! a tree of more than 64 levels 0\nu79 2.0 /a=one\n");
    /* Of 64 levels two are the start's and the root's. */
    bolt_branch(&b, 64, (const uint64_t[]){79}, 1);
    seen.fail_at = -1;
    CHECK_OK(walk(bolt_file(&b), NULL, NULL));
    CHECK_STR(seen.text, "r79 2.0 /a=one\n");
    bolt_end(&b);
}

TEST(walk__an_element_outside__unread_and_the_others_taken)
{
    uint8_t *leaf = bolt_page(&bolt, 4);
    bolt_number(leaf + 28, 5000, 4); /* the first one's value */
    CHECK_STR(walked(), "r4 ! an element lies outside of its page 32\n"
                        "r4 3.0 /a=two\n" LEAF_5);
    bolt_number(leaf + 28, UINT32_MAX, 4);
    bolt_number(leaf + 32 + 4, 0, 4); /* the second begins in the table */
    CHECK_STR(walked(), "r4 ! an element lies outside of its page 976\n" LEAF_5);
}

TEST(walk__elements_within_one_another__bytes_once)
{
    uint8_t *leaf = bolt_page(&bolt, 4);
    bolt_number(leaf + 32 + 4, 16, 4); /* the second is the first */
    CHECK_STR(walked(),
              "r4 2.0 /a=one\nr4 ! an element lies within another 944\n" LEAF_5);
}

TEST(walk__more_elements_than_fit__unread)
{
    bolt_head(&bolt, 4, LEAF, 64, 0);
    CHECK_STR(walked(), "r4 ! more elements than fit 1024\n" LEAF_5);
    bolt_head(&bolt, 4, LEAF, UINT16_MAX, 0);
    CHECK_STR(walked(), "r4 ! more elements than fit 1024\n" LEAF_5);
    bolt_head(&bolt, 3, BRANCH, 64, 0);
    CHECK_STR(walked(), "r3 ! more elements than fit 1024\n");
}

TEST(walk__bytes_of_no_element__unread)
{
    bolt_page(&bolt, 4)[1023] = 1;
    bolt_page(&bolt, 0)[1023] = 1;
    CHECK_STR(walked(), "r0 ! bytes that belong to no element 944\n" LEAF_4
                        "r4 ! bytes that belong to no element 912\n" LEAF_5);
}

TEST(walk__out_of_order__unread)
{
    bolt_branch(&bolt, 3, (const uint64_t[]){5, 4}, 2);
    CHECK_STR(walked(), LEAF_5 "r4 ! an entry that is out of order 32\n"
                               "r4 ! an entry that is out of order 32\n");
    bolt_branch(&bolt, 3, (const uint64_t[]){4, 5}, 2);
    bolt_leaf(&bolt, 4,
              (const struct bolt_item[]){bolt_put(&bolt, 2, "/a", kw_span_str("one")),
                                         bolt_delete(&bolt, 2, "/a")},
              2);
    CHECK_STR(walked(), "r4 2.0 /a=one\nr4 ! an entry that is out of order 22\n" LEAF_5);
}

TEST(walk__an_entry_that_is_none__unread)
{
    struct bolt_item items[] = {
        bolt_put(&bolt, 1, "/a", kw_span_str("one")),
        bolt_put(&bolt, 2, "", kw_span_str("no key")),
        bolt_delete(&bolt, 3, "/a"),
        bolt_pair("no revision", kw_span_str("")),
        bolt_put(&bolt, 4, "", kw_span_str("")),
        bolt_put(&bolt, 5, "", kw_span_str("")),
    };
    items[0].flags = BUCKET;
    items[2].value = bolt_put(&bolt, 3, "/a", kw_span_str("one")).value;
    items[4].value = kw_span_str("{}");
    items[5].value = kw_span_str(""); /* what a restore that bumps revisions puts */
    bolt_leaf(&bolt, 4, items, 6);
    CHECK_STR(walked(), "r4 ! an entry that is a bucket 32\n"
                        "r4 ! an entry without a key 33\n"
                        "r4 ! a tombstone with a value 33\n"
                        "r4 ! an entry whose name is no revision 11\n"
                        "r4 ! an entry that is no KeyValue 19\n"
                        "r5 ! an entry that is out of order 34\n"
                        "r5 ! an entry that is out of order 22\n");
}

TEST(walk__a_bucket_that_is_none__unread)
{
    const struct bolt_item inner[] = {bolt_bucket(&bolt, "deep", 4)};
    struct bolt_item items[] = {
        bolt_bucket(&bolt, "auth", 9), bolt_bucket(&bolt, "cluster", 0),
        bolt_bucket(&bolt, "key", 3), bolt_inline(&bolt, "lease", inner, 1),
        bolt_inline(&bolt, "meta",
                    (const struct bolt_item[]){
                        bolt_pair("consistent_index", kw_span_str("seven b")),
                        bolt_pair("finishedCompactRev", kw_span_str("x"))},
                    2)};
    items[0].value.len = 15;
    items[4].value.len--;
    bolt_leaf(&bolt, 2, items, 5);
    CHECK_STR(walked(), "r2 ! a bucket without a header 19\n"
                        "r2 ! an inline bucket without a page 23\n"
                        "r2 ! a bucket within an inline bucket 20\n"
                        "r2 ! a consistent_index that is no number 23\n"
                        "r2 ! an element lies outside of its page 18\n" LEAF_4 LEAF_5);
    items[4].value.len++;
    bolt_leaf(&bolt, 2, items + 2, 3);
    CHECK_HAS(walked(), "r2 ! a compaction that names no revision 19\n");
}

TEST(walk__a_meta_that_is_none__unread)
{
    bolt_page(&bolt, 1)[60]++;
    CHECK_STR(walked(), "r1 ! a meta that is none 1024\n" LEAF_4 LEAF_5);
}

TEST(walk__wrong_trailer_and_cut_at_every_page__nothing_in_silence)
{
    static uint8_t digest[32];
    for (size_t page = 2; page < bolt.pages; page++) {
        bolt.len = page * bolt.page_size;
        const char *path = bolt_file(&bolt);
        CHECK(pwrite(bolt.fd, digest, 32, (off_t)bolt.len) == 32);
        seen.fail_at = -1;
        kw_err e = walk(path, NULL, NULL);
        CHECK(e.code == (page < 4 ? KW_CODE_BAD_INPUT : KW_CODE_OK));
        CHECK((strstr(seen.text, LEAF_4) != NULL) == (page > 4));
        CHECK((strstr(seen.text, LEAF_5) != NULL) == (page > 5));
        CHECK((strstr(seen.text, "r4 ! a page behind the end of the file 0\n") != NULL) ==
              (page == 4));
        CHECK((strstr(seen.text, "r6 ! a page behind the end of the file 0\n") != NULL) ==
              (page > 2 && page < 7));
    }
}

TEST(walk__visitor_fails__ended_and_given_back)
{
    for (long at = 0; at < 4; at++) {
        seen.fail_at = at;
        kw_err e = walk(bolt_file(&bolt), NULL, NULL);
        CHECK(e.code == KW_CODE_CANCELLED && e.native == 77);
        CHECK(seen.entries == (size_t)at + 1);
    }
    bolt_page(&bolt, 1)[60]++;
    seen.fail_at = 0;
    CHECK_CODE(walk(bolt_file(&bolt), NULL, NULL), KW_CODE_CANCELLED);
    seen.fail_at = -1;
}

TEST(walk__memory_is_out__no_memory)
{
    const struct kw_etcd_db_visitor v = bolt_visitor(&seen);
    kw_err e = KW_OK;
    long n = 0;
    do {
        struct kw_etcd_db *db = NULL;
        CHECK_OK(kw_etcd_db_open(bolt_file(&bolt), &db, NULL));
        kw_alloc_fail_from(n++);
        e = kw_etcd_db_walk(db, &v, NULL);
        kw_alloc_fail_from(-1);
        CHECK(!kw_failed(e) || e.code == KW_CODE_NO_MEMORY);
        kw_etcd_db_close(db);
    } while (kw_failed(e));
    CHECK(n > 3);
}

TEST(walk__cut_while_it_is_open__io)
{
    const struct kw_etcd_db_visitor v = bolt_visitor(&seen);
    struct kw_etcd_db *db = NULL;
    struct kw_note note = {""};
    CHECK_OK(kw_etcd_db_open(bolt_file(&bolt), &db, NULL));
    CHECK(ftruncate(bolt.fd, 4500) == 0);
    CHECK_CODE(kw_etcd_db_walk(db, &v, &note), KW_CODE_IO);
    CHECK_HAS(note.text, "shorter");
    kw_etcd_db_close(db);
}

TEST(walk__good__entries_in_order_and_the_info)
{
    struct kw_etcd_db_info info = {0};
    seen.fail_at = -1;
    CHECK_OK(walk(bolt_snapshot(&bolt), &info, NULL));
    CHECK_STR(seen.text, LEAF_4 LEAF_5);
    CHECK(info.compact_revision == 2 && info.consistent_index == 257);
    CHECK(info.reachable == 7 && info.unreachable == 4 && info.pages == 11);
    CHECK(seen.progress == 7);
}

TEST(walk__again__the_same)
{
    const struct kw_etcd_db_visitor v = bolt_visitor(&seen);
    struct kw_etcd_db *db = NULL;
    struct kw_etcd_db_info info = {0};
    CHECK_OK(kw_etcd_db_open(bolt_file(&bolt), &db, NULL));
    CHECK_OK(kw_etcd_db_walk(db, &v, NULL));
    CHECK_OK(kw_etcd_db_walk(db, &v, NULL));
    CHECK_STR(seen.text, LEAF_4 LEAF_5 LEAF_4 LEAF_5);
    kw_etcd_db_look(db, &info);
    CHECK(info.reachable == 7);
    kw_etcd_db_close(db);
}

TEST(walk__no_progress_wanted__none)
{
    struct kw_etcd_db_visitor v = bolt_visitor(&seen);
    struct kw_etcd_db *db = NULL;
    v.progress = NULL;
    CHECK_OK(kw_etcd_db_open(bolt_file(&bolt), &db, NULL));
    CHECK_OK(kw_etcd_db_walk(db, &v, NULL));
    CHECK_OK(kw_etcd_db_walk_unreachable(db, &v, NULL));
    kw_etcd_db_close(db);
}

TEST(walk__key_inline__read)
{
    bolt_leaf(&bolt, 2,
              (const struct bolt_item[]){bolt_inline(
                  &bolt, "key",
                  (const struct bolt_item[]){bolt_put(&bolt, 2, "/a", kw_span_str("one")),
                                             bolt_delete(&bolt, 3, "/a")},
                  2)},
              1);
    CHECK_STR(walked(), "r2 2.0 /a=one\nr2 3.0 /a x\n");
}

TEST(walk__a_value_over_pages__whole)
{
    bolt_branch(&bolt, 3, (const uint64_t[]){4, 5, 8}, 3);
    CHECK_STR(walked(), LEAF_4 LEAF_5 "r8 6.0 /big=<1500>\n");
}

TEST(walk__buckets_within_buckets_and_their_branches__reached)
{
    bolt_leaf(&bolt, 6, (const struct bolt_item[]){bolt_bucket(&bolt, "inner", 10)}, 1);
    bolt_branch(&bolt, 10, (const uint64_t[]){7, 8}, 2);
    CHECK_STR(bolt_walk(bolt_file(&bolt), &seen), LEAF_4 LEAF_5);
}

TEST(walk__free_list_in_the_file__reached)
{
    struct kw_etcd_db_info info = {0};
    bolt_freelist(&bolt, 10, (const uint64_t[]){7, 8, 9}, 3);
    bolt_meta(&bolt, 0, (struct bolt_meta){2, 10, 11, 9});
    seen.fail_at = -1;
    CHECK_OK(walk(bolt_file(&bolt), &info, NULL));
    CHECK_STR(seen.text, LEAF_4 LEAF_5);
    CHECK(info.reachable == 8);
    bolt_head(&bolt, 10, FREELIST, 300, 0);
    CHECK_STR(walked(),
              LEAF_4 LEAF_5 "r10 ! a free list that is longer than its run 1024\n");
    bolt_head(&bolt, 10, LEAF, 0, 0);
    CHECK_STR(walked(), LEAF_4 LEAF_5 "r10 ! a page that holds something else 1024\n");
}

TEST(walk__pages_of_64_kib__read)
{
    struct bolt b;
    bolt_begin(&b, 65536, 4);
    bolt_metas(&b, 2);
    bolt_leaf(&b, 2, (const struct bolt_item[]){bolt_bucket(&b, "key", 3)}, 1);
    bolt_leaf(&b, 3,
              (const struct bolt_item[]){bolt_put(&b, 2, "/a", bolt_letters(&b, 60000))},
              1);
    CHECK_STR(bolt_walk(bolt_snapshot(&b), &seen), "r3 2.0 /a=<60000>\n");
    bolt_end(&b);
}

KW_SUITE_AROUND("provider/etcd/db_walk", before, after)
