/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in on a connection. */
#include "h2.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
    SETTING_TABLE = 1,
    SETTING_STREAMS = 3,
    SETTING_WINDOW = 4,
    TABLE_ENOUGH = 2048, /* all our heads, with what RFC 7541 4.1 adds */
    GIVE_BACK = 1 << 30,
};

struct frame {
    uint8_t type, flags;
    uint32_t id;
    kw_span payload;
};

struct digest {
    struct kw_h2 *c;
    kw_call_ended *ended;
    void *ctx;
};

bool kw_h2_read(struct kw_h2 *c, bool wait)
{
    ssize_t n =
        recv(c->fd, c->in + c->in_len, KW_IN_BYTES - c->in_len, wait ? 0 : MSG_DONTWAIT);
    if (n > 0) {
        c->in_len += (size_t)n;
        return true;
    }
    if (n == 0)
        kw_h2_broke(c, ECONNRESET);
    else if (errno != EAGAIN && errno != EINTR)
        kw_h2_broke(c, errno);
    return false;
}

static void answer(struct kw_h2 *c, uint8_t type, uint8_t flags, kw_span payload)
{
    if (!kw_h2_put(c, type, flags, 0, payload))
        kw_h2_end(c, "the server asks faster than it reads");
}

/* Takes the padding and the priority off (6.1, 6.2). */
static kw_span bare(const struct frame *f)
{
    struct kw_src src = kw_src_of(f->payload);
    size_t pad = f->flags & KW_PADDED ? kw_src_u8(&src) : 0;
    if (f->type == KW_FRAME_HEADERS && (f->flags & KW_PRIORITY))
        (void)kw_src_take(&src, 5);
    if (src.bad || pad > kw_src_left(&src))
        return (kw_span){0};
    return kw_span_of(kw_src_rest(&src).ptr, kw_src_left(&src) - pad);
}

static void end_stream(const struct digest *d, struct kw_stream *s)
{
    d->ended(d->ctx, d->c, s);
    kw_h2_free_stream(d->c, s);
}

static void on_data(const struct digest *d, const struct frame *f)
{
    struct kw_h2 *c = d->c;
    struct kw_stream *s = kw_h2_find(c, f->id);
    uint8_t bytes[4];
    kw_dst more = kw_dst_of(bytes, sizeof bytes);
    c->eaten += f->payload.len;
    if (c->eaten > GIVE_BACK && kw_dst_put_u32(&more, (uint32_t)c->eaten)) {
        answer(c, KW_FRAME_WINDOW_UPDATE, 0, kw_dst_span(&more));
        c->eaten = 0;
    }
    if (s == NULL)
        return;
    kw_dst body = {s->body, sizeof s->body, s->len};
    if (!kw_dst_put(&body, bare(f)))
        s->overlong = true;
    s->len = (uint32_t)body.len;
    if (f->flags & KW_END_STREAM)
        end_stream(d, s);
}

/* A whole header block.  It is read even when nobody waits for it: the table needs it. */
static void on_block(const struct digest *d, uint32_t id, kw_span block, bool ends)
{
    struct kw_heads heads = {-1, -1};
    struct kw_stream *s = kw_h2_find(d->c, id);
    if (!kw_inflate(d->c, block, &heads)) {
        kw_h2_end(d->c, "a header block of the server is damaged");
        return;
    }
    if (s == NULL)
        return;
    if (heads.status >= 0)
        s->status = heads.status;
    else if (heads.http >= 0 && heads.http != 200 && s->status < 0)
        s->status = heads.http == 404 ? 12 : 14; /* as gRPC's HTTP mapping does */
    if (ends)
        end_stream(d, s);
}

static void on_headers(const struct digest *d, const struct frame *f)
{
    struct kw_h2 *c = d->c;
    kw_span part = f->type == KW_FRAME_HEADERS ? bare(f) : f->payload;
    if (f->type == KW_FRAME_HEADERS) {
        c->block_len = 0;
        c->block_stream = f->id;
        c->block_ends = f->flags & KW_END_STREAM;
        if (f->flags & KW_END_HEADERS) {
            on_block(d, f->id, part, c->block_ends);
            return;
        }
    }
    kw_dst block = {c->block, sizeof c->block, c->block_len};
    if (f->id != c->block_stream || !kw_dst_put(&block, part)) {
        kw_h2_end(c, "a header block of the server is too long or out of order");
        return;
    }
    c->block_len = block.len;
    if (f->flags & KW_END_HEADERS)
        on_block(d, f->id, kw_dst_span(&block), c->block_ends);
}

