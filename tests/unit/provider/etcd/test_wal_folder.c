/* SPDX-License-Identifier: Apache-2.0 */
/* Folders, names and locks; what a visitor or the machine ends. */
#include "wal_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "check.h"
#include "wal_files.h"
#include "wal_sample.h"

#define FIRST "0000000000000000-0000000000000000.wal"

static struct wal_files files;
static struct wal_sample sample;

static void before(void)
{
    wal_files_make(&files);
}

static void after(void)
{
    kw_alloc_fail_from(-1);
    wal_files_remove(&files);
}

static void put_good(const char *name)
{
    wal_sample_begin(&sample, 0);
    wal_sample_put(&sample, 1, 1, "a", "1");
    wal_sample_put(&sample, 1, 2, "b", "2");
    wal_files_put(&files, name, kw_dst_span(&sample.dst));
}

static void walk_fails(enum kw_code code, const char *note)
{
    struct walked w;
    wal_files_walk_all(&files, &w);
    CHECK_CODE(w.err, code);
    CHECK_HAS(w.note.text, note);
    CHECK(w.puts == 0 && w.unread == 0 && w.info.files == 0);
}

TEST(walk__no_such_folder__missing)
{
    struct wal_files none = {"/nonexistent/wal"};
    struct walked w;
    wal_files_walk_all(&none, &w);
    CHECK_CODE(w.err, KW_CODE_MISSING);
    CHECK(w.err.native == ENOENT);
}

TEST(walk__a_file_for_a_folder__bad_input)
{
    struct wal_files file;
    struct walked w;
    wal_files_put(&files, "plain", kw_span_str("x"));
    snprintf(file.path, sizeof file.path, "%s/plain", files.path);
    wal_files_walk_all(&file, &w);
    CHECK_CODE(w.err, KW_CODE_BAD_INPUT);
}

TEST(walk__no_file_of_a_log__missing)
{
    walk_fails(KW_CODE_MISSING, "no file in it ends in .wal");
    wal_files_put(&files, "0.tmp", kw_span_str("x"));
    wal_files_put(&files, FIRST ".broken", kw_span_str("x"));
    walk_fails(KW_CODE_MISSING, "no file in it ends in .wal");
}

TEST(name_of__other_ends__false)
{
    static const char more[] = FIRST "x";
    static const char *const rows[] = {"",       ".",     "wal", "a.wa",
                                       "a.wal.", "a.tmp", more,  "a.wal.broke"};
    struct kw_wal_name name;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK(!kw_wal_name_of(rows[i], &name));
}

TEST(name_of__not_as_etcd_names__odd)
{
    static const char space[] = " " FIRST, zero[] = "0" FIRST;
    static const char *const rows[] = {".wal",
                                       "1-2.wal",
                                       "000000000000000A-0000000000000000.wal",
                                       "0000000000000000_0000000000000000.wal",
                                       "0x00000000000000-0000000000000000.wal",
                                       "+000000000000000-0000000000000000.wal",
                                       space,
                                       zero,
                                       "0000000000000000-0000000000000000wal.wal",
                                       "0000000000000000-000000000000000.wal"};
    struct kw_wal_name name;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK(kw_wal_name_of(rows[i], &name) && name.sort == KW_WAL_ODD);
}

TEST(name_of__segment__its_numbers)
{
    struct kw_wal_name name;
    CHECK(kw_wal_name_of("00000000000000ff-fedcba9876543210.wal", &name));
    CHECK(name.sort == KW_WAL_SEGMENT && name.seq == 255 &&
          name.index == 0xfedcba9876543210);
    CHECK(kw_wal_name_of(FIRST ".broken", &name) && name.sort == KW_WAL_BROKEN);
}

static void lock_by_ofd(int fd)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    CHECK(fcntl(fd, F_OFD_SETLK, &all) == 0);
}

static void lock_by_flock(int fd)
{
    CHECK(flock(fd, LOCK_EX | LOCK_NB) == 0);
}

TEST(walk__a_file_locked_as_etcd_locks__busy)
{
    static void (*const locks[])(int) = {lock_by_ofd, lock_by_flock};
    struct walked w;
    put_good(FIRST);
    put_good("0000000000000001-0000000000000003.wal");
    for (size_t i = 0; i < sizeof locks / sizeof locks[0]; i++) {
        const int fd = wal_files_open(&files, "0000000000000001-0000000000000003.wal");
        locks[i](fd);
        walk_fails(KW_CODE_BUSY, "is locked for writing");
        close(fd);
    }
    wal_files_walk_all(&files, &w);
    CHECK_OK(w.err);
}

static void start_member(void *about, long call)
{
    if (call == 1)
        lock_by_ofd(*(int *)about);
}

