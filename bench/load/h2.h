/* SPDX-License-Identifier: Apache-2.0 */
/* h2 - one HTTP/2 connection to a KMS v2 socket (RFC 9113), as cheap as can be
 *
 * Frames are written and read by hand; nghttp2 inflates the compressed heads of replies.
 * Flow control, PING, SETTINGS, GOAWAY and RST_STREAM are honoured; what is not needed
 * (priorities, push) is not there.
 *
 * Threads:   one.
 * Blocking:  open; receive when told to wait.
 */
#ifndef KEYWARD_BENCH_H2_H
#define KEYWARD_BENCH_H2_H

#include <nghttp2/nghttp2.h>

#include "message.h"

enum {
    KW_STREAMS_MAX = 512, /* of one connection */
    KW_OUT_BYTES = 1 << 20,
    KW_IN_BYTES = 1 << 17,
    KW_GRPC_CODES = 17,
    KW_GRPC_DEADLINE_EXCEEDED = 4,
    KW_GRPC_UNAVAILABLE = 14,
};

/* One call on its way. */
struct kw_stream {
    uint32_t id;   /* 0: free                                        */
    int status;    /* of gRPC; -1 until told                         */
    bool overlong; /* the body did not fit                           */
    uint32_t len;
    uint8_t body[KW_REPLY_MAX];
    /* the caller's own */
    enum kw_method method;
    size_t entry;
    int64_t started_ns;
};

/* What a header block said of interest. */
struct kw_heads {
    int http, status; /* -1: not there */
};

/* Blocks that are nothing but table entries mean the same while the table stands: the
 * last few are remembered. */
struct kw_memo {
    uint32_t table; /* grows when the table may have changed */
    unsigned next;
    struct {
        uint32_t table;
        uint8_t len, bytes[15];
        struct kw_heads heads;
    } known[4];
};

struct kw_h2 {
    int fd; /* non-blocking writes, reads as asked */
    struct kw_headers headers;
    nghttp2_hd_inflater *inflater;
    struct kw_memo memo;
    char said[128]; /* the last grpc-message */

    int64_t window;         /* bytes the server still takes on this connection */
    uint32_t stream_window; /* the same of a new stream                        */
    uint32_t streams_max;   /* min of ours and the server's                    */
    uint64_t eaten;         /* DATA bytes that we have not given back          */
    bool has_settings;

    uint8_t *out, *in;
    size_t out_at, out_len, in_len;
    uint8_t block[16384]; /* a header block in several frames */
    size_t block_len;
    uint32_t block_stream;
    bool block_ends;

    uint32_t next_id;
    struct kw_stream *streams;
    unsigned streams_given; /* how many we have */
    uint16_t free[KW_STREAMS_MAX], free_count, where[1024];

    bool draining; /* GOAWAY: what is under way may end, nothing new   */
    bool over;     /* nothing more will come                           */
    char fault[160];
};

/* A call came to its end; the stream is free when this returns. */
typedef void kw_call_ended(void *ctx, struct kw_h2 *c, struct kw_stream *s);

/* Connects and waits up to 5 s for the server's SETTINGS.  `timeout`: see headers.h,
 * borrowed.  Call kw_h2_close in every case. */
KW_MUST_USE kw_err kw_h2_open(struct kw_h2 *c, const char *path, unsigned streams,
                              const char *timeout, struct kw_note *note);
void kw_h2_close(struct kw_h2 *c); /* {0} does nothing */
/* Who listens, as the kernel knows it; 0: unknown. */
int32_t kw_h2_peer(const struct kw_h2 *c);

/* Queues one call; NULL when no stream, window or buffer is free just now. */
struct kw_stream *kw_h2_submit(struct kw_h2 *c, enum kw_method method, kw_span message);
/* Gives a call up: RST_STREAM, and the stream is free. */
void kw_h2_cancel(struct kw_h2 *c, struct kw_stream *s);
/* Writes what is queued, as far as it goes without waiting. */
void kw_h2_flush(struct kw_h2 *c);
static inline bool kw_h2_unwritten(const struct kw_h2 *c)
{
    return c->out_len > c->out_at;
}

/* A call is under way. */
bool kw_h2_busy(const struct kw_h2 *c);

/* Reads once into the buffer; `wait`: until something comes, a signal does, or 100 ms are
 * over.  true when bytes came; what they say is for kw_h2_digest. */
bool kw_h2_read(struct kw_h2 *c, bool wait);
void kw_h2_digest(struct kw_h2 *c, kw_call_ended *ended, void *ctx);

/* inflate.c: false when the block is damaged, which ends the connection. */
bool kw_inflate(struct kw_h2 *c, kw_span block, struct kw_heads *ret_heads);
/* h2.c, for receive.c */
void kw_h2_end(struct kw_h2 *c, const char *why);
void kw_h2_broke(struct kw_h2 *c, int error); /* the same with an errno */
bool kw_h2_put(struct kw_h2 *c, uint8_t type, uint8_t flags, uint32_t id,
               kw_span payload);
struct kw_stream *kw_h2_find(struct kw_h2 *c, uint32_t id);
void kw_h2_free_stream(struct kw_h2 *c, struct kw_stream *s);

enum kw_frame { /* RFC 9113 6 */
                KW_FRAME_DATA = 0,
                KW_FRAME_HEADERS = 1,
                KW_FRAME_RST_STREAM = 3,
                KW_FRAME_SETTINGS = 4,
                KW_FRAME_PING = 6,
                KW_FRAME_GOAWAY = 7,
                KW_FRAME_WINDOW_UPDATE = 8,
                KW_FRAME_CONTINUATION = 9,
};
enum {
    KW_END_STREAM = 1,
    KW_ACK = 1,
    KW_END_HEADERS = 4,
    KW_PADDED = 8,
    KW_PRIORITY = 32
};
enum { KW_FRAME_HEAD = 9 };

#endif
