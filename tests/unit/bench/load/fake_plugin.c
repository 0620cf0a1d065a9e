/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_plugin.h"

#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"

enum { TAIL = 900, STREAMS = 2048, SLOW_READ = 61 };

struct fake_stream {
    enum kw_bench_method method;
    uint8_t in[4096], out[4096];
    size_t in_len, out_len, out_at;
    char status[8]; /* "" for trailers without one */
};

struct fake_connection {
    struct fake_plugin *f;
    int fd;
    nghttp2_session *session;
    struct fake_stream stream[STREAMS]; /* by number / 2 */
};

static struct fake_stream *stream_of(struct fake_connection *c, int32_t id)
{
    return &c->stream[id / 2 % STREAMS];
}

/* ---- replies ------------------------------------------------------------------------ */

static nghttp2_nv field_of(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value,
                        strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static ssize_t give_body(nghttp2_session *session, int32_t id, uint8_t *dst, size_t cap,
                         uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
    struct fake_stream *s = source->ptr;
    size_t n = s->out_len - s->out_at < cap ? s->out_len - s->out_at : cap;
    (void)ctx;
    kw_copy(dst, cap, kw_span_of(s->out + s->out_at, n));
    s->out_at += n;
    if (s->out_at < s->out_len)
        return (ssize_t)n;
    const nghttp2_nv trailer =
        s->status[0] != '\0' ? field_of("grpc-status", s->status) : field_of("x", "y");
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    CHECK(nghttp2_submit_trailer(session, id, &trailer, 1) == 0);
    return (ssize_t)n;
}

static bool put_field(kw_dst *dst, uint8_t number, kw_span s, size_t tail)
{
    static const uint8_t zeros[TAIL];
    const size_t len = s.len + tail;
    return kw_dst_put_u8(dst, (uint8_t)(number << 3 | 2)) &&
           (len < 128 || kw_dst_put_u8(dst, (uint8_t)(len | 0x80))) &&
           kw_dst_put_u8(dst, (uint8_t)(len < 128 ? len : len >> 7)) &&
           kw_dst_put(dst, s) && kw_dst_put(dst, kw_span_of(zeros, tail));
}

/* The first field of a request: its length takes one byte or two. */
static kw_span text_of(const struct fake_stream *s)
{
    struct kw_src src = kw_src_of(kw_span_of(s->in, s->in_len));
    (void)kw_src_take(&src, KW_MESSAGE_PREFIX + 1);
    size_t len = kw_src_u8(&src);
    if (len >= 0x80)
        len = (len & 0x7f) | (size_t)kw_src_u8(&src) << 7;
    kw_span text = kw_src_take(&src, len);
    CHECK(!src.bad);
    return text;
}

static void put_body(const struct fake_plugin *f, struct fake_stream *s, bool bad)
{
    const char *key = f->is_keyward ? "kw1-1" : "k";
    kw_dst dst = {s->out, sizeof s->out, KW_MESSAGE_PREFIX};
    uint8_t seed[KW_SEED];
    if (s->method == KW_STATUS) {
        CHECK(put_field(&dst, 1, kw_span_str("v2"), 0) &&
              put_field(&dst, 2, kw_span_str(f->script == FAKE_ILL ? "no" : "ok"), 0) &&
              put_field(&dst, 3, kw_span_str(key), 0));
    } else if (s->method == KW_ENCRYPT) {
        key = bad && f->script == FAKE_ODD_ENCRYPT ? "another" : key;
        CHECK(put_field(&dst, 1, text_of(s), TAIL) &&
              put_field(&dst, 2, kw_span_str(key), 0));
    } else {
        kw_copy(seed, sizeof seed, kw_span_of(text_of(s).ptr, sizeof seed));
        seed[31] ^= bad && f->script == FAKE_WRONG;
        CHECK(put_field(&dst, 1, kw_span_of(seed, sizeof seed), 0));
    }
    kw_dst length = kw_dst_of(s->out + 1, 4);
    s->out[0] = 0;
    CHECK(kw_dst_put_u32(&length, (uint32_t)(dst.len - KW_MESSAGE_PREFIX)));
    s->out_len = dst.len;
}

/* Ctrl-C, as the process at the other end of the connection meets it. */
static void interrupt_client(const struct fake_connection *c)
{
    struct ucred client;
    socklen_t len = sizeof client;
    CHECK(getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &client, &len) == 0 &&
          client.pid > 1 && kill(client.pid, SIGINT) == 0);
}

