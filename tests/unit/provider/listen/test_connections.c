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

/* A connection that is handed over; the i-th. */
static int connect_and_speak(struct rig *r, size_t i)
{
    int fd = rig_connect(r);
    rig_say(fd, rig_preface);
    while (r->adopted_count <= i)
        CHECK(event_base_loop(r->loop, EVLOOP_ONCE) == 0);
    return fd;
}

TEST(limit__per_uid_and_all_have_called__refused_until_one_leaves)
{
    struct rig r;
    int fds[3];
    rig_init(&r);
    r.options.per_uid_max = 2;
    rig_open(&r);
    for (int i = 0; i < 2; i++) {
        fds[i] = connect_and_speak(&r, (size_t)i);
        r.answered[i] = 1;
    }
    fds[2] = rig_connect(&r);
    RIG_UNTIL(&r, s.refused_limit == 1);
    CHECK(rig_is_closed(fds[2]) && rig_stats(&r).open == 2);
    close(fds[0]);
    RIG_UNTIL(&r, s.open == 1);
    close(fds[2]);
    fds[2] = rig_connect(&r);
    RIG_UNTIL(&r, s.waiting == 1);
    CHECK(rig_stats(&r).refused_limit == 1 && rig_stats(&r).ended == 0);
    close(fds[1]);
    close(fds[2]);
    rig_wipe(&r);
}

/* Silent ones of an allowed peer would lock every new client out. */
TEST(limit__per_uid_and_some_never_called__the_oldest_of_them_makes_room)
{
    struct rig r;
    int fds[4];
    char c;
    rig_init(&r);
    r.options.per_uid_max = 3;
    rig_open(&r);
    for (size_t i = 0; i < 3; i++)
        fds[i] = connect_and_speak(&r, i);
    r.answered[0] = 1;
    fds[3] = connect_and_speak(&r, 3);
    CHECK(rig_is_closed(fds[1]));
    CHECK(rig_stats(&r).open == 3 && rig_stats(&r).ended == 1);
    CHECK(rig_stats(&r).refused_limit == 0);
    while (recv(r.adopted[1], &c, 1, 0) > 0) /* its reader sees the end, too */
        continue;
    CHECK(send(fds[0], "x", 1, MSG_NOSIGNAL) == 1);
    CHECK(send(fds[2], "x", 1, MSG_NOSIGNAL) == 1);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    rig_wipe(&r);
}

TEST(limit__in_all__the_oldest_make_room)
{
    struct rig r;
    int fds[40];
    rig_init(&r);
    r.options.connections_max = 3;
    rig_open(&r);
    for (int i = 0; i < 40; i++)
        fds[i] = rig_connect(&r);
    RIG_UNTIL(&r, s.ended == 37);
    CHECK(rig_stats(&r).waiting == 3 && rig_stats(&r).accepted == 40);
    for (int i = 0; i < 37; i++)
        CHECK(rig_is_closed(fds[i]));
    for (int i = 0; i < 40; i++)
        close(fds[i]);
    rig_wipe(&r);
}

TEST(silence__no_call_in_time__ended)
{
    struct rig r;
    rig_init(&r);
    r.options.silence_ns = 20 * KW_MS_NS;
    rig_open(&r);
    int fd = connect_and_speak(&r, 0);
    RIG_UNTIL(&r, s.ended == 1);
    CHECK(rig_is_closed(fd) && rig_stats(&r).open == 0);
    close(fd);
    rig_wipe(&r);
}

TEST(silence__after_a_call__may_last)
{
    struct rig r;
    rig_init(&r);
    r.options.silence_ns = 20 * KW_MS_NS;
    rig_open(&r);
    int fd = connect_and_speak(&r, 0);
    r.answered[0] = 1;
    int other = connect_and_speak(&r, 1); /* whose time is over later */
    RIG_UNTIL(&r, s.ended == 1);
    CHECK(rig_is_closed(other) && rig_stats(&r).open == 1);
    close(fd);
    close(other);
    rig_wipe(&r);
}

