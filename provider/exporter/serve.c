/* SPDX-License-Identifier: Apache-2.0 */
#include "serve.h"

#include <signal.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include <keyward/alloc.h>
#include <keyward/file.h>

#include "http.h"
#include "status_look.h"
#include "pages.h"

struct serve_asker {
    struct serve *serve;
    struct kw_http_connection *connection; /* NULL: nobody's */
    struct kw_http_request request;
};

struct serve {
    const struct kw_serve_options *options;
    struct event_base *loop;
    struct kw_status_look *look;
    struct kw_http *http;
    struct event *ends[2];
    struct serve_asker askers[KW_HTTP_CONNECTIONS_MAX];
};

static kw_err serve_no_memory(struct kw_note *note)
{
    kw_note_set(note, "out of memory");
    return kw_err_at(KW_CODE_NO_MEMORY, "serve");
}

static void serve_page(const struct serve *s, struct kw_http_connection *connection,
                       const struct kw_http_request *request, const json_t *document,
                       const char *why)
{
    struct evbuffer *body = evbuffer_new();
    if (body == NULL)
        return; /* its time ends it */
    const struct kw_page_answer a =
        kw_page_write(body, request, document, why, &s->options->metrics);
    kw_http_answer(connection, a.status, a.type, body);
    evbuffer_free(body);
}

static void serve_looked(void *ctx, const json_t *document, const char *why)
{
    struct serve_asker *a = ctx;
    struct kw_http_connection *connection = a->connection;
    a->connection = NULL;
    serve_page(a->serve, connection, &a->request, document, why);
}

static void serve_asked(void *ctx, struct kw_http_connection *connection,
                        const struct kw_http_request *request)
{
    struct serve *s = ctx;
    struct serve_asker *a = s->askers;
    if (!kw_page_exists(request->path)) {
        serve_page(s, connection, request, NULL, "");
        return;
    }
    while (a->connection != NULL) /* as many as there are connections */
        a++;
    *a = (struct serve_asker){s, connection, *request};
    if (kw_failed(kw_status_look_ask(s->look, serve_looked, a)))
        serve_looked(a, NULL, "too many ask at once");
}

static void serve_gone(void *ctx, struct kw_http_connection *connection)
{
    struct serve *s = ctx;
    for (size_t i = 0; i < KW_HTTP_CONNECTIONS_MAX; i++)
        if (s->askers[i].connection == connection) {
            kw_status_look_forget(s->look, &s->askers[i]);
            s->askers[i].connection = NULL;
        }
}

static void on_end(evutil_socket_t signo, short what, void *loop)
{
    (void)signo;
    (void)what;
    (void)event_base_loopbreak(loop);
}

static kw_err serve_begin(struct serve *s, struct kw_note *note)
{
    const int signals[] = {SIGTERM, SIGINT};
    const struct kw_http_options http = {.loop = s->loop,
                                         .listening = s->options->listening,
                                         .tls = s->options->tls,
                                         .time_ns = KW_HTTP_TIME_NS,
                                         .asked = serve_asked,
                                         .gone = serve_gone,
                                         .ctx = s};
    for (size_t i = 0; i < 2; i++) {
        s->ends[i] = evsignal_new(s->loop, signals[i], on_end, s->loop);
        if (s->ends[i] == NULL || event_add(s->ends[i], NULL) != 0)
            return serve_no_memory(note);
    }
    if (kw_failed(kw_status_look_new(s->loop, &kw_clock_system, s->options->socket,
                                     &s->look)) ||
        kw_failed(kw_http_new(&http, &s->http)))
        return serve_no_memory(note);
    return KW_OK;
}

static void serve_end(struct serve *s)
{
    kw_http_free(s->http);
    kw_status_look_free(s->look);
    for (size_t i = 0; i < 2; i++)
        if (s->ends[i] != NULL)
            event_free(s->ends[i]);
}

kw_err kw_serve(const struct kw_serve_options *options, struct kw_note *note)
{
    struct serve *s = kw_new(1, sizeof *s);
    struct event_base *loop = event_base_new();
    kw_err e = s == NULL || loop == NULL ? serve_no_memory(note) : KW_OK;
    if (!kw_failed(e)) {
        s->options = options;
        s->loop = loop;
        e = serve_begin(s, note);
    }
    if (!kw_failed(e))
        (void)event_base_dispatch(loop);
    if (s != NULL)
        serve_end(s);
    kw_free(s);
    if (loop != NULL)
        event_base_free(loop);
    return e;
}

/* ---- one file ---------------------------------------------------------------------- */

struct serve_file {
    const struct kw_serve_options *options;
    struct evbuffer *text;
    bool written;
};

static void file_looked(void *ctx, const json_t *document, const char *why)
{
    struct serve_file *f = ctx;
    (void)why;
    f->written = kw_metrics_write(f->text, document, &f->options->metrics);
}

static bool file_fill(struct serve_file *f)
{
    struct event_base *loop = event_base_new();
    struct kw_status_look *look = NULL;
    if (loop != NULL &&
        !kw_failed(
            kw_status_look_new(loop, &kw_clock_system, f->options->socket, &look)) &&
        !kw_failed(kw_status_look_ask(look, file_looked, f)))
        (void)event_base_dispatch(loop); /* ends with the look */
    kw_status_look_free(look);
    if (loop != NULL)
        event_base_free(loop);
    return f->written;
}

kw_err kw_serve_file(const struct kw_serve_options *options, const char *path,
                     struct kw_note *note)
{
    struct serve_file f = {.options = options, .text = evbuffer_new()};
    kw_err e = f.text == NULL || !file_fill(&f) ? serve_no_memory(note) : KW_OK;
    if (!kw_failed(e))
        e = kw_file_replace(
            path, kw_span_of(evbuffer_pullup(f.text, -1), evbuffer_get_length(f.text)),
            0644, note);
    if (f.text != NULL)
        evbuffer_free(f.text);
    return e;
}
