/* SPDX-License-Identifier: Apache-2.0 */
#include "listen_rig.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

TEST(connection__silent__dropped_when_the_time_is_over)
{
    struct rig r;
    rig_init(&r);
    r.options.preface_ns = 20 * KW_MS_NS;
    rig_open(&r);
    int fd = rig_connect(&r);
    RIG_UNTIL(&r, s.refused_preface == 1);
    CHECK(rig_is_closed(fd));
    CHECK(rig_stats(&r).waiting == 0 && r.adopted_count == 0);
    close(fd);
    rig_wipe(&r);
}

/* A byte now and then buys no time. */
TEST(connection__half_a_preface__dropped_when_the_time_is_over)
{
    struct rig r;
    rig_init(&r);
    r.options.preface_ns = 20 * KW_MS_NS;
    rig_open(&r);
    int fd = rig_connect(&r);
    rig_say(fd, "PRI * HTTP/2");
    RIG_UNTIL(&r, s.refused_preface == 1);
    CHECK(r.adopted_count == 0);
    close(fd);
    rig_wipe(&r);
}

TEST(connection__http_1__refused_at_once)
{
    static const char *const first[] = {"GET / HTTP/1.1\r\n", "PRI * HTTP/1.1\r\n",
                                        "\x16\x03", "PRI * HTTP/2.0\r\n\r\nSM\r\n\rX"};
    struct rig r;
    rig_init(&r);
    r.options.preface_ns = 3600 * KW_S_NS;
    rig_open(&r);
    for (size_t i = 0; i < 4; i++) {
        int fd = rig_connect(&r);
        rig_say(fd, first[i]);
        RIG_UNTIL(&r, s.refused_preface == i + 1);
        CHECK(rig_is_closed(fd));
        close(fd);
    }
    CHECK(r.adopted_count == 0);
    rig_wipe(&r);
}

TEST(connection__closed_before_its_preface__forgotten)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    close(rig_connect(&r));
    RIG_UNTIL(&r, s.refused_preface == 1);
    CHECK(rig_stats(&r).waiting == 0);
    rig_wipe(&r);
}

TEST(connection__preface_in_pieces__handed_over_unread)
{
    struct rig r;
    char seen[64];
    rig_init(&r);
    rig_open(&r);
    int fd = rig_connect(&r);
    for (size_t i = 0; i < 24; i++) {
        char one[2] = {rig_preface[i], '\0'};
        CHECK(r.adopted_count == 0);
        rig_say(fd, one);
        if (i < 23)
            CHECK(event_base_loop(r.loop, EVLOOP_ONCE) == 0);
    }
    RIG_UNTIL(&r, s.handed_over == 1);
    CHECK(rig_stats(&r).open == 1 && rig_stats(&r).waiting == 0);
    assert_int_equal(recv(r.adopted[0], seen, sizeof seen, 0), 24);
    assert_memory_equal(seen, rig_preface, 24);
    CHECK((fcntl(r.adopted[0], F_GETFL) & O_NONBLOCK) != 0);
    assert_int_equal(fcntl(r.adopted[0], F_GETFD), FD_CLOEXEC);
    close(fd);
    rig_wipe(&r);
}

TEST(connection__preface_and_more__more_is_left_to_the_reader)
{
    struct rig r;
    char seen[64];
    rig_init(&r);
    rig_open(&r);
    int fd = rig_connect(&r);
    rig_say(fd, rig_preface);
    rig_say(fd, "frames");
    RIG_UNTIL(&r, s.handed_over == 1);
    assert_int_equal(recv(r.adopted[0], seen, sizeof seen, 0), 30);
    close(fd);
    rig_wipe(&r);
}

TEST(handed_over__nobody_takes_it__closed_and_counted_out)
{
    struct rig r;
    rig_init(&r);
    r.adopts_none = true;
    rig_open(&r);
    int fd = rig_connect(&r);
    rig_say(fd, rig_preface);
    RIG_UNTIL(&r, s.refused_adopt == 1);
    CHECK(rig_is_closed(fd));
    CHECK(rig_stats(&r).open == 0 && rig_stats(&r).handed_over == 0);
    close(fd);
    rig_wipe(&r);
}

TEST(handed_over__client_leaves__counted_out)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    int fd = rig_connect(&r);
    rig_say(fd, rig_preface);
    RIG_UNTIL(&r, s.open == 1);
    close(fd);
    RIG_UNTIL(&r, s.open == 0);
    rig_wipe(&r);
}

/* A close with unread bytes is an error on our side, not a mere end. */
TEST(handed_over__client_leaves_with_bytes_unread__counted_out)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    int fd = rig_connect(&r);
    rig_say(fd, rig_preface);
    RIG_UNTIL(&r, s.open == 1);
    CHECK(send(r.adopted[0], "reply", 5, MSG_NOSIGNAL) == 5);
    close(fd);
    RIG_UNTIL(&r, s.open == 0);
    rig_wipe(&r);
}

