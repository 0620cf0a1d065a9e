/* SPDX-License-Identifier: Apache-2.0 */
/* h2raw - an HTTP/2 client by hand, for what a decent client never sends
 *
 * Writes frames (RFC 9113 4.1) with headers as plain literals (RFC 7541 6.2.2), reads
 * what comes back, acknowledges settings and pings.  It asks for a header table of size
 * 0, so the peer's headers are literals or entries of the static table.
 *
 * Blocking:  on the socket; ctest's timeout is the guard. */
#ifndef KEYWARD_TESTS_H2RAW_H
#define KEYWARD_TESTS_H2RAW_H

#include <keyward/bytes.h>

#define H2RAW_STREAMS 4096
#define H2RAW_MESSAGE 2048

struct h2raw_result {
    bool ended; /* the peer ended or reset the stream         */
    bool reset;
    uint32_t reset_code;
    int http_status; /* -1: none came                              */
    int grpc_status; /* -1: none came                              */
    char grpc_message[256];
    uint8_t body[H2RAW_MESSAGE]; /* DATA: with the 5 bytes of gRPC's framing */
    size_t body_len;
};

struct h2raw;

/* Takes over fd, a connected blocking socket; says the preface and its settings. */
struct h2raw *h2raw_new(int fd);
/* The same without saying anything. */
struct h2raw *h2raw_new_silent(int fd);
void h2raw_free(struct h2raw *h);
/* Closes for writing and reading at once, as a killed client would. */
void h2raw_hang_up(struct h2raw *h);

struct h2raw_header {
    const char *name, *value;
};
/* A new stream: a HEADERS frame.  `end`: with END_STREAM.  Returns the stream. */
uint32_t h2raw_headers(struct h2raw *h, const struct h2raw_header *headers, size_t count,
                       bool end);
/* The headers that kube-apiserver sends for this path; timeout may be NULL. */
uint32_t h2raw_open(struct h2raw *h, const char *path, const char *timeout);
/* A DATA frame. */
void h2raw_data(struct h2raw *h, uint32_t stream, kw_span bytes, bool end);
/* gRPC's five bytes and the message in one DATA frame, with END_STREAM. */
void h2raw_message(struct h2raw *h, uint32_t stream, uint8_t flag, kw_span message);
/* Open and message. */
uint32_t h2raw_call(struct h2raw *h, const char *path, kw_span message);
void h2raw_reset(struct h2raw *h, uint32_t stream);
void h2raw_frame(struct h2raw *h, uint8_t type, uint8_t flags, uint32_t stream,
                 kw_span payload);
/* Bytes as they are. */
void h2raw_bytes(struct h2raw *h, kw_span bytes);

/* Reads until the stream ended; NULL when the connection ended first. */
const struct h2raw_result *h2raw_await(struct h2raw *h, uint32_t stream);
/* Reads until the peer closed the connection. */
void h2raw_await_close(struct h2raw *h);
/* Reads one frame; false at the end of the connection. */
bool h2raw_read(struct h2raw *h);
bool h2raw_got_goaway(const struct h2raw *h);
const struct h2raw_result *h2raw_peek(const struct h2raw *h, uint32_t stream);

#endif
