/* SPDX-License-Identifier: Apache-2.0 */
/* Real connections on loopback, with the server's loop turned by the test. */
#include "check.h"

#include <stdio.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "http.h"
#include "listening.h"

struct served {
    struct event_base *loop;
    struct kw_http *http;
    struct kw_listening_at at;
    int listening;
    unsigned asked, gone;
    bool later; /* answers are owed until the test gives them */
    struct kw_http_connection *last;
    char path[KW_TARGET_MAX + 1];
};

static void served_answer(struct kw_http_connection *c, const char *text)
{
    struct evbuffer *body = evbuffer_new();
    CHECK(evbuffer_add(body, text, strlen(text)) == 0);
    kw_http_answer(c, 200, "text/plain", body);
    evbuffer_free(body);
}

static void was_asked(void *ctx, struct kw_http_connection *c,
                      const struct kw_http_request *request)
{
    struct served *s = ctx;
    s->asked++;
    s->last = c;
    CHECK(kw_copy_str(s->path, sizeof s->path, kw_span_str(request->path)));
    if (!s->later)
        served_answer(c, "body");
}

static void was_gone(void *ctx, struct kw_http_connection *c)
{
    struct served *s = ctx;
    CHECK(c == s->last);
    s->gone++;
}

static struct served *served_begin(int64_t time_ns)
{
    static struct served one;
    one = (struct served){.loop = event_base_new()};
    struct kw_note note = {{0}};
    CHECK_OK(kw_listening_parse("127.0.0.1:0", &one.at, &note));
    CHECK_OK(kw_listening_open(&one.at, "test", &one.listening, &note));
    one.at.at.v4.sin_port = htons((uint16_t)kw_listening_port(one.listening));
    const struct kw_http_options o = {.loop = one.loop,
                                      .listening = one.listening,
                                      .time_ns = time_ns,
                                      .asked = was_asked,
                                      .gone = was_gone,
                                      .ctx = &one};
    CHECK_OK(kw_http_new(&o, &one.http));
    return &one;
}

static void served_end(struct served *s)
{
    kw_http_free(s->http);
    event_base_free(s->loop);
    close(s->listening);
}

static int client(const struct served *s)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && connect(fd, &s->at.at.any, s->at.len) == 0);
    return fd;
}

static void say(int fd, const char *text)
{
    const ssize_t len = (ssize_t)strlen(text);
    CHECK(send(fd, text, (size_t)len, MSG_NOSIGNAL) == len);
}

/* Everything up to the end, with the server turned meanwhile; -1: reset. */
static ssize_t hear(struct served *s, int fd, char *dst, size_t cap)
{
    size_t len = 0;
    ssize_t n = -1;
    while (n != 0) {
        CHECK(event_base_loop(s->loop, EVLOOP_NONBLOCK) >= 0);
        n = recv(fd, dst + len, cap - 1 - len, MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN)
            return -1;
        len += n > 0 ? (size_t)n : 0;
    }
    dst[len] = '\0';
    return (ssize_t)len;
}

static char heard[1 << 16];
#define FOREVER (3600 * KW_S_NS)
#define GET "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"

TEST(request__in_single_bytes__answered_and_closed)
{
    struct served *s = served_begin(FOREVER);
    int fd = client(s);
    for (const char *c = GET; *c != '\0'; c++) {
        CHECK(send(fd, c, 1, MSG_NOSIGNAL) == 1);
        CHECK(event_base_loop(s->loop, EVLOOP_NONBLOCK) >= 0);
    }
    CHECK(hear(s, fd, heard, sizeof heard) > 0);
    CHECK_HAS(heard,
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n"
              "Connection: close\r\n");
    CHECK_HAS(heard, "\r\n\r\nbody");
    CHECK_STR(s->path, "/metrics");
    close(fd);
    served_end(s);
}

