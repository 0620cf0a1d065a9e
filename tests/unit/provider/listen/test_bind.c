/* SPDX-License-Identifier: Apache-2.0 */
#include "listen_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/alloc.h>

static struct kw_note note;

static enum kw_code try_open(struct rig *r)
{
    struct kw_listener *l = NULL;
    note.text[0] = '\0';
    kw_err e = kw_listener_open(&r->options, &l, &note);
    if (!kw_failed(e))
        kw_listener_close(l);
    else
        CHECK(l == NULL && note.text[0] != '\0');
    return e.code;
}

/* Somebody else's socket file, who may or may not listen. */
static int foreign_socket(const char *path, bool listens)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    kw_copy_str(a.sun_path, sizeof a.sun_path, kw_span_str(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0);
    CHECK(!listens || listen(fd, 1) == 0);
    return fd;
}

static ino_t inode_of(const char *path)
{
    struct stat st;
    CHECK(lstat(path, &st) == 0);
    return st.st_ino;
}

TEST(open__folder_writable_by_group_or_others__denied)
{
    static const mode_t modes[] = {0770, 0707, 0777, 01777, 0720};
    struct rig r;
    rig_init(&r);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        CHECK(chmod(r.dir, modes[i]) == 0);
        CHECK(try_open(&r) == KW_CODE_DENIED);
        CHECK_HAS(note.text, "chmod go-w");
        CHECK(!rig_exists(r.path));
    }
    CHECK(chmod(r.dir, 0755) == 0);
    CHECK(try_open(&r) == KW_CODE_OK);
    rig_wipe(&r);
}

TEST(open__folder_of_another_uid__denied)
{
    struct rig r;
    kw_test_as_root();
    rig_init(&r);
    CHECK(chown(r.dir, 12345, 0) == 0);
    CHECK(try_open(&r) == KW_CODE_DENIED);
    CHECK_HAS(note.text, "12345");
    rig_wipe(&r);
}

TEST(open__path_no_socket_can_have__bad_input)
{
    char long_path[160];
    struct rig r;
    rig_init(&r);
    memset(long_path, 'x', sizeof long_path);
    long_path[0] = '/';
    long_path[KW_SOCKET_PATH_MAX + 1] = '\0';
    const char *const paths[] = {"", "relative/s", "/", "/tmp/", long_path};
    for (size_t i = 0; i < 5; i++) {
        r.options.path = paths[i];
        CHECK(try_open(&r) == KW_CODE_BAD_INPUT);
    }
    rig_wipe(&r);
}

TEST(open__folder_is_missing__io)
{
    struct rig r;
    rig_init(&r);
    r.options.path = "/nonexistent-folder/s";
    CHECK(try_open(&r) == KW_CODE_IO);
    CHECK_HAS(note.text, "/nonexistent-folder");
    rig_wipe(&r);
}

TEST(open__second_instance__busy_and_the_first_serves)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    ino_t before = inode_of(r.path);
    CHECK(try_open(&r) == KW_CODE_BUSY);
    CHECK_HAS(note.text, ".lock");
    CHECK(inode_of(r.path) == before);
    int fd = rig_connect(&r);
    RIG_UNTIL(&r, s.waiting == 1);
    close(fd);
    rig_wipe(&r);
}

TEST(open__live_socket_of_another_program__busy_and_untouched)
{
    struct rig r;
    rig_init(&r);
    int fd = foreign_socket(r.path, true);
    ino_t before = inode_of(r.path);
    CHECK(try_open(&r) == KW_CODE_BUSY);
    CHECK_HAS(note.text, "answers");
    CHECK(inode_of(r.path) == before);
    close(fd);
    rig_wipe(&r);
}

/* A full backlog is no proof of death. */
TEST(open__live_socket_with_full_backlog__busy)
{
    struct rig r;
    int waiting[3];
    rig_init(&r);
    int fd = foreign_socket(r.path, true);
    for (int i = 0; i < 2; i++)
        waiting[i] = rig_connect(&r);
    CHECK(try_open(&r) == KW_CODE_BUSY);
    CHECK(rig_exists(r.path));
    for (int i = 0; i < 2; i++)
        close(waiting[i]);
    close(fd);
    rig_wipe(&r);
}

TEST(open__stale_socket__replaced)
{
    struct rig r;
    rig_init(&r);
    close(foreign_socket(r.path, true)); /* as after a SIGKILL */
    rig_open(&r);
    int fd = rig_connect(&r);
    RIG_UNTIL(&r, s.waiting == 1);
    close(fd);
    rig_wipe(&r);
}

TEST(open__half_made_socket_of_a_killed_start__replaced)
{
    struct rig r;
    char temp[112];
    rig_init(&r);
    snprintf(temp, sizeof temp, "%s.new", r.path);
    close(foreign_socket(temp, false));
    rig_open(&r);
    CHECK(!rig_exists(temp));
    rig_wipe(&r);
}

