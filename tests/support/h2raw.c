/* SPDX-License-Identifier: Apache-2.0 */
#include "h2raw.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <keyward/alloc.h>

enum {
    DATA = 0,
    HEADERS = 1,
    RST_STREAM = 3,
    SETTINGS = 4,
    PING = 6,
    GOAWAY = 7,
    END_STREAM = 1,
    ACK = 1,
    END_HEADERS = 4,
    PADDED = 8,
    PRIORITY = 32,
    FRAME_MAX = 16384
};

struct h2raw {
    int fd;
    uint32_t next_stream;
    bool goaway;
    uint8_t frame[FRAME_MAX];
    struct h2raw_result streams[H2RAW_STREAMS];
};

/* ---- writing ---- */

void h2raw_bytes(struct h2raw *h, kw_span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(h->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* the peer closed; the reader will see */
        bytes = kw_span_of(bytes.ptr + n, bytes.len - (size_t)n);
    }
}

void h2raw_frame(struct h2raw *h, uint8_t type, uint8_t flags, uint32_t stream,
                 kw_span payload)
{
    uint8_t raw[9 + FRAME_MAX];
    kw_dst d = kw_dst_of(raw, sizeof raw);
    KW_MUST(kw_dst_put_u8(&d, (uint8_t)(payload.len >> 16)) &&
            kw_dst_put_u16(&d, (uint16_t)payload.len) && kw_dst_put_u8(&d, type) &&
            kw_dst_put_u8(&d, flags) && kw_dst_put_u32(&d, stream) &&
            kw_dst_put(&d, payload));
    h2raw_bytes(h, kw_dst_span(&d));
}

static void put_number(kw_dst *d, uint8_t first, unsigned bits, size_t n)
{
    size_t top = (1u << bits) - 1;
    bool ok = kw_dst_put_u8(d, (uint8_t)(first | (n < top ? n : top)));
    if (n >= top) {
        for (n -= top; n >= 128; n >>= 7)
            ok = ok && kw_dst_put_u8(d, (uint8_t)(n | 128));
        ok = ok && kw_dst_put_u8(d, (uint8_t)n);
    }
    KW_INVARIANT(ok);
}

uint32_t h2raw_headers(struct h2raw *h, const struct h2raw_header *headers, size_t count,
                       bool end)
{
    uint8_t block[FRAME_MAX];
    kw_dst d = kw_dst_of(block, sizeof block);
    uint32_t stream = h->next_stream;
    h->next_stream += 2;
    KW_INVARIANT(stream / 2 < H2RAW_STREAMS);
    /* Here and not for all at once: a test may hold many connections. */
    h->streams[stream / 2].http_status = h->streams[stream / 2].grpc_status = -1;
    for (size_t i = 0; i < count; i++) {
        kw_span name = kw_span_str(headers[i].name),
                value = kw_span_str(headers[i].value);
        KW_MUST(kw_dst_put_u8(&d, 0)); /* literal, not indexed, new name */
        put_number(&d, 0, 7, name.len);
        KW_MUST(kw_dst_put(&d, name));
        put_number(&d, 0, 7, value.len);
        KW_MUST(kw_dst_put(&d, value));
    }
    h2raw_frame(h, HEADERS, (uint8_t)(END_HEADERS | (end ? END_STREAM : 0)), stream,
                kw_dst_span(&d));
    return stream;
}

uint32_t h2raw_open(struct h2raw *h, const char *path, const char *timeout)
{
    const struct h2raw_header list[] = {
        {":method", "POST"},
        {":scheme", "http"},
        {":path", path},
        {":authority", "localhost"},
        {"content-type", "application/grpc"},
        {"te", "trailers"},
        {"grpc-timeout", timeout},
    };
    return h2raw_headers(h, list, timeout != NULL ? 7 : 6, false);
}

void h2raw_data(struct h2raw *h, uint32_t stream, kw_span bytes, bool end)
{
    while (bytes.len > FRAME_MAX) {
        h2raw_frame(h, DATA, 0, stream, kw_span_of(bytes.ptr, FRAME_MAX));
        bytes = kw_span_of(bytes.ptr + FRAME_MAX, bytes.len - FRAME_MAX);
    }
    h2raw_frame(h, DATA, end ? END_STREAM : 0, stream, bytes);
}

void h2raw_message(struct h2raw *h, uint32_t stream, uint8_t flag, kw_span message)
{
    uint8_t raw[FRAME_MAX];
    kw_dst d = kw_dst_of(raw, sizeof raw);
    KW_MUST(kw_dst_put_u8(&d, flag) && kw_dst_put_u32(&d, (uint32_t)message.len) &&
            kw_dst_put(&d, message));
    h2raw_data(h, stream, kw_dst_span(&d), true);
}

uint32_t h2raw_call(struct h2raw *h, const char *path, kw_span message)
{
    uint32_t stream = h2raw_open(h, path, NULL);
    h2raw_message(h, stream, 0, message);
    return stream;
}

void h2raw_reset(struct h2raw *h, uint32_t stream)
{
    h2raw_frame(h, RST_STREAM, 0, stream, kw_span_of("\0\0\0\x08", 4)); /* CANCEL */
}

/* ---- reading ---- */