TEST(walk__a_member_starts_meanwhile__can_and_busy)
{
    int fd;
    struct walked w = {.stop = -1, .before = start_member, .about = &fd};
    put_good(FIRST);
    fd = wal_files_open(&files, FIRST);
    wal_files_walk(&files, &w);
    close(fd);
    CHECK_CODE(w.err, KW_CODE_BUSY);
    CHECK(w.puts == 2 && w.info.files == 0);
}

static void cut_short(void *about, long call)
{
    (void)call;
    CHECK(ftruncate(*(int *)about, 8) == 0);
}

TEST(walk__cut_short_meanwhile__busy)
{
    int fd;
    struct walked w = {.stop = -1, .before = cut_short, .about = &fd};
    put_good(FIRST);
    fd = wal_files_open(&files, FIRST);
    wal_files_walk(&files, &w);
    close(fd);
    CHECK_CODE(w.err, KW_CODE_BUSY);
    CHECK_HAS(w.note.text, "has become shorter");
}

static void remove_later(void *about, long call)
{
    (void)call;
    (void)unlink(wal_files_at(about, "0000000000000001-0000000000000003.wal"));
}

TEST(walk__file_gone_meanwhile__busy)
{
    struct walked w = {.stop = -1, .before = remove_later, .about = &files};
    put_good(FIRST);
    put_good("0000000000000001-0000000000000003.wal");
    wal_files_walk(&files, &w);
    CHECK_CODE(w.err, KW_CODE_BUSY);
    CHECK_HAS(w.note.text, "is gone");
}

TEST(walk__memory_out_at_each_place__no_memory_or_whole)
{
    struct walked w;
    char name[64];
    put_good(FIRST);
    for (unsigned i = 0; i < 20; i++) { /* the list of names grows */
        snprintf(name, sizeof name, "%u.wal.broken", i);
        wal_files_put(&files, name, kw_span_of(NULL, 0));
    }
    for (long n = 0;; n++) {
        kw_alloc_fail_from(n);
        wal_files_walk_all(&files, &w);
        kw_alloc_fail_from(-1);
        if (!kw_failed(w.err))
            break;
        CHECK_CODE(w.err, KW_CODE_NO_MEMORY);
        CHECK(n < 100 && w.info.files == 0);
    }
    CHECK(w.puts == 2);
}

TEST(walk__visitor_fails__ends_there_with_its_error)
{
    put_good(FIRST);
    wal_files_put(&files, "odd.wal", kw_span_str("x"));
    for (long n = 0; n < 3; n++) {
        struct walked w = {.stop = n};
        wal_files_walk(&files, &w);
        CHECK_CODE(w.err, KW_CODE_CANCELLED);
        CHECK_STR(w.err.where, "the visitor");
        CHECK(w.calls == n + 1 && w.info.files == 0);
    }
}

TEST(walk__no_regular_files__unread_and_not_waited_for)
{
    struct walked w;
    put_good(FIRST);
    CHECK(mkfifo(wal_files_at(&files, "0000000000000001-0000000000000003.wal"), 0600) ==
          0);
    CHECK(symlink(FIRST, wal_files_at(&files, "0000000000000002-0000000000000003.wal")) ==
          0);
    CHECK(mkdir(wal_files_at(&files, "0000000000000003-0000000000000003.wal"), 0700) ==
          0);
    wal_files_walk_all(&files, &w);
    CHECK_OK(w.err);
    CHECK(w.puts == 2 && w.unread == 3 && w.info.files == 1);
    for (size_t i = 0; i < 3; i++) {
        CHECK_STR(w.fault[i].why, "no regular file");
        CHECK(w.fault[i].len == 0);
    }
}

TEST(walk__set_aside_or_oddly_named__unread_where_not_zero)
{
    static const uint8_t zeroes[100];
    struct walked w;
    put_good(FIRST);
    put_good("1-1.wal");
    put_good(FIRST ".broken");
    wal_files_put(&files, "zero.wal", kw_span_of(zeroes, sizeof zeroes));
    wal_files_put(&files, "empty.wal", kw_span_of(NULL, 0));
    wal_files_walk_all(&files, &w);
    CHECK_OK(w.err);
    CHECK(w.puts == 2 && w.unread == 2 && w.info.files == 1 && w.info.is_gapless);
    CHECK(walked_unread_is(&w, 0, FIRST ".broken", "set aside by etcd's repair"));
    CHECK(walked_unread_is(&w, 1, "1-1.wal", "a name that etcd does not give"));
    CHECK(w.fault[0].offset == 0 && w.fault[0].len == sample.dst.len);
    CHECK(w.of == 3 * sample.dst.len + sizeof zeroes && w.seen == w.of);
    CHECK(w.info.bytes == sample.dst.len);
}

KW_SUITE_AROUND("provider/etcd/wal_folder", before, after)
