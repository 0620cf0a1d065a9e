/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>

#include "request.h"

static struct kw_http_request request;

static enum kw_request_state read_of(const char *text)
{
    request = (struct kw_http_request){.path = "untouched"};
    return kw_request_read(kw_span_str(text), &request);
}

#define HOST "Host: localhost\r\n\r\n"

TEST(read__not_whole__more)
{
    static const char whole[] = "GET /metrics HTTP/1.1\r\n" HOST;
    for (size_t len = 0; len < sizeof whole - 1; len++)
        CHECK(kw_request_read(kw_span_of(whole, len), &request) == KW_REQUEST_MORE);
    CHECK(read_of(whole) == KW_REQUEST_GOOD);
}

TEST(read__what_is_no_request__bad_and_nothing_filled)
{
    static const char *const rows[] = {
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "GET / HTTP/1.1 \r\n\r\n",
        "GET  / HTTP/1.1\r\n\r\n",
        "GET metrics HTTP/1.1\r\n" HOST,
        "GET ?verbose HTTP/1.1\r\n" HOST,
        "GET http://localhost/metrics HTTP/1.1\r\n" HOST,
        "GET /\x01 HTTP/1.1\r\n" HOST,
        "GET /\xc3\xa9 HTTP/1.1\r\n" HOST,
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost\r\n\r\n",
        "GET / HTTP/1.1\r\n: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "GET / HTTP/1.1\r\n" HOST,
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (read_of(rows[i]) != KW_REQUEST_BAD)
            fail_msg("row %zu was taken: %s", i, rows[i]);
        CHECK_STR(request.path, "untouched");
    }
}

TEST(read__a_body_to_come__bad)
{
    CHECK(read_of("GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\n") == KW_REQUEST_BAD);
    CHECK(read_of("GET / HTTP/1.1\r\ncontent-length:1\r\n\r\n") == KW_REQUEST_BAD);
    CHECK(read_of("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n") ==
          KW_REQUEST_BAD);
    CHECK(read_of("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n") == KW_REQUEST_GOOD);
}

TEST(read__other_methods__told_so)
{
    CHECK(read_of("POST /metrics HTTP/1.1\r\n" HOST) == KW_REQUEST_METHOD);
    CHECK(read_of("get /metrics HTTP/1.1\r\n" HOST) == KW_REQUEST_METHOD);
}

TEST(read__no_end_in_8_kib__too_long)
{
    static char text[KW_REQUEST_MAX + 1];
    memset(text, 'a', sizeof text - 1);
    CHECK(kw_request_read(kw_span_of(text, KW_REQUEST_MAX - 1), &request) ==
          KW_REQUEST_MORE);
    CHECK(kw_request_read(kw_span_of(text, KW_REQUEST_MAX), &request) ==
          KW_REQUEST_TOO_LONG);
}

TEST(read__path_of_the_longest_and_one_more__taken_and_bad)
{
    char text[512], path[KW_TARGET_MAX + 2];
    memset(path, '/', sizeof path);
    path[KW_TARGET_MAX] = '\0';
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" HOST, path);
    CHECK(read_of(text) == KW_REQUEST_GOOD);
    CHECK_STR(request.path, path);
    path[KW_TARGET_MAX] = '/';
    path[KW_TARGET_MAX + 1] = '\0';
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" HOST, path);
    CHECK(read_of(text) == KW_REQUEST_BAD);
}

TEST(read__head_query_and_old_version__as_said)
{
    CHECK(read_of("HEAD /readyz?verbose HTTP/1.0\r\n\r\n") == KW_REQUEST_GOOD);
    CHECK(request.head && request.verbose);
    CHECK_STR(request.path, "/readyz");
    CHECK(read_of("GET /readyz?verbose=1 HTTP/1.1\r\n" HOST) == KW_REQUEST_GOOD);
    CHECK(!request.head && !request.verbose);
}

KW_SUITE("provider/exporter/request")
