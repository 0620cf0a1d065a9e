/* SPDX-License-Identifier: Apache-2.0 */
#include "hangup.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { AT_ONCE = 16 };

static void on_ready(evutil_socket_t fd, short what, void *self)
{
    struct kw_hangup *h = self;
    struct epoll_event events[AT_ONCE];
    (void)what;
    int n = epoll_wait(fd, events, AT_ONCE, 0);
    for (int i = 0; i < n; i++)
        h->ended(events[i].data.ptr);
}

kw_err kw_hangup_init(struct kw_hangup *h, struct event_base *loop,
                      void (*ended)(void *connection))
{
    h->ended = ended;
    h->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (h->epoll < 0)
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "epoll_create1");
    h->event = event_new(loop, h->epoll, EV_READ | EV_PERSIST, on_ready, h);
    if (h->event != NULL && event_add(h->event, NULL) == 0)
        return KW_OK;
    kw_hangup_wipe(h);
    return kw_err_at(KW_CODE_NO_MEMORY, "event");
}

void kw_hangup_wipe(struct kw_hangup *h)
{
    if (h->event != NULL)
        event_free(h->event);
    if (h->epoll >= 0)
        close(h->epoll);
    h->event = NULL;
    h->epoll = -1;
}

bool kw_hangup_watch(struct kw_hangup *h, int fd, void *connection)
{
    struct epoll_event e = {.events = EPOLLRDHUP, .data.ptr = connection};
    return epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

void kw_hangup_forget(struct kw_hangup *h, int fd)
{
    (void)epoll_ctl(h->epoll, EPOLL_CTL_DEL, fd, NULL);
}
