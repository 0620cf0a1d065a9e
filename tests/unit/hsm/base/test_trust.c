/* SPDX-License-Identifier: Apache-2.0 */
/* Who can have changed or exchanged a file: its own mode and owner, each folder above it,
 * and each link on the way. */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/limits.h>

#include "test_child.h"
#include "folder.h"

enum { MAX = 16, SOMEBODY = 12345, NOBODY_ELSE = 12346 };

static char sub[96], below[128], link_to[128];

/* <tmp>/sub/file, and names for links. */
static void place(struct folder *f)
{
    folder_make(f);
    snprintf(sub, sizeof sub, "%s/sub", f->path);
    snprintf(below, sizeof below, "%s/file", sub);
    snprintf(link_to, sizeof link_to, "%s/link", f->path);
    CHECK(mkdir(sub, 0755) == 0);
    put_file(below, "content", 0644);
}

static void clear(struct folder *f)
{
    unlink(below);
    unlink(link_to);
    CHECK(rmdir(sub) == 0);
    folder_remove(f);
}

/* Both functions refuse alike; the note names the part at fault and says `word`. */
static void check_refused(const char *path, uid_t uid, enum kw_code code,
                          const char *part, const char *word)
{
    struct kw_blob b = {0};
    struct kw_note note = {{0}};
    CHECK_CODE(kw_file_read_trusted(path, uid, MAX, &b, &note), code);
    CHECK(b.ptr == NULL && b.len == 0);
    CHECK_HAS(note.text, part);
    CHECK_HAS(note.text, word);
    note.text[0] = '\0';
    CHECK_CODE(kw_file_judge(path, uid, &note), code);
    CHECK_HAS(note.text, part);
    CHECK_HAS(note.text, word);
    CHECK_CODE(kw_file_judge(path, uid, NULL), code); /* nobody reads the note */
}

static void check_read(const char *path, uid_t uid)
{
    struct kw_blob b = {0};
    struct kw_note note = {{0}};
    kw_err e = kw_file_read_trusted(path, uid, MAX, &b, &note);
    if (kw_failed(e))
        fail_msg("%s: %s", kw_code_name(e.code), note.text);
    CHECK(kw_span_equal_str(kw_blob_peek(&b), "content"));
    kw_blob_wipe(&b);
    CHECK_OK(kw_file_judge(path, uid, &note));
}

/* Gives the thing to somebody who is neither root nor the uid that is returned. */
static uid_t of_somebody_else(const char *path)
{
    if (geteuid() != 0)
        return geteuid() + 1;
    CHECK(lchown(path, SOMEBODY, (gid_t)-1) == 0);
    return NOBODY_ELSE;
}

TEST(file__others_may_write__denied)
{
    static const mode_t loose[] = {0664, 0646, 0666, 0622, 0777};
    struct folder f;
    place(&f);
    for (size_t i = 0; i < sizeof loose / sizeof loose[0]; i++) {
        CHECK(chmod(below, loose[i]) == 0);
        check_refused(below, geteuid(), KW_CODE_DENIED, below, "chmod go-w");
    }
    clear(&f);
}

TEST(file__somebody_elses__denied)
{
    struct folder f;
    place(&f);
    uid_t uid = of_somebody_else(below);
    check_refused(below, uid, KW_CODE_DENIED, below, "chown it to root or to uid");
    clear(&f);
}

TEST(folder__others_may_write__denied)
{
    static const mode_t loose[] = {0775, 0757, 0777};
    struct folder f;
    place(&f);
    for (size_t i = 0; i < sizeof loose / sizeof loose[0]; i++) {
        CHECK(chmod(sub, loose[i]) == 0);
        check_refused(below, geteuid(), KW_CODE_DENIED, sub, "chmod go-w the folder");
    }
    CHECK(chmod(sub, 0755) == 0 && chmod(f.path, 0777) == 0); /* the one above it */
    check_refused(below, geteuid(), KW_CODE_DENIED, f.path, "exchange");
    clear(&f);
}

TEST(folder__somebody_elses__denied)
{
    struct folder f;
    place(&f);
    uid_t uid = of_somebody_else(sub);
    check_refused(below, uid, KW_CODE_DENIED, sub, "who could change");
    clear(&f);
}

/* In /tmp nobody can take away what is another's; in a sticky folder of its owner that
 * owner can. */
TEST(folder__sticky__only_roots_may_be_shared)
{
    struct folder f;
    struct stat tmp;
    CHECK(stat("/tmp", &tmp) == 0 && (tmp.st_mode & 01022) == 01022);
    place(&f);
    check_read(below, geteuid());
    CHECK(chmod(sub, 01777) == 0);
    if (geteuid() == 0)
        CHECK(chown(sub, SOMEBODY, (gid_t)-1) == 0);
    check_refused(below, geteuid() == 0 ? SOMEBODY : geteuid(), KW_CODE_DENIED, sub,
                  "chmod go-w the folder");
    clear(&f);
}

TEST(link__into_a_folder_of_others__denied)
{
    struct folder f;
    place(&f);
    CHECK(chmod(sub, 0777) == 0 && symlink(below, link_to) == 0);
    check_refused(link_to, geteuid(), KW_CODE_DENIED, sub, "exchange");
    clear(&f);
}

TEST(link__somebody_elses__denied)
{
    struct folder f;
    place(&f);
    CHECK(symlink("sub/file", link_to) == 0);
    uid_t uid = of_somebody_else(link_to);
    check_refused(link_to, uid, KW_CODE_DENIED, link_to, "who could change");
    clear(&f);
}

