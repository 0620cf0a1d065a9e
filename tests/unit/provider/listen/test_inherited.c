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

TEST(open__another_mode__bad_input)
{
    struct rig r;
    rig_init(&r);
    int fd = rig_socket(r.path, SOCK_STREAM, true);
    static const mode_t modes[] = {0666, 0660, 0400, 04600};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        CHECK(chmod(r.path, modes[i]) == 0);
        CHECK(try_open(&r, fd) == KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, "SocketMode=");
    }
    close(fd);
    rig_wipe(&r);
}

TEST(open__another_owner__bad_input)
{
    struct rig r;
    kw_test_as_root(); /* to give it away */
    rig_init(&r);
    int fd = rig_socket(r.path, SOCK_STREAM, true);
    CHECK(chown(r.path, 20001, 0) == 0);
    CHECK(try_open(&r, fd) == KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "SocketUser=");
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
static const char *const classes[] = {"secrets", "bulk"};

static enum kw_code inherit(const char *pid, const char *count, const char *names)
{
    give_env(pid, count, names);
    note.text[0] = '\0';
    fds[0] = fds[1] = 7;
    return kw_listen_inherited(classes, 2, fds, &note).code;
}

TEST(environment__not_for_us_or_no_number__none)
{
    static const char *const counts[] = {"", "0", "-1", "two", "2x", " 2"};
    CHECK(inherit("1", "2", "secrets:bulk") == KW_CODE_OK && fds[0] == -1 &&
          fds[1] == -1);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        CHECK(inherit(NULL, counts[i], "secrets:bulk") == KW_CODE_OK && fds[0] == -1 &&
              fds[1] == -1);
    unsetenv("LISTEN_PID");
    CHECK_OK(kw_listen_inherited(classes, 2, fds, &note));
}

TEST(environment__each_class_has_one__by_name_and_close_on_exec)
{
    CHECK(dup2(1, 3) == 3 && dup2(1, 4) == 4);
    CHECK(inherit(NULL, "2", "bulk:secrets") == KW_CODE_OK);
    assert_int_equal(fds[0], 4);
    assert_int_equal(fds[1], 3);
    assert_int_equal(fcntl(4, F_GETFD), FD_CLOEXEC);
}

static void refused(const char *count, const char *names, const char *word)
{
    if (inherit(NULL, count, names) != KW_CODE_BAD_INPUT)
        fail_msg("LISTEN_FDS=%s LISTEN_FDNAMES=%s was taken", count,
                 names != NULL ? names : "-");
    CHECK_HAS(note.text, word);
}

TEST(environment__no_classs_name__refused)
{
    CHECK(dup2(1, 3) == 3 && dup2(1, 4) == 4 && dup2(1, 5) == 5);
    refused("2", "secrets:keyward.socket", "\"keyward.socket\" (descriptor 4)");
    refused("3", "secrets:bulk:status", "FileDescriptorName=");
    refused("2", "secrets:", "\"unknown\"");
    refused("1", NULL, "\"unknown\"");
    refused("1", "secret", "\"secret\"");
    refused("99999999999999999999", "secrets:bulk", "\"unknown\" (descriptor 5)");
}

TEST(environment__two_of_one_name__refused)
{
    CHECK(dup2(1, 3) == 3 && dup2(1, 4) == 4 && dup2(1, 5) == 5);
    refused("3", "secrets:bulk:secrets", "descriptors 3 and 5");
}

TEST(environment__a_class_without__refused)
{
    CHECK(dup2(1, 3) == 3);
    refused("1", "secrets", "keyward@bulk.socket");
    refused("1", "bulk", "keyward@secrets.socket");
}

TEST(environment__one_that_is_not_open__io)
{
    close(3);
    CHECK(inherit(NULL, "2", "secrets:bulk") == KW_CODE_IO);
}

KW_CASES("provider/listen/inherited", CASE(open__not_what_was_configured__bad_input),
         CASE(open__folder_writable_by_group__denied),
         CASE(open__another_mode__bad_input), CASE(open__another_owner__bad_input),
         CASE(open__right_socket__served_and_never_unlinked),
         CASE(environment__not_for_us_or_no_number__none),
         CASE(environment__each_class_has_one__by_name_and_close_on_exec),
         CASE(environment__no_classs_name__refused),
         CASE(environment__two_of_one_name__refused),
         CASE(environment__a_class_without__refused),
         CASE(environment__one_that_is_not_open__io))
