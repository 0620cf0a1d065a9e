/* SPDX-License-Identifier: Apache-2.0 */
#include "h2.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/clock.h>

#include "tool.h"

enum { WINDOW_MOST = 0x7fffffff, HEAD = 9, FRAME_MAX = HEAD + 16384, FIELDS_MOST = 512 };

static const int64_t look_ns = 100 * KW_MS_NS;

void kw_h2_end(struct kw_h2 *c, const char *why)
{
    if (!c->over && c->fault[0] == '\0')
        snprintf(c->fault, sizeof c->fault, "%s", why);
    c->over = true;
}

static void h2_free_call(struct kw_h2 *c, struct kw_h2_call *call)
{
    call->id = 0;
    c->free[c->free_count++] = (uint16_t)(call - c->calls);
}

/* NULL: none that waits, or it was given up. */
static struct kw_h2_call *h2_call_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

/* ---- what goes out ------------------------------------------------------------------- */

enum { FIELD_AUTHORITY = KW_METHODS, FIELD_TYPE, FIELD_AGENT, FIELD_TE, FIELD_TIMEOUT };
static const char *const fields[KW_H2_FIELDS][2] = {
    [KW_STATUS] = {":path", "/v2.KeyManagementService/Status"},
    [KW_ENCRYPT] = {":path", "/v2.KeyManagementService/Encrypt"},
    [KW_DECRYPT] = {":path", "/v2.KeyManagementService/Decrypt"},
    [FIELD_AUTHORITY] = {":authority", "localhost"},
    [FIELD_TYPE] = {"content-type", "application/grpc"},
    [FIELD_AGENT] = {"user-agent", "keyward-bench/" KW_VERSION},
    [FIELD_TE] = {"te", "trailers"},
    [FIELD_TIMEOUT] = {"grpc-timeout", NULL}};

static bool h2_put_text(kw_dst *dst, const char *text)
{
    return kw_dst_put_u8(dst, (uint8_t)strlen(text)) &&
           kw_dst_put(dst, kw_span_str(text));
}

/* RFC 7541: by its place in the server's table when it is there (6.1), else in full, to be
 * kept there (6.2.1) or not (6.2.2). */
static bool h2_put_field(struct kw_h2 *c, unsigned i, kw_dst *dst)
{
    enum { FIRST_PLACE = 62, INDEXED = 0x80, KEPT = 0x40 };
    const bool keeps = nghttp2_session_get_remote_settings(
                           c->session, NGHTTP2_SETTINGS_HEADER_TABLE_SIZE) >= 4096;
    if (c->place[i] > 0)
        return kw_dst_put_u8(
            dst, (uint8_t)(INDEXED | (FIRST_PLACE + c->places - c->place[i])));
    if (keeps)
        c->place[i] = ++c->places;
    return kw_dst_put_u8(dst, keeps ? KEPT : 0) && h2_put_text(dst, fields[i][0]) &&
           h2_put_text(dst, i == FIELD_TIMEOUT ? c->setup.timeout : fields[i][1]);
}

/* nghttp2 puts no :path into the server's table: with each call the server would decode one
 * anew, which no API server asks of it.  So the headers of a request are ours, behind those
 * of nghttp2, which are none. */
static void h2_put_headers(struct kw_h2 *c, uint8_t *frame, kw_dst *dst)
{
    struct kw_src src = kw_src_of(kw_span_of(frame + 5, 4));
    const struct kw_h2_call *call = h2_call_of(c->session, (int32_t)kw_src_u32(&src));
    const size_t before = dst->len;
    bool fits = kw_dst_put_u8(dst, 0x83) && kw_dst_put_u8(dst, 0x86); /* POST, http */
    fits = fits && h2_put_field(c, call != NULL ? call->method : KW_STATUS, dst);
    for (unsigned i = FIELD_AUTHORITY; i <= FIELD_TE; i++)
        fits = fits && h2_put_field(c, i, dst);
    if (c->setup.timeout != NULL)
        fits = fits && h2_put_field(c, FIELD_TIMEOUT, dst);
    KW_INVARIANT(fits);
    const size_t len = (size_t)(frame[1] << 8 | frame[2]) + (dst->len - before);
    frame[1] = (uint8_t)(len >> 8);
    frame[2] = (uint8_t)len;
}

