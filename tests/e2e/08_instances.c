/* SPDX-License-Identifier: Apache-2.0 */
/* 08: who owns a socket path: a second keyward, a dead one, a stranger. */
#include "instance.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static ino_t inode_of(const char *path)
{
    struct stat st;
    CHECK(lstat(path, &st) == 0);
    return st.st_ino;
}

/* Starts it, expects exit status 1 and a log line that holds both texts. */
static void refuses(struct instance *h, const char *path, const char *why)
{
    size_t mark = instance_mark(h);
    instance_start(h, NULL);
    instance_await(h, mark, NULL, "event=cannot-start", path, why, NULL);
    assert_int_equal(instance_wait_end(h), 1);
}

TEST(second_instance__refused_and_the_first_is_undisturbed)
{
    struct instance h, second;
    kw_test_arena(1 << 20);
    instance_build(&h, NULL);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_round_trip(c);
    const ino_t inodes[] = {inode_of(h.secrets), inode_of(h.bulk), inode_of(h.status)};
    size_t mark = instance_mark(&h);
    instance_share(&second, &h);
    refuses(&second, "/audit: another process", "is keywardd running already?");
    instance_unshare(&second);
    CHECK(inode_of(h.secrets) == inodes[0] && inode_of(h.bulk) == inodes[1] &&
          inode_of(h.status) == inodes[2]);
    instance_round_trip(c);
    struct kw_client *fresh = instance_client(&h, h.bulk);
    instance_round_trip(fresh);
    assert_int_equal(instance_count(&h, mark, "event=worker-ended"), 0);
    char doc[32768];
    instance_status(&h, doc, sizeof doc);
    CHECK_HAS(doc, "\"state\":\"up\"");
    kw_client_close(c);
    kw_client_close(fresh);
    instance_destroy(&h);
}

TEST(stale_sockets_of_a_killed_one__replaced)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    instance_signal(&h, SIGKILL);
    assert_int_equal(instance_wait_end(&h), 128 + SIGKILL);
    CHECK(inode_of(h.secrets) != 0 && inode_of(h.status) != 0); /* they are still there */
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_round_trip(c);
    kw_client_close(c);
    char doc[32768];
    instance_status(&h, doc, sizeof doc);
    CHECK_HAS(doc, "\"state\":\"up\"");
    assert_int_equal(instance_stop(&h), 0);
    CHECK(access(h.secrets, F_OK) != 0 && access(h.status, F_OK) != 0);
    instance_destroy(&h);
}

static int stranger(const char *path, mode_t mode)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    kw_copy(at.sun_path, sizeof at.sun_path - 1, kw_span_str(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0);
    CHECK(chmod(path, mode) == 0 && listen(fd, 4) == 0);
    return fd;
}

/* Whoever connects to the path still reaches the stranger. */
static void still_answers(const char *path, int listener)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char byte = 0;
    kw_copy(at.sun_path, sizeof at.sun_path - 1, kw_span_str(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) == 0);
    CHECK(write(fd, "x", 1) == 1);
    for (int peer = -1; byte != 'x'; close(peer)) { /* keywardd may have knocked before */
        peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        CHECK(peer >= 0);
        if (read(peer, &byte, 1) < 0)
            byte = 0;
    }
    close(fd);
}

static void strangers_live_socket(struct instance *h, const char *path, mode_t mode,
                                  const char *why)
{
    int fd = stranger(path, mode);
    ino_t inode = inode_of(path);
    refuses(h, path, why);
    CHECK(inode_of(path) == inode);
    still_answers(path, fd);
    close(fd);
    CHECK(unlink(path) == 0);
}

TEST(strangers_live_socket__refused_and_never_unlinked)
{
    INSTANCE_AND_ARENA(h, NULL);
    strangers_live_socket(&h, h.secrets, 0666, "answers");
    strangers_live_socket(&h, h.bulk, 0600,
                          "answers"); /* when root's: keywardd may not even ask */
    strangers_live_socket(&h, h.status, 0666, "answers");
    strangers_live_socket(&h, h.status, 0600, "answers");
    instance_up(&h);
    instance_destroy(&h);
}

TEST(no_socket_on_the_path__refused_and_left_alone)
{
    char text[8] = "";
    INSTANCE(h, NULL);
    int fd = open(h.bulk, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    CHECK(fd >= 0 && write(fd, "mine", 4) == 4);
    refuses(&h, h.bulk, "no socket");
    CHECK(lseek(fd, 0, SEEK_SET) == 0 && read(fd, text, sizeof text - 1) == 4);
    CHECK_STR(text, "mine");
    CHECK(access(h.bulk, F_OK) == 0);
    close(fd);
    instance_destroy(&h);
}

KW_CASES("08-instances", CASE(second_instance__refused_and_the_first_is_undisturbed),
         CASE(stale_sockets_of_a_killed_one__replaced),
         CASE(strangers_live_socket__refused_and_never_unlinked),
         CASE(no_socket_on_the_path__refused_and_left_alone))
