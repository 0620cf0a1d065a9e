/* SPDX-License-Identifier: Apache-2.0 */
#include "wal_sample.h"

#include "check.h"
#include "wal_frame.h"

void pb_varint(kw_dst *dst, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        CHECK(kw_dst_put_u8(dst, (uint8_t)(value | 0x80u)));
    CHECK(kw_dst_put_u8(dst, (uint8_t)value));
}

void pb_number(kw_dst *dst, uint32_t field, uint64_t value)
{
    pb_varint(dst, (uint64_t)field << 3);
    pb_varint(dst, value);
}

void pb_bytes(kw_dst *dst, uint32_t field, kw_span bytes)
{
    pb_varint(dst, (uint64_t)field << 3 | 2);
    pb_varint(dst, bytes.len);
    CHECK(kw_dst_put(dst, bytes));
}

void pb_text(kw_dst *dst, uint32_t field, const char *text)
{
    pb_bytes(dst, field, kw_span_str(text));
}

void pb_begin(struct pb *m)
{
    m->dst = kw_dst_of(m->room, sizeof m->room);
}

kw_span pb_done(const struct pb *m)
{
    return kw_dst_span(&m->dst);
}

/* InternalRaftRequest{header{ID}, `field`: bytes} */
static kw_span request_of(struct pb *m, uint32_t field, kw_span bytes)
{
    struct pb header;
    pb_begin(&header);
    pb_number(&header.dst, 1, 0x1234567890abcdef);
    pb_begin(m);
    pb_bytes(&m->dst, 100, pb_done(&header));
    pb_bytes(&m->dst, field, bytes);
    return pb_done(m);
}

static kw_span put_of(struct pb *m, const char *key, const char *value)
{
    pb_begin(m);
    pb_text(&m->dst, 1, key);
    pb_text(&m->dst, 2, value);
    return pb_done(m);
}

kw_span wal_put_request(struct pb *m, const char *key, const char *value)
{
    struct pb put;
    return request_of(m, 4, put_of(&put, key, value));
}

/* TxnRequest{compare{key}, `branch`: RequestOp{`field`: bytes}} */
static kw_span txn_of(struct pb *m, unsigned branch, uint32_t field, kw_span bytes)
{
    struct pb compare, op;
    pb_begin(&op);
    pb_bytes(&op.dst, field, bytes);
    pb_begin(&compare);
    pb_text(&compare.dst, 3, "k");
    pb_begin(m);
    pb_bytes(&m->dst, 1, pb_done(&compare));
    pb_bytes(&m->dst, branch, pb_done(&op));
    return pb_done(m);
}

kw_span wal_txn_request(struct pb *m, unsigned branch, unsigned depth, const char *key,
                        const char *value)
{
    static struct pb level[2];
    kw_span inner = txn_of(&level[0], branch, 2, put_of(m, key, value));
    for (unsigned i = 1; i < depth; i++)
        inner = txn_of(&level[i % 2], branch, 4, inner);
    return request_of(m, 6, inner);
}

void wal_sample_word(struct wal_sample *w, uint64_t word)
{
    for (unsigned i = 0; i < KW_WAL_WORD; i++)
        CHECK(kw_dst_put_u8(&w->dst, (uint8_t)(word >> (8 * i))));
}

void wal_sample_zeroes(struct wal_sample *w, size_t count)
{
    for (size_t i = 0; i < count; i++)
        CHECK(kw_dst_put_u8(&w->dst, 0));
}

/* Bit by bit, so that the table is not compared with itself. */
static uint32_t sample_crc(uint32_t before, kw_span s)
{
    uint32_t crc = ~before;
    for (size_t i = 0; i < s.len; i++) {
        crc ^= s.ptr[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc % 2 == 0 ? 0 : 0x82f63b78u);
    }
    return ~crc;
}

void wal_sample_record(struct wal_sample *w, uint64_t type, kw_span data)
{
    struct pb m;
    pb_begin(&m);
    w->crc = sample_crc(w->crc, data);
    pb_number(&m.dst, 1, type);
    pb_number(&m.dst, 2, w->crc);
    if (data.len > 0)
        pb_bytes(&m.dst, 3, data);
    const uint64_t len = m.dst.len, pad = (8 - len % 8) % 8;
    wal_sample_word(w, len | (pad == 0 ? 0 : (0x80 | pad) << 56));
    CHECK(kw_dst_put(&w->dst, pb_done(&m)));
    wal_sample_zeroes(w, pad);
}

void wal_sample_begin(struct wal_sample *w, uint32_t crc)
{
    struct pb metadata;
    pb_begin(&metadata);
    pb_number(&metadata.dst, 1, 77);
    pb_number(&metadata.dst, 2, 88);
    w->dst = kw_dst_of(w->room, sizeof w->room);
    w->crc = crc;
    wal_sample_record(w, KW_WAL_CRC, kw_span_of(NULL, 0));
    wal_sample_record(w, KW_WAL_METADATA, pb_done(&metadata));
}

void wal_sample_entry(struct wal_sample *w, uint64_t term, uint64_t index, kw_span data)
{
    struct pb entry;
    pb_begin(&entry);
    pb_number(&entry.dst, 1, KW_WAL_ENTRY_NORMAL);
    pb_number(&entry.dst, 2, term);
    pb_number(&entry.dst, 3, index);
    if (data.len > 0)
        pb_bytes(&entry.dst, 4, data);
    wal_sample_record(w, KW_WAL_ENTRY, pb_done(&entry));
}

void wal_sample_put(struct wal_sample *w, uint64_t term, uint64_t index, const char *key,
                    const char *value)
{
    struct pb request;
    wal_sample_entry(w, term, index, wal_put_request(&request, key, value));
}
