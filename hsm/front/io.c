/* SPDX-License-Identifier: Apache-2.0 */
/* libevent: the only file that knows it, and only the main thread is in here (but for
 * kw_io_wake). */
#include "front_internal.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <keyward/alloc.h>

struct kw_io {
    int wake;
    struct event *woken, *tick;
};
struct kw_worker_events {
    struct event *socket, *process, *output;
};

static void io_on_tick(evutil_socket_t fd, short what, void *ctx) KW_FREE
{
    (void)fd;
    (void)what;
    kw_front_tick(ctx);
}

static void on_wake(evutil_socket_t fd, short what, void *ctx) KW_FREE
{
    (void)what;
    uint64_t n;
    if (read(fd, &n, sizeof n) == (ssize_t)sizeof n)
        kw_front_tick(ctx);
}

void kw_io_wake(struct kw_front *f)
{
    const uint64_t one = 1;
    /* It can only fail when a wake-up is on its way already. */
    ssize_t n = write(f->io->wake, &one, sizeof one);
    (void)n;
}

void kw_io_arm(struct kw_front *f)
{
    int64_t ns = kw_front_next_tick(f);
    const struct timeval in = {.tv_sec = ns / KW_S_NS, .tv_usec = ns % KW_S_NS / 1000};
    event_add(f->io->tick, &in);
}

kw_err kw_io_new(struct kw_front *f)
{
    struct kw_io *io = kw_new(1, sizeof *io);
    if (io == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "io");
    f->io = io;
    io->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (io->wake >= 0) {
        io->woken = event_new(f->o.loop, io->wake, EV_READ | EV_PERSIST, on_wake, f);
        io->tick = evtimer_new(f->o.loop, io_on_tick, f);
    }
    if (io->woken == NULL || io->tick == NULL || event_add(io->woken, NULL) != 0) {
        kw_io_free(f);
        return kw_err_at(KW_CODE_NO_MEMORY, "event_new");
    }
    return KW_OK;
}

static void io_drop(struct event **e)
{
    if (*e != NULL)
        event_free(*e);
    *e = NULL;
}

void kw_io_free(struct kw_front *f)
{
    if (f->io == NULL)
        return;
    io_drop(&f->io->woken);
    io_drop(&f->io->tick);
    if (f->io->wake >= 0)
        close(f->io->wake);
    kw_free(f->io);
    f->io = NULL;
}

/* ---- one worker -------------------------------------------------------------------- */

static void io_after(struct kw_front *f) KW_FREE
{
    kw_front_settle(f);
    if (f->tick.armed_far)
        kw_io_arm(f);
}

static void on_socket(evutil_socket_t fd, short what, void *ctx) KW_FREE
{
    (void)fd;
    (void)what;
    struct kw_worker *w = ctx;
    kw_worker_read(w);
    io_after(w->front);
}

static void on_process(evutil_socket_t fd, short what, void *ctx) KW_FREE
{
    (void)fd;
    (void)what;
    struct kw_worker *w = ctx;
    struct kw_front *f = w->front;
    kw_front_worker_gone(w);
    io_after(f);
}

static void on_output(evutil_socket_t fd, short what, void *ctx) KW_FREE
{
    (void)fd;
    (void)what;
    struct kw_worker *w = ctx;
    if (!kw_output_read(w))
        io_drop(&w->process.events->output);
}

kw_err kw_io_watch(struct kw_worker *w)
{
    struct kw_worker_events *e = kw_new(1, sizeof *e);
    if (e == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "io");
    w->process.events = e;
    struct event_base *loop = w->front->o.loop;
    const short what = EV_READ | EV_PERSIST;
    e->socket = event_new(loop, kw_worker_socket_by_main(w), what, on_socket, w);
    e->process = event_new(loop, w->process.pidfd, what, on_process, w);
    e->output = event_new(loop, w->process.output, what, on_output, w);
    if (e->socket == NULL || e->process == NULL || e->output == NULL ||
        event_add(e->socket, NULL) != 0 || event_add(e->process, NULL) != 0 ||
        event_add(e->output, NULL) != 0) {
        kw_io_forget(w);
        return kw_err_at(KW_CODE_NO_MEMORY, "event_new");
    }
    return KW_OK;
}

void kw_io_forget_socket(struct kw_worker *w)
{
    io_drop(&w->process.events->socket);
}

void kw_io_forget_process(struct kw_worker *w)
{
    io_drop(&w->process.events->process);
}

void kw_io_forget(struct kw_worker *w)
{
    io_drop(&w->process.events->socket);
    io_drop(&w->process.events->process);
    io_drop(&w->process.events->output);
    kw_free(w->process.events);
    w->process.events = NULL;
}
