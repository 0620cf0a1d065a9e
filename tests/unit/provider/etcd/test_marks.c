/* SPDX-License-Identifier: Apache-2.0 */
/* What an object leaves in bytes that could not be read. */
#include "marks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "check.h"
#include "wal_files.h"

static struct wal_files dir;
enum { PIECE = 1 << 20 };
#define TIB (UINT64_C(1) << 40)

static void begin(void)
{
    wal_files_make(&dir);
}

static void end(void)
{
    kw_alloc_fail_from(-1);
    wal_files_remove(&dir);
}

#define PREFIX kw_span_str("/registry")
#define BYTES(text) kw_span_of(text, sizeof(text) - 1)

static bool file_has(const char *name, uint64_t want_bytes, kw_span prefix)
{
    bool has = false;
    uint64_t bytes = 7;
    struct kw_note note = {{0}};
    CHECK_OK(
        kw_etcd_file_has_marks(wal_files_at(&dir, name), prefix, &has, &bytes, &note));
    CHECK(bytes == want_bytes);
    return has;
}

TEST(file__none_such__missing_and_said)
{
    bool has = true;
    uint64_t bytes = 7;
    struct kw_note note = {{0}};
    CHECK_CODE(
        kw_etcd_file_has_marks(wal_files_at(&dir, "x"), PREFIX, &has, &bytes, &note),
        KW_CODE_MISSING);
    CHECK_HAS(note.text, "No such file");
    CHECK(!has && bytes == 0);
}

TEST(file__no_regular_one__bad_input_without_waiting)
{
    bool has = true;
    uint64_t bytes = 7;
    struct kw_note note = {{0}};
    CHECK(mkfifo(wal_files_at(&dir, "fifo"), 0600) == 0);
    CHECK_CODE(
        kw_etcd_file_has_marks(wal_files_at(&dir, "fifo"), PREFIX, &has, &bytes, &note),
        KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "no regular file");
    CHECK_CODE(kw_etcd_file_has_marks(dir.path, PREFIX, &has, &bytes, &note),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_etcd_file_has_marks("/dev/zero", PREFIX, &has, &bytes, &note),
               KW_CODE_BAD_INPUT);
}

TEST(file__not_to_be_read__io_with_errno)
{
    bool has;
    uint64_t bytes;
    struct kw_note note = {{0}};
    /* A file that opens and does not read. */
    kw_err e = kw_etcd_file_has_marks("/proc/self/mem", PREFIX, &has, &bytes, &note);
    CHECK(e.code == KW_CODE_IO && e.native != 0);
    CHECK_HAS(note.text, "cannot be read");
}

TEST(file__memory_is_out__no_memory)
{
    bool has;
    uint64_t bytes;
    wal_files_put(&dir, "f", kw_span_str("x"));
    kw_alloc_fail_from(0);
    CHECK_CODE(
        kw_etcd_file_has_marks(wal_files_at(&dir, "f"), PREFIX, &has, &bytes, NULL),
        KW_CODE_NO_MEMORY);
}

TEST(file__mark_across_the_end_of_a_piece__found)
{
    static uint8_t bytes[2 * PIECE];
    static const char *const marks[] = {"k8s:enc:", "/registry/", "\"apiVersion\":"};
    memset(bytes, '.', sizeof bytes);
    CHECK((wal_files_put(&dir, "none", kw_span_of(bytes, sizeof bytes)),
           !file_has("none", sizeof bytes, PREFIX)));
    for (size_t i = 0; i < 3; i++) {
        const size_t len = strlen(marks[i]);
        for (size_t before = 1; before < len; before += 3) {
            memcpy(bytes + PIECE - before, marks[i], len);
            wal_files_put(&dir, "f", kw_span_of(bytes, sizeof bytes));
            CHECK(file_has("f", sizeof bytes, PREFIX));
            memset(bytes + PIECE - before, '.', len);
        }
    }
}

TEST(file__empty__none)
{
    wal_files_put(&dir, "f", kw_span_str(""));
    CHECK(!file_has("f", 0, PREFIX));
}

