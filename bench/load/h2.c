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

enum { WINDOW_MOST = 0x7fffffff, FRAME_MAX = 9 + 16384 };

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

/* ---- what goes out ------------------------------------------------------------------
 */

/* Names and values are literals: nghttp2 need not copy them. */
#define FIELD(n, v)                                                                      \
    {                                                                                    \
        .name = (uint8_t *)(uintptr_t)(n), .value = (uint8_t *)(uintptr_t)(v),           \
        .namelen = sizeof(n) - 1, .valuelen = sizeof(v) - 1,                             \
        .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE            \
    }
enum { FIELD_PATH = 2 };
static const nghttp2_nv fields[] = {
    FIELD(":method", "POST"),
    FIELD(":scheme", "http"),
    FIELD(":path", ""),
    FIELD(":authority", "localhost"),
    FIELD("content-type", "application/grpc"),
    FIELD("user-agent", "keyward-bench/" KW_VERSION),
    FIELD("te", "trailers"),
};
enum { FIELDS = sizeof fields / sizeof fields[0] };
static const nghttp2_nv paths[KW_METHODS] = {
    FIELD(":path", "/v2.KeyManagementService/Status"),
    FIELD(":path", "/v2.KeyManagementService/Encrypt"),
    FIELD(":path", "/v2.KeyManagementService/Decrypt"),
};

static ssize_t session_body(nghttp2_session *session, int32_t id, uint8_t *dst,
                            size_t cap, uint32_t *flags, nghttp2_data_source *source,
                            void *ctx)
{
    struct kw_h2_call *call = source->ptr;
    size_t left = call->request_len - call->request_at;
    size_t n = left < cap ? left : cap;
    (void)session;
    (void)id;
    (void)ctx;
    kw_copy(dst, cap, kw_span_of(call->body + call->request_at, n));
    call->request_at += (uint32_t)n;
    if (n == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

/* Queues the call's request; the number of its stream, or nghttp2's error. */
static int32_t session_request(struct kw_h2 *c, struct kw_h2_call *call)
{
    nghttp2_nv all[FIELDS + 1] = {
        [FIELDS] = {.name = (uint8_t *)(uintptr_t) "grpc-timeout",
                    .namelen = sizeof "grpc-timeout" - 1,
                    .value = (uint8_t *)(uintptr_t)c->timeout,
                    .valuelen = c->timeout != NULL ? strlen(c->timeout) : 0,
                    .flags =
                        NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE}};
    const nghttp2_data_provider body = {{.ptr = call}, session_body};
    for (size_t i = 0; i < FIELDS; i++)
        all[i] = fields[i];
    all[FIELD_PATH] = paths[call->method];
    return nghttp2_submit_request(c->session, NULL, all,
                                  FIELDS + (c->timeout != NULL ? 1 : 0), &body, call);
}

/* ---- what comes in ------------------------------------------------------------------
 */

static struct kw_h2_call *call_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id); /* NULL: given up */
}

static int session_number(kw_span s)
{
    int n = 0;
    for (size_t i = 0; i < s.len && i < 4; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return -1;
        n = n * 10 + (s.ptr[i] - '0');
    }
    return s.len >= 1 && s.len <= 4 ? n : -1;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame,
                            void *ctx)
{
    struct kw_h2 *c = ctx;
    (void)session;
    (void)frame;
    c->said[0] = '\0';
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame,
                     const uint8_t *name, size_t name_len, const uint8_t *value,
                     size_t value_len, uint8_t flags, void *ctx)
{
    struct kw_h2 *c = ctx;
    kw_span n = kw_span_of(name, name_len), v = kw_span_of(value, value_len);
    const bool is_grpc = kw_span_equal_str(n, "grpc-status");
    (void)flags;
    if (kw_span_equal_str(n, "grpc-message"))
        (void)kw_copy_printable(c->said, sizeof c->said, v);
    if (!is_grpc && (!kw_span_equal_str(n, ":status") || kw_span_equal_str(v, "200")))
        return 0;
    struct kw_h2_call *call = call_of(session, frame->hd.stream_id);
    if (call == NULL)
        return 0;
    if (is_grpc)
        call->status = session_number(v);
    else if (call->status < 0) /* as gRPC maps HTTP's */
        call->status = kw_span_equal_str(v, "404") ? 12 : KW_GRPC_UNAVAILABLE;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id,
                   const uint8_t *bytes, size_t len, void *ctx)
{
    struct kw_h2_call *call = call_of(session, id);
    (void)flags;
    (void)ctx;
    if (call == NULL)
        return 0;
    kw_dst body = {call->body, KW_REPLY_MAX, call->len};
    if (call->request_at < call->request_len ||
        !kw_dst_put(&body, kw_span_of(bytes, len)))
        call->overlong = true;
    call->len = (uint32_t)body.len;
    return 0;
}

