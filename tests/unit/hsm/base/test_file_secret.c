/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <keyward/file.h>

#include "test_child.h"
#include "folder.h"

enum { MAX = 8 };

/* Fails as said with a note that has the path and `word`, and gives nothing. */
static void check_refused(const char *path, enum kw_code code, const char *word)
{
    struct kw_secret s = {0};
    struct kw_note note = {{0}};
    struct kw_arena_info info;
    CHECK_CODE(kw_file_read_secret(path, MAX, &s, &note), code);
    CHECK(s.ptr == NULL && s.len == 0);
    CHECK_HAS(note.text, path);
    CHECK_HAS(note.text, word);
    kw_arena_info(&info);
    CHECK(info.used == 0);
}

TEST(read__no_file__missing)
{
    struct folder f;
    folder_make(&f);
    kw_test_arena(4096);
    check_refused(f.file, KW_CODE_MISSING, "No such file");
    folder_remove(&f);
}

TEST(read__bits_for_others__denied_names_chmod)
{
    struct folder f;
    static const mode_t loose[] = {0640, 0604, 0620, 0602, 0610, 0601, 0666};
    folder_make(&f);
    kw_test_arena(4096);
    for (unsigned i = 0; i < sizeof loose / sizeof loose[0]; i++) {
        put_file(f.file, "pin", loose[i]);
        check_refused(f.file, KW_CODE_DENIED, "chmod");
        CHECK(unlink(f.file) == 0);
    }
    folder_remove(&f);
}

/* The mode that stat(2) shows has group bits then: the ACL's mask. */
TEST(read__acl_for_us_alone__read_else_denied)
{
    struct folder f;
    struct kw_secret s = {0};
    uint32_t uid = geteuid(), n = UINT32_MAX;
    uint16_t acl[] = {2,  0, /* version; each entry: tag, rights, id */
                      1,  4, (uint16_t)n,   (uint16_t)(n >> 16),
                      2,  4, (uint16_t)uid, (uint16_t)(uid >> 16),
                      4,  0, (uint16_t)n,   (uint16_t)(n >> 16),
                      16, 4, (uint16_t)n,   (uint16_t)(n >> 16),
                      32, 0, (uint16_t)n,   (uint16_t)(n >> 16)};
    for (size_t i = 0; i < sizeof acl / sizeof acl[0]; i++)
        acl[i] = htole16(acl[i]);
    folder_make(&f);
    kw_test_arena(4096);
    put_file(f.file, "pin", 0400);
    int rc = setxattr(f.file, "system.posix_acl_access", acl, sizeof acl, 0);
    if (rc != 0 && errno == ENOTSUP) { /* a tmpfs has them where /tmp has not */
        folder_remove(&f);
        folder_make_in(&f, "/dev/shm");
        put_file(f.file, "pin", 0400);
        rc = setxattr(f.file, "system.posix_acl_access", acl, sizeof acl, 0);
    }
    if (rc != 0)
        fail_msg("an ACL in /tmp or /dev/shm is wanted: %s", strerror(errno));
    CHECK_OK(kw_file_read_secret(f.file, MAX, &s, NULL));
    CHECK(kw_span_equal_str(kw_secret_peek(&s), "pin"));
    kw_secret_wipe(&s);
    CHECK(chmod(f.file, 0444) == 0);
    check_refused(f.file, KW_CODE_DENIED, "chmod");
    folder_remove(&f);
}

TEST(read__owned_by_another__denied_names_chown)
{
    kw_test_as_root();
    struct folder f;
    folder_make(&f);
    kw_test_arena(4096);
    put_file(f.file, "pin", 0400);
    CHECK(chown(f.file, 12345, 0) == 0);
    check_refused(f.file, KW_CODE_DENIED, "chown");
    folder_remove(&f);
}

/* The arena is not there in a child: it opens its own. */
static int read_forbidden(void *path)
{
    struct kw_note note = {{0}};
    struct kw_secret s = {0};
    drop_rights(0);
    if (kw_failed(kw_arena_open(4096, KW_ARENA_AUTO, &note)))
        return 2;
    kw_err e = kw_file_read_secret(path, MAX, &s, &note);
    return e.code == KW_CODE_DENIED && strstr(note.text, "chown") != NULL ? 0 : 1;
}

TEST(read__may_not_open__denied_names_chown)
{
    struct folder f;
    folder_make(&f);
    CHECK(chmod(f.path, 0755) == 0);
    put_file(f.file, "pin", 0);
    CHECK(child_answer(read_forbidden, f.file) == 0);
    folder_remove(&f);
}

/* Opened by root, which alone may pass the folder, and read by another user. */
static int read_what_is_open(void *fd)
{
    struct kw_note note = {{0}};
    struct kw_secret s = {0};
    drop_rights(0);
    if (kw_failed(kw_arena_open(4096, KW_ARENA_AUTO, &note)))
        return 2;
    for (int i = 0; i < 2; i++) { /* from the beginning each time */
        kw_secret_wipe(&s);
        if (kw_failed(kw_file_judge_secret(*(int *)fd, "it", &note)) ||
            kw_failed(kw_file_read_secret_fd(*(int *)fd, "it", MAX, &s, &note)) ||
            !kw_span_equal_str(kw_secret_peek(&s), "pin"))
            return 1;
    }
    return 0;
}

static int read_what_is_open_and_loose(void *fd)
{
    struct kw_note note = {{0}};
    drop_rights(0);
    return kw_file_judge_secret(*(int *)fd, "it", &note).code == KW_CODE_DENIED ? 0 : 1;
}

