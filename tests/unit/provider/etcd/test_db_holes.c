/* SPDX-License-Identifier: Apache-2.0 */
/* Holes of the file are empty pages, and are told as the zeroes that they read as: nothing
 * but the time differs. */
#include <keyward/etcd_db.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bolt.h"
#include "check.h"
#include "db_state.h"

#define HOLES_TIB (UINT64_C(1) << 40)
enum { HOLES_STEP = 4096 }; /* bytes: no hole of any disk's is shorter */

struct holes_told {
    struct bolt_seen seen;
    struct kw_etcd_db_info info;
    uint64_t read; /* bytes of pages, by both walks */
};

static void holes_walk(const char *path, struct holes_told *ret)
{
    struct kw_note note = {{0}};
    struct kw_etcd_db *db = NULL;
    const struct kw_etcd_db_visitor v = bolt_visitor(&ret->seen);
    CHECK_OK(kw_etcd_db_open(path, &db, &note));
    CHECK_OK(kw_etcd_db_walk(db, &v, &note));
    CHECK_OK(kw_etcd_db_walk_unreachable(db, &v, &note));
    kw_etcd_db_look(db, &ret->info);
    ret->read = db->read;
    kw_etcd_db_close(db);
}

/* In this folder, which is a disk's.  With holes: only what is not zero is written. */
static int holes_file(const struct bolt *b, bool with_holes, char ret_path[32])
{
    char path[] = "/tmp/keyward-holes-XXXXXX";
    const int fd = mkostemp(path, O_CLOEXEC);
    CHECK(fd >= 0 && unlink(path) == 0);
    CHECK(ftruncate(fd, (off_t)b->len) == 0);
    for (size_t at = 0; at < b->len; at += HOLES_STEP) {
        const size_t left = b->len - at, len = left < HOLES_STEP ? left : HOLES_STEP;
        if (!with_holes || !kw_db_is_zero(kw_span_of(b->bytes + at, len)))
            CHECK(pwrite(fd, b->bytes + at, len, (off_t)at) == (ssize_t)len);
    }
    snprintf(ret_path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

static uint64_t holes_on_disk(int fd)
{
    struct stat st;
    CHECK(fsync(fd) == 0 && fstat(fd, &st) == 0);
    return (uint64_t)st.st_blocks * 512;
}

/* Root and bucket; behind them what `at` leaves: empty pages, whole leaves, leaves whose
 * rest is gone, raw pages, in any order and of any length. */
static void holes_fill(struct bolt *b, size_t page_size, unsigned seed)
{
    bolt_begin(b, page_size, 3 * (1u << 20) / page_size);
    bolt_metas(b, 2);
    bolt_leaf(b, 2, (const struct bolt_item[]){bolt_bucket(b, "key", 3)}, 1);
    bolt_leaf(b, 3, (const struct bolt_item[]){bolt_put(b, 9, "/a", kw_span_str("now"))},
              1);
    for (uint64_t page = 4; page + 8 < b->pages;) {
        seed = seed * 1103515245u + 12345u;
        const unsigned what = seed >> 16 & 7u;
        const uint64_t pages = 1 + (seed >> 20 & 7u);
        if (what == 0)
            memset(bolt_page(b, page), 'x', pages * page_size);
        else if (what == 1)
            bolt_leaf(b, page,
                      (const struct bolt_item[]){bolt_put(
                          b, page, "/f", bolt_letters(b, (pages - 1) * page_size + 9))},
                      1);
        else if (what == 2)
            bolt_head(b, page, LEAF, 3, (uint32_t)pages + 2);
        page += what < 3 ? pages : pages * 4;
    }
}

TEST(holes__told_as_the_zeroes_they_read_as)
{
    static const size_t sizes[] = {1024, 4096, 16384, 65536};
    static struct holes_told dense, sparse;
    size_t entries = 0, unread = 0;
    for (size_t s = 0; s < 4; s++)
        for (unsigned seed = 1; seed <= 4; seed++) {
            struct bolt b;
            char path[32];
            holes_fill(&b, sizes[s], seed);
            const int full = holes_file(&b, false, path);
            holes_walk(path, &dense);
            const int holed = holes_file(&b, true, path);
            holes_walk(path, &sparse);
            CHECK(holes_on_disk(holed) < holes_on_disk(full)); /* it has some */
            CHECK(sparse.read < dense.read);
            CHECK_STR(sparse.seen.text, dense.seen.text);
            CHECK(sparse.seen.entries == dense.seen.entries);
            CHECK(sparse.seen.bytes == dense.seen.bytes);
            CHECK(sparse.info.unreachable == dense.info.unreachable);
            entries += dense.seen.entries;
            unread += dense.seen.unread;
            CHECK(close(full) == 0 && close(holed) == 0);
            bolt_end(&b);
        }
    if (entries < 100 || unread < 100) /* of each there was something */
        fail_msg("%zu entries, %zu unread", entries, unread);
}

/* The same behind the last page, and with one page of the tree in a hole. */
TEST(holes__behind_the_pages_and_where_the_tree_leads__the_same)
{
    static struct holes_told dense, sparse;
    struct bolt b;
    char path[32];
    bolt_begin(&b, 4096, 1536);
    bolt_metas(&b, 2);
    bolt_meta(&b, 0, (struct bolt_meta){2, NO_FREELIST, 40, 10});
    bolt_meta(&b, 1, (struct bolt_meta){2, NO_FREELIST, 40, 11});
    bolt_leaf(&b, 2, (const struct bolt_item[]){bolt_bucket(&b, "key", 3)}, 1);
    bolt_branch(&b, 3, (const uint64_t[]){4, 20}, 2);
    bolt_leaf(&b, 4,
              (const struct bolt_item[]){bolt_put(&b, 9, "/a", kw_span_str("now"))}, 1);
    memset(bolt_page(&b, 1000) + 100, 'x', 8000);
    memset(bolt_page(&b, 1400), 'y', 10);
    const int full = holes_file(&b, false, path);
    holes_walk(path, &dense);
    const int holed = holes_file(&b, true, path);
    holes_walk(path, &sparse);
    CHECK_STR(sparse.seen.text, dense.seen.text);
    CHECK_HAS(sparse.seen.text, "r20 ! a page that holds something else 4096\n");
    CHECK_HAS(sparse.seen.text, "! bytes behind the last page 1048576\n");
    CHECK(sparse.read < dense.read && sparse.info.unreachable == dense.info.unreachable);
    CHECK(close(full) == 0 && close(holed) == 0);
    bolt_end(&b);
}

/* Pages that no tree leads to, or bytes behind all pages: a TiB of nothing, and one leaf at
 * its end. */
static void holes_tebibyte(uint64_t pages, const char *says, uint64_t unreachable)
{
    static struct holes_told told;
    struct bolt b;
    char path[32];
    bolt_begin(&b, 4096, 8);
    bolt_meta(&b, 0, (struct bolt_meta){2, NO_FREELIST, pages, 10});
    bolt_meta(&b, 1, (struct bolt_meta){2, NO_FREELIST, pages, 11});
    bolt_leaf(&b, 2, (const struct bolt_item[]){bolt_bucket(&b, "key", 3)}, 1);
    bolt_leaf(&b, 3,
              (const struct bolt_item[]){bolt_put(&b, 9, "/a", kw_span_str("now"))}, 1);
    bolt_leaf(&b, 4,
              (const struct bolt_item[]){bolt_put(&b, 8, "/f", kw_span_str("was"))}, 1);
    const int fd = holes_file(&b, true, path);
    CHECK(ftruncate(fd, (off_t)HOLES_TIB) == 0);
    const uint64_t last = HOLES_TIB / 4096 - 1;
    bolt_number(bolt_page(&b, 4), last, 8);
    CHECK(pwrite(fd, bolt_page(&b, 4), 4096, (off_t)(last * 4096)) == 4096);
    holes_walk(path, &told);
    CHECK_HAS(told.seen.text, says);
    CHECK(told.info.unreachable == unreachable && told.info.pages == pages);
    CHECK(told.read < 8u << 20);
    CHECK(close(fd) == 0);
    bolt_end(&b);
}

TEST(tebibyte_of_nothing__its_pages_counted_and_not_read)
{
    holes_tebibyte(HOLES_TIB / 4096,
                   "r3 9.0 /a=now\nu4 8.0 /f=was\nu268435455 8.0 /f=was\n",
                   HOLES_TIB / 4096 - 4);
}

TEST(tebibyte_of_nothing_behind_the_pages__not_read)
{
    holes_tebibyte(8, "u4 8.0 /f=was\nu268435208 ! bytes behind the last page 1015808\n",
                   4);
}

KW_SUITE("provider/etcd/db_holes")