/* How gRPC calls a stream that was reset. */
static int status_of_reset(uint32_t why)
{
    if (why == NGHTTP2_REFUSED_STREAM)
        return KW_GRPC_UNAVAILABLE;
    return why == NGHTTP2_CANCEL ? 1 : 13;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t why, void *ctx)
{
    struct kw_h2 *c = ctx;
    struct kw_h2_call *call = call_of(session, id);
    if (call == NULL)
        return 0;
    if (why != NGHTTP2_NO_ERROR) {
        if (call->status < 0)
            call->status = status_of_reset(why);
        snprintf(c->said, sizeof c->said, "RST_STREAM, error %" PRIu32, why);
    }
    if (c->ended != NULL)
        c->ended(c->ctx, c, call);
    h2_free_call(c, call);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct kw_h2 *c = ctx;
    (void)session;
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

/* ---- the session --------------------------------------------------------------------
 */

static int session_settings(nghttp2_session *session)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_MOST},
    };
    int rc = nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, 2);
    return rc != 0 ? rc
                   : nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                                           WINDOW_MOST);
}

/* What HTTP wants of headers is looked at where it matters to us. */
static int session_options(nghttp2_option **ret_options)
{
    int rc = nghttp2_option_new(ret_options);
    if (rc != 0)
        return rc;
    nghttp2_option_set_no_http_messaging(*ret_options, 1);
    nghttp2_option_set_no_closed_streams(*ret_options, 1);
    return 0;
}

