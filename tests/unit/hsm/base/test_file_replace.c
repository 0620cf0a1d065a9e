/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "test_child.h"
#include "folder.h"

/* folder_remove() fails when a temporary file was left behind. */

static int replace_must_fail(const char *path, const char *text, int native)
{
    struct kw_note note = {{0}};
    kw_err e = kw_file_replace(path, kw_span_str(text), 0600, &note);
    return e.code == KW_CODE_IO && e.native == (uint32_t)native &&
           strncmp(note.text, path, strlen(path)) == 0;
}

TEST(replace__folder_missing__io)
{
    CHECK(replace_must_fail("/nowhere/at/all", "x", ENOENT));
}

TEST(replace__path_too_long__io)
{
    char path[1030];
    struct kw_note note = {{0}};
    memset(path, 'a', sizeof path - 1);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    kw_err e = kw_file_replace(path, kw_span_str("x"), 0600, &note);
    CHECK(e.code == KW_CODE_IO && e.native == ENAMETOOLONG);
    CHECK(strncmp(note.text, "/aaa", 4) == 0);
}

TEST(replace__path_is_a_folder__io_and_nothing_left)
{
    struct folder f;
    folder_make(&f);
    CHECK(mkdir(f.file, 0700) == 0);
    CHECK(replace_must_fail(f.file, "x", EISDIR));
    CHECK(rmdir(f.file) == 0);
    folder_remove(&f);
}

TEST(replace__path_is_a_device_or_a_pipe__io_and_it_stays)
{
    struct folder f;
    struct stat now;
    folder_make(&f);
    CHECK(mkfifo(f.file, 0600) == 0);
    CHECK(replace_must_fail(f.file, "x", EEXIST));
    CHECK(lstat(f.file, &now) == 0 && S_ISFIFO(now.st_mode));
    CHECK(unlink(f.file) == 0 && symlink("/dev/null", f.file) == 0);
    CHECK(replace_must_fail(f.file, "x", EEXIST));
    CHECK(unlink(f.file) == 0);
    folder_remove(&f);
}

static int replace_without_right(void *path)
{
    drop_rights(0);
    return replace_must_fail(path, "new", EACCES);
}

TEST(replace__folder_not_writable__old_file_whole)
{
    struct folder f;
    folder_make(&f);
    put_file(f.file, "old", 0666);
    CHECK(chmod(f.path, 0555) == 0);
    CHECK(child_answer(replace_without_right, f.file));
    check_file(f.file, "old");
    CHECK(chmod(f.path, 0755) == 0);
    folder_remove(&f);
}

static int replace_with_no_space(void *path)
{
    const struct rlimit ten = {10, 10};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &ten);
    return replace_must_fail(path, "more than ten bytes", EFBIG);
}

TEST(replace__write_fails_half_way__old_file_whole)
{
    struct folder f;
    folder_make(&f);
    put_file(f.file, "old", 0600);
    CHECK(child_answer(replace_with_no_space, f.file));
    check_file(f.file, "old");
    folder_remove(&f); /* the half that was written is gone */
}

/* A folder that may be written but not opened cannot be synced either. */
static int replace_without_sync(void *path)
{
    struct kw_note note = {{0}};
    drop_rights(0);
    kw_err e = kw_file_replace(path, kw_span_str("new"), 0600, &note);
    return e.code == KW_CODE_IO && e.native == EACCES && kw_file_is_written(e) &&
           strstr(note.text, "written, not yet durable") != NULL;
}

static int replace_in_no_folder(void *path)
{
    kw_err e = kw_file_replace(path, kw_span_str("new"), 0600, NULL);
    return kw_failed(e) && !kw_file_is_written(e);
}

TEST(replace__folder_cannot_be_synced__new_file_there_and_said)
{
    struct folder f;
    char none[128];
    folder_make(&f);
    put_file(f.file, "old", 0666);
    CHECK(chmod(f.path, 0333) == 0);
    CHECK(child_answer(replace_without_sync, f.file));
    CHECK(chmod(f.path, 0755) == 0);
    check_file(f.file, "new");
    snprintf(none, sizeof none, "%s/none/file", f.path);
    CHECK(child_answer(replace_in_no_folder, none));
    CHECK(!kw_file_is_written(KW_OK));
    folder_remove(&f);
}

/* As a process of another pid namespace with our number would name it. */
TEST(replace__file_of_another_process_beside_it__left_alone)
{
    struct folder f;
    char other[sizeof f.file + 24], text[8] = "";
    folder_make(&f);
    snprintf(other, sizeof other, "%s.new.%d", f.file, (int)gettid());
    FILE *theirs = fopen(other, "w+");
    CHECK(theirs != NULL && fputs("theirs", theirs) >= 0 && fflush(theirs) == 0);
    CHECK_OK(kw_file_replace(f.file, kw_span_str("ours"), 0600, NULL));
    CHECK(access(other, F_OK) == 0);
    rewind(theirs);
    CHECK(fgets(text, sizeof text, theirs) != NULL);
    CHECK_STR(text, "theirs");
    fclose(theirs);
    CHECK(unlink(other) == 0);
    folder_remove(&f);
}

