/* SPDX-License-Identifier: Apache-2.0 */
/* The time between the signal to stop and the end. */
#include "listen_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* RFC 9113 4.1 and 6.8: 8 bytes of type 7, no flags, of the connection; the last stream is
 * 2^31-1, the error NO_ERROR. */
static const uint8_t goaway[17] = {0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff};

static int connected(struct rig *r)
{
    size_t before = r->adopted_count;
    int fd = rig_connect(r);
    rig_say(fd, rig_preface);
    RIG_UNTIL(r, r->adopted_count == before + 1 && s.open > 0);
    return fd;
}

static bool hears_nothing(int fd)
{
    char c;
    return recv(fd, &c, 1, MSG_DONTWAIT) < 0;
}

static bool hears_goaway(int fd)
{
    uint8_t seen[32];
    return recv(fd, seen, sizeof seen, MSG_DONTWAIT) == sizeof goaway &&
           memcmp(seen, goaway, sizeof goaway) == 0;
}

TEST(leave__no_call_answered_yet__not_told)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    int waiting = rig_connect(&r), fd = connected(&r);
    CHECK(kw_listener_leave(r.listener) == 0);
    CHECK(hears_nothing(fd) && hears_nothing(waiting));
    close(waiting);
    close(fd);
    rig_wipe(&r);
}

TEST(leave__a_call_was_answered__told_once_and_counted_until_it_ends)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    int fd = connected(&r);
    r.answered[0] = 1;
    CHECK(kw_listener_leave(r.listener) == 1 && hears_goaway(fd));
    CHECK(kw_listener_leave(r.listener) == 1 && hears_nothing(fd));
    close(fd);
    RIG_UNTIL(&r, s.open == 0);
    CHECK(kw_listener_leave(r.listener) == 0);
    rig_wipe(&r);
}

/* Its reader may be in the middle of a frame: it is to leave, and does not know yet. */
TEST(leave__what_was_sent_lies_unread__told_when_it_is_read)
{
    struct rig r;
    char c;
    rig_init(&r);
    rig_open(&r);
    int fd = connected(&r);
    r.answered[0] = 1;
    CHECK(send(r.adopted[0], "x", 1, 0) == 1);
    CHECK(kw_listener_leave(r.listener) == 1);
    CHECK(recv(fd, &c, 1, 0) == 1 && hears_nothing(fd));
    (void)kw_listener_leave(r.listener);
    CHECK(hears_goaway(fd));
    close(fd);
    rig_wipe(&r);
}

TEST(leave__client_went_a_moment_ago__counted_until_that_is_seen)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    int fd = connected(&r);
    r.answered[0] = 1;
    close(fd);
    CHECK(kw_listener_leave(r.listener) == 1);
    RIG_UNTIL(&r, s.open == 0);
    CHECK(kw_listener_leave(r.listener) == 0);
    rig_wipe(&r);
}

TEST(leave__bound_here__path_is_free_for_the_next)
{
    struct rig r, next;
    rig_init(&r);
    rig_open(&r);
    (void)kw_listener_leave(r.listener);
    CHECK(!rig_exists(r.path));
    rig_init(&next);
    next.options.path = r.path;
    rig_open(&next);
    (void)kw_listener_leave(r.listener);
    kw_listener_close(r.listener);
    CHECK(rig_exists(r.path));
    r.listener = next.listener;
    next.listener = NULL;
    rig_wipe(&next);
    rig_wipe(&r);
}

TEST(leave__inherited__who_comes_waits_for_the_next)
{
    struct rig r;
    rig_init(&r);
    const int kept = rig_socket(r.path, SOCK_STREAM | SOCK_CLOEXEC, true);
    r.options.inherited_fd = fcntl(kept, F_DUPFD_CLOEXEC, 0);
    rig_open(&r);
    (void)kw_listener_leave(r.listener);
    int fd = rig_connect(&r);
    kw_listener_close(r.listener);
    r.options.inherited_fd = fcntl(kept, F_DUPFD_CLOEXEC, 0);
    rig_open(&r);
    rig_say(fd, rig_preface);
    RIG_UNTIL(&r, s.handed_over == 1);
    close(fd);
    close(kept);
    rig_wipe(&r);
}

/* ---- the end ---- */

static bool is_connected(int fd)
{
    char c;
    return recv(fd, &c, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

TEST(cut__who_has_not_read_all__disconnected_and_no_other)
{
    struct rig r;
    char c;
    rig_init(&r);
    rig_open(&r);
    int mute = connected(&r), fd = connected(&r), waiting = rig_connect(&r);
    RIG_UNTIL(&r, s.waiting == 1);
    CHECK(send(r.adopted[0], "x", 1, 0) == 1);
    kw_listener_cut(r.listener);
    ssize_t n; /* its reader sees it, too, behind the preface */
    while ((n = recv(r.adopted[0], &c, 1, 0)) > 0)
        ;
    CHECK(n == 0);
    CHECK(recv(mute, &c, 1, 0) == 1 && rig_is_closed(mute));
    CHECK(is_connected(fd) && is_connected(waiting));
    CHECK(rig_stats(&r).open == 1 && rig_stats(&r).waiting == 1);
    close(mute);
    close(fd);
    close(waiting);
    rig_wipe(&r);
}

KW_CASES("provider/listen/leave",
         CASE(cut__who_has_not_read_all__disconnected_and_no_other),
         CASE(leave__no_call_answered_yet__not_told),
         CASE(leave__a_call_was_answered__told_once_and_counted_until_it_ends),
         CASE(leave__what_was_sent_lies_unread__told_when_it_is_read),
         CASE(leave__client_went_a_moment_ago__counted_until_that_is_seen),
         CASE(leave__bound_here__path_is_free_for_the_next),
         CASE(leave__inherited__who_comes_waits_for_the_next))