/* Is this call, which has been counted, one of the script's? */
static bool is_bad(const struct fake_plugin *f, enum kw_bench_method method)
{
    unsigned n = f->counts == KW_METHODS ? f->calls : f->seen[f->counts];
    if ((f->counts != KW_METHODS && method != f->counts) || n < f->from)
        return false;
    if (f->script == FAKE_DIES_EACH_THIRD)
        return (n - f->from) % 3 == 2;
    return f->times == 0 || n < f->from + f->times;
}

static void answer(struct fake_connection *c, int32_t id)
{
    struct fake_plugin *f = c->f;
    struct fake_stream *s = stream_of(c, id);
    const nghttp2_nv ok = field_of(":status", "200");
    const nghttp2_data_provider body = {{.ptr = s}, give_body};
    CHECK(s->method < KW_METHODS);
    f->calls++;
    f->seen[s->method]++;
    const bool bad = is_bad(f, s->method);
    if (bad && (f->script == FAKE_DIES || f->script == FAKE_DIES_EACH_THIRD)) {
        for (unsigned i = 0; i < FAKE_CONNECTIONS; i++)
            if (f->connection[i] != NULL)
                (void)shutdown(f->connection[i]->fd, SHUT_RDWR);
        return;
    }
    if (bad && f->script == FAKE_SILENT)
        return;
    if (bad && f->script == FAKE_INTERRUPTS)
        interrupt_client(c);
    put_body(f, s, bad);
    snprintf(s->status, sizeof s->status, "%u", bad ? f->code : 0);
    if (bad && f->script == FAKE_NO_STATUS)
        s->status[0] = '\0';
    CHECK(nghttp2_submit_response(c->session, id, &ok, 1, &body) == 0);
}

/* ---- nghttp2's callbacks ------------------------------------------------------------- */