TEST(end__since_or_all__those_and_no_others)
{
    struct rig r;
    int fds[4];
    rig_init(&r);
    rig_open(&r);
    for (size_t i = 0; i < 3; i++)
        fds[i] = connect_and_speak(&r, i);
    fds[3] = rig_connect(&r);
    RIG_UNTIL(&r, s.waiting == 1);
    r.answered[1] = 99;
    r.answered[2] = 100;
    assert_int_equal(kw_listener_end(r.listener, 100), 3);
    CHECK(rig_is_closed(fds[0]) && rig_is_closed(fds[1]) && rig_is_closed(fds[3]));
    CHECK(rig_stats(&r).open == 1 && rig_stats(&r).waiting == 0);
    assert_int_equal(kw_listener_end(r.listener, 100), 0);
    assert_int_equal(kw_listener_end(r.listener, INT64_MAX), 1);
    CHECK(rig_is_closed(fds[2]));
    CHECK(rig_stats(&r).open == 0);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    rig_wipe(&r);
}

TEST(hold__nothing_is_accepted_until_it_ends)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    int before = connect_and_speak(&r, 0);
    kw_listener_hold(r.listener, true);
    int fd = rig_connect(&r);
    for (int i = 0; i < 3; i++)
        CHECK(event_base_loop(r.loop, EVLOOP_NONBLOCK) == 0);
    CHECK(rig_stats(&r).accepted == 1 && rig_stats(&r).open == 1);
    kw_listener_hold(r.listener, false);
    RIG_UNTIL(&r, s.waiting == 1);
    close(before);
    close(fd);
    rig_wipe(&r);
}

/* What is kept back stays free, however many connections the limits would allow. */
TEST(limit__descriptors_kept_back__refused)
{
    struct rig r;
    int fds[3];
    rig_init(&r);
    int top = dup(STDERR_FILENO);
    close(top);
    r.options.descriptor_max = top + 20;
    rig_open(&r);
    for (int i = 0; i < 3; i++)
        fds[i] = rig_connect(&r);
    int kept[32], count = 0; /* all up to the one below the last that may be */
    for (int fd = dup(STDERR_FILENO); fd < top + 19; fd = dup(STDERR_FILENO))
        kept[count++] = fd;
    CHECK(dup2(STDERR_FILENO, top + 19) == top + 19);
    RIG_UNTIL(&r, s.accepted == 3);
    CHECK(rig_stats(&r).waiting == 1 && rig_stats(&r).refused_limit == 2);
    /* Nor is there one for the duplicate of a connection that is handed over. */
    rig_say(fds[0], rig_preface);
    RIG_UNTIL(&r, s.refused_limit == 3);
    CHECK(rig_is_closed(fds[0]) && rig_stats(&r).waiting == 0);
    CHECK(rig_stats(&r).open == 0 && r.adopted_count == 0);
    while (count > 0)
        close(kept[--count]);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    rig_wipe(&r);
}

/* Of this process no descriptor is left until the limit is put back. */
static struct rlimit take_all_descriptors(void)
{
    struct rlimit before, few;
    int top = dup(STDERR_FILENO);
    close(top);
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    few = (struct rlimit){(rlim_t)top, before.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    return before;
}

/* The socket stays readable: who looked at it again and again would never sleep. */
TEST(limit__no_descriptor_left__the_loop_sleeps_and_the_client_is_taken_later)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    int fd = rig_connect(&r), other = rig_connect(&r);
    struct rlimit before = take_all_descriptors();
    CHECK(event_base_loop(r.loop, EVLOOP_ONCE) == 0);
    CHECK(rig_stats(&r).accepted == 0);
    /* Nothing is ready any more but, later, the timer. */
    for (int i = 0; i < 3; i++) {
        CHECK(event_base_loop(r.loop, EVLOOP_NONBLOCK) == 0);
        assert_int_equal(event_base_get_num_events(r.loop, EVENT_BASE_COUNT_ADDED), 2);
    }
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    RIG_UNTIL(&r, s.waiting == 2);
    close(fd);
    close(other);
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
         CASE(limit__per_uid_and_all_have_called__refused_until_one_leaves),
         CASE(limit__per_uid_and_some_never_called__the_oldest_of_them_makes_room),
         CASE(limit__in_all__the_oldest_make_room), CASE(silence__no_call_in_time__ended),
         CASE(silence__after_a_call__may_last),
         CASE(end__since_or_all__those_and_no_others),
         CASE(hold__nothing_is_accepted_until_it_ends),
         CASE(limit__descriptors_kept_back__refused),
         CASE(limit__no_descriptor_left__the_loop_sleeps_and_the_client_is_taken_later),
         CASE(close__connections_open__they_go_on_without_us))
