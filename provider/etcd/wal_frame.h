/* SPDX-License-Identifier: Apache-2.0 */
/* wal_frame - what lies in a member's write-ahead log, layer by layer: a frame, its
 * record, what a record of each type holds, the puts of a request
 *
 * A frame is a word of 8 bytes and a record, padded to 8 bytes.  Stricter than etcd: what
 * no etcd wrote (a field twice, a wrong pad, a field of later versions) is not read as if
 * it were not there, since a value could lie in it.
 *
 * Threads:  pure functions.
 * Sources:  etcd-io/etcd: server/storage/wal/{decoder,encoder}.go, walpb/record.proto,
 *           api/etcdserverpb/{raft_internal,rpc}.proto; before 3.6 etcdserver.proto;
 *           etcd-io/raft: raftpb/raft.proto
 */
#ifndef KEYWARD_ETCD_WAL_FRAME_H
#define KEYWARD_ETCD_WAL_FRAME_H

#include <keyward/bytes.h>

enum { KW_WAL_WORD = 8 };

struct kw_wal_frame {
    uint64_t record; /* bytes; 0 only when nothing comes any more */
    unsigned pad;    /* zeroes behind it                           */
};

/* What the word before a record says, with `left` bytes behind it.  false when it leads
 * beyond them, or is a word that etcd does not write. */
bool kw_wal_frame_of(uint64_t word, uint64_t left, struct kw_wal_frame *ret_frame);

enum kw_wal_type {
    KW_WAL_METADATA = 1,
    KW_WAL_ENTRY = 2,
    KW_WAL_STATE = 3,
    KW_WAL_CRC = 4, /* its crc is that of all before it; it has no data */
    KW_WAL_SNAPSHOT = 5,
};

struct kw_wal_record {
    enum kw_wal_type type;
    uint32_t crc;
    kw_span data; /* borrows */
};
/* false when it is no record, or of a type that is not known. */
bool kw_wal_record_of(kw_span bytes, struct kw_wal_record *ret_record);

enum kw_wal_entry_type {
    KW_WAL_ENTRY_NORMAL = 0,
    KW_WAL_ENTRY_CHANGE = 1,    /* of the cluster's members */
    KW_WAL_ENTRY_CHANGE_V2 = 2, /* the same */
};

struct kw_wal_entry {
    uint64_t type, term, index;
    kw_span data; /* borrows; empty: a leader's first entry */
};
bool kw_wal_entry_of(kw_span data, struct kw_wal_entry *ret_entry);

/* false for what is neither metadata, nor state, nor a snapshot's place.  The checksum
 * does not cover a record's type, so an entry could be taken for one of them. */
bool kw_wal_is_metadata(kw_span data);
bool kw_wal_is_state(kw_span data);
bool kw_wal_snapshot_of(kw_span data, uint64_t *ret_index);

/* ---- requests ------------------------------------------------------------------------------ */

enum {
    KW_WAL_DEPTH = 32
}; /* transactions within one another; kube-apiserver nests none */

enum kw_wal_message { KW_WAL_REQUEST, KW_WAL_TXN, KW_WAL_OP };
struct kw_wal_level {
    enum kw_wal_message message;
    struct kw_src src;
};

/* A walk over a normal entry's data.  Borrows. */
struct kw_wal_puts {
    struct kw_wal_level level[2 * KW_WAL_DEPTH + 1];
    unsigned depth;  /* levels in use */
    const char *why; /* what kw_wal_puts_begin found fault with */
    kw_span all;
};

struct kw_wal_found {
    const char *why; /* NULL: a put.  Else a literal: why `bytes` cannot be read */
    kw_span bytes;
    kw_span key, value;
};

/* Requests of the v2 API have no puts: etcd itself writes them for members and versions,
 * below the path /0.  Others of them are not read. */
void kw_wal_puts_begin(struct kw_wal_puts *puts, kw_span data);
/* The next put, or what cannot be read.  false at the end.  Of a message that is broken
 * in its middle the puts before may have been given. */
bool kw_wal_puts_next(struct kw_wal_puts *puts, struct kw_wal_found *ret_found);

#endif