/* What nghttp2 has to say, as much as the buffer takes: few large writes cost less. */
static void h2_gather(struct kw_h2 *c)
{
    const uint8_t *bytes = NULL;
    ssize_t n = 0;
    while (KW_H2_BYTES - c->out_len >= FRAME_MAX + FIELDS_MOST &&
           (n = nghttp2_session_mem_send(c->session, &bytes)) > 0) {
        kw_dst dst = {c->out, KW_H2_BYTES, c->out_len};
        uint8_t *frame = c->out + c->out_len;
        bool fits = kw_dst_put(&dst, kw_span_of(bytes, (size_t)n));
        KW_INVARIANT(fits);
        if (n >= HEAD && frame[3] == NGHTTP2_HEADERS)
            h2_put_headers(c, frame, &dst);
        c->out_len = dst.len;
    }
    if (n < 0)
        kw_h2_end(c, nghttp2_strerror((int)n));
}

static ssize_t on_body(nghttp2_session *session, int32_t id, uint8_t *dst, size_t cap,
                       uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
    struct kw_h2_call *call = source->ptr;
    size_t left = call->request_len - call->request_at;
    size_t n = left < cap ? left : cap;
    kw_copy(dst, cap, kw_span_of(call->body + call->request_at, n));
    call->request_at += (uint32_t)n;
    if (n == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static bool h2_may_submit(const struct kw_h2 *c)
{
    return !c->over && !c->draining && c->free_count > 0 &&
           (c->setup.queues ||
            c->setup.calls - c->free_count <
                nghttp2_session_get_remote_settings(
                    c->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS));
}

struct kw_h2_call *kw_h2_submit(struct kw_h2 *c, enum kw_bench_method method,
                                kw_span message)
{
    if (!h2_may_submit(c))
        return NULL;
    struct kw_h2_call *call = &c->calls[c->free[c->free_count - 1]];
    const nghttp2_data_provider body = {{.ptr = call}, on_body};
    kw_copy(call->body, sizeof call->body, message);
    call->request_len = (uint32_t)message.len;
    call->request_at = call->len = 0;
    call->status = -1;
    call->overlong = false;
    call->method = method;
    call->id = nghttp2_submit_request(c->session, NULL, NULL, 0, &body, call);
    if (call->id < 0) {
        kw_h2_end(c, nghttp2_strerror(call->id));
        call->id = 0;
        return NULL;
    }
    c->free_count--;
    h2_gather(c); /* now: else all headers would go before all bodies */
    return call;
}

void kw_h2_cancel(struct kw_h2 *c, struct kw_h2_call *call)
{
    if (!c->over &&
        (nghttp2_session_set_stream_user_data(c->session, call->id, NULL) != 0 ||
         nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, call->id,
                                   NGHTTP2_CANCEL) != 0))
        kw_h2_end(c, "a call could not be given up");
    h2_free_call(c, call);
}

static void h2_broke(struct kw_h2 *c, int error)
{
    kw_h2_end(c, error == EPIPE || error == ECONNRESET
                     ? "the server closed the connection"
                     : strerror(error));
}

static bool h2_unwritten(const struct kw_h2 *c)
{
    return c->out_len > c->out_at;
}

void kw_h2_flush(struct kw_h2 *c)
{
    while (!c->over) {
        h2_gather(c);
        if (!h2_unwritten(c))
            break;
        ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            h2_broke(c, errno);
        if (n < 0)
            return;
        c->out_at += (size_t)n;
        if (!h2_unwritten(c))
            c->out_at = c->out_len = 0;
    }
    if (!c->over && !c->draining && !nghttp2_session_want_read(c->session))
        kw_h2_end(c, "what the server says is no HTTP/2");
}

/* ---- what comes in ------------------------------------------------------------------- */

/* Of one digit or two; -1: it is none. */
static int h2_number(kw_span s)
{
    int n = 0;
    for (size_t i = 0; i < s.len; i++)
        n = s.ptr[i] >= '0' && s.ptr[i] <= '9' && n >= 0 ? n * 10 + (s.ptr[i] - '0') : -1;
    return s.len >= 1 && s.len <= 2 ? n : -1;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame,
                     const uint8_t *name, size_t name_len, const uint8_t *value,
                     size_t value_len, uint8_t flags, void *ctx)
{
    struct kw_h2 *c = ctx;
    kw_span n = kw_span_of(name, name_len), v = kw_span_of(value, value_len);
    struct kw_h2_call *call = h2_call_of(session, frame->hd.stream_id);
    if (kw_span_equal_str(n, "grpc-message"))
        (void)kw_copy_printable(c->said, sizeof c->said, v);
    else if (call != NULL && kw_span_equal_str(n, "grpc-status"))
        call->status = h2_number(v);
    else if (call != NULL && call->status < 0 && kw_span_equal_str(n, ":status") &&
             !kw_span_equal_str(v, "200")) /* as gRPC maps HTTP's */
        call->status =
            kw_span_equal_str(v, "404") ? KW_GRPC_UNIMPLEMENTED : KW_GRPC_UNAVAILABLE;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id,
                   const uint8_t *bytes, size_t len, void *ctx)
{
    struct kw_h2_call *call = h2_call_of(session, id);
    if (call == NULL)
        return 0;
    kw_dst body = {call->body, KW_REPLY_MAX, call->len};
    if (call->request_at < call->request_len ||
        !kw_dst_put(&body, kw_span_of(bytes, len)))
        call->overlong = true;
    call->len = (uint32_t)body.len;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t why, void *ctx)
{
    struct kw_h2 *c = ctx;
    struct kw_h2_call *call = h2_call_of(session, id);
    if (call == NULL)
        return 0;
    if (why != NGHTTP2_NO_ERROR) {
        if (call->status < 0) /* as gRPC calls a stream that was reset */
            call->status = why == NGHTTP2_REFUSED_STREAM ? KW_GRPC_UNAVAILABLE
                           : why == NGHTTP2_CANCEL       ? 1
                                                         : 13;
        snprintf(c->said, sizeof c->said, "RST_STREAM, error %" PRIu32, why);
    }
    if (c->ended != NULL)
        c->ended(c->ctx, c, call);
    c->said[0] = '\0';
    h2_free_call(c, call);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct kw_h2 *c = ctx;
    if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
        c->has_settings = true;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        if (c->fault[0] == '\0')
            snprintf(c->fault, sizeof c->fault,
                     "the server is going away (GOAWAY, error %" PRIu32 ")",
                     frame->goaway.error_code);
        c->draining = true;
    }
    return 0;
}

