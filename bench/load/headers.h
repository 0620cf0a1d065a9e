/* SPDX-License-Identifier: Apache-2.0 */
/* headers - the head of a request, compressed as a Go client's is (HPACK, RFC 7541)
 *
 * The first time a field is sent it goes into the table that both sides keep; from then
 * on it is one byte.  No Huffman coding: it would only happen once.
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_HEADERS_H
#define KEYWARD_BENCH_HEADERS_H

#include <keyward/bytes.h>

enum kw_method { KW_STATUS, KW_ENCRYPT, KW_DECRYPT, KW_METHODS };
extern const char *const kw_method_names[KW_METHODS]; /* "status", … */

enum { KW_HEADERS_TABLE = 12, KW_HEADERS_BLOCK = 512 };

/* {0} has an empty table. */
struct kw_headers {
    bool no_table; /* the server keeps none: every field in full, every time */
    unsigned count;
    const char *name[KW_HEADERS_TABLE], *value[KW_HEADERS_TABLE]; /* borrowed */
    const char *timeout; /* of grpc-timeout, such as "3S"; NULL: none */
};

/* Appends the header block of one request; dst has KW_HEADERS_BLOCK bytes. */
void kw_headers_put(struct kw_headers *h, enum kw_method method, kw_dst *dst);

#endif
