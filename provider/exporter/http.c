/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include <keyward/alloc.h>

struct kw_http_connection {
    struct kw_http *http;
    struct bufferevent *stream; /* NULL: nobody's place */
    struct event *over;         /* its time             */
    uint64_t number;            /* in the order in which they came */
    bool asked;                 /* the request is whole; an answer may be owed */
    bool owed, head;
    bool ended; /* the client says no more */
};

struct kw_http {
    struct kw_http_options options;
    struct event *acceptable;
    uint64_t accepted;
    struct kw_http_connection connections[KW_HTTP_CONNECTIONS_MAX];
};

static void http_close(struct kw_http_connection *c)
{
    const struct kw_http_options *o = &c->http->options;
    if (c->owed)
        o->gone(o->ctx, c);
    event_free(c->over);
    bufferevent_free(c->stream);
    *c = (struct kw_http_connection){.http = c->http};
}

/* ---- the answer -------------------------------------------------------------------- */

static const char *http_status_text(int status)
{
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    default: return "Internal Server Error";
    }
}

/* All is written: the end is said, and closed when the reader said it too, or its time is
 * over.  Closing at once would take back what it has not read when more of its bytes come. */
static void http_written(struct bufferevent *stream, void *self)
{
    struct kw_http_connection *c = self;
    SSL *ssl = bufferevent_openssl_get_ssl(stream);
    if (!c->asked || c->owed)
        return;
    if (c->ended) {
        http_close(c);
        return;
    }
    if (ssl != NULL)
        (void)SSL_shutdown(ssl);
    (void)shutdown(bufferevent_getfd(stream), SHUT_WR);
}

void kw_http_answer(struct kw_http_connection *connection, int status, const char *type,
                    struct evbuffer *body)
{
    struct evbuffer *out = bufferevent_get_output(connection->stream);
    const bool good =
        evbuffer_add_printf(
            out,
            "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
            "Connection: close\r\nCache-Control: no-store\r\n"
            "X-Content-Type-Options: nosniff\r\n%s\r\n",
            status, http_status_text(status), type, evbuffer_get_length(body),
            status == 405 ? "Allow: GET, HEAD\r\n" : "") > 0;
    connection->owed = false;
    if (!connection->head && evbuffer_add_buffer(out, body) != 0)
        (void)evbuffer_drain(body, evbuffer_get_length(body));
    if (!good)
        http_close(connection);
}

static void http_refuse(struct kw_http_connection *c, int status)
{
    struct evbuffer *body = evbuffer_new();
    if (body == NULL) {
        http_close(c);
        return;
    }
    (void)evbuffer_add_printf(body, "%s\n", http_status_text(status));
    kw_http_answer(c, status, "text/plain; charset=utf-8", body);
    evbuffer_free(body);
}

/* ---- the request ------------------------------------------------------------------- */

static void http_asked(struct kw_http_connection *c,
                       const struct kw_http_request *request)
{
    const struct kw_http_options *o = &c->http->options;
    c->owed = true;
    c->head = request->head;
    o->asked(o->ctx, c, request);
}

static void http_readable(struct bufferevent *stream, void *self)
{
    struct kw_http_connection *c = self;
    struct evbuffer *in = bufferevent_get_input(stream);
    const size_t len = evbuffer_get_length(in);
    struct kw_http_request request;
    if (c->asked) { /* more than was asked for is not looked at */
        (void)evbuffer_drain(in, len);
        return;
    }
    const enum kw_request_state state =
        kw_request_read(kw_span_of(evbuffer_pullup(in, -1), len), &request);
    if (state == KW_REQUEST_MORE)
        return;
    c->asked = true;
    (void)evbuffer_drain(in, len);
    if (state == KW_REQUEST_GOOD)
        http_asked(c, &request);
    else
        http_refuse(c, state == KW_REQUEST_METHOD     ? 405
                       : state == KW_REQUEST_TOO_LONG ? 431
                                                      : 400);
}