TEST(link__to_itself_or_nowhere__refused)
{
    struct folder f;
    place(&f);
    CHECK(symlink("link", link_to) == 0);
    check_refused(link_to, geteuid(), KW_CODE_BAD_INPUT, link_to, "link");
    CHECK(unlink(link_to) == 0 && symlink("not-there", link_to) == 0);
    check_refused(link_to, geteuid(), KW_CODE_MISSING, "not-there", "No such file");
    clear(&f);
}

TEST(path__not_there__missing_and_names_the_part)
{
    struct folder f;
    char path[160];
    place(&f);
    snprintf(path, sizeof path, "%s/none/file", sub);
    check_refused(path, geteuid(), KW_CODE_MISSING, "/none:", "No such file");
    clear(&f);
}

TEST(path__of_a_folder_or_through_a_file__bad_input)
{
    struct folder f;
    char path[160];
    place(&f);
    check_refused(sub, geteuid(), KW_CODE_BAD_INPUT, sub, "not a regular file");
    check_refused("/", geteuid(), KW_CODE_BAD_INPUT, "/", "not a regular file");
    snprintf(path, sizeof path, "%s/", below);
    check_refused(path, geteuid(), KW_CODE_BAD_INPUT, path, "not a regular file");
    snprintf(path, sizeof path, "%s/x", below);
    check_refused(path, geteuid(), KW_CODE_BAD_INPUT, path, "not a regular file");
    CHECK(unlink(below) == 0 && mkfifo(below, 0600) == 0);
    check_refused(below, geteuid(), KW_CODE_BAD_INPUT, below, "not a regular file");
    clear(&f);
}

TEST(path__too_long__io)
{
    static char path[3 * KW_PATH_MAX];
    memset(path, 'a', sizeof path - 1);
    path[0] = '/';
    check_refused(path, geteuid(), KW_CODE_IO, "/aaa", "aaa");
    for (size_t i = 2; i < sizeof path - 1; i += 2)
        path[i] = '/';
    check_refused(path, geteuid(), KW_CODE_IO, "/a/a", "/a/a");
}

TEST(read__larger_than_max__bad_input)
{
    struct folder f;
    struct kw_blob b = {0};
    struct kw_note note;
    place(&f);
    put_file(below, "0123456789abcdefg", 0644);
    CHECK_CODE(kw_file_read_trusted(below, geteuid(), MAX, &b, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "larger");
    clear(&f);
}

static int forbidden(void *path)
{
    struct kw_blob b = {0};
    drop_rights(0);
    kw_err e = kw_file_read_trusted(path, geteuid(), MAX, &b, NULL);
    return e.code == KW_CODE_IO && e.native == EACCES;
}

TEST(read__may_not_open__io_with_errno)
{
    struct folder f;
    place(&f);
    CHECK(chmod(f.path, 0755) == 0 && chmod(below, 0) == 0);
    if (geteuid() == 0)
        CHECK(child_answer(forbidden, below));
    clear(&f);
}

TEST(good__plain_relative_and_through_links__read)
{
    struct folder f;
    char path[300], here[KW_PATH_MAX];
    place(&f);
    check_read(below, geteuid());
    check_read(below, geteuid() == 0 ? NOBODY_ELSE : geteuid()); /* root's is good */
    snprintf(path, sizeof path, "%s//./sub/../sub///file", f.path);
    check_read(path, geteuid());
    CHECK(symlink(sub, link_to) == 0); /* a folder, absolute */
    snprintf(path, sizeof path, "%s/file", link_to);
    check_read(path, geteuid());
    CHECK(unlink(link_to) == 0 && symlink("./sub/file", link_to) == 0);
    check_read(link_to, geteuid());
    CHECK(getcwd(here, sizeof here) != NULL && chdir(sub) == 0);
    check_read("file", geteuid());
    check_read("../sub/file", geteuid());
    CHECK(chdir(here) == 0);
    clear(&f);
}

TEST(good__many_times__no_descriptor_left)
{
    struct folder f;
    place(&f);
    int before = dup(0);
    close(before);
    check_read(below, geteuid());
    check_refused(sub, geteuid(), KW_CODE_BAD_INPUT, sub, "regular");
    CHECK(chmod(sub, 0777) == 0 && symlink("sub/file", link_to) == 0);
    check_refused(link_to, geteuid(), KW_CODE_DENIED, sub, "exchange");
    int after = dup(0);
    close(after);
    assert_int_equal(after, before);
    clear(&f);
}

KW_CASES("hsm/base/trust", CASE(file__others_may_write__denied),
         CASE(file__somebody_elses__denied), CASE(folder__others_may_write__denied),
         CASE(folder__somebody_elses__denied),
         CASE(folder__sticky__only_roots_may_be_shared),
         CASE(link__into_a_folder_of_others__denied), CASE(link__somebody_elses__denied),
         CASE(link__to_itself_or_nowhere__refused),
         CASE(path__not_there__missing_and_names_the_part),
         CASE(path__of_a_folder_or_through_a_file__bad_input), CASE(path__too_long__io),
         CASE(read__larger_than_max__bad_input), CASE(read__may_not_open__io_with_errno),
         CASE(good__plain_relative_and_through_links__read),
         CASE(good__many_times__no_descriptor_left))