static void on_reset(const struct digest *d, const struct frame *f)
{
    struct kw_src src = kw_src_of(f->payload);
    struct kw_stream *s = kw_h2_find(d->c, f->id);
    uint32_t why = kw_src_u32(&src);
    if (s == NULL)
        return;
    if (s->status < 0)
        s->status = why == 7 ? 14 : why == 8 ? 1 : 13;
    snprintf(d->c->said, sizeof d->c->said, "RST_STREAM, error %" PRIu32, why);
    end_stream(d, s);
}

static void on_settings(struct kw_h2 *c, const struct frame *f)
{
    struct kw_src src = kw_src_of(f->payload);
    if (f->flags & KW_ACK)
        return;
    while (kw_src_left(&src) > 0 && !src.bad) {
        uint16_t what = kw_src_u16(&src);
        uint32_t value = kw_src_u32(&src);
        if (what == SETTING_TABLE && value < TABLE_ENOUGH)
            c->headers.no_table = true;
        if (what == SETTING_STREAMS && value < c->streams_max)
            c->streams_max = value;
        if (what == SETTING_WINDOW)
            c->stream_window = value;
    }
    /* Fewer at once than we have streams: the others are never used. */
    while (!c->has_settings && c->free_count > c->streams_max)
        c->free_count--;
    c->has_settings = true;
    answer(c, KW_FRAME_SETTINGS, KW_ACK, (kw_span){0});
}

static void on_goaway(struct kw_h2 *c, const struct frame *f)
{
    struct kw_src src = kw_src_of(f->payload);
    (void)kw_src_u32(&src);
    if (c->fault[0] == '\0')
        snprintf(c->fault, sizeof c->fault,
                 "the server is going away (GOAWAY, error %" PRIu32 ")",
                 kw_src_u32(&src));
    c->draining = true;
}

static void on_frame(const struct digest *d, const struct frame *f)
{
    struct kw_src src = kw_src_of(f->payload);
    switch (f->type) {
    case KW_FRAME_DATA: on_data(d, f); break;
    case KW_FRAME_HEADERS:
    case KW_FRAME_CONTINUATION: on_headers(d, f); break;
    case KW_FRAME_RST_STREAM: on_reset(d, f); break;
    case KW_FRAME_SETTINGS: on_settings(d->c, f); break;
    case KW_FRAME_PING:
        if (!(f->flags & KW_ACK))
            answer(d->c, KW_FRAME_PING, KW_ACK, f->payload);
        break;
    case KW_FRAME_GOAWAY: on_goaway(d->c, f); break;
    case KW_FRAME_WINDOW_UPDATE:
        if (f->id == 0)
            d->c->window += kw_src_u32(&src) & 0x7fffffffu;
        break;
    default: break; /* unknown types are left alone (4.1) */
    }
}

void kw_h2_digest(struct kw_h2 *c, kw_call_ended *ended, void *ctx)
{
    const struct digest d = {c, ended, ctx};
    size_t at = 0;
    while (!c->over && c->in_len - at >= KW_FRAME_HEAD) {
        const uint8_t *p = c->in + at;
        size_t len = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];
        if (len > 16384) {
            kw_h2_end(c, "what the server says is no HTTP/2");
            break;
        }
        if (c->in_len - at < KW_FRAME_HEAD + len)
            break;
        struct frame f = {
            p[3], p[4],
            ((uint32_t)p[5] << 24 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 8 | p[8]) &
                0x7fffffffu,
            kw_span_of(p + KW_FRAME_HEAD, len)};
        on_frame(&d, &f);
        at += KW_FRAME_HEAD + len;
    }
    memmove(c->in, c->in + at, c->in_len - at);
    c->in_len -= at;
}
