/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/file.h>

#include "test_child.h"
#include "folder.h"

/* Fails as said, gives nothing, and the note names the path. */
static void check_refused(const char *path, size_t max, enum kw_code code)
{
    struct kw_blob b = {0};
    struct kw_note note = {{0}};
    CHECK_CODE(kw_file_read(path, max, &b, &note), code);
    CHECK(b.ptr == NULL && b.len == 0);
    CHECK_HAS(note.text, path);
    CHECK_CODE(kw_file_read(path, max, &b, NULL), code); /* nobody reads the note */
}

TEST(read__no_file__missing)
{
    struct folder f;
    folder_make(&f);
    check_refused(f.file, 10, KW_CODE_MISSING);
    folder_remove(&f);
}

TEST(read__not_regular__bad_input_at_once)
{
    struct folder f;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    folder_make(&f);
    check_refused(f.path, 10, KW_CODE_BAD_INPUT); /* a folder */
    CHECK(mkfifo(f.file, 0600) == 0);
    check_refused(f.file, 10, KW_CODE_BAD_INPUT); /* does not wait for a writer */
    CHECK(unlink(f.file) == 0);
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", f.file);
    CHECK(bind(s, (struct sockaddr *)&at, sizeof at) == 0);
    check_refused(f.file, 10, KW_CODE_BAD_INPUT);
    close(s);
    check_refused("/dev/null", 10, KW_CODE_BAD_INPUT);
    folder_remove(&f);
}

TEST(read__larger_than_max__bad_input)
{
    struct folder f;
    folder_make(&f);
    put_file(f.file, "0123456789x", 0600);
    check_refused(f.file, 10, KW_CODE_BAD_INPUT);
    folder_remove(&f);
}

static int read_forbidden(void *path)
{
    struct kw_blob b = {0};
    struct kw_note note = {{0}};
    drop_rights(0);
    kw_err e = kw_file_read(path, 10, &b, &note);
    return e.code == KW_CODE_IO && e.native == EACCES &&
           strstr(note.text, "Permission denied") != NULL;
}

TEST(read__no_permission__io_with_errno)
{
    struct folder f;
    folder_make(&f);
    CHECK(chmod(f.path, 0755) == 0);
    put_file(f.file, "x", 0);
    CHECK(child_answer(read_forbidden, f.file));
    folder_remove(&f);
}

TEST(read__out_of_memory__no_memory)
{
    struct folder f;
    struct kw_blob b = {0};
    struct kw_note note = {{0}};
    folder_make(&f);
    put_file(f.file, "x", 0600);
    kw_alloc_fail_from(0);
    kw_err e = kw_file_read(f.file, 10, &b, &note);
    kw_alloc_fail_from(-1);
    CHECK_CODE(e, KW_CODE_NO_MEMORY);
    CHECK_HAS(note.text, f.file);
    folder_remove(&f);
}

TEST(read__up_to_max__all_bytes)
{
    struct folder f;
    struct kw_blob b = {0};
    folder_make(&f);
    put_file(f.file, "0123456789", 0644);
    CHECK_OK(kw_file_read(f.file, 10, &b, NULL));
    CHECK(kw_span_equal_str(kw_blob_peek(&b), "0123456789"));
    kw_blob_wipe(&b);
    CHECK(b.ptr == NULL && b.len == 0);
    kw_blob_wipe(&b);
    put_file(f.file, "", 0644);
    CHECK_OK(kw_file_read(f.file, 10, &b, NULL));
    CHECK(b.len == 0);
    kw_blob_wipe(&b);
    folder_remove(&f);
}

TEST(read__symlink__followed)
{
    struct folder f;
    struct kw_blob b = {0};
    char link[128];
    folder_make(&f);
    put_file(f.file, "there", 0644);
    snprintf(link, sizeof link, "%s/link", f.path);
    CHECK(symlink(f.file, link) == 0);
    CHECK_OK(kw_file_read(link, 10, &b, NULL));
    CHECK(kw_span_equal_str(kw_blob_peek(&b), "there"));
    kw_blob_wipe(&b);
    CHECK(unlink(link) == 0);
    folder_remove(&f);
}

TEST(pread__no_descriptor_end_and_middle__what_there_is)
{
    struct folder f;
    uint8_t bytes[8];
    folder_make(&f);
    put_file(f.file, "0123456789", 0644);
    CHECK(kw_file_pread(-1, bytes, sizeof bytes, 0) == -1 && errno == EBADF);
    const int fd = open(f.file, O_RDONLY | O_CLOEXEC);
    CHECK(kw_file_pread(fd, bytes, sizeof bytes, 10) == 0);
    CHECK(kw_file_pread(fd, bytes, sizeof bytes, 7) == 3 && bytes[2] == '9');
    CHECK(kw_file_pread(fd, bytes, 4, 2) == 4 && bytes[0] == '2' && bytes[3] == '5');
    CHECK(lseek(fd, 0, SEEK_CUR) == 0 && close(fd) == 0);
    folder_remove(&f);
}

/* Two pieces of 64 KiB: written bytes, and a hole; then one byte behind another hole. */
TEST(data__in_a_hole_and_out_of_it__where_bytes_are_next)
{
    enum { PIECE = 65536 };
    static const uint8_t bytes[PIECE] = {1};
    struct folder f;
    folder_make(&f);
    put_file(f.file, "", 0644);
    const int fd = open(f.file, O_RDWR | O_CLOEXEC);
    CHECK(pwrite(fd, bytes, PIECE, 0) == PIECE && pwrite(fd, "x", 1, 4 * PIECE) == 1);
    CHECK(kw_file_next_data(fd, 5) == 5 && kw_file_data_end(fd, 5) == PIECE);
    CHECK(kw_file_next_data(fd, PIECE) == 4 * PIECE);
    CHECK(kw_file_next_data(fd, 2 * PIECE + 5) == 4 * PIECE);
    CHECK(kw_file_data_end(fd, PIECE) == PIECE + 1);
    CHECK(kw_file_data_end(fd, 4 * PIECE) == 4 * PIECE + 1); /* the end is a hole, too */
    CHECK(ftruncate(fd, 9 * PIECE) == 0);
    CHECK(kw_file_next_data(fd, 6 * PIECE) == 9 * PIECE);
    CHECK(kw_file_next_data(fd, 9 * PIECE) == 9 * PIECE);
    CHECK(kw_file_next_data(fd, 9 * PIECE + 7) == 9 * PIECE + 7);
    CHECK(kw_file_next_data(-1, 7) == 7 && kw_file_data_end(-1, 7) == 8);
    CHECK(close(fd) == 0);
    folder_remove(&f);
}

KW_CASES("hsm/base/file", CASE(read__no_file__missing),
         CASE(read__not_regular__bad_input_at_once),
         CASE(read__larger_than_max__bad_input), CASE(read__no_permission__io_with_errno),
         CASE(read__out_of_memory__no_memory), CASE(read__up_to_max__all_bytes),
         CASE(read__symlink__followed),
         CASE(pread__no_descriptor_end_and_middle__what_there_is),
         CASE(data__in_a_hole_and_out_of_it__where_bytes_are_next))
