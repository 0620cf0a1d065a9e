/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin.h"

#include <nghttp2/nghttp2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    TAIL = 900, /* what Encrypt makes a ciphertext longer by */
    STREAMS = 1024,
    SLOW_READ = 61,
    DATA = 0,
    HEADERS = 1,
    SETTINGS = 4,
    END_STREAM = 1,
    END_HEADERS = 4,
    FRAME_HEAD = 9,
    PREFACE = 24,
};

/* One connection. */
struct link {
    struct plugin *p;
    int fd;
    nghttp2_hd_inflater *inflater;
    uint8_t method[STREAMS]; /* of a stream, by its number */
    uint8_t in[1 << 16], out[1 << 12];
    size_t in_len;
    kw_dst reply;
    bool over;
};

static void put(struct link *l, uint8_t type, uint8_t flags, uint32_t id, kw_span payload)
{
    const uint8_t head[3] = {(uint8_t)(payload.len >> 16), (uint8_t)(payload.len >> 8),
                             (uint8_t)payload.len};
    KW_INVARIANT(kw_dst_put(&l->reply, kw_span_of(head, 3)) &&
                 kw_dst_put_u8(&l->reply, type) && kw_dst_put_u8(&l->reply, flags) &&
                 kw_dst_put_u32(&l->reply, id) && kw_dst_put(&l->reply, payload));
}
#define PUT(l, type, flags, id, bytes)                                                   \
    put((l), (type), (flags), (id), kw_span_of((bytes), sizeof(bytes) - 1))

static void flush(struct link *l)
{
    kw_span rest = kw_dst_span(&l->reply);
    while (rest.len > 0 && !l->over) {
        ssize_t n = send(l->fd, rest.ptr, rest.len, MSG_NOSIGNAL);
        l->over = n <= 0; /* the client has gone */
        if (n > 0)
            rest = kw_span_of(rest.ptr + n, rest.len - (size_t)n);
    }
    l->reply.len = 0;
}

static void take_field(struct link *l, uint32_t id, const nghttp2_nv *nv)
{
    static const char *const paths[KW_METHODS] = {"/v2.KeyManagementService/Status",
                                                  "/v2.KeyManagementService/Encrypt",
                                                  "/v2.KeyManagementService/Decrypt"};
    for (unsigned m = 0; m < KW_METHODS; m++)
        if (kw_span_equal_str(kw_span_of(nv->name, nv->namelen), ":path") &&
            kw_span_equal_str(kw_span_of(nv->value, nv->valuelen), paths[m]))
            l->method[id / 2 % STREAMS] = (uint8_t)m;
}

static void on_headers(struct link *l, uint32_t id, kw_span block)
{
    int flags = 0;
    l->method[id / 2 % STREAMS] = KW_METHODS;
    while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0) {
        nghttp2_nv nv;
        ssize_t n =
            nghttp2_hd_inflate_hd2(l->inflater, &nv, &flags, block.ptr, block.len, 1);
        KW_INVARIANT(n >= 0);
        block = kw_span_of(block.ptr + n, block.len - (size_t)n);
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            take_field(l, id, &nv);
    }
    nghttp2_hd_inflate_end_headers(l->inflater);
}

/* A message of one field, the first, whose length takes two bytes. */
static void put_text(struct link *l, uint32_t id, kw_span text, size_t len)
{
    uint8_t bytes[2048] = {0};
    kw_dst dst = kw_dst_of(bytes, sizeof bytes);
    KW_INVARIANT(len >= 128 || text.len == len);
    size_t head = len >= 128 ? 3 : 2;
    KW_INVARIANT(kw_dst_put_u8(&dst, 0) &&
                 kw_dst_put_u32(&dst, (uint32_t)(head + len + 3)) &&
                 kw_dst_put_u8(&dst, 0x0a));
    KW_INVARIANT(len < 128 || kw_dst_put_u8(&dst, (uint8_t)(len | 0x80)));
    KW_INVARIANT(kw_dst_put_u8(&dst, (uint8_t)(len < 128 ? len : len >> 7)) &&
                 kw_dst_put(&dst, text));
    dst.len += len - text.len; /* the tail is zeros */
    KW_INVARIANT(kw_dst_put(&dst, kw_span_of("\x12\1k", 3)));
    put(l, DATA, 0, id, kw_dst_span(&dst));
}