TEST(head__length_and_no_body)
{
    struct served *s = served_begin(FOREVER);
    int fd = client(s);
    say(fd, "HEAD /metrics HTTP/1.1\r\n\r\n");
    CHECK(hear(s, fd, heard, sizeof heard) > 0);
    CHECK_HAS(heard, "Content-Length: 4\r\n");
    CHECK(strstr(heard, "body") == NULL);
    close(fd);
    served_end(s);
}

TEST(refused__each__by_its_status_and_nobody_asked)
{
    static char endless[KW_REQUEST_MAX + 1];
    memset(endless, 'a', KW_REQUEST_MAX);
    static const struct {
        const char *text, *status;
    } rows[] = {{"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n", "HTTP/1.1 405 "},
                {"GET / HTTP/1.1\r\nContent-Length: 9\r\n\r\n", "HTTP/1.1 400 "},
                {"\x16\x03\x01\r\n\r\n", "HTTP/1.1 400 "},
                {endless, "HTTP/1.1 431 "}};
    struct served *s = served_begin(FOREVER);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = client(s);
        say(fd, rows[i].text);
        CHECK(hear(s, fd, heard, sizeof heard) > 0);
        CHECK(strncmp(heard, rows[i].status, strlen(rows[i].status)) == 0);
        close(fd);
    }
    CHECK(s->asked == 0);
    served_end(s);
}

TEST(silent__its_time_is_over__closed)
{
    struct served *s = served_begin(1);
    int fd = client(s);
    say(fd, "GET /metr");
    assert_int_equal(hear(s, fd, heard, sizeof heard), 0);
    close(fd);
    served_end(s);
}

TEST(a_thousand__who_asks_is_answered_and_the_oldest_silent_ones_are_closed)
{
    enum { MANY = 1000 };
    struct served *s = served_begin(FOREVER);
    static int fds[MANY];
    for (int i = 0; i < MANY; i++) {
        fds[i] = client(s);
        say(fds[i], "GET /");
        CHECK(event_base_loop(s->loop, EVLOOP_NONBLOCK) >= 0);
    }
    int fd = client(s);
    say(fd, GET);
    CHECK(hear(s, fd, heard, sizeof heard) > 0);
    CHECK_HAS(heard, "200 OK");
    CHECK(hear(s, fds[0], heard, sizeof heard) <= 0);
    CHECK(recv(fds[MANY - 1], heard, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    close(fd);
    served_end(s);
}

TEST(answer_owed__client_goes__told_and_nothing_owed)
{
    struct served *s = served_begin(FOREVER);
    s->later = true;
    int fd = client(s);
    const struct linger now = {1, 0}; /* a reset, which is an error and not an end */
    say(fd, GET);
    while (s->asked == 0)
        CHECK(event_base_loop(s->loop, EVLOOP_NONBLOCK) >= 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
    close(fd);
    while (s->gone == 0)
        CHECK(event_base_loop(s->loop, EVLOOP_NONBLOCK) >= 0);
    served_end(s);
    CHECK(s->gone == 1);
}

TEST(answer_owed__client_says_no_more__gets_it_all_the_same)
{
    struct served *s = served_begin(FOREVER);
    s->later = true;
    int fd = client(s);
    say(fd, GET);
    CHECK(shutdown(fd, SHUT_WR) == 0);
    while (s->asked == 0)
        CHECK(event_base_loop(s->loop, EVLOOP_NONBLOCK) >= 0);
    for (int i = 0; i < 10; i++)
        CHECK(event_base_loop(s->loop, EVLOOP_NONBLOCK) >= 0);
    CHECK(s->gone == 0);
    served_answer(s->last, "late");
    CHECK(hear(s, fd, heard, sizeof heard) > 0);
    CHECK_HAS(heard, "late");
    close(fd);
    served_end(s);
}

TEST(free__answer_owed__told)
{
    struct served *s = served_begin(FOREVER);
    s->later = true;
    int fd = client(s);
    say(fd, GET);
    while (s->asked == 0)
        CHECK(event_base_loop(s->loop, EVLOOP_NONBLOCK) >= 0);
    served_end(s);
    CHECK(s->gone == 1);
    close(fd);
}

KW_SUITE("provider/exporter/http")