TEST(read__opened_by_another__judged_and_read_by_this_one)
{
    struct folder f;
    int fd = -1;
    folder_make(&f);
    put_file(f.file, "pin", 0400);
    CHECK_OK(kw_file_open_secret(f.file, &fd, NULL));
    CHECK(child_answer(read_what_is_open, &fd) == 0);
    CHECK(fchmod(fd, 0440) == 0);
    CHECK(child_answer(read_what_is_open_and_loose, &fd) == 0);
    close(fd);
    folder_remove(&f);
}

TEST(read__symlink__bad_input)
{
    struct folder f;
    char link[128];
    folder_make(&f);
    kw_test_arena(4096);
    put_file(f.file, "pin", 0600);
    snprintf(link, sizeof link, "%s/link", f.path);
    CHECK(symlink(f.file, link) == 0);
    check_refused(link, KW_CODE_BAD_INPUT, "symbolic link");
    CHECK(unlink(link) == 0);
    folder_remove(&f);
}

TEST(read__not_regular__bad_input_at_once)
{
    struct folder f;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    folder_make(&f);
    kw_test_arena(4096);
    check_refused(f.path, KW_CODE_BAD_INPUT, "not a regular file");
    CHECK(mkfifo(f.file, 0600) == 0);
    check_refused(f.file, KW_CODE_BAD_INPUT, "not a regular file");
    CHECK(unlink(f.file) == 0);
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", f.file);
    CHECK(bind(s, (struct sockaddr *)&at, sizeof at) == 0);
    check_refused(f.file, KW_CODE_BAD_INPUT, "not a regular file");
    close(s);
    folder_remove(&f);
}

TEST(read__empty__bad_input)
{
    struct folder f;
    folder_make(&f);
    kw_test_arena(4096);
    put_file(f.file, "", 0600);
    check_refused(f.file, KW_CODE_BAD_INPUT, "empty");
    put_file(f.file, "\n", 0600); /* nothing but the newline that is stripped */
    check_refused(f.file, KW_CODE_BAD_INPUT, "empty");
    folder_remove(&f);
}

TEST(read__too_long__bad_input)
{
    struct folder f;
    static const char *const longer[] = {"123456789", "123456789\n", "12345678\n\n",
                                         "1234567890\n", "12345678901234567890"};
    folder_make(&f);
    kw_test_arena(4096);
    for (unsigned i = 0; i < sizeof longer / sizeof longer[0]; i++) {
        put_file(f.file, longer[i], 0600);
        check_refused(f.file, KW_CODE_BAD_INPUT, "too long");
    }
    folder_remove(&f);
}

TEST(read__arena_full__no_memory)
{
    struct folder f;
    KW_AUTO_SECRET(all);
    struct kw_secret s = {0};
    struct kw_note note = {{0}};
    folder_make(&f);
    kw_test_arena(4096);
    CHECK_OK(kw_secret_init(&all, 4096 - 16));
    put_file(f.file, "pin", 0600);
    CHECK_CODE(kw_file_read_secret(f.file, MAX, &s, &note), KW_CODE_NO_MEMORY);
    CHECK(s.ptr == NULL);
    CHECK_HAS(note.text, f.file);
    folder_remove(&f);
}

TEST(read__content__one_newline_stripped)
{
    struct folder f;
    static const struct {
        const char *file, *secret;
    } want[] = {{"pin", "pin"},           {"pin\n", "pin"},
                {"pin\n\n", "pin\n"},     {"p\nn", "p\nn"},
                {"12345678", "12345678"}, {"12345678\n", "12345678"},
                {" pin \r\n", " pin \r"}, {"\n\n", "\n"}};
    folder_make(&f);
    kw_test_arena(4096);
    for (unsigned i = 0; i < sizeof want / sizeof want[0]; i++) {
        KW_AUTO_SECRET(s);
        put_file(f.file, want[i].file, 0600);
        CHECK_OK(kw_file_read_secret(f.file, MAX, &s, NULL));
        CHECK(kw_span_equal_str(kw_secret_peek(&s), want[i].secret));
    }
    folder_remove(&f);
}

TEST(read__onto_another_secret__that_one_replaced)
{
    struct folder f;
    KW_AUTO_SECRET(s);
    folder_make(&f);
    kw_test_arena(4096);
    CHECK_OK(kw_secret_copy(&s, kw_span_of("old", 3)));
    CHECK_CODE(kw_file_read_secret(f.file, MAX, &s, NULL), KW_CODE_MISSING);
    CHECK(kw_span_equal_str(kw_secret_peek(&s), "old")); /* untouched on failure */
    put_file(f.file, "new", 0400);
    CHECK_OK(kw_file_read_secret(f.file, MAX, &s, NULL));
    CHECK(kw_span_equal_str(kw_secret_peek(&s), "new"));
    folder_remove(&f);
}

KW_CASES("hsm/base/file-secret", CASE(read__no_file__missing),
         CASE(read__bits_for_others__denied_names_chmod),
         CASE(read__acl_for_us_alone__read_else_denied),
         CASE(read__owned_by_another__denied_names_chown),
         CASE(read__may_not_open__denied_names_chown),
         CASE(read__opened_by_another__judged_and_read_by_this_one),
         CASE(read__symlink__bad_input), CASE(read__not_regular__bad_input_at_once),
         CASE(read__empty__bad_input), CASE(read__too_long__bad_input),
         CASE(read__arena_full__no_memory), CASE(read__content__one_newline_stripped),
         CASE(read__onto_another_secret__that_one_replaced))