/* The first field of a message: its length takes one byte or two. */
static kw_span text_of(kw_span body)
{
    struct kw_src src = kw_src_of(body);
    (void)kw_src_take(&src, 6);
    size_t len = kw_src_u8(&src);
    if (len >= 0x80)
        len = (len & 0x7f) | (size_t)kw_src_u8(&src) << 7;
    kw_span text = kw_src_take(&src, len);
    KW_INVARIANT(!src.bad);
    return text;
}

static void put_body(struct link *l, uint32_t id, unsigned method, kw_span body, bool bad)
{
    static const char ok[] = "\0\0\0\0\x0b\x0a\2v2\x12\2ok\x1a\1k";
    static const char ill[] = "\0\0\0\0\x0b\x0a\2v2\x12\2no\x1a\1k";
    static const char ours[] = "\0\0\0\0\x0f\x0a\2v2\x12\2ok\x1a\5kw1-1";
    uint8_t seed[32];
    if (method == KW_STATUS && l->p->is_keyward)
        PUT(l, DATA, 0, id, ours);
    else if (method == KW_STATUS && l->p->script == PLUGIN_ILL)
        PUT(l, DATA, 0, id, ill);
    else if (method == KW_STATUS)
        PUT(l, DATA, 0, id, ok);
    if (method == KW_ENCRYPT)
        put_text(l, id, text_of(body), text_of(body).len + TAIL);
    if (method == KW_DECRYPT) {
        kw_copy(seed, sizeof seed, kw_span_of(text_of(body).ptr, sizeof seed));
        seed[31] ^= bad && l->p->script == PLUGIN_WRONG;
        put_text(l, id, kw_span_of(seed, sizeof seed), sizeof seed);
    }
}

static void put_status(struct link *l, uint32_t id, int status)
{
    char text[32];
    int digits = status > 9 ? 2 : 1;
    int n = snprintf(text, sizeof text, "%c%cgrpc-status%c%d", 0, 11, digits, status);
    put(l, HEADERS, END_STREAM | END_HEADERS, id, kw_span_of(text, (size_t)n));
}

/* Ctrl-C, as the process at the other end of the connection meets it. */
static void interrupt(const struct link *l)
{
    struct ucred client;
    socklen_t len = sizeof client;
    KW_INVARIANT(getsockopt(l->fd, SOL_SOCKET, SO_PEERCRED, &client, &len) == 0 &&
                 client.pid > 1 && client.pid != getpid() &&
                 kill(client.pid, SIGINT) == 0);
}

static void answer(struct link *l, uint32_t id, kw_span body)
{
    struct plugin *p = l->p;
    const unsigned method = l->method[id / 2 % STREAMS];
    const bool bad = p->calls >= p->after;
    if (bad && p->script == PLUGIN_DIES) {
        l->over = true;
        return;
    }
    if (bad && p->script == PLUGIN_DIES_EVERY_THIRD && p->bad++ % 3 == 2) {
        l->over = true;
        return;
    }
    p->calls++;
    KW_INVARIANT(method < KW_METHODS);
    p->seen[method]++;
    if (bad && p->script == PLUGIN_SILENT)
        return;
    if (p->calls == p->after && p->script == PLUGIN_INTERRUPTS)
        interrupt(l);
    PUT(l, HEADERS, END_HEADERS, id, "\x88"); /* 200 */
    if (bad && p->script == PLUGIN_STATUS_CODE) {
        put_status(l, id, p->status);
    } else {
        put_body(l, id, method, body, bad);
        if (bad && p->script == PLUGIN_NO_STATUS)
            PUT(l, HEADERS, END_STREAM | END_HEADERS, id, "\x00\1a\1b");
        else
            put_status(l, id, 0);
    }
    flush(l);
}