TEST(open__regular_file_in_place__bad_input_and_untouched)
{
    struct rig r;
    rig_init(&r);
    int fd = open(r.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(fd);
    ino_t before = inode_of(r.path);
    CHECK(try_open(&r) == KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "no socket");
    CHECK(inode_of(r.path) == before);
    rig_wipe(&r);
}

TEST(open__lock_is_a_symlink__io)
{
    struct rig r;
    char lock[112];
    rig_init(&r);
    snprintf(lock, sizeof lock, "%s.lock", r.path);
    CHECK(symlink("/tmp/kw-no-such-target", lock) == 0);
    CHECK(try_open(&r) == KW_CODE_IO);
    CHECK(!rig_exists("/tmp/kw-no-such-target"));
    rig_wipe(&r);
}

TEST(open__mode__of_the_socket_file_whatever_the_umask)
{
    struct rig r;
    struct stat st;
    rig_init(&r);
    r.options.mode = 0660;
    mode_t before = umask(0777);
    rig_open(&r);
    umask(before);
    CHECK(lstat(r.path, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0660);
    rig_wipe(&r);
}

TEST(open__path_of_107_bytes__served)
{
    struct rig r;
    char deep[KW_SOCKET_PATH_MAX + 1];
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    rig_init(&r);
    size_t n = (size_t)snprintf(deep, sizeof deep, "%s/", r.dir);
    memset(deep + n, 'd', sizeof deep - n);
    deep[KW_SOCKET_PATH_MAX] = '\0';
    r.options.path = deep;
    rig_open(&r);
    kw_copy_str(a.sun_path, sizeof a.sun_path, kw_span_str(deep));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(fd, (struct sockaddr *)&a, sizeof a) == 0);
    close(fd);
    kw_listener_close(r.listener);
    r.listener = NULL;
    char lock[128];
    snprintf(lock, sizeof lock, "%s.lock", deep);
    CHECK(unlink(lock) == 0);
    rig_wipe(&r);
}

TEST(open__any_allocation_fails__no_memory_and_nothing_left)
{
    struct rig r;
    enum kw_code code = KW_CODE_NO_MEMORY;
    long n = 0;
    rig_init(&r);
    for (; code == KW_CODE_NO_MEMORY; n++) {
        struct kw_listener *l = NULL;
        kw_alloc_fail_from(n);
        code = kw_listener_open(&r.options, &l, NULL).code;
        kw_alloc_fail_from(-1);
        CHECK((code == KW_CODE_OK) == rig_exists(r.path));
        kw_listener_close(l);
    }
    CHECK(code == KW_CODE_OK && n > 5);
    rig_wipe(&r);
}

TEST(close__still_ours__file_is_gone)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    CHECK(rig_exists(r.path));
    kw_listener_close(r.listener);
    r.listener = NULL;
    CHECK(!rig_exists(r.path));
    kw_listener_close(NULL);
    rig_wipe(&r);
}

TEST(close__file_replaced_by_another__theirs_stays)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    CHECK(unlink(r.path) == 0);
    int fd = foreign_socket(r.path, true);
    ino_t theirs = inode_of(r.path);
    kw_listener_close(r.listener);
    r.listener = NULL;
    CHECK(inode_of(r.path) == theirs);
    close(fd);
    rig_wipe(&r);
}

TEST(close__then_open_again__works)
{
    struct rig r;
    rig_init(&r);
    CHECK(try_open(&r) == KW_CODE_OK);
    CHECK(try_open(&r) == KW_CODE_OK);
    rig_wipe(&r);
}

KW_CASES("provider/listen/bind", CASE(open__folder_writable_by_group_or_others__denied),
         CASE(open__folder_of_another_uid__denied),
         CASE(open__path_no_socket_can_have__bad_input),
         CASE(open__folder_is_missing__io),
         CASE(open__second_instance__busy_and_the_first_serves),
         CASE(open__live_socket_of_another_program__busy_and_untouched),
         CASE(open__live_socket_with_full_backlog__busy),
         CASE(open__stale_socket__replaced),
         CASE(open__half_made_socket_of_a_killed_start__replaced),
         CASE(open__regular_file_in_place__bad_input_and_untouched),
         CASE(open__lock_is_a_symlink__io),
         CASE(open__mode__of_the_socket_file_whatever_the_umask),
         CASE(open__path_of_107_bytes__served),
         CASE(open__any_allocation_fails__no_memory_and_nothing_left),
         CASE(close__still_ours__file_is_gone),
         CASE(close__file_replaced_by_another__theirs_stays),
         CASE(close__then_open_again__works))
