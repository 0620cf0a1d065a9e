/* SPDX-License-Identifier: Apache-2.0 */
/* h2 - one HTTP/2 connection to a KMS v2 socket: nghttp2's session, and the calls on it
 *
 * Windows are as large as can be, so that replies never wait for this side and it never has
 * to widen them.
 *
 * Threads:   one.
 * Blocking:  open and wait.
 */
#ifndef KEYWARD_BENCH_H2_H
#define KEYWARD_BENCH_H2_H

#include <nghttp2/nghttp2.h>

#include <keyward/err.h>

#include "corpus.h"

enum {
    KW_H2_MAX = 16,        /* connections that are waited for together */
    KW_H2_CALLS_MAX = 512, /* at once, on one connection */
    KW_H2_BYTES = 1 << 17, /* of what is written or read at once */
    KW_H2_FIELDS = 8,      /* of a request's headers, with the path of each method */
    KW_GRPC_CODES = 17,
    KW_GRPC_UNKNOWN = 2,
    KW_GRPC_DEADLINE_EXCEEDED = 4,
    KW_GRPC_UNIMPLEMENTED = 12,
    KW_GRPC_UNAVAILABLE = 14,
};

/* One call under way.  `body` is the request until all of it is sent, then the reply: one
 * piece of memory that is warm. */
struct kw_h2_call {
    int32_t id;    /* of its stream; 0: free                                */
    int status;    /* of gRPC; -1 until told                                */
    bool overlong; /* the reply did not fit, or came before we had finished */
    uint32_t len, request_len, request_at;
    uint8_t body[KW_MESSAGE_MAX];
    enum kw_bench_method method;
    /* the caller's own */
    size_t entry;
    int64_t started_ns;
};

struct kw_h2_setup {
    const char *path;
    const char *timeout; /* of grpc-timeout, such as "3S"; NULL: none; both borrowed */
    unsigned calls;      /* at once, 1 to KW_H2_CALLS_MAX */
    bool queues; /* calls beyond what the server takes at once wait on this side */
};

struct kw_h2 {
    struct kw_h2_setup setup;
    int fd;
    nghttp2_session *session;
    char said[128]; /* the last grpc-message */
    bool heard, has_settings;
    /* A call came to its end; it is free when this returns. */
    void (*ended)(void *ctx, struct kw_h2 *c, struct kw_h2_call *call);
    void *ctx;

    uint8_t *out, *in;
    size_t out_at, out_len;
    unsigned place[KW_H2_FIELDS], places; /* in the server's table of headers, from 1 */
    struct kw_h2_call *calls;
    uint16_t free[KW_H2_CALLS_MAX], free_count;

    bool draining; /* GOAWAY: what is under way may end, nothing new */
    bool over;     /* nothing more will come                         */
    char fault[160];
};

/* Connects and waits up to 5 s for the server's SETTINGS.  Call kw_h2_close in every case. */
KW_MUST_USE kw_err kw_h2_open(struct kw_h2 *c, const struct kw_h2_setup *setup,
                              struct kw_note *note);
/* The same on a socket that is connected already, without waiting. */
KW_MUST_USE kw_err kw_h2_begin(struct kw_h2 *c, const struct kw_h2_setup *setup, int fd);
void kw_h2_close(struct kw_h2 *c); /* {0} does nothing */
/* Who listens, as the kernel knows it; 0: unknown. */
int32_t kw_h2_peer(const struct kw_h2 *c);

/* Queues a copy of one call; NULL when none is free just now. */
struct kw_h2_call *kw_h2_submit(struct kw_h2 *c, enum kw_bench_method method,
                                kw_span message);
/* Gives a call up: RST_STREAM, and it is free. */
void kw_h2_cancel(struct kw_h2 *c, struct kw_h2_call *call);
/* Writes what is queued, as far as it goes without waiting. */
void kw_h2_flush(struct kw_h2 *c);
/* Nothing comes any more; the first reason stays. */
void kw_h2_end(struct kw_h2 *c, const char *why);

/* Waits for any of these connections, most_ns or 100 ms at most, or for a signal; then reads
 * once from each that has something, and ends the calls that it ends.  *now_ns is the time
 * of each look, and at last of this function's end. */
void kw_h2_wait(struct kw_h2 *connection, size_t count, int64_t most_ns, int64_t *now_ns);

#endif
