/* SPDX-License-Identifier: Apache-2.0 */
#include "status_send.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include <keyward/alloc.h>
#include <keyward/limits.h>
#include <keyward/log.h>

struct status_reader {
    struct kw_status_sender *sender;
    struct event *event; /* writable, or its time is over; NULL: nobody's place */
    int fd;
    char *text;
    size_t len, sent;
    int64_t until_ns;
};

struct kw_status_sender {
    struct event_base *loop;
    const struct kw_clock *clock;
    int64_t time_ns;
    struct status_reader readers[KW_STATUS_READERS_MAX];
};

static void send_end(int fd, char *text, bool whole)
{
    if (!whole)
        kw_log_bare(KW_LOG_WARN, "status-not-sent");
    close(fd);
    kw_free(text);
}

static void reader_end(struct status_reader *r, bool whole)
{
    event_free(r->event);
    r->event = NULL;
    send_end(r->fd, r->text, whole);
}

/* As much as the socket takes; false: nothing will go any more. */
static bool send_some(int fd, const char *text, size_t len, size_t *sent)
{
    while (*sent < len) {
        ssize_t n = send(fd, text + *sent, len - *sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        *sent += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool reader_wait(struct status_reader *r)
{
    const int64_t left = r->until_ns - kw_mono_ns(r->sender->clock);
    const struct timeval time = {left / KW_S_NS, left % KW_S_NS / 1000 + 1};
    return left > 0 && event_add(r->event, &time) == 0;
}

static void on_writable(evutil_socket_t fd, short what, void *self)
{
    struct status_reader *r = self;
    const bool goes_on =
        (what & EV_WRITE) != 0 && send_some(fd, r->text, r->len, &r->sent);
    if (r->sent == r->len || !goes_on || !reader_wait(r))
        reader_end(r, r->sent == r->len);
}

kw_err kw_status_sender_new(struct event_base *loop, const struct kw_clock *clock,
                            int64_t time_ns, struct kw_status_sender **ret_sender)
{
    struct kw_status_sender *s = kw_new(1, sizeof *s);
    if (s == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "status");
    s->loop = loop;
    s->clock = clock;
    s->time_ns = time_ns;
    *ret_sender = s;
    return KW_OK;
}

void kw_status_sender_free(struct kw_status_sender *sender)
{
    for (size_t i = 0; sender != NULL && i < KW_STATUS_READERS_MAX; i++)
        if (sender->readers[i].event != NULL)
            reader_end(&sender->readers[i], false);
    kw_free(sender);
}

/* A free place, or that of the reader whose time is over first. */
static struct status_reader *reader_place(struct kw_status_sender *s)
{
    struct status_reader *oldest = &s->readers[0];
    for (size_t i = 0; i < KW_STATUS_READERS_MAX; i++) {
        if (s->readers[i].event == NULL)
            return &s->readers[i];
        if (s->readers[i].until_ns < oldest->until_ns)
            oldest = &s->readers[i];
    }
    reader_end(oldest, false);
    return oldest;
}

/* Most readers take all of it at once: the kernel makes the buffer twice as large as it is
 * asked to, of net.core.wmem_max at most (socket(7)). */
void kw_status_send(struct kw_status_sender *sender, int fd, char *text, size_t len)
{
    const int room = KW_STATUS_MAX;
    size_t sent = 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    if (!send_some(fd, text, len, &sent) || sent == len) {
        send_end(fd, text, sent == len);
        return;
    }
    struct event *event = NULL;
    struct status_reader *r = reader_place(sender);
    event = event_new(sender->loop, fd, EV_WRITE, on_writable, r);
    if (event == NULL) {
        send_end(fd, text, false);
        return;
    }
    *r = (struct status_reader){
        sender, event, fd, text, len, sent, kw_mono_ns(sender->clock) + sender->time_ns};
    if (!reader_wait(r))
        reader_end(r, false);
}
