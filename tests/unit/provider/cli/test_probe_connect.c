/* SPDX-License-Identifier: Apache-2.0 */
/* Each way in which a socket gives no answers, and one in which it does. */
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/bytes.h>
#include <keyward/clock.h>
#include <keyward/file.h>

#include "probe_connect.h"

/* For what answers; and for what does not. */
#define LONG (3600 * KW_S_NS)
#define SHORT (20 * KW_MS_NS)

static char dir[32], path[64];
static struct kw_note note;

static void before(void)
{
    snprintf(dir, sizeof dir, "/tmp/kw-connect-XXXXXX");
    CHECK(mkdtemp(dir) != NULL && chmod(dir, 0755) == 0);
    snprintf(path, sizeof path, "%s/s", dir);
    note = (struct kw_note){{0}};
}

static void after(void)
{
    (void)unlink(path);
    CHECK(rmdir(dir) == 0);
}

static int bound(int type)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && kw_copy_str(name.sun_path, sizeof name.sun_path, kw_span_str(path)));
    CHECK(bind(fd, (const struct sockaddr *)&name, sizeof name) == 0);
    return fd;
}

static int listening(int backlog)
{
    int fd = bound(SOCK_STREAM);
    CHECK(listen(fd, backlog) == 0);
    return fd;
}

/* Each names the socket. */
static void is(int64_t timeout_ns, enum kw_code code, const char *said)
{
    CHECK_CODE(kw_probe_connect(path, timeout_ns, &note), code);
    CHECK_HAS(note.text, path);
    CHECK_HAS(note.text, said);
}

TEST(path_of_no_socket__bad_input)
{
    static char text[200];
    CHECK_CODE(kw_probe_connect("", LONG, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "no path of a unix socket");
    memset(text, 'x', sizeof text - 1);
    CHECK_CODE(kw_probe_connect(text, LONG, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "no path of a unix socket");
}

TEST(nothing_there__missing)
{
    before();
    is(LONG, KW_CODE_MISSING, "systemctl status keywardd");
    after();
}

TEST(file_of_another_kind__bad_input_and_which)
{
    before();
    CHECK_OK(kw_file_replace(path, kw_span_str("x"), 0600, NULL));
    is(LONG, KW_CODE_BAD_INPUT, "no socket; it wants the socket of a class");
    CHECK(unlink(path) == 0 && mkdir(path, 0700) == 0);
    is(LONG, KW_CODE_BAD_INPUT, "a folder, no socket");
    CHECK(rmdir(path) == 0);
    after();
}

TEST(socket_of_another_kind__io)
{
    before();
    int fd = bound(SOCK_DGRAM);
    is(LONG, KW_CODE_IO, "is it a class's socket?");
    close(fd);
    after();
}

TEST(nobody_listens__io)
{
    before();
    close(bound(SOCK_STREAM));
    is(LONG, KW_CODE_IO, "nobody listens there");
    CHECK(kw_probe_connect(path, LONG, &note).native == ECONNREFUSED);
    after();
}

TEST(no_right__io_and_who_has_one)
{
    before();
    int fd = listening(8);
    CHECK(chmod(path, 0) == 0);
    const uid_t me = geteuid();
    CHECK(me != 0 || seteuid(65534) == 0); /* root may connect to anything */
    kw_err e = kw_probe_connect(path, LONG, &note);
    CHECK(seteuid(me) == 0);
    CHECK(e.code == KW_CODE_IO && e.native == EACCES);
    CHECK_HAS(note.text, path);
    CHECK_HAS(note.text, "may not connect");
    CHECK_HAS(note.text, "classes[].peers");
    close(fd);
    after();
}

TEST(nobody_accepts_and_the_queue_is_full__io)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int waiting[8], count = 0, got = 0;
    before();
    int fd = listening(0);
    kw_copy_str(name.sun_path, sizeof name.sun_path, kw_span_str(path));
    while (got == 0) {
        CHECK(count < 8);
        waiting[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        got = connect(waiting[count++], (const struct sockaddr *)&name, sizeof name);
    }
    CHECK(errno == EAGAIN);
    is(SHORT, KW_CODE_IO, "nobody accepts connections there");
    while (count > 0)
        close(waiting[--count]);
    close(fd);
    after();
}

TEST(server_says_nothing__deadline)
{
    before();
    int fd = listening(8);
    is(SHORT, KW_CODE_DEADLINE, "says nothing");
    close(fd);
    after();
}

struct server {
    int fd;
    const char *says; /* "": nothing */
};

static void *serve_one(void *self)
{
    const struct server *s = self;
    char said[24];
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
    CHECK(fd >= 0);
    if (s->says[0] != '\0') {
        CHECK(recv(fd, said, sizeof said, MSG_WAITALL) == (ssize_t)sizeof said);
        CHECK(memcmp(said, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", sizeof said) == 0);
        CHECK(send(fd, s->says, 1, MSG_NOSIGNAL) == 1);
    }
    close(fd);
    return NULL;
}

static kw_err against(const char *says)
{
    struct server s = {listening(8), says};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, serve_one, &s) == 0);
    kw_err e = kw_probe_connect(path, LONG, &note);
    CHECK(pthread_join(thread, NULL) == 0);
    close(s.fd);
    return e;
}

TEST(server_closes_at_once__denied_and_the_peers_are_named)
{
    before();
    CHECK_CODE(against(""), KW_CODE_DENIED);
    CHECK_HAS(note.text, path);
    CHECK_HAS(note.text, "classes[].peers");
    after();
}

TEST(server_speaks__ok)
{
    before();
    CHECK_OK(against("x"));
    CHECK(note.text[0] == '\0');
    after();
}

KW_CASES("provider/cli/probe_connect", CASE(path_of_no_socket__bad_input),
         CASE(nothing_there__missing), CASE(file_of_another_kind__bad_input_and_which),
         CASE(socket_of_another_kind__io), CASE(nobody_listens__io),
         CASE(no_right__io_and_who_has_one),
         CASE(nobody_accepts_and_the_queue_is_full__io),
         CASE(server_says_nothing__deadline),
         CASE(server_closes_at_once__denied_and_the_peers_are_named),
         CASE(server_speaks__ok))