/* Windows so large that the client never waits for one. */
static void greet(struct link *l)
{
    PUT(l, SETTINGS, 0, 0, "\0\4\x7f\xff\xff\xff");
    PUT(l, 8, 0, 0, "\x7f\xff\0\0");
    flush(l);
}

static void digest(struct link *l)
{
    size_t at = 0;
    while (!l->over && l->in_len - at >= FRAME_HEAD) {
        const uint8_t *f = l->in + at;
        size_t len = (size_t)f[0] << 16 | (size_t)f[1] << 8 | f[2];
        uint32_t id = (uint32_t)f[6] << 16 | (uint32_t)f[7] << 8 | f[8];
        if (l->in_len - at < FRAME_HEAD + len)
            break;
        kw_span payload = kw_span_of(f + FRAME_HEAD, len);
        if (f[3] == HEADERS)
            on_headers(l, id, payload);
        if (f[3] == DATA)
            answer(l, id, payload);
        at += FRAME_HEAD + len;
    }
    memmove(l->in, l->in + at, l->in_len - at);
    l->in_len -= at;
}

static bool read_some(struct link *l)
{
    size_t most = sizeof l->in - l->in_len;
    if (l->p->script == PLUGIN_SLOW && most > SLOW_READ)
        most = SLOW_READ;
    ssize_t n = recv(l->fd, l->in + l->in_len, most, 0);
    if (n > 0)
        l->in_len += (size_t)n;
    return n > 0;
}

static void serve(struct plugin *p, int fd)
{
    static struct link l; /* one connection at a time */
    static const char refusal[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    l = (struct link){.p = p, .fd = fd};
    l.reply = kw_dst_of(l.out, sizeof l.out);
    KW_INVARIANT(nghttp2_hd_inflate_new(&l.inflater) == 0);
    l.over = p->script == PLUGIN_CLOSES;
    while (!l.over && l.in_len < PREFACE && read_some(&l)) {
    }
    if (p->script == PLUGIN_HTTP1) {
        (void)send(fd, refusal, sizeof refusal - 1, MSG_NOSIGNAL);
        l.over = true;
    }
    if (!l.over && l.in_len >= PREFACE) {
        l.in_len -= PREFACE;
        memmove(l.in, l.in + PREFACE, l.in_len);
        greet(&l);
        do
            digest(&l);
        while (!l.over && read_some(&l));
    }
    nghttp2_hd_inflate_del(l.inflater);
}

static void *run(void *ctx)
{
    struct plugin *p = ctx;
    int fd;
    while ((fd = accept(p->listener, NULL, NULL)) >= 0) {
        serve(p, fd);
        close(fd);
    }
    return NULL;
}

void plugin_start(struct plugin *p)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    p->calls = 0;
    for (unsigned m = 0; m < KW_METHODS; m++)
        p->seen[m] = 0;
    snprintf(p->folder, sizeof p->folder, "/tmp/kw-plugin-XXXXXX");
    KW_INVARIANT(mkdtemp(p->folder) != NULL);
    snprintf(p->path, sizeof p->path, "%s/kms.sock", p->folder);
    KW_INVARIANT(kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(p->path)));
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    KW_INVARIANT(p->listener >= 0 &&
                 bind(p->listener, (const struct sockaddr *)&at, sizeof at) == 0 &&
                 listen(p->listener, 8) == 0);
    KW_INVARIANT(pthread_create(&p->thread, NULL, run, p) == 0);
}

void plugin_stop(struct plugin *p)
{
    KW_INVARIANT(shutdown(p->listener, SHUT_RDWR) == 0); /* wakes accept */
    KW_INVARIANT(pthread_join(p->thread, NULL) == 0);
    close(p->listener);
    KW_INVARIANT(unlink(p->path) == 0 && rmdir(p->folder) == 0);
}