/* With preface, SETTINGS and WINDOW_UPDATE queued. */
static kw_err session_new(struct kw_h2 *c)
{
    nghttp2_session_callbacks *on = NULL;
    nghttp2_option *options = NULL;
    int rc = nghttp2_session_callbacks_new(&on);
    if (rc == 0)
        rc = session_options(&options);
    if (rc == 0) {
        nghttp2_session_callbacks_set_on_begin_headers_callback(on, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(on, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(on, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(on, on_close);
        nghttp2_session_callbacks_set_on_frame_recv_callback(on, on_frame);
        rc = nghttp2_session_client_new2(&c->session, on, c, options);
    }
    if (rc == 0)
        rc = session_settings(c->session);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(on);
    return rc == 0 ? KW_OK : kw_err_at(KW_CODE_NO_MEMORY, "nghttp2_session");
}

static void h2_broke(struct kw_h2 *c, int error)
{
    kw_h2_end(c, error == EPIPE || error == ECONNRESET
                     ? "the server closed the connection"
                     : strerror(error));
}

/* ---- opening ------------------------------------------------------------------------
 */

static kw_err h2_greet(struct kw_h2 *c, const char *path, struct kw_note *note)
{
    const kw_deadline until = kw_deadline_in(&kw_clock_system, 5 * KW_S_NS);
    kw_h2_flush(c);
    while (!c->has_settings && !c->over &&
           !kw_deadline_over(until, kw_mono_ns(&kw_clock_system)))
        if (kw_h2_read(c, true)) {
            kw_h2_digest(c, NULL, NULL);
            kw_h2_flush(c);
        }
    if (c->has_settings && !c->over)
        return KW_OK;
    /* Nothing at all: a plugin that does not want us, as keywardd with a foreign uid. */
    if (c->over && !c->heard)
        kw_note_set(note,
                    "%s: whoever listens there closed the connection without a word; may "
                    "this user (uid %u) call it, and is it a KMS plugin?",
                    path, (unsigned)geteuid());
    else
        kw_note_set(note, "%s: whoever listens there speaks no HTTP/2%s%s", path,
                    c->fault[0] != '\0' ? ": " : "", c->fault);
    return kw_err_at(KW_CODE_BAD_INPUT, "SETTINGS");
}

kw_err kw_h2_begin(struct kw_h2 *c, int fd, unsigned calls, const char *timeout)
{
    KW_INVARIANT(calls > 0 && calls <= KW_H2_CALLS_MAX);
    *c = (struct kw_h2){.fd = fd, .timeout = timeout, .call_max = calls};
    c->out = kw_new(1, KW_H2_OUT_BYTES);
    c->in = kw_new(1, KW_H2_IN_BYTES);
    c->calls = kw_new(calls, sizeof c->calls[0]);
    if (c->out == NULL || c->in == NULL || c->calls == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "connection");
    for (unsigned i = 0; i < calls; i++)
        c->free[c->free_count++] = (uint16_t)(calls - 1 - i);
    return session_new(c);
}

kw_err kw_h2_open(struct kw_h2 *c, const char *path, unsigned calls, const char *timeout,
                  struct kw_note *note)
{
    int fd = kw_dial(path, 100 * KW_MS_NS), saved = errno;
    kw_err e = kw_h2_begin(c, fd, calls, timeout);
    if (kw_failed(e))
        return e;
    if (fd >= 0)
        return h2_greet(c, path, note);
    kw_note_set(note, "%s: %s; does a KMS plugin listen there?", path, strerror(saved));
    return kw_err_native(KW_CODE_IO, (uint32_t)saved, "connect");
}

void kw_h2_close(struct kw_h2 *c)
{
    if (c->call_max > 0 && c->fd >= 0)
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

/* ---- calls --------------------------------------------------------------------------
 */

static bool h2_may_submit(const struct kw_h2 *c)
{
    return !c->over && !c->draining && c->free_count > 0 &&
           (c->queues || c->call_max - c->free_count <
                             nghttp2_session_get_remote_settings(
                                 c->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS));
}

struct kw_h2_call *kw_h2_submit(struct kw_h2 *c, enum kw_bench_method method,
                                kw_span message)
{
    if (!h2_may_submit(c))
        return NULL;
    struct kw_h2_call *call = &c->calls[c->free[c->free_count - 1]];
    kw_copy(call->body, sizeof call->body, message);
    call->request_len = (uint32_t)message.len;
    call->request_at = call->len = 0;
    call->status = -1;
    call->overlong = false;
    call->method = method;
    call->id = session_request(c, call);
    if (call->id < 0) {
        kw_h2_end(c, nghttp2_strerror(call->id));
        call->id = 0;
        return NULL;
    }
    c->free_count--;
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

/* ---- bytes --------------------------------------------------------------------------
 */

/* What nghttp2 has to say, as much as the buffer takes: few large writes cost less. */
static void h2_gather(struct kw_h2 *c)
{
    const uint8_t *bytes = NULL;
    ssize_t n = 0;
    c->out_at = c->out_len = 0;
    while (KW_H2_OUT_BYTES - c->out_len >= FRAME_MAX &&
           (n = nghttp2_session_mem_send(c->session, &bytes)) > 0) {
        kw_copy(c->out + c->out_len, KW_H2_OUT_BYTES - c->out_len,
                kw_span_of(bytes, (size_t)n));
        c->out_len += (size_t)n;
    }
    if (n < 0)
        kw_h2_end(c, nghttp2_strerror((int)n));
}

void kw_h2_flush(struct kw_h2 *c)
{
    while (!c->over) {
        if (!kw_h2_unwritten(c))
            h2_gather(c);
        if (!kw_h2_unwritten(c))
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
    }
    if (!c->over && !c->draining && !nghttp2_session_want_read(c->session))
        kw_h2_end(c, "what the server says is no HTTP/2");
}

bool kw_h2_read(struct kw_h2 *c, bool wait)
{
    ssize_t n = recv(c->fd, c->in, KW_H2_IN_BYTES, wait ? 0 : MSG_DONTWAIT);
    if (n > 0) {
        c->in_len = (size_t)n;
        c->heard = true;
        return true;
    }
    if (n == 0)
        h2_broke(c, ECONNRESET);
    else if (errno != EAGAIN && errno != EINTR)
        h2_broke(c, errno);
    return false;
}

void kw_h2_digest(struct kw_h2 *c, kw_h2_ended *ended, void *ctx)
{
    c->ended = ended;
    c->ctx = ctx;
    ssize_t n = nghttp2_session_mem_recv(c->session, c->in, c->in_len);
    if (n < 0)
        kw_h2_end(c, nghttp2_strerror((int)n));
    c->in_len = 0;
}

void kw_h2_wait(struct kw_h2 *connection, size_t count, int64_t most_ns,
                kw_h2_ended *ended, void *ctx, int64_t *now_ns)
{
    struct pollfd polled[KW_H2_MAX];
    const int64_t most = 100 * KW_MS_NS;
    const struct timespec nap = {.tv_nsec = (long)(most_ns < 0      ? 0
                                                   : most_ns < most ? most_ns
                                                                    : most)};
    KW_INVARIANT(count <= KW_H2_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct kw_h2 *c = &connection[i];
        short want = kw_h2_unwritten(c) ? POLLIN | POLLOUT : POLLIN;
        polled[i] = (struct pollfd){c->over ? -1 : c->fd, want, 0};
    }
    (void)ppoll(polled, count, &nap, NULL);
    for (size_t i = 0; i < count; i++) {
        if (polled[i].revents == 0 || !kw_h2_read(&connection[i], false))
            continue;
        *now_ns = kw_mono_ns(&kw_clock_system);
        kw_h2_digest(&connection[i], ended, ctx);
    }
    *now_ns = kw_mono_ns(&kw_clock_system);
}
