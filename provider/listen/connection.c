/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/log.h>

/* RFC 9113 3.4: what every HTTP/2 client says first. */
static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
enum { PREFACE = sizeof preface - 1 };

static void stop_reading(struct kw_connection *c)
{
    if (c->readable != NULL)
        event_free(c->readable);
    c->readable = NULL;
}

void kw_connection_end(void *connection)
{
    struct kw_connection *c = connection;
    struct kw_listen_stats *stats = &c->listener->stats;
    stop_reading(c);
    if (c->timer != NULL)
        event_free(c->timer);
    if (c->handed_over) {
        kw_hangup_forget(&c->listener->hangup, c->fd);
        stats->open--;
    } else {
        stats->waiting--;
    }
    close(c->fd);
    *c->prev = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    kw_free(c);
}

void kw_connection_cut(struct kw_connection *c)
{
    c->listener->stats.ended++;
    (void)shutdown(c->fd, SHUT_RDWR);
    kw_connection_end(c);
}

/* Whose answers lie there unread may have one half written behind them. */
static bool has_read_all(int fd)
{
    int unread = 0;
    return ioctl(fd, SIOCOUTQ, &unread) == 0 && unread == 0;
}

/* RFC 9113 6.8: the last stream is the highest there is, the error none.  gRPC core says it
 * only when it takes nothing more at the same moment, and loses what is on its way. */
void kw_connection_leave(struct kw_connection *c)
{
    static const uint8_t goaway[] = {0,    0,    8,    7,    0, 0, 0, 0, 0,
                                     0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0};
    if (c->told || kw_connection_answered(c) == 0 || !has_read_all(c->fd))
        return;
    c->told = send(c->fd, goaway, sizeof goaway, MSG_NOSIGNAL | MSG_DONTWAIT) ==
              (ssize_t)sizeof goaway;
}

void kw_connection_cut_unread(struct kw_connection *c)
{
    if (c->handed_over && !has_read_all(c->fd))
        kw_connection_cut(c);
}

static void connection_cut_for(struct kw_connection *c, const char *why)
{
    kw_log(KW_LOG_WARN, "connection-ended", KW_STR("class", c->listener->name),
           KW_STR("why", why), KW_INT("uid", c->peer.uid), KW_INT("pid", c->peer.pid));
    kw_connection_cut(c);
}

int64_t kw_connection_answered(const struct kw_connection *c)
{
    const struct kw_listener *l = c->listener;
    if (!c->handed_over)
        return 0;
    return l->answered != NULL ? l->answered(l->ctx, c->number) : INT64_MAX;
}

/* The newest is the first. */
bool kw_connection_make_room(struct kw_listener *listener, const uint32_t *uid)
{
    struct kw_connection *oldest = NULL;
    for (struct kw_connection *c = listener->connections; c != NULL; c = c->next)
        if ((uid == NULL || c->peer.uid == *uid) && kw_connection_answered(c) == 0)
            oldest = c;
    if (oldest == NULL)
        return false;
    connection_cut_for(oldest, "no call yet, and another one wants its place");
    return true;
}

static void connection_refuse(struct kw_connection *c, const char *why)
{
    c->listener->stats.refused_preface++;
    kw_log(KW_LOG_WARN, "connection-refused", KW_STR("class", c->listener->name),
           KW_STR("why", why), KW_INT("uid", c->peer.uid), KW_INT("pid", c->peer.pid));
    kw_connection_end(c);
}

/* From here on somebody else reads; we keep a duplicate to see the end. */
static void connection_hand_over(struct kw_connection *c)
{
    struct kw_listener *l = c->listener;
    int fd = c->fd;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0 || copy > l->descriptor_max || !kw_hangup_watch(&l->hangup, copy, c)) {
        l->stats.refused_limit++;
        if (copy >= 0)
            close(copy);
        kw_connection_end(c);
        return;
    }
    stop_reading(c);
    c->fd = copy;
    c->number = fd;
    c->handed_over = true;
    (void)evtimer_add(c->timer, &l->silence); /* it is there: nothing is allocated */
    l->stats.waiting--;
    l->stats.open++;
    if (l->adopt(l->ctx, fd, &c->peer)) {
        l->stats.handed_over++;
        return;
    }
    /* Our duplicate alone would keep the peer connected. */
    l->stats.refused_adopt++;
    kw_connection_end(c);
}

/* Edge-triggered, so a preface that comes in pieces wakes us once a piece. */
static void on_readable(evutil_socket_t fd, short what, void *self)
{
    struct kw_connection *c = self;
    char said[PREFACE];
    (void)what;
    ssize_t n = recv(fd, said, sizeof said, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0)
        connection_refuse(c, "closed before its preface");
    else if (!kw_span_equal(kw_span_of(said, (size_t)n), kw_span_of(preface, (size_t)n)))
        connection_refuse(c, "does not speak HTTP/2");
    else if (n == PREFACE)
        connection_hand_over(c);
}

static void on_timer(evutil_socket_t fd, short what, void *self)
{
    struct kw_connection *c = self;
    (void)fd;
    (void)what;
    if (!c->handed_over)
        connection_refuse(c, "no preface in time");
    else if (kw_connection_answered(c) == 0)
        connection_cut_for(c, "no call in time");
}

static bool connection_watch(struct kw_connection *c)
{
    struct kw_listener *l = c->listener;
    c->readable = event_new(l->loop, c->fd, EV_READ | EV_PERSIST | EV_ET, on_readable, c);
    c->timer = evtimer_new(l->loop, on_timer, c);
    return c->readable != NULL && c->timer != NULL && event_add(c->readable, NULL) == 0 &&
           evtimer_add(c->timer, &l->preface) == 0;
}

kw_err kw_connection_new(struct kw_listener *listener, int fd, const struct kw_peer *peer)
{
    struct kw_connection *c = kw_new(1, sizeof *c);
    if (c == NULL) {
        close(fd);
        return kw_err_at(KW_CODE_NO_MEMORY, "connection");
    }
    c->listener = listener;
    c->fd = fd;
    c->peer = *peer;
    c->next = listener->connections;
    c->prev = &listener->connections;
    if (c->next != NULL)
        c->next->prev = &c->next;
    listener->connections = c;
    listener->stats.waiting++;
    if (connection_watch(c))
        return KW_OK;
    kw_connection_end(c);
    return kw_err_at(KW_CODE_NO_MEMORY, "connection");
}

unsigned kw_connections_of(const struct kw_listener *listener, uint32_t uid)
{
    unsigned n = 0;
    for (const struct kw_connection *c = listener->connections; c != NULL; c = c->next)
        n += c->peer.uid == uid;
    return n;
}
