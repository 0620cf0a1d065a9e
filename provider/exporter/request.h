/* SPDX-License-Identifier: Apache-2.0 */
/* request - the little of HTTP/1.1 that is wanted: GET or HEAD of a path, and no body
 *
 * Threads:   pure.
 */
#ifndef KEYWARD_EXPORTER_REQUEST_H
#define KEYWARD_EXPORTER_REQUEST_H

#include <keyward/bytes.h>

/* Bytes of a request's line and headers, with the empty line behind them. */
#define KW_REQUEST_MAX 8192u
#define KW_TARGET_MAX 128u

enum kw_request_state {
    KW_REQUEST_MORE,     /* it goes on                                        */
    KW_REQUEST_GOOD,     /* whole                                             */
    KW_REQUEST_BAD,      /* no HTTP/1.x request, or one with a body: 400      */
    KW_REQUEST_METHOD,   /* another method: 405                               */
    KW_REQUEST_TOO_LONG, /* 431 */
};
struct kw_http_request {
    bool head; /* HEAD: the answer has no body */
    char path[KW_TARGET_MAX + 1];
    bool verbose; /* "?verbose" */
};
/* Of all bytes that came so far.  *ret is filled with GOOD. */
enum kw_request_state kw_request_read(kw_span bytes, struct kw_http_request *ret);

#endif
