/* SPDX-License-Identifier: Apache-2.0 */
#include <keyward/listen.h>

#include <errno.h>
#include <sys/socket.h>

#include <event2/event.h>

#include <keyward/alloc.h>
#include <keyward/log.h>

enum { AT_ONCE = 16, PAUSE_MS = 100 };

struct kw_acceptor {
    struct kw_acceptor_options options;
    struct event *readable, *resume;
    bool short_of; /* said, and no connection has come since */
};

/* The connection stays at the head of the queue and would keep the socket readable for
 * ever: nobody looks at it for a while. */
static void acceptor_pause(struct kw_acceptor *a, int error)
{
    const struct timeval pause = {0, PAUSE_MS * 1000};
    if (evtimer_add(a->resume, &pause) == 0)
        event_del(a->readable);
    if (!a->short_of)
        kw_log(KW_LOG_ERROR, "connection-no-descriptor", KW_STR("class", a->options.name),
               KW_INT("errno", error));
    a->short_of = true;
}

static void on_acceptable(evutil_socket_t listening, short what, void *self)
{
    struct kw_acceptor *a = self;
    (void)what;
    for (int i = 0; i < AT_ONCE; i++) {
        int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        int error = errno;
        if (fd >= 0) {
            a->short_of = false;
            a->options.accepted(a->options.ctx, fd);
        } else if (error == EMFILE || error == ENFILE || error == ENOBUFS ||
                   error == ENOMEM) {
            acceptor_pause(a, error);
            return;
        } else if (error != ECONNABORTED && error != EINTR) {
            return;
        }
    }
}

static void on_resume(evutil_socket_t fd, short what, void *self)
{
    struct kw_acceptor *a = self;
    const struct timeval pause = {0, PAUSE_MS * 1000};
    (void)fd;
    (void)what;
    if (event_add(a->readable, NULL) != 0)
        (void)evtimer_add(a->resume, &pause);
}

kw_err kw_acceptor_new(const struct kw_acceptor_options *options,
                       struct kw_acceptor **ret_acceptor)
{
    struct kw_acceptor *a = kw_new(1, sizeof *a);
    if (a == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "acceptor");
    a->options = *options;
    a->readable = event_new(options->loop, options->listening, EV_READ | EV_PERSIST,
                            on_acceptable, a);
    a->resume = evtimer_new(options->loop, on_resume, a);
    if (a->readable == NULL || a->resume == NULL || event_add(a->readable, NULL) != 0) {
        kw_acceptor_free(a);
        return kw_err_at(KW_CODE_NO_MEMORY, "event");
    }
    *ret_acceptor = a;
    return KW_OK;
}

void kw_acceptor_hold(struct kw_acceptor *acceptor, bool held)
{
    evtimer_del(acceptor->resume);
    if (held)
        event_del(acceptor->readable);
    else
        on_resume(-1, 0, acceptor);
}

void kw_acceptor_free(struct kw_acceptor *acceptor)
{
    if (acceptor == NULL)
        return;
    if (acceptor->readable != NULL)
        event_free(acceptor->readable);
    if (acceptor->resume != NULL)
        event_free(acceptor->resume);
    kw_free(acceptor);
}
