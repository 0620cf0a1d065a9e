/* SPDX-License-Identifier: Apache-2.0 */
#include "headers.h"

#include <string.h>

const char *const kw_method_names[KW_METHODS] = {"status", "encrypt", "decrypt"};

static const char *const paths[KW_METHODS] = {
    "/v2.KeyManagementService/Status",
    "/v2.KeyManagementService/Encrypt",
    "/v2.KeyManagementService/Decrypt",
};

enum {
    METHOD_POST = 0x83, /* RFC 7541 appendix A, entries 3 and 6, as indexed fields */
    SCHEME_HTTP = 0x86,
    INDEXED = 0x80,
    LITERAL_KEPT = 0x40,
    LITERAL_NOT_KEPT = 0x00,
    FIRST_OF_TABLE = 62, /* the newest entry (2.3.3) */
    SHORT_MAX = 126,     /* a length that fits its 7 bits (5.1) */
};

static void must(bool fits)
{
    KW_INVARIANT(fits);
}

static void put_text(kw_dst *dst, const char *text)
{
    kw_span s = kw_span_str(text);
    KW_INVARIANT(s.len <= SHORT_MAX);
    must(kw_dst_put_u8(dst, (uint8_t)s.len));
    must(kw_dst_put(dst, s));
}

static void put_field(struct kw_headers *h, const char *name, const char *value,
                      kw_dst *dst)
{
    for (unsigned i = 0; i < h->count; i++)
        if (strcmp(h->name[i], name) == 0 && strcmp(h->value[i], value) == 0) {
            must(kw_dst_put_u8(dst,
                               (uint8_t)(INDEXED | (FIRST_OF_TABLE + h->count - 1 - i))));
            return;
        }
    bool keep = !h->no_table && h->count < KW_HEADERS_TABLE;
    must(kw_dst_put_u8(dst, keep ? LITERAL_KEPT : LITERAL_NOT_KEPT));
    put_text(dst, name);
    put_text(dst, value);
    if (keep) {
        h->name[h->count] = name;
        h->value[h->count++] = value;
    }
}

void kw_headers_put(struct kw_headers *h, enum kw_method method, kw_dst *dst)
{
    must(kw_dst_put_u8(dst, METHOD_POST));
    must(kw_dst_put_u8(dst, SCHEME_HTTP));
    put_field(h, ":path", paths[method], dst);
    put_field(h, ":authority", "localhost", dst);
    put_field(h, "content-type", "application/grpc", dst);
    put_field(h, "user-agent", "keyward-bench/" KW_VERSION, dst);
    put_field(h, "te", "trailers", dst);
    if (h->timeout != NULL)
        put_field(h, "grpc-timeout", h->timeout, dst);
}
