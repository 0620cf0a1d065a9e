/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a file of etcd's backend: what is refused, and with which words. */
#include <keyward/etcd_db.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "bolt.h"
#include "check.h"

static struct bolt bolt;

static void before(void)
{
    bolt_whole(&bolt);
}

static void after(void)
{
    bolt_end(&bolt);
}

/* Opens and closes; the info, if it could be opened. */
static kw_err open_it(const char *path, struct kw_etcd_db_info *ret, struct kw_note *note)
{
    struct kw_etcd_db *db = NULL;
    kw_err e = kw_etcd_db_open(path, &db, note);
    CHECK((db == NULL) == kw_failed(e));
    if (db != NULL && ret != NULL)
        kw_etcd_db_look(db, ret);
    kw_etcd_db_close(db);
    return e;
}

static void refused(const char *path, enum kw_code code, const char *word)
{
    struct kw_note note = {""};
    CHECK_CODE(open_it(path, NULL, &note), code);
    CHECK_HAS(note.text, word);
}

TEST(open__not_there__missing)
{
    refused("/nonexistent/db", KW_CODE_MISSING, "/nonexistent/db");
}

TEST(open__not_a_regular_file__bad_input)
{
    refused("/tmp", KW_CODE_BAD_INPUT, "not a regular file");
    refused("/dev/zero", KW_CODE_BAD_INPUT, "not a regular file");
}

TEST(open__locked_for_writing__busy_and_the_word_snapshot)
{
    const char *path = bolt_file(&bolt);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
    refused(path, KW_CODE_BUSY, "etcdctl snapshot save");
    close(fd);
    CHECK_OK(open_it(path, NULL, NULL));
}

TEST(open__open__shares_its_lock_and_gives_it_back)
{
    struct kw_etcd_db *db = NULL;
    const char *path = bolt_file(&bolt);
    CHECK_OK(kw_etcd_db_open(path, &db, NULL));
    CHECK_OK(open_it(path, NULL, NULL));
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0);
    kw_etcd_db_close(db);
    CHECK(flock(fd, LOCK_EX | LOCK_NB) == 0);
    close(fd);
}

TEST(open__empty_or_of_another_kind__bad_input)
{
    bolt.len = 0;
    refused(bolt_file(&bolt), KW_CODE_BAD_INPUT, "the file ends before it");
    memset(bolt.bytes, 'x', 4096);
    bolt.len = 4096;
    refused(bolt_file(&bolt), KW_CODE_BAD_INPUT, "it is no bbolt file");
}

TEST(open__both_metas_bad__bad_input)
{
    bolt_page(&bolt, 0)[60]++;
    bolt_page(&bolt, 1)[60]++;
    refused(bolt_file(&bolt), KW_CODE_BAD_INPUT, "its checksum differs");
}

TEST(open__of_a_big_endian_machine__told)
{
    for (unsigned i = 0; i < 2; i++)
        memcpy(bolt_page(&bolt, i) + 16, "\xed\x0c\xda\xed", 4);
    refused(bolt_file(&bolt), KW_CODE_BAD_INPUT, "big-endian");
}

TEST(open__nothing_but_metas__bad_input)
{
    bolt_meta(&bolt, 0, (struct bolt_meta){2, NO_FREELIST, 1, 9});
    bolt_meta(&bolt, 1, (struct bolt_meta){2, NO_FREELIST, 1, 8});
    refused(bolt_file(&bolt), KW_CODE_BAD_INPUT, "no pages");
}

TEST(open__a_copy_cut_anywhere__torn)
{
    const size_t whole = bolt.len;
    static const size_t odd[] = {0, 1, 31, 33, 511, 512, 1023};
    for (size_t page = 2; page < bolt.pages; page++)
        for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
            bolt.len = page * bolt.page_size + odd[i];
            refused(bolt_file(&bolt), KW_CODE_BAD_INPUT, "shorter than its pages");
        }
    bolt.len = whole;
    CHECK_OK(open_it(bolt_file(&bolt), NULL, NULL));
}

