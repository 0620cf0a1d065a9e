/* SPDX-License-Identifier: Apache-2.0 */
/* What nghttp2 reads is what we meant. */
#include "check.h"

#include <nghttp2/nghttp2.h>

#include "headers.h"

struct read_back {
    nghttp2_hd_inflater *inflater;
    char path[64], timeout[16], type[32];
    unsigned fields;
};

static void copy(char *dst, size_t cap, const nghttp2_nv *nv)
{
    CHECK(kw_copy_str(dst, cap, kw_span_of(nv->value, nv->valuelen)));
}

static void inflate(struct read_back *r, kw_span block)
{
    int flags = 0;
    r->fields = 0;
    r->path[0] = r->timeout[0] = r->type[0] = '\0';
    while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0) {
        nghttp2_nv nv;
        ssize_t n =
            nghttp2_hd_inflate_hd2(r->inflater, &nv, &flags, block.ptr, block.len, 1);
        CHECK(n >= 0);
        block = kw_span_of(block.ptr + n, block.len - (size_t)n);
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0)
            continue;
        kw_span name = kw_span_of(nv.name, nv.namelen);
        r->fields++;
        if (kw_span_equal_str(name, ":path"))
            copy(r->path, sizeof r->path, &nv);
        if (kw_span_equal_str(name, "grpc-timeout"))
            copy(r->timeout, sizeof r->timeout, &nv);
        if (kw_span_equal_str(name, "content-type"))
            copy(r->type, sizeof r->type, &nv);
    }
    nghttp2_hd_inflate_end_headers(r->inflater);
}

static size_t put(struct kw_headers *h, enum kw_method m, struct read_back *r)
{
    uint8_t block[KW_HEADERS_BLOCK];
    kw_dst dst = kw_dst_of(block, sizeof block);
    kw_headers_put(h, m, &dst);
    inflate(r, kw_dst_span(&dst));
    return dst.len;
}

static void put__again__one_byte_a_field_and_the_same_meaning(void **state)
{
    (void)state;
    struct kw_headers h = {.timeout = "3000m"};
    struct read_back r = {.inflater = NULL};
    CHECK(nghttp2_hd_inflate_new(&r.inflater) == 0);
    for (int round = 0; round < 2; round++)
        for (unsigned m = 0; m < KW_METHODS; m++) {
            size_t len = put(&h, (enum kw_method)m, &r);
            CHECK(r.fields == 8);
            CHECK_STR(r.timeout, "3000m");
            CHECK_STR(r.type, "application/grpc");
            CHECK_STR(r.path, m == KW_STATUS    ? "/v2.KeyManagementService/Status"
                              : m == KW_ENCRYPT ? "/v2.KeyManagementService/Encrypt"
                                                : "/v2.KeyManagementService/Decrypt");
            CHECK(round == 0 ? len > 40 : len == 8);
        }
    nghttp2_hd_inflate_del(r.inflater);
}

static void put__server_without_table__in_full_every_time(void **state)
{
    (void)state;
    struct kw_headers h = {.no_table = true};
    struct read_back r = {.inflater = NULL};
    CHECK(nghttp2_hd_inflate_new(&r.inflater) == 0);
    size_t first = put(&h, KW_DECRYPT, &r);
    CHECK(put(&h, KW_DECRYPT, &r) == first && first > 100);
    CHECK(r.fields == 7);
    CHECK_STR(r.timeout, "");
    nghttp2_hd_inflate_del(r.inflater);
}

KW_CASES("bench/load/headers", CASE(put__again__one_byte_a_field_and_the_same_meaning),
         CASE(put__server_without_table__in_full_every_time))
