/* SPDX-License-Identifier: Apache-2.0 */
/* wal_sample - writes what etcd writes: messages, requests, records, files */
#ifndef KEYWARD_TESTS_ETCD_WAL_SAMPLE_H
#define KEYWARD_TESTS_ETCD_WAL_SAMPLE_H

#include <keyward/bytes.h>

/* Fields of Protocol Buffers, at the end of dst. */
void pb_varint(kw_dst *dst, uint64_t value);
void pb_number(kw_dst *dst, uint32_t field, uint64_t value);
void pb_bytes(kw_dst *dst, uint32_t field, kw_span bytes);
void pb_text(kw_dst *dst, uint32_t field, const char *text);

enum { WAL_SAMPLE_MESSAGE = 8192, WAL_SAMPLE_FILE = 1 << 16 };

/* A message of its own, to be put into another one. */
struct pb {
    uint8_t room[WAL_SAMPLE_MESSAGE];
    kw_dst dst;
};
void pb_begin(struct pb *m);
kw_span pb_done(const struct pb *m);

/* InternalRaftRequest{header, put}, and with the put in a transaction's success (2) or
 * failure (3) branch, `depth` transactions deep. */
kw_span wal_put_request(struct pb *m, const char *key, const char *value);
kw_span wal_txn_request(struct pb *m, unsigned branch, unsigned depth, const char *key,
                        const char *value);

/* A file's bytes, and the checksum up to here. */
struct wal_sample {
    uint8_t room[WAL_SAMPLE_FILE];
    kw_dst dst;
    uint32_t crc;
};
/* crc record and metadata: what a file begins with; goes on from `crc`. */
void wal_sample_begin(struct wal_sample *w, uint32_t crc);
void wal_sample_record(struct wal_sample *w, uint64_t type, kw_span data);
void wal_sample_entry(struct wal_sample *w, uint64_t term, uint64_t index, kw_span data);
void wal_sample_put(struct wal_sample *w, uint64_t term, uint64_t index, const char *key,
                    const char *value);
/* A word of a frame, whatever it says. */
void wal_sample_word(struct wal_sample *w, uint64_t word);
void wal_sample_zeroes(struct wal_sample *w, size_t count);

#endif