static int on_header(nghttp2_session *session, const nghttp2_frame *frame,
                     const uint8_t *name, size_t name_len, const uint8_t *value,
                     size_t value_len, uint8_t flags, void *ctx)
{
    static const char *const paths[KW_METHODS] = {"/v2.KeyManagementService/Status",
                                                  "/v2.KeyManagementService/Encrypt",
                                                  "/v2.KeyManagementService/Decrypt"};
    struct fake_stream *s = stream_of(ctx, frame->hd.stream_id);
    (void)session;
    (void)flags;
    for (unsigned m = 0; m < KW_METHODS; m++)
        if (kw_span_equal_str(kw_span_of(name, name_len), ":path") &&
            kw_span_equal_str(kw_span_of(value, value_len), paths[m]))
            *s = (struct fake_stream){.method = (enum kw_bench_method)m};
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id,
                   const uint8_t *bytes, size_t len, void *ctx)
{
    struct fake_stream *s = stream_of(ctx, id);
    kw_dst in = {s->in, sizeof s->in, s->in_len};
    (void)session;
    (void)flags;
    CHECK(kw_dst_put(&in, kw_span_of(bytes, len)));
    s->in_len = in.len;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct fake_connection *c = ctx;
    (void)session;
    if (frame->hd.type == NGHTTP2_DATA && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        answer(c, frame->hd.stream_id);
    if (frame->hd.type == NGHTTP2_RST_STREAM && c->f->interrupt_at_reset)
        interrupt_client(c);
    return 0;
}

/* ---- connections --------------------------------------------------------------------- */

static void hang_up(struct fake_plugin *f, unsigned i)
{
    nghttp2_session_del(f->connection[i]->session);
    close(f->connection[i]->fd);
    free(f->connection[i]);
    f->connection[i] = NULL;
}

static void say_all(struct fake_connection *c)
{
    const uint8_t *bytes;
    ssize_t n;
    while ((n = nghttp2_session_mem_send(c->session, &bytes)) > 0)
        for (ssize_t at = 0, some; at < n; at += some)
            if ((some = send(c->fd, bytes + at, (size_t)(n - at), MSG_NOSIGNAL)) <= 0)
                return; /* the client has gone */
}

/* false: it is over. */
static bool hear(struct fake_connection *c)
{
    static const char refusal[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    uint8_t in[1 << 16];
    ssize_t n = recv(c->fd, in, c->f->script == FAKE_SLOW ? SLOW_READ : sizeof in, 0);
    if (n > 0 && c->f->script == FAKE_HTTP1)
        (void)send(c->fd, refusal, sizeof refusal - 1, MSG_NOSIGNAL);
    if (n <= 0 || c->f->script == FAKE_HTTP1 ||
        nghttp2_session_mem_recv(c->session, in, (size_t)n) < 0)
        return false;
    say_all(c);
    return true;
}

static void take_connection(struct fake_plugin *f)
{
    const nghttp2_settings_entry most = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                                         STREAMS};
    nghttp2_session_callbacks *on;
    unsigned i = 0;
    int fd = accept(f->listener, NULL, NULL);
    if (f->script == FAKE_CLOSES) {
        close(fd);
        return;
    }
    while (f->connection[i] != NULL)
        CHECK(++i < FAKE_CONNECTIONS);
    struct fake_connection *c = f->connection[i] = calloc(1, sizeof *c);
    CHECK(fd >= 0 && c != NULL && nghttp2_session_callbacks_new(&on) == 0);
    c->f = f;
    c->fd = fd;
    nghttp2_session_callbacks_set_on_header_callback(on, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(on, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(on, on_frame);
    CHECK(nghttp2_session_server_new(&c->session, on, c) == 0);
    nghttp2_session_callbacks_del(on);
    CHECK(nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, &most, 1) == 0);
}

static void *fake_main(void *ctx)
{
    struct fake_plugin *f = ctx;
    for (;;) {
        struct pollfd polled[2 + FAKE_CONNECTIONS] = {{f->stop[0], POLLIN, 0},
                                                      {f->listener, POLLIN, 0}};
        for (unsigned i = 0; i < FAKE_CONNECTIONS; i++)
            polled[2 + i] = (struct pollfd){
                f->connection[i] != NULL ? f->connection[i]->fd : -1, POLLIN, 0};
        if (poll(polled, 2 + FAKE_CONNECTIONS, -1) < 0)
            continue;
        if (polled[0].revents != 0)
            return NULL;
        for (unsigned i = 0; i < FAKE_CONNECTIONS; i++)
            if (polled[2 + i].revents != 0 && !hear(f->connection[i]))
                hang_up(f, i);
        if (polled[1].revents != 0)
            take_connection(f);
    }
}

void fake_start(struct fake_plugin *f)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(f->folder, sizeof f->folder, "/tmp/kw-plugin-XXXXXX");
    CHECK(mkdtemp(f->folder) != NULL);
    snprintf(f->path, sizeof f->path, "%s/kms.sock", f->folder);
    CHECK(kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(f->path)));
    f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(f->listener >= 0 &&
          bind(f->listener, (const struct sockaddr *)&at, sizeof at) == 0);
    CHECK(listen(f->listener, FAKE_CONNECTIONS) == 0 && pipe(f->stop) == 0);
    CHECK(pthread_create(&f->thread, NULL, fake_main, f) == 0);
}

void fake_stop(struct fake_plugin *f)
{
    CHECK(write(f->stop[1], "x", 1) == 1);
    CHECK(pthread_join(f->thread, NULL) == 0);
    for (unsigned i = 0; i < FAKE_CONNECTIONS; i++)
        if (f->connection[i] != NULL)
            hang_up(f, i);
    close(f->listener);
    close(f->stop[0]);
    close(f->stop[1]);
    CHECK(unlink(f->path) == 0 && rmdir(f->folder) == 0);
}
