/* SPDX-License-Identifier: Apache-2.0 */
#include "h2_session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WINDOW_MOST = 0x7fffffff };

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

int32_t kw_h2_session_request(struct kw_h2 *c, struct kw_h2_call *call)
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

void kw_h2_session_cancel(struct kw_h2 *c, int32_t id)
{
    if (nghttp2_session_set_stream_user_data(c->session, id, NULL) != 0 ||
        nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL) != 0)
        kw_h2_end(c, "a call could not be given up");
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
    kw_h2_free_call(c, call);
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

kw_err kw_h2_session_new(struct kw_h2 *c)
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