static bool read_all(struct h2raw *h, uint8_t *p, size_t len)
{
    while (len > 0) {
        ssize_t n = recv(h->fd, p, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static size_t take_number(struct kw_src *src, uint8_t first, unsigned bits)
{
    size_t top = (1u << bits) - 1, n = first & top;
    for (unsigned shift = 0; n >= top && shift < 28; shift += 7) {
        uint8_t b = kw_src_u8(src);
        n += (size_t)(b & 127u) << shift;
        if ((b & 128u) == 0)
            break;
    }
    return n;
}

static kw_span take_text(struct kw_src *src)
{
    uint8_t first = kw_src_u8(src);
    KW_INVARIANT((first & 128u) == 0); /* gRPC core does not use Huffman codes */
    return kw_src_take(src, take_number(src, first, 7));
}

/* The entries of the static table (RFC 7541, appendix A) that a gRPC answer uses. */
static int status_of_index(size_t index)
{
    static const int status[] = {200, 204, 206, 304, 400, 404, 500};
    return index >= 8 && index <= 14 ? status[index - 8] : -1;
}

static int number_of(kw_span s)
{
    int n = 0;
    for (size_t i = 0; i < s.len; i++)
        n = n * 10 + (s.ptr[i] - '0');
    return n;
}

static void take_header(struct h2raw_result *r, kw_span name, size_t name_index,
                        kw_span value)
{
    if (status_of_index(name_index) > 0 || kw_span_equal_str(name, ":status"))
        r->http_status = number_of(value);
    if (kw_span_equal_str(name, "grpc-status"))
        r->grpc_status = number_of(value);
    if (kw_span_equal_str(name, "grpc-message"))
        (void)kw_copy_str(r->grpc_message, sizeof r->grpc_message, value);
}

static void take_headers(struct h2raw_result *r, kw_span block)
{
    struct kw_src src = kw_src_of(block);
    while (!src.bad && kw_src_left(&src) > 0) {
        uint8_t first = kw_src_u8(&src);
        if (first & 0x80u) { /* indexed */
            int status = status_of_index(take_number(&src, first, 7));
            if (status > 0)
                r->http_status = status;
        } else if ((first & 0xe0u) == 0x20u) { /* table size */
            (void)take_number(&src, first, 5);
        } else { /* literal, with or without indexing */
            size_t index = take_number(&src, first, (first & 0x40u) ? 6 : 4);
            kw_span name = index == 0 ? take_text(&src) : (kw_span){0};
            take_header(r, name, index, take_text(&src));
        }
    }
    KW_INVARIANT(!src.bad);
}

static kw_span unpad(uint8_t flags, kw_span p)
{
    size_t front = (flags & PADDED ? 1u : 0u) + (flags & PRIORITY ? 5u : 0u);
    size_t back = flags & PADDED ? p.ptr[0] : 0;
    KW_INVARIANT(front + back <= p.len);
    return kw_span_of(p.ptr + front, p.len - front - back);
}

static void take_frame(struct h2raw *h, uint8_t type, uint8_t flags, uint32_t stream,
                       kw_span p)
{
    struct h2raw_result *r = &h->streams[stream / 2 % H2RAW_STREAMS];
    struct kw_src src = kw_src_of(p);
    if (type == SETTINGS && !(flags & ACK))
        h2raw_frame(h, SETTINGS, ACK, 0, (kw_span){0});
    if (type == PING && !(flags & ACK))
        h2raw_frame(h, PING, ACK, 0, p);
    if (type == GOAWAY)
        h->goaway = true;
    if (type == HEADERS)
        take_headers(r, unpad(flags, p));
    if (type == DATA) {
        kw_dst d = {r->body, sizeof r->body, r->body_len};
        KW_MUST(kw_dst_put(&d, unpad(flags & PADDED, p)));
        r->body_len = d.len;
    }
    if (type == RST_STREAM) {
        r->reset = r->ended = true;
        r->reset_code = kw_src_u32(&src);
    }
    if ((type == DATA || type == HEADERS) && (flags & END_STREAM))
        r->ended = true;
}

bool h2raw_read(struct h2raw *h)
{
    uint8_t head[9];
    if (!read_all(h, head, sizeof head))
        return false;
    size_t len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
    struct kw_src src = kw_src_of(kw_span_of(head + 5, 4));
    uint32_t stream = kw_src_u32(&src) & 0x7fffffffu;
    KW_INVARIANT(len <= sizeof h->frame);
    if (!read_all(h, h->frame, len))
        return false;
    take_frame(h, head[3], head[4], stream, kw_span_of(h->frame, len));
    return true;
}

const struct h2raw_result *h2raw_peek(const struct h2raw *h, uint32_t stream)
{
    return &h->streams[stream / 2];
}

const struct h2raw_result *h2raw_await(struct h2raw *h, uint32_t stream)
{
    const struct h2raw_result *r = h2raw_peek(h, stream);
    while (!r->ended)
        if (!h2raw_read(h))
            return NULL;
    return r;
}

void h2raw_await_close(struct h2raw *h)
{
    while (h2raw_read(h))
        continue;
}

bool h2raw_got_goaway(const struct h2raw *h)
{
    return h->goaway;
}

/* ---- life ---- */

struct h2raw *h2raw_new_silent(int fd)
{
    struct h2raw *h = kw_new(1, sizeof *h);
    KW_INVARIANT(h != NULL);
    h->fd = fd;
    h->next_stream = 1;
    return h;
}

struct h2raw *h2raw_new(int fd)
{
    struct h2raw *h = h2raw_new_silent(fd);
    h2raw_bytes(h, kw_span_str("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    /* SETTINGS_HEADER_TABLE_SIZE 0 */
    h2raw_frame(h, SETTINGS, 0, 0, kw_span_of("\0\x01\0\0\0\0", 6));
    return h;
}

void h2raw_hang_up(struct h2raw *h)
{
    shutdown(h->fd, SHUT_RDWR);
}

void h2raw_free(struct h2raw *h)
{
    close(h->fd);
    kw_free(h);
}