/* The end of what the client says is no reason to leave before the answer is out. */
static void http_ended(struct bufferevent *stream, short what, void *self)
{
    struct kw_http_connection *c = self;
    const bool may_stay =
        (what & BEV_EVENT_EOF) != 0 && c->asked &&
        (c->owed || evbuffer_get_length(bufferevent_get_output(stream)) > 0);
    if (may_stay)
        c->ended = true;
    else if ((what & BEV_EVENT_CONNECTED) == 0)
        http_close(c);
}

static void http_over(evutil_socket_t fd, short what, void *self)
{
    (void)fd;
    (void)what;
    http_close(self);
}

/* ---- connections ------------------------------------------------------------------- */

/* NULL: all have asked. */
static struct kw_http_connection *http_place(struct kw_http *h)
{
    struct kw_http_connection *oldest = NULL;
    for (size_t i = 0; i < KW_HTTP_CONNECTIONS_MAX; i++) {
        struct kw_http_connection *c = &h->connections[i];
        if (c->stream == NULL)
            return c;
        if (!c->asked && (oldest == NULL || c->number < oldest->number))
            oldest = c;
    }
    if (oldest != NULL)
        http_close(oldest);
    return oldest;
}

static struct bufferevent *http_stream(const struct kw_http_options *o, int fd)
{
    if (o->tls == NULL)
        return bufferevent_socket_new(o->loop, fd, BEV_OPT_CLOSE_ON_FREE);
    SSL *ssl = SSL_new(o->tls);
    struct bufferevent *stream =
        ssl == NULL
            ? NULL
            : bufferevent_openssl_socket_new(o->loop, fd, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                             BEV_OPT_CLOSE_ON_FREE);
    if (stream != NULL)
        bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
    else
        SSL_free(ssl);
    return stream;
}

static void http_open(struct kw_http *h, int fd)
{
    const struct kw_http_options *o = &h->options;
    const struct timeval time = {o->time_ns / KW_S_NS, o->time_ns % KW_S_NS / 1000};
    struct kw_http_connection *c = http_place(h);
    struct bufferevent *stream = c == NULL ? NULL : http_stream(o, fd);
    if (stream == NULL) {
        close(fd);
        return;
    }
    *c = (struct kw_http_connection){.http = h,
                                     .stream = stream,
                                     .over = evtimer_new(o->loop, http_over, c),
                                     .number = h->accepted++};
    bufferevent_setcb(stream, http_readable, http_written, http_ended, c);
    bufferevent_setwatermark(stream, EV_READ, 0, KW_REQUEST_MAX);
    if (c->over == NULL || evtimer_add(c->over, &time) != 0 ||
        bufferevent_enable(stream, EV_READ | EV_WRITE) != 0) {
        if (c->over != NULL)
            event_free(c->over);
        bufferevent_free(stream);
        *c = (struct kw_http_connection){.http = h};
    }
}

static void http_acceptable(evutil_socket_t listening, short what, void *self)
{
    enum { AT_ONCE = 16 };
    (void)what;
    for (int i = 0; i < AT_ONCE; i++) {
        int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            http_open(self, fd);
        else if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

kw_err kw_http_new(const struct kw_http_options *options, struct kw_http **ret_http)
{
    struct kw_http *h = kw_new(1, sizeof *h);
    if (h == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "http");
    h->options = *options;
    h->acceptable = event_new(options->loop, options->listening, EV_READ | EV_PERSIST,
                              http_acceptable, h);
    if (h->acceptable == NULL || event_add(h->acceptable, NULL) != 0) {
        kw_http_free(h);
        return kw_err_at(KW_CODE_NO_MEMORY, "http");
    }
    *ret_http = h;
    return KW_OK;
}

void kw_http_free(struct kw_http *http)
{
    if (http == NULL)
        return;
    for (size_t i = 0; i < KW_HTTP_CONNECTIONS_MAX; i++)
        if (http->connections[i].stream != NULL)
            http_close(&http->connections[i]);
    if (http->acceptable != NULL)
        event_free(http->acceptable);
    kw_free(http);
}
