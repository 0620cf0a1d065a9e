/* SPDX-License-Identifier: Apache-2.0 */
/* What a reply's head says: nghttp2 reads HPACK, and short cuts are remembered. */
#include "h2.h"

#include <string.h>

/* Indexed fields of one byte (RFC 7541 6.1) leave the table as it is. */
static bool only_table(kw_span block)
{
    for (size_t i = 0; i < block.len; i++)
        if (block.ptr[i] <= 0x80 || block.ptr[i] == 0xff)
            return false;
    return block.len <= sizeof((struct kw_memo *)0)->known[0].bytes;
}

static bool recall(const struct kw_memo *m, kw_span block, struct kw_heads *ret_heads)
{
    for (unsigned i = 0; i < 4; i++)
        if (m->known[i].len == block.len && m->known[i].table == m->table &&
            memcmp(m->known[i].bytes, block.ptr, block.len) == 0) {
            *ret_heads = m->known[i].heads;
            return true;
        }
    return false;
}

static void remember(struct kw_memo *m, kw_span block, const struct kw_heads *heads)
{
    unsigned i = m->next++ % 4;
    m->known[i].table = m->table;
    m->known[i].len = (uint8_t)block.len;
    kw_copy(m->known[i].bytes, sizeof m->known[i].bytes, block);
    m->known[i].heads = *heads;
}

static int number(kw_span s)
{
    int n = 0;
    for (size_t i = 0; i < s.len && i < 4; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return -1;
        n = n * 10 + (s.ptr[i] - '0');
    }
    return s.len >= 1 && s.len <= 4 ? n : -1;
}

static void take(struct kw_h2 *c, const nghttp2_nv *nv, struct kw_heads *heads)
{
    kw_span name = kw_span_of(nv->name, nv->namelen);
    kw_span value = kw_span_of(nv->value, nv->valuelen);
    if (kw_span_equal_str(name, ":status"))
        heads->http = number(value);
    else if (kw_span_equal_str(name, "grpc-status"))
        heads->status = number(value);
    else if (kw_span_equal_str(name, "grpc-message"))
        (void)kw_copy_printable(c->said, sizeof c->said, value);
}

static bool inflate(struct kw_h2 *c, kw_span block, struct kw_heads *heads)
{
    for (;;) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t n =
            nghttp2_hd_inflate_hd2(c->inflater, &nv, &flags, block.ptr, block.len, 1);
        if (n < 0)
            return false;
        block = kw_span_of(block.ptr + n, block.len - (size_t)n);
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            take(c, &nv, heads);
        if (flags & NGHTTP2_HD_INFLATE_FINAL) {
            nghttp2_hd_inflate_end_headers(c->inflater);
            return true;
        }
        if (!(flags & NGHTTP2_HD_INFLATE_EMIT) && block.len == 0)
            return true;
    }
}

bool kw_inflate(struct kw_h2 *c, kw_span block, struct kw_heads *ret_heads)
{
    struct kw_heads heads = {-1, -1};
    c->said[0] = '\0';
    bool plain = only_table(block);
    if (plain && recall(&c->memo, block, ret_heads))
        return true;
    if (!plain)
        c->memo.table++;
    if (!inflate(c, block, &heads))
        return false;
    if (plain && heads.status <= 0)
        remember(&c->memo, block, &heads);
    *ret_heads = heads;
    return true;
}