TEST(replace__no_file_yet__made_with_its_mode)
{
    struct folder f;
    struct stat st;
    folder_make(&f);
    umask(077);
    CHECK_OK(kw_file_replace(f.file, kw_span_str("new"), 0644, NULL));
    check_file(f.file, "new");
    CHECK(stat(f.file, &st) == 0 && (st.st_mode & 07777) == 0644);
    CHECK_OK(kw_file_replace(f.file, kw_span_of(NULL, 0), 0400, NULL));
    check_file(f.file, "");
    CHECK(stat(f.file, &st) == 0 && (st.st_mode & 07777) == 0400);
    folder_remove(&f);
}

/* Who has the old file open goes on reading it whole. */
TEST(replace__open_reader__keeps_the_old_one)
{
    struct folder f;
    char got[8] = "";
    folder_make(&f);
    put_file(f.file, "old", 0600);
    FILE *reader = fopen(f.file, "r");
    CHECK(reader != NULL);
    CHECK_OK(kw_file_replace(f.file, kw_span_str("newer"), 0600, NULL));
    CHECK(fgets(got, sizeof got, reader) != NULL);
    CHECK_STR(got, "old");
    fclose(reader);
    check_file(f.file, "newer");
    folder_remove(&f);
}

TEST(replace__symlink__replaced_not_followed)
{
    struct folder f;
    struct stat st;
    char target[128];
    folder_make(&f);
    snprintf(target, sizeof target, "%s/target", f.path);
    put_file(target, "target", 0600);
    CHECK(symlink(target, f.file) == 0);
    CHECK_OK(kw_file_replace(f.file, kw_span_str("new"), 0600, NULL));
    CHECK(lstat(f.file, &st) == 0 && S_ISREG(st.st_mode));
    check_file(target, "target");
    CHECK(unlink(target) == 0);
    folder_remove(&f);
}

TEST(replace__as_root__owner_and_group_kept)
{
    kw_test_as_root();
    struct folder f;
    struct stat st;
    folder_make(&f);
    put_file(f.file, "old", 0600);
    CHECK(chown(f.file, 12345, 54321) == 0);
    CHECK_OK(kw_file_replace(f.file, kw_span_str("new"), 0640, NULL));
    CHECK(stat(f.file, &st) == 0 && st.st_uid == 12345 && st.st_gid == 54321);
    CHECK((st.st_mode & 07777) == 0640);
    folder_remove(&f);
}

static int replace_as_member(void *path)
{
    drop_rights(54321);
    return !kw_failed(kw_file_replace(path, kw_span_str("new"), 0640, NULL));
}

TEST(replace__member_of_the_group__group_kept)
{
    kw_test_as_root();
    struct folder f;
    struct stat st;
    folder_make(&f);
    CHECK(chmod(f.path, 0777) == 0);
    put_file(f.file, "old", 0600);
    CHECK(chown(f.file, 12345, 54321) == 0);
    CHECK(child_answer(replace_as_member, f.file));
    CHECK(stat(f.file, &st) == 0 && st.st_uid == 65534 && st.st_gid == 54321);
    folder_remove(&f);
}

struct writer {
    const char *path;
    char text[3000];
};

static void *write_often(void *arg)
{
    struct writer *w = arg;
    for (unsigned i = 0; i < 40; i++)
        if (kw_failed(kw_file_replace(w->path, kw_span_str(w->text), 0600, NULL)))
            return NULL;
    return w;
}

TEST(replace__four_threads__one_whole_file)
{
    static struct writer w[4];
    pthread_t t[4];
    struct folder f;
    struct kw_blob b = {0};
    bool found = false;
    folder_make(&f);
    for (unsigned i = 0; i < 4; i++) {
        w[i].path = f.file;
        memset(w[i].text, 'a' + (int)i, sizeof w[i].text - 1);
        CHECK(pthread_create(&t[i], NULL, write_often, &w[i]) == 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        void *done = NULL;
        pthread_join(t[i], &done);
        CHECK(done == &w[i]);
    }
    CHECK_OK(kw_file_read(f.file, 4096, &b, NULL));
    for (unsigned i = 0; i < 4; i++)
        found = found || kw_span_equal_str(kw_blob_peek(&b), w[i].text);
    CHECK(found);
    kw_blob_wipe(&b);
    folder_remove(&f);
}

KW_CASES("hsm/base/file-replace", CASE(replace__folder_missing__io),
         CASE(replace__path_too_long__io),
         CASE(replace__path_is_a_folder__io_and_nothing_left),
         CASE(replace__path_is_a_device_or_a_pipe__io_and_it_stays),
         CASE(replace__folder_not_writable__old_file_whole),
         CASE(replace__write_fails_half_way__old_file_whole),
         CASE(replace__folder_cannot_be_synced__new_file_there_and_said),
         CASE(replace__file_of_another_process_beside_it__left_alone),
         CASE(replace__no_file_yet__made_with_its_mode),
         CASE(replace__open_reader__keeps_the_old_one),
         CASE(replace__symlink__replaced_not_followed),
         CASE(replace__as_root__owner_and_group_kept),
         CASE(replace__member_of_the_group__group_kept),
         CASE(replace__four_threads__one_whole_file))
