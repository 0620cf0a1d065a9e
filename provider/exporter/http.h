/* SPDX-License-Identifier: Apache-2.0 */
/* http - connections: one request, one answer, closed
 *
 * Each has KW_HTTP_TIME_NS for all of it, handshake included.  When all places are taken, the
 * one that has been silent the longest makes room; when all of them have asked, the newcomer
 * is closed.
 *
 * Threads:   one, on its libevent loop.
 * Blocking:  never.
 */
#ifndef KEYWARD_EXPORTER_HTTP_H
#define KEYWARD_EXPORTER_HTTP_H

#include <openssl/types.h>

#include <keyward/clock.h>
#include <keyward/err.h>

#include "request.h"

struct event_base;
struct evbuffer;

#define KW_HTTP_CONNECTIONS_MAX 64u
#define KW_HTTP_TIME_NS (10 * KW_S_NS)

struct kw_http_connection;
struct kw_http_options {
    struct event_base *loop;
    int listening; /* non-blocking, stays the caller's */
    SSL_CTX *tls;  /* NULL: plain; borrowed            */
    int64_t time_ns;
    /* The request's; one kw_http_answer is owed, at once or later. */
    void (*asked)(void *ctx, struct kw_http_connection *connection,
                  const struct kw_http_request *request);
    /* A connection that is owed an answer is gone: it is owed none. */
    void (*gone)(void *ctx, struct kw_http_connection *connection);
    void *ctx;
};
struct kw_http;
/* NO_MEMORY */
KW_MUST_USE kw_err kw_http_new(const struct kw_http_options *options,
                               struct kw_http **ret_http);
void kw_http_free(struct kw_http *http); /* NULL does nothing */

/* Drains `body`; of a HEAD only its length is sent.  Status: 200, 404, 503, … */
void kw_http_answer(struct kw_http_connection *connection, int status, const char *type,
                    struct evbuffer *body);

#endif