/* Reads once; `wait`: until something comes, a signal does, or 100 ms are over. */
static void h2_hear(struct kw_h2 *c, bool wait, int64_t *now_ns)
{
    ssize_t n = recv(c->fd, c->in, KW_H2_BYTES, wait ? 0 : MSG_DONTWAIT);
    if (n == 0)
        h2_broke(c, ECONNRESET);
    else if (n < 0 && errno != EAGAIN && errno != EINTR)
        h2_broke(c, errno);
    if (n <= 0)
        return;
    c->heard = true;
    *now_ns = kw_mono_ns(&kw_clock_system);
    n = nghttp2_session_mem_recv(c->session, c->in, (size_t)n);
    if (n < 0)
        kw_h2_end(c, nghttp2_strerror((int)n));
}

void kw_h2_wait(struct kw_h2 *connection, size_t count, int64_t most_ns, int64_t *now_ns)
{
    struct pollfd polled[KW_H2_MAX];
    const int64_t most = most_ns < 0 ? 0 : most_ns < look_ns ? most_ns : look_ns;
    const struct timespec nap = {.tv_nsec = (long)most};
    const bool alone = count == 1 && most == look_ns && !h2_unwritten(connection);
    KW_INVARIANT(count <= KW_H2_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct kw_h2 *c = &connection[i];
        short want = h2_unwritten(c) ? POLLIN | POLLOUT : POLLIN;
        polled[i] = (struct pollfd){c->over ? -1 : c->fd, want, alone ? POLLIN : 0};
    }
    if (!alone || connection->over)
        (void)ppoll(polled, count, &nap, NULL);
    for (size_t i = 0; i < count; i++)
        if (polled[i].revents != 0 && !connection[i].over)
            h2_hear(&connection[i], alone, now_ns);
    *now_ns = kw_mono_ns(&kw_clock_system);
}

