/* SPDX-License-Identifier: Apache-2.0 */
#include "listen_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct kw_note note;

static enum kw_code try_open(struct rig *r, int fd)
{
    struct kw_listener *l = NULL;
    r->options.inherited_fd = fd;
    note.text[0] = '\0';
    kw_err e = kw_listener_open(&r->options, &l, &note);
    kw_listener_close(l);
    return e.code;
}

TEST(open__not_what_was_configured__bad_input)
{
    struct rig r;
    char other[112];
    rig_init(&r);
    snprintf(other, sizeof other, "%s.other", r.path);
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    int elsewhere = rig_socket(other, SOCK_STREAM, true);
    int deaf = rig_socket(r.path, SOCK_STREAM, false);
    unlink(r.path);
    int datagram = rig_socket(r.path, SOCK_DGRAM, false);
    int unnamed = socket(AF_UNIX, SOCK_STREAM, 0);
    int tcp = socket(AF_INET, SOCK_STREAM, 0);
    const int wrong[] = {pipes[0], elsewhere, deaf, datagram, unnamed, tcp, 1000};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK(try_open(&r, wrong[i]) == KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, "ListenStream=");
        close(wrong[i]);
    }
    close(pipes[1]);
    unlink(other);
    rig_wipe(&r);
}

TEST(open__folder_writable_by_group__denied)
{
    struct rig r;
    rig_init(&r);
    int fd = rig_socket(r.path, SOCK_STREAM, true);
    CHECK(chmod(r.dir, 0770) == 0);
    CHECK(try_open(&r, fd) == KW_CODE_DENIED);
    close(fd);
    rig_wipe(&r);
}

TEST(open__right_socket__served_and_never_unlinked)
{
    struct rig r;
    rig_init(&r);
    int fd = rig_socket(r.path, SOCK_STREAM, true);
    r.options.inherited_fd = fd;
    rig_open(&r);
    CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    int client = rig_connect(&r);
    RIG_UNTIL(&r, s.waiting == 1);
    close(client);
    kw_listener_close(r.listener);
    r.listener = NULL;
    CHECK(rig_exists(r.path));
    rig_wipe(&r);
}

static void give_env(const char *pid, const char *fds, const char *names)
{
    char own[16];
    snprintf(own, sizeof own, "%d", getpid());
    setenv("LISTEN_PID", pid != NULL ? pid : own, 1);
    setenv("LISTEN_FDS", fds, 1);
    if (names != NULL)
        setenv("LISTEN_FDNAMES", names, 1);
    else
        unsetenv("LISTEN_FDNAMES");
}

static int fds[KW_CLASSES_MAX];
static char names[KW_CLASSES_MAX][64];

TEST(environment__not_for_us_or_no_number__none)
{
    give_env("1", "2", "a:b");
    assert_int_equal(kw_listen_inherited(&note, fds, names), 0);
    static const char *const counts[] = {
        "", "0", "-1", "two", "2x", " 2", "99999999999999999999"};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        give_env(NULL, counts[i], "a:b");
        assert_int_equal(kw_listen_inherited(&note, fds, names), 0);
    }
    unsetenv("LISTEN_PID");
    assert_int_equal(kw_listen_inherited(&note, fds, names), 0);
}

TEST(environment__two_named__from_3_on_and_close_on_exec)
{
    CHECK(dup2(1, 3) == 3 && dup2(1, 4) == 4);
    give_env(NULL, "2", "secrets:bulk");
    assert_int_equal(kw_listen_inherited(&note, fds, names), 2);
    assert_int_equal(fds[0], 3);
    assert_int_equal(fds[1], 4);
    CHECK_STR(names[0], "secrets");
    CHECK_STR(names[1], "bulk");
    assert_int_equal(fcntl(4, F_GETFD), FD_CLOEXEC);
}

TEST(environment__names_missing_or_empty__unknown)
{
    give_env(NULL, "3", "one::");
    assert_int_equal(kw_listen_inherited(&note, fds, names), 3);
    CHECK_STR(names[0], "one");
    CHECK_STR(names[1], "unknown");
    CHECK_STR(names[2], "unknown");
    give_env(NULL, "1", NULL);
    assert_int_equal(kw_listen_inherited(&note, fds, names), 1);
    CHECK_STR(names[0], "unknown");
}

TEST(environment__more_than_there_are_classes__the_first_and_a_note)
{
    note.text[0] = '\0';
    give_env(NULL, "17", NULL);
    assert_int_equal(kw_listen_inherited(&note, fds, names), KW_CLASSES_MAX);
    CHECK_HAS(note.text, "LISTEN_FDS=17");
}

KW_CASES("provider/listen/inherited", CASE(open__not_what_was_configured__bad_input),
         CASE(open__folder_writable_by_group__denied),
         CASE(open__right_socket__served_and_never_unlinked),
         CASE(environment__not_for_us_or_no_number__none),
         CASE(environment__two_named__from_3_on_and_close_on_exec),
         CASE(environment__names_missing_or_empty__unknown),
         CASE(environment__more_than_there_are_classes__the_first_and_a_note))
