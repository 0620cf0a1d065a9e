/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a connection, and what goes out on it. */
#include "h2.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/clock.h>

enum { WINDOW_DEFAULT = 65535, WINDOW_MOST = 0x7fffffff };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

void kw_h2_end(struct kw_h2 *c, const char *why)
{
    if (!c->over && why != NULL && c->fault[0] == '\0')
        snprintf(c->fault, sizeof c->fault, "%s", why);
    c->over = true;
}

void kw_h2_broke(struct kw_h2 *c, int error)
{
    kw_h2_end(c, error == EPIPE || error == ECONNRESET
                     ? "the server closed the connection"
                     : strerror(error));
}

static bool put_raw(struct kw_h2 *c, kw_span s)
{
    kw_dst dst = {c->out, KW_OUT_BYTES, c->out_len};
    if (!kw_dst_put(&dst, s))
        return false;
    c->out_len = dst.len;
    return true;
}

bool kw_h2_put(struct kw_h2 *c, uint8_t type, uint8_t flags, uint32_t id, kw_span payload)
{
    const uint8_t head[KW_FRAME_HEAD] = {(uint8_t)(payload.len >> 16),
                                         (uint8_t)(payload.len >> 8),
                                         (uint8_t)payload.len,
                                         type,
                                         flags,
                                         (uint8_t)(id >> 24),
                                         (uint8_t)(id >> 16),
                                         (uint8_t)(id >> 8),
                                         (uint8_t)id};
    if (KW_OUT_BYTES - c->out_len < sizeof head + payload.len)
        return false;
    return put_raw(c, kw_span_of(head, sizeof head)) && put_raw(c, payload);
}

/* ENABLE_PUSH off, windows as large as can be: replies never wait for us. */
static bool put_hello(struct kw_h2 *c)
{
    static const uint8_t settings[] = {0, 2, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff};
    uint8_t bytes[4];
    kw_dst more = kw_dst_of(bytes, sizeof bytes);
    return kw_dst_put_u32(&more, WINDOW_MOST - WINDOW_DEFAULT) &&
           put_raw(c, kw_span_of(preface, sizeof preface - 1)) &&
           kw_h2_put(c, KW_FRAME_SETTINGS, 0, 0, kw_span_of(settings, sizeof settings)) &&
           kw_h2_put(c, KW_FRAME_WINDOW_UPDATE, 0, 0, kw_dst_span(&more));
}

static kw_err dial(struct kw_h2 *c, const char *path, struct kw_note *note)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const struct timeval tick = {.tv_usec = 100000};
    if (!kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(path))) {
        kw_note_set(note, "%s: too long for a socket", path);
        return kw_err_at(KW_CODE_BAD_INPUT, "socket");
    }
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&at, sizeof at) != 0 ||
        setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick) != 0) {
        int saved = errno;
        kw_note_set(note, "%s: %s; does a KMS plugin listen there?", path,
                    strerror(saved));
        return kw_err_native(KW_CODE_IO, (uint32_t)saved, "connect");
    }
    return KW_OK;
}

static void nobody_called(void *ctx, struct kw_h2 *c, struct kw_stream *s)
{
    (void)ctx;
    (void)c;
    (void)s;
}

static kw_err greet(struct kw_h2 *c, const char *path, struct kw_note *note)
{
    const kw_deadline until = kw_deadline_in(&kw_clock_system, 5 * KW_S_NS);
    if (!put_hello(c))
        kw_h2_end(c, "no room for the preface");
    kw_h2_flush(c);
    while (!c->has_settings && !c->over &&
           !kw_deadline_over(until, kw_mono_ns(&kw_clock_system)))
        if (kw_h2_read(c, true))
            kw_h2_digest(c, nobody_called, NULL);
    if (c->has_settings && !c->over)
        return KW_OK;
    /* Nothing at all: a plugin that does not want us, as keywardd with a foreign uid. */
    if (c->over && c->in_len == 0 && !c->draining)
        kw_note_set(note,
                    "%s: whoever listens there closed the connection without a word; may "
                    "this user (uid %u) call it, and is it a KMS plugin?",
                    path, (unsigned)geteuid());
    else
        kw_note_set(note, "%s: whoever listens there speaks no HTTP/2%s%s", path,
                    c->fault[0] != '\0' ? ": " : "", c->fault);
    return kw_err_at(KW_CODE_BAD_INPUT, "SETTINGS");
}