/* ---- opening ------------------------------------------------------------------------- */

/* With preface, SETTINGS and WINDOW_UPDATE queued. */
static kw_err h2_new_session(struct kw_h2 *c)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_MOST}};
    nghttp2_session_callbacks *on = NULL;
    nghttp2_option *options = NULL;
    int rc = nghttp2_session_callbacks_new(&on);
    if (rc == 0)
        rc = nghttp2_option_new(&options);
    if (rc == 0) {
        /* What HTTP wants of headers is looked at where it matters to us. */
        nghttp2_option_set_no_http_messaging(options, 1);
        nghttp2_option_set_no_closed_streams(options, 1);
        nghttp2_session_callbacks_set_on_header_callback(on, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(on, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(on, on_close);
        nghttp2_session_callbacks_set_on_frame_recv_callback(on, on_frame);
        rc = nghttp2_session_client_new2(&c->session, on, c, options);
    }
    if (rc == 0)
        rc = nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, settings, 2);
    if (rc == 0)
        rc = nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0,
                                                   WINDOW_MOST);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(on);
    return rc == 0 ? KW_OK : kw_err_at(KW_CODE_NO_MEMORY, "nghttp2_session");
}

static kw_err h2_greet(struct kw_h2 *c, struct kw_note *note)
{
    int64_t now_ns = kw_mono_ns(&kw_clock_system);
    const int64_t until_ns = now_ns + 5 * KW_S_NS;
    while (!c->has_settings && !c->over && now_ns < until_ns) {
        kw_h2_flush(c);
        kw_h2_wait(c, 1, look_ns, &now_ns);
    }
    kw_h2_flush(c);
    if (c->has_settings && !c->over)
        return KW_OK;
    /* Nothing at all: a plugin that does not want us, as keywardd with a foreign uid. */
    if (c->over && !c->heard)
        kw_note_set(note,
                    "%s: whoever listens there closed the connection without a word; may "
                    "this user (uid %u) call it, and is it a KMS plugin?",
                    c->setup.path, (unsigned)geteuid());
    else
        kw_note_set(note, "%s: whoever listens there speaks no HTTP/2%s%s", c->setup.path,
                    c->fault[0] != '\0' ? ": " : "", c->fault);
    return kw_err_at(KW_CODE_BAD_INPUT, "SETTINGS");
}

kw_err kw_h2_begin(struct kw_h2 *c, const struct kw_h2_setup *setup, int fd)
{
    KW_INVARIANT(setup->calls > 0 && setup->calls <= KW_H2_CALLS_MAX);
    *c = (struct kw_h2){.setup = *setup, .fd = fd};
    c->out = kw_new(1, KW_H2_BYTES);
    c->in = kw_new(1, KW_H2_BYTES);
    c->calls = kw_new(setup->calls, sizeof c->calls[0]);
    if (c->out == NULL || c->in == NULL || c->calls == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "connection");
    while (c->free_count < setup->calls) {
        c->free[c->free_count] = (uint16_t)(setup->calls - 1 - c->free_count);
        c->free_count++;
    }
    return h2_new_session(c);
}

kw_err kw_h2_open(struct kw_h2 *c, const struct kw_h2_setup *setup, struct kw_note *note)
{
    int fd = kw_dial(setup->path, look_ns), saved = errno;
    kw_err e = kw_h2_begin(c, setup, fd);
    if (kw_failed(e))
        return e;
    if (fd >= 0)
        return h2_greet(c, note);
    kw_note_set(note, "%s: %s; does a KMS plugin listen there?", setup->path,
                strerror(saved));
    return kw_err_native(KW_CODE_IO, (uint32_t)saved, "connect");
}

void kw_h2_close(struct kw_h2 *c)
{
    if (c->setup.calls > 0 && c->fd >= 0)
        close(c->fd);
    nghttp2_session_del(c->session);
    kw_free(c->out);
    kw_free(c->in);
    kw_free(c->calls);
    *c = (struct kw_h2){.fd = -1};
}

int32_t kw_h2_peer(const struct kw_h2 *c)
{
    struct ucred who = {0};
    socklen_t len = sizeof who;
    return getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 ? who.pid : 0;
}
