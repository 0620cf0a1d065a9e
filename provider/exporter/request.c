/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 9112: a request line, header lines, an empty line.  Headers are looked at for what
 * would mean a body, and no further; folded lines and bare line feeds are no requests. */
#include "request.h"

#include <string.h>
#include <strings.h>

/* Up to CR LF; false: there is none, or something else than text before it. */
static bool request_line(kw_span *rest, kw_span *ret_line)
{
    size_t n = 0;
    while (n < rest->len && rest->ptr[n] != '\r')
        n++;
    *ret_line = kw_span_of(rest->ptr, n);
    if (rest->len - n < 2 || rest->ptr[n + 1] != '\n' || !kw_is_printable_text(*ret_line))
        return false;
    *rest = kw_span_of(rest->ptr + n + 2, rest->len - n - 2);
    return true;
}

static bool request_ends(kw_span bytes)
{
    for (size_t i = 0; i + 4 <= bytes.len; i++)
        if (kw_span_equal(kw_span_of(bytes.ptr + i, 4), kw_span_str("\r\n\r\n")))
            return true;
    return false;
}

/* Up to the next blank; what is behind it stays. */
static kw_span request_word(kw_span *line)
{
    size_t n = 0;
    while (n < line->len && line->ptr[n] != ' ')
        n++;
    const kw_span word = kw_span_of(line->ptr, n);
    const size_t skip = n < line->len ? n + 1 : n;
    *line = kw_span_of(line->ptr + skip, line->len - skip);
    return word;
}

static bool is_token_byte(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* No body may follow. */
static bool header_is_good(kw_span line)
{
    size_t n = 0;
    while (n < line.len && line.ptr[n] != ':')
        n++;
    char name[32] = "";
    (void)kw_copy_str(name, sizeof name, kw_span_of(line.ptr, n));
    if (n == 0 || n == line.len || !kw_span_all(kw_span_of(line.ptr, n), is_token_byte) ||
        strcasecmp(name, "transfer-encoding") == 0)
        return false;
    kw_span value = kw_span_of(line.ptr + n + 1, line.len - n - 1);
    while (value.len > 0 && value.ptr[0] == ' ')
        value = kw_span_of(value.ptr + 1, value.len - 1);
    return strcasecmp(name, "content-length") != 0 || kw_span_equal_str(value, "0");
}

static bool is_target_byte(uint8_t c)
{
    return c < 0x80;
}

static bool target_read(kw_span target, struct kw_http_request *ret)
{
    size_t n = 0;
    while (n < target.len && target.ptr[n] != '?')
        n++;
    ret->verbose = kw_span_equal(kw_span_of(target.ptr + n, target.len - n),
                                 kw_span_str("?verbose"));
    return n > 0 && target.ptr[0] == '/' && kw_span_all(target, is_target_byte) &&
           kw_copy_str(ret->path, sizeof ret->path, kw_span_of(target.ptr, n));
}

enum kw_request_state kw_request_read(kw_span bytes, struct kw_http_request *ret)
{
    struct kw_http_request request = {0};
    kw_span line, rest = bytes;
    if (!request_ends(bytes))
        return bytes.len < KW_REQUEST_MAX ? KW_REQUEST_MORE : KW_REQUEST_TOO_LONG;
    if (!request_line(&rest, &line))
        return KW_REQUEST_BAD;
    const kw_span method = request_word(&line), target = request_word(&line);
    if (!kw_span_equal_str(line, "HTTP/1.1") && !kw_span_equal_str(line, "HTTP/1.0"))
        return KW_REQUEST_BAD;
    request.head = kw_span_equal_str(method, "HEAD");
    if (!request.head && !kw_span_equal_str(method, "GET"))
        return KW_REQUEST_METHOD;
    if (!target_read(target, &request))
        return KW_REQUEST_BAD;
    while (request_line(&rest, &line) && line.len > 0)
        if (!header_is_good(line))
            return KW_REQUEST_BAD;
    if (line.len > 0 ||
        rest.len > 0) /* a line that is none, or more than was asked for */
        return KW_REQUEST_BAD;
    *ret = request;
    return KW_REQUEST_GOOD;
}