kw_err kw_h2_open(struct kw_h2 *c, const char *path, unsigned streams,
                  const char *timeout, struct kw_note *note)
{
    KW_INVARIANT(streams > 0 && streams <= KW_STREAMS_MAX);
    *c = (struct kw_h2){.fd = -1, .window = WINDOW_DEFAULT, .next_id = 1};
    c->stream_window = WINDOW_DEFAULT;
    c->streams_max = c->streams_given = streams;
    c->headers.timeout = timeout;
    c->out = kw_new(1, KW_OUT_BYTES);
    c->in = kw_new(1, KW_IN_BYTES);
    c->streams = kw_new(streams, sizeof c->streams[0]);
    if (c->out == NULL || c->in == NULL || c->streams == NULL ||
        nghttp2_hd_inflate_new(&c->inflater) != 0)
        return kw_err_at(KW_CODE_NO_MEMORY, "connection");
    for (unsigned i = 0; i < streams; i++)
        c->free[c->free_count++] = (uint16_t)(streams - 1 - i);
    for (unsigned i = 0; i < 1024; i++)
        c->where[i] = UINT16_MAX;
    kw_err e = dial(c, path, note);
    return kw_failed(e) ? e : greet(c, path, note);
}

void kw_h2_close(struct kw_h2 *c)
{
    if (c->out != NULL && c->fd >= 0)
        close(c->fd);
    if (c->inflater != NULL) /* it does not take NULL */
        nghttp2_hd_inflate_del(c->inflater);
    kw_free(c->out);
    kw_free(c->in);
    kw_free(c->streams);
    *c = (struct kw_h2){.fd = -1};
}

int32_t kw_h2_peer(const struct kw_h2 *c)
{
    struct ucred who = {0};
    socklen_t len = sizeof who;
    return getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 ? who.pid : 0;
}

struct kw_stream *kw_h2_find(struct kw_h2 *c, uint32_t id)
{
    uint16_t at = c->where[(id >> 1) & 1023u];
    return at != UINT16_MAX && c->streams[at].id == id ? &c->streams[at] : NULL;
}

void kw_h2_free_stream(struct kw_h2 *c, struct kw_stream *s)
{
    c->where[(s->id >> 1) & 1023u] = UINT16_MAX;
    s->id = 0;
    c->free[c->free_count++] = (uint16_t)(s - c->streams);
}

/* The next number whose place in the table is free; numbers may be left out (5.1.1). */
static uint32_t new_id(struct kw_h2 *c)
{
    while (c->where[(c->next_id >> 1) & 1023u] != UINT16_MAX)
        c->next_id += 2;
    uint32_t id = c->next_id;
    c->next_id += 2;
    return id;
}

bool kw_h2_busy(const struct kw_h2 *c)
{
    for (unsigned i = 0; i < c->streams_given; i++)
        if (c->streams[i].id != 0)
            return true;
    return false;
}

static bool may_submit(const struct kw_h2 *c, size_t len)
{
    return !c->over && !c->draining && c->free_count > 0 && c->window >= (int64_t)len &&
           c->stream_window >= len &&
           KW_OUT_BYTES - c->out_len > KW_HEADERS_BLOCK + 2 * KW_FRAME_HEAD + len;
}

struct kw_stream *kw_h2_submit(struct kw_h2 *c, enum kw_method method, kw_span message)
{
    uint8_t block[KW_HEADERS_BLOCK];
    kw_dst head = kw_dst_of(block, sizeof block);
    if (!may_submit(c, message.len))
        return NULL;
    if (c->next_id > INT32_MAX - 4096) {
        kw_h2_end(c, "the connection's stream numbers are used up");
        return NULL;
    }
    uint16_t at = c->free[--c->free_count];
    struct kw_stream *s = &c->streams[at];
    s->id = new_id(c);
    s->status = -1;
    s->overlong = false;
    s->len = 0;
    s->method = method;
    c->where[(s->id >> 1) & 1023u] = at;
    kw_headers_put(&c->headers, method, &head);
    c->window -= (int64_t)message.len;
    bool fits =
        kw_h2_put(c, KW_FRAME_HEADERS, KW_END_HEADERS, s->id, kw_dst_span(&head)) &&
        kw_h2_put(c, KW_FRAME_DATA, KW_END_STREAM, s->id, message);
    KW_INVARIANT(fits);
    return s;
}

void kw_h2_cancel(struct kw_h2 *c, struct kw_stream *s)
{
    static const uint8_t cancel[4] = {0, 0, 0, 8};
    if (!c->over &&
        !kw_h2_put(c, KW_FRAME_RST_STREAM, 0, s->id, kw_span_of(cancel, sizeof cancel)))
        kw_h2_end(c, "the server takes nothing any more");
    kw_h2_free_stream(c, s);
}

void kw_h2_flush(struct kw_h2 *c)
{
    while (!c->over && kw_h2_unwritten(c)) {
        ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            kw_h2_broke(c, errno);
        if (n < 0)
            break;
        c->out_at += (size_t)n;
    }
    if (!kw_h2_unwritten(c))
        c->out_at = c->out_len = 0;
}
