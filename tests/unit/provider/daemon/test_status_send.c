/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of the status document that are slow, gone, or too many. */
#include "check.h"

#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include <keyward/alloc.h>
#include <keyward/limits.h>

#include "status_send.h"

struct sending {
    struct event_base *loop;
    struct kw_status_sender *sender;
};

static struct sending sending_begin(int64_t time_ns)
{
    struct sending s = {.loop = event_base_new()};
    CHECK(s.loop != NULL);
    CHECK_OK(kw_status_sender_new(s.loop, &kw_clock_system, time_ns, &s.sender));
    return s;
}

static void sending_end(struct sending *s)
{
    kw_status_sender_free(s->sender);
    event_base_free(s->loop);
}

/* Sends `len` letters, and gives back the reader's end. */
static int begin_reader(struct sending *s, size_t len)
{
    int pair[2];
    char *text = kw_new(len, 1);
    CHECK(text != NULL);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + i % 26);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    kw_status_send(s->sender, pair[0], text, len);
    return pair[1];
}

/* What is there now. */
static size_t take(int fd, size_t at_most)
{
    static char some[4096];
    size_t got = 0;
    ssize_t n = 1;
    while (got < at_most && (n = read(fd, some, sizeof some)) > 0)
        for (ssize_t i = 0; i < n; i++, got++)
            CHECK(some[i] == (char)('a' + got % 26));
    return got;
}

static bool has_ended(int fd)
{
    char one;
    return read(fd, &one, 1) == 0;
}

/* More than any socket's buffer takes at once. */
enum { LONG = 32u << 20 };

TEST(send__short_one__whole_and_closed_at_once)
{
    struct sending s = sending_begin(KW_S_NS);
    int fd = begin_reader(&s, 1000);
    assert_int_equal(take(fd, 1000), 1000);
    CHECK(has_ended(fd));
    close(fd);
    sending_end(&s);
}

TEST(send__slow_reader__gets_it_whole_by_and_by)
{
    struct sending s = sending_begin(3600 * KW_S_NS);
    int fd = begin_reader(&s, LONG);
    size_t got = 0, rounds = 0;
    static char some[4096];
    for (ssize_t n; (n = read(fd, some, sizeof some)) != 0; rounds++) {
        for (ssize_t i = 0; i < n; i++, got++)
            CHECK(some[i] == (char)('a' + got % 26));
        CHECK(event_base_loop(s.loop, EVLOOP_NONBLOCK) >= 0);
    }
    assert_int_equal(got, LONG);
    CHECK(rounds > 100);
    close(fd);
    sending_end(&s);
}

TEST(send__reader_that_takes_nothing__closed_when_its_time_is_over)
{
    struct sending s = sending_begin(1);
    int fd = begin_reader(&s, LONG);
    CHECK(event_base_loop(s.loop, 0) >= 0); /* goes on while anything is waited for */
    CHECK(take(fd, LONG) < LONG);
    CHECK(has_ended(fd));
    close(fd);
    sending_end(&s);
}

TEST(send__reader_that_went_away__ended)
{
    struct sending s = sending_begin(3600 * KW_S_NS);
    close(begin_reader(&s, LONG));
    CHECK(event_base_loop(s.loop, 0) >= 0);
    sending_end(&s);
}

TEST(send__one_more_than_places__the_oldest_makes_room)
{
    struct sending s = sending_begin(3600 * KW_S_NS);
    int fds[KW_STATUS_READERS_MAX + 1];
    for (size_t i = 0; i < KW_STATUS_READERS_MAX + 1; i++)
        fds[i] = begin_reader(&s, LONG);
    CHECK(take(fds[0], LONG) < LONG);
    CHECK(has_ended(fds[0]));
    for (size_t i = 1; i < KW_STATUS_READERS_MAX + 1; i++) {
        CHECK(take(fds[i], LONG) < LONG);
        CHECK(!has_ended(fds[i]));
    }
    for (size_t i = 0; i < KW_STATUS_READERS_MAX + 1; i++)
        close(fds[i]);
    sending_end(&s);
}

TEST(free__readers_under_way__closed)
{
    struct sending s = sending_begin(3600 * KW_S_NS);
    int fd = begin_reader(&s, LONG);
    sending_end(&s);
    CHECK(take(fd, LONG) < LONG);
    CHECK(has_ended(fd));
    close(fd);
}

KW_SUITE("provider/daemon/status-send")