TEST(file__long_prefix_at_the_end_of_a_piece__found)
{
    static uint8_t bytes[PIECE + 200];
    char prefix[101];
    memset(prefix, 'p', sizeof prefix);
    prefix[0] = '/';
    prefix[100] = '\0';
    for (size_t before = 1; before < 64; before += 9) {
        memset(bytes, '.', sizeof bytes);
        memcpy(bytes + PIECE - before, prefix, 100);
        wal_files_put(&dir, "f", kw_span_of(bytes, sizeof bytes));
        CHECK(file_has("f", sizeof bytes, kw_span_str(prefix)));
    }
}

/* A TiB of nothing takes no time, wherever there is something in it. */
TEST(file__holes__as_zeroes_and_not_read)
{
    static const uint64_t places[] = {5, PIECE - 3, PIECE, (TIB / 2) - 4, TIB - 3};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        wal_files_put(&dir, "f", kw_span_str(""));
        const int fd = wal_files_open(&dir, "f");
        CHECK(ftruncate(fd, (off_t)TIB) == 0);
        CHECK(!file_has("f", TIB, PREFIX));
        CHECK(pwrite(fd, "k8s", 3, (off_t)places[i]) == 3); /* and a zero of the hole */
        CHECK(file_has("f", TIB, PREFIX) == (places[i] != TIB - 3));
        CHECK(close(fd) == 0);
    }
}

/* Written bytes end where a piece does, within a mark whose zero is the hole's. */
TEST(file__mark_that_ends_in_a_hole__found)
{
    static uint8_t bytes[PIECE];
    memset(bytes, '.', sizeof bytes);
    for (size_t i = 0; i < 3; i++)
        bytes[PIECE - 3 + i] = (uint8_t) "k8s"[i];
    wal_files_put(&dir, "f", kw_span_of(bytes, sizeof bytes));
    const int fd = wal_files_open(&dir, "f");
    CHECK(ftruncate(fd, (off_t)TIB) == 0 && close(fd) == 0);
    CHECK(file_has("f", TIB, PREFIX));
}

TEST(bytes__each_mark_anywhere__found)
{
    CHECK(kw_etcd_has_marks(BYTES("..k8s:enc:kms"), PREFIX));
    CHECK(kw_etcd_has_marks(BYTES("..k8s\0.."), PREFIX));
    CHECK(kw_etcd_has_marks(BYTES("k8s\0"), PREFIX));
    CHECK(
        kw_etcd_has_marks(BYTES("..{\"kind\":\"Secret\",\"apiVersion\":\"v1\""), PREFIX));
    CHECK(kw_etcd_has_marks(BYTES("../registry/"), PREFIX));
    CHECK(kw_etcd_has_marks(BYTES("../my/prefix/x"), kw_span_str("/my/prefix")));
}

TEST(bytes__what_only_looks_so__none)
{
    CHECK(!kw_etcd_has_marks(kw_span_of(NULL, 0), PREFIX));
    CHECK(!kw_etcd_has_marks(BYTES("k8s:enc"), PREFIX));
    CHECK(!kw_etcd_has_marks(BYTES("k8s"), PREFIX));
    CHECK(!kw_etcd_has_marks(BYTES("../registry"), PREFIX));
    CHECK(!kw_etcd_has_marks(BYTES("../registry2/"), PREFIX));
    CHECK(!kw_etcd_has_marks(BYTES("a/b/c/registry"), kw_span_str("")));
}

TEST(bytes__prefix_longer_than_what_is_looked_for__found_by_its_beginning)
{
    char prefix[201], bytes[300];
    for (size_t len = 60; len <= 200; len += 1) {
        memset(prefix, 'p', len);
        prefix[0] = '/';
        memset(bytes, '.', sizeof bytes);
        memcpy(bytes + 3, prefix, len);
        bytes[3 + len] = '/';
        CHECK(
            kw_etcd_has_marks(kw_span_of(bytes, sizeof bytes), kw_span_of(prefix, len)));
    }
}

KW_SUITE_AROUND("provider/etcd/marks", begin, end)
