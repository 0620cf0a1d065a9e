/* SPDX-License-Identifier: Apache-2.0 */
#include "status_look.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include <keyward/alloc.h>
#include <keyward/limits.h>

struct look_waiter {
    kw_looked *looked;
    void *ctx; /* NULL: nobody */
};

struct kw_status_look {
    struct event_base *loop;
    const struct kw_clock *clock;
    char path[KW_SOCKET_PATH_MAX + 1];
    struct look_waiter waiters[KW_LOOK_WAITING_MAX];
    int fd;
    struct event *readable; /* NULL: none is under way */
    char *text;             /* KW_STATUS_MAX */
    size_t len;
    int64_t until_ns, ended_ns; /* 0: none has ended yet */
    json_t *document;           /* of the last one; NULL: it was silent */
    char why[128];
};

kw_err kw_status_look_new(struct event_base *loop, const struct kw_clock *clock,
                          const char *socket, struct kw_status_look **ret_look)
{
    struct kw_status_look *l = kw_new(1, sizeof *l);
    if (l != NULL)
        l->text = kw_new(1, KW_STATUS_MAX);
    if (l == NULL || l->text == NULL) {
        kw_free(l);
        return kw_err_at(KW_CODE_NO_MEMORY, "look");
    }
    l->loop = loop;
    l->clock = clock;
    (void)kw_copy_str(l->path, sizeof l->path, kw_span_str(socket));
    l->fd = -1;
    *ret_look = l;
    return KW_OK;
}

static void look_close(struct kw_status_look *l)
{
    if (l->readable != NULL)
        event_free(l->readable);
    l->readable = NULL;
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

void kw_status_look_free(struct kw_status_look *look)
{
    if (look == NULL)
        return;
    look_close(look);
    json_decref(look->document);
    kw_free(look->text);
    kw_free(look);
}

/* All that wait are told; one that is told may ask again, or be forgotten. */
static void look_tell(struct kw_status_look *l)
{
    for (size_t i = 0; i < KW_LOOK_WAITING_MAX; i++) {
        const struct look_waiter w = l->waiters[i];
        l->waiters[i] = (struct look_waiter){0};
        if (w.ctx != NULL)
            w.looked(w.ctx, l->document, l->why);
    }
}

static void look_end(struct kw_status_look *l, json_t *document, const char *why)
{
    look_close(l);
    json_decref(l->document);
    l->document = document;
    (void)kw_copy_str(l->why, sizeof l->why, kw_span_str(why));
    l->ended_ns = kw_mono_ns(l->clock);
    look_tell(l);
}

/* Whole, and a daemon's: another program may listen there. */
static void look_parse(struct kw_status_look *l)
{
    json_t *document = json_loadb(l->text, l->len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_string(json_object_get(document, "version")) &&
        json_is_array(json_object_get(document, "classes"))) {
        look_end(l, document, "");
        return;
    }
    json_decref(document);
    look_end(l, NULL,
             l->len == 0 ? "it closed without an answer: this user may not ask, or the "
                           "daemon is stopping"
                         : "the answer is no whole status document");
}

static void look_wait(struct kw_status_look *l)
{
    const int64_t left = l->until_ns - kw_mono_ns(l->clock);
    const struct timeval time = {left / KW_S_NS, left % KW_S_NS / 1000 + 1};
    if (left <= 0 || event_add(l->readable, &time) != 0)
        look_end(l, NULL, "no answer came in time: the daemon hangs");
}

static void on_document(evutil_socket_t fd, short what, void *self)
{
    struct kw_status_look *l = self;
    ssize_t n = 0;
    if ((what & EV_READ) == 0) {
        look_end(l, NULL, "no answer came in time: the daemon hangs");
        return;
    }
    do {
        n = read(fd, l->text + l->len, KW_STATUS_MAX - l->len);
        l->len += n > 0 ? (size_t)n : 0;
    } while ((n > 0 && l->len < KW_STATUS_MAX) || (n < 0 && errno == EINTR));
    if (n == 0 && l->len < KW_STATUS_MAX)
        look_parse(l);
    else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        look_wait(l);
    else
        look_end(l, NULL, n < 0 ? strerror(errno) : "the answer is too long");
}

static void look_begin(struct kw_status_look *l)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    l->len = 0;
    l->until_ns = kw_mono_ns(l->clock) + KW_LOOK_TIME_NS;
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd < 0 ||
        !kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(l->path)) ||
        connect(l->fd, (const struct sockaddr *)&at, sizeof at) != 0) {
        look_end(l, NULL, strerror(errno));
        return;
    }
    l->readable = event_new(l->loop, l->fd, EV_READ, on_document, l);
    if (l->readable == NULL)
        look_end(l, NULL, "out of memory");
    else
        look_wait(l);
}

kw_err kw_status_look_ask(struct kw_status_look *look, kw_looked *looked, void *ctx)
{
    const int64_t now = kw_mono_ns(look->clock);
    if (look->readable == NULL && look->ended_ns != 0 &&
        now - look->ended_ns < KW_LOOK_EVERY_NS) {
        looked(ctx, look->document, look->why);
        return KW_OK;
    }
    size_t i = 0;
    while (i < KW_LOOK_WAITING_MAX && look->waiters[i].ctx != NULL)
        i++;
    if (i == KW_LOOK_WAITING_MAX)
        return kw_err_at(KW_CODE_BUSY, "look");
    look->waiters[i] = (struct look_waiter){looked, ctx};
    if (look->readable == NULL)
        look_begin(look);
    return KW_OK;
}

void kw_status_look_forget(struct kw_status_look *look, const void *ctx)
{
    for (size_t i = 0; i < KW_LOOK_WAITING_MAX; i++)
        if (look->waiters[i].ctx == ctx)
            look->waiters[i] = (struct look_waiter){0};
}