/* gRPC shuts a socket down before it closes it; our duplicate does not keep it alive. */
TEST(handed_over__reader_ends_it__client_sees_and_counted_out)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    int fd = rig_connect(&r);
    rig_say(fd, rig_preface);
    RIG_UNTIL(&r, s.open == 1);
    CHECK(shutdown(r.adopted[0], SHUT_RDWR) == 0);
    RIG_UNTIL(&r, s.open == 0);
    CHECK(rig_is_closed(fd));
    close(fd);
    rig_wipe(&r);
}

/* Requests on a handed-over connection must cost the main loop nothing. */
TEST(handed_over__data_arrives__loop_sleeps_on)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    int fd = rig_connect(&r);
    rig_say(fd, rig_preface);
    RIG_UNTIL(&r, s.open == 1);
    rig_say(fd, "request");
    CHECK(event_base_loop(r.loop, EVLOOP_NONBLOCK) == 0);
    assert_int_equal(event_base_get_num_events(r.loop, EVENT_BASE_COUNT_ACTIVE), 0);
    CHECK(rig_stats(&r).open == 1);
    close(fd);
    rig_wipe(&r);
}

TEST(limit__per_uid__refused_until_one_leaves)
{
    struct rig r;
    int fds[3];
    rig_init(&r);
    r.options.per_uid_max = 2;
    rig_open(&r);
    fds[0] = rig_connect(&r);
    rig_say(fds[0], rig_preface); /* one handed over, one waiting */
    fds[1] = rig_connect(&r);
    fds[2] = rig_connect(&r);
    RIG_UNTIL(&r, s.refused_limit == 1 && s.open == 1);
    CHECK(rig_is_closed(fds[2]));
    close(fds[0]);
    RIG_UNTIL(&r, s.open == 0);
    close(fds[2]);
    fds[2] = rig_connect(&r);
    RIG_UNTIL(&r, s.waiting == 2);
    CHECK(rig_stats(&r).refused_limit == 1);
    close(fds[1]);
    close(fds[2]);
    rig_wipe(&r);
}

TEST(limit__in_all__refused)
{
    struct rig r;
    int fds[40];
    rig_init(&r);
    r.options.connections_max = 3;
    rig_open(&r);
    for (int i = 0; i < 40; i++)
        fds[i] = rig_connect(&r);
    RIG_UNTIL(&r, s.refused_limit == 37);
    CHECK(rig_stats(&r).waiting == 3 && rig_stats(&r).accepted == 40);
    for (int i = 0; i < 40; i++)
        close(fds[i]);
    rig_wipe(&r);
}

TEST(limit__no_descriptor_left__shed_and_the_loop_sleeps)
{
    struct rig r;
    struct rlimit before, few;
    rig_init(&r);
    rig_open(&r);
    int fd = rig_connect(&r);
    int top = dup(fd);
    close(top);
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    few = (struct rlimit){(rlim_t)top, before.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    RIG_UNTIL(&r, s.refused_limit == 1);
    CHECK(rig_is_closed(fd));
    CHECK(event_base_loop(r.loop, EVLOOP_NONBLOCK) == 0);
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    close(fd);
    fd = rig_connect(&r);
    RIG_UNTIL(&r, s.waiting == 1);
    close(fd);
    rig_wipe(&r);
}

TEST(close__connections_open__they_go_on_without_us)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    int fd = rig_connect(&r), waiting = rig_connect(&r);
    rig_say(fd, rig_preface);
    RIG_UNTIL(&r, s.open == 1 && s.waiting == 1);
    kw_listener_close(r.listener);
    r.listener = NULL;
    CHECK(rig_is_closed(waiting));
    CHECK(send(r.adopted[0], "x", 1, MSG_NOSIGNAL) == 1);
    char c;
    CHECK(recv(fd, &c, 1, 0) == 1 && c == 'x');
    close(waiting);
    close(fd);
    rig_wipe(&r);
}

KW_CASES("provider/listen/connections",
         CASE(connection__silent__dropped_when_the_time_is_over),
         CASE(connection__half_a_preface__dropped_when_the_time_is_over),
         CASE(connection__http_1__refused_at_once),
         CASE(connection__closed_before_its_preface__forgotten),
         CASE(connection__preface_in_pieces__handed_over_unread),
         CASE(connection__preface_and_more__more_is_left_to_the_reader),
         CASE(handed_over__nobody_takes_it__closed_and_counted_out),
         CASE(handed_over__client_leaves__counted_out),
         CASE(handed_over__client_leaves_with_bytes_unread__counted_out),
         CASE(handed_over__reader_ends_it__client_sees_and_counted_out),
         CASE(handed_over__data_arrives__loop_sleeps_on),
         CASE(limit__per_uid__refused_until_one_leaves), CASE(limit__in_all__refused),
         CASE(limit__no_descriptor_left__shed_and_the_loop_sleeps),
         CASE(close__connections_open__they_go_on_without_us))