TEST(open__a_copy_whose_metas_are_of_different_times__torn)
{
    bolt_meta(&bolt, 1, (struct bolt_meta){2, NO_FREELIST, 11, 6});
    refused(bolt_file(&bolt), KW_CODE_BAD_INPUT, "different times");
    refused(bolt_file(&bolt), KW_CODE_BAD_INPUT, "torn");
    /* A snapshot's metas may be: its digest vouches for it. */
    CHECK_OK(open_it(bolt_snapshot(&bolt), NULL, NULL));
    bolt_meta(&bolt, 1, (struct bolt_meta){2, NO_FREELIST, 11, 7});
    CHECK_OK(open_it(bolt_file(&bolt), NULL, NULL));
}

TEST(open__trailer__absent_good_or_wrong)
{
    struct kw_etcd_db_info info = {0};
    CHECK_OK(open_it(bolt_file(&bolt), &info, NULL));
    CHECK(info.trailer == KW_ETCD_TRAILER_ABSENT && info.size == 11264);
    CHECK_OK(open_it(bolt_snapshot(&bolt), &info, NULL));
    CHECK(info.trailer == KW_ETCD_TRAILER_GOOD && info.size == 11296);
    const char *path = bolt_snapshot(&bolt);
    CHECK(pwrite(bolt.fd, "x", 1, 5000) == 1);
    CHECK_OK(open_it(path, &info, NULL));
    CHECK(info.trailer == KW_ETCD_TRAILER_WRONG);
    path = bolt_snapshot(&bolt);
    CHECK(pwrite(bolt.fd, "xxxx", 4, 11264 + 28) == 4);
    CHECK_OK(open_it(path, &info, NULL));
    CHECK(info.trailer == KW_ETCD_TRAILER_WRONG);
}

TEST(open__good__the_newer_meta_counts)
{
    struct kw_etcd_db_info info = {0};
    bolt_meta(&bolt, 1, (struct bolt_meta){2, NO_FREELIST, 10, 10});
    CHECK_OK(open_it(bolt_file(&bolt), &info, NULL));
    CHECK(info.txid == 10 && info.pages == 10 && info.page_size == 1024);
    bolt_meta(&bolt, 1, (struct bolt_meta){2, NO_FREELIST, 10, 8});
    CHECK_OK(open_it(bolt_file(&bolt), &info, NULL));
    CHECK(info.txid == 9 && info.pages == 11);
}

TEST(open__one_meta_bad__the_other_counts)
{
    struct kw_etcd_db_info info = {0};
    bolt_page(&bolt, 0)[60]++;
    CHECK_OK(open_it(bolt_file(&bolt), &info, NULL));
    CHECK(info.txid == 8);
    bolt_metas(&bolt, 2);
    bolt_page(&bolt, 1)[60]++;
    CHECK_OK(open_it(bolt_file(&bolt), &info, NULL));
    CHECK(info.txid == 9);
}

TEST(open__first_meta_bad_and_pages_of_any_size__found)
{
    for (size_t size = 1024; size <= 65536; size *= 2) {
        struct kw_etcd_db_info info = {0};
        struct bolt b;
        bolt_begin(&b, size, 3);
        bolt_metas(&b, 2);
        CHECK_OK(open_it(bolt_file(&b), &info, NULL));
        CHECK(info.page_size == size && info.txid == 9);
        memset(bolt_page(&b, 0), 0, 100);
        CHECK_OK(open_it(bolt_file(&b), &info, NULL));
        CHECK(info.page_size == size && info.txid == 8 && info.pages == 3);
        bolt_end(&b);
    }
}

TEST(open__memory_is_out__no_memory)
{
    const char *path = bolt_snapshot(&bolt);
    kw_err e = KW_OK;
    long n = 0;
    do {
        kw_alloc_fail_from(n++);
        e = open_it(path, NULL, NULL);
        kw_alloc_fail_from(-1);
        CHECK(!kw_failed(e) || e.code == KW_CODE_NO_MEMORY);
    } while (kw_failed(e));
    CHECK(n > 2);
}

KW_SUITE_AROUND("provider/etcd/db_open", before, after)
