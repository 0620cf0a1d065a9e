/* SPDX-License-Identifier: Apache-2.0 */
/* etcd_wal - the puts that lie in a member's write-ahead log
 *
 * Every value that was ever put stays there until its file is purged by etcd, whatever
 * became of it in the database.  Files `<seq>-<index>.wal`, 64 MiB each, hold frames;
 * a frame a record; an entry's data a request of etcd's; a put stands alone or within
 * a transaction (so kube-apiserver writes), on either branch and nested.
 *
 * Nothing in a file is believed.  What cannot be read is handed to `unread`, never left
 * out in silence; reading goes on with the next file.
 *
 * Threads:   pure but for the disk; any thread.
 * Blocking:  on the disk.
 * Memory:    one record at a time, up to KW_ETCD_WAL_RECORD_MAX.
 * Secrets:   none; values that are not encrypted pass through, and are kept nowhere.
 * Sources:   etcd-io/etcd: server/storage/wal/{wal,decoder,repair}.go and
 *            walpb/record.proto; raft: raftpb/raft.proto; api/etcdserverpb/
 *            {raft_internal,rpc,etcdserver}.proto
 */
#ifndef KEYWARD_ETCD_WAL_H
#define KEYWARD_ETCD_WAL_H

#include <keyward/bytes.h>

#define KW_ETCD_WAL_RECORD_MAX (64u << 20) /* bytes; a frame that says more is none */

/* Spans borrow until the visitor returns. */
struct kw_etcd_put {
    uint64_t term, index; /* of the raft entry */
    kw_span key, value;
};

/* Something that is there and could not be read as what it should be. */
struct kw_etcd_wal_unread {
    const char *file; /* its name, without the folder */
    uint64_t offset;  /* bytes */
    const char *why;  /* a literal, such as "the checksum differs" */
    kw_span bytes;    /* what was read of it: may be searched for marks; may be empty */
};

/* A failure that a visitor gives ends the walk and is given back as it is. */
struct kw_etcd_wal_visitor {
    void *self;
    kw_err (*put)(void *self, const struct kw_etcd_put *put);
    kw_err (*unread)(void *self, const struct kw_etcd_wal_unread *unread);
    void (*progress)(void *self, uint64_t bytes, uint64_t of_bytes); /* may be NULL */
};

struct kw_etcd_wal_info {
    unsigned files;
    uint64_t bytes;   /* of the files */
    uint64_t entries; /* of the raft log */
    uint64_t puts;
    uint64_t first_index, last_index; /* of entries; 0 when there are none   */
    uint64_t first_seq, last_seq;     /* of files                            */
    bool is_gapless;                  /* file follows file, entry entry: an entry that is
                                         overwritten by a later term is no gap */
};

/* Reads all `*.wal` files of a folder, in their order; `*.wal.broken` and what is left
 * behind the last record of a file are unread where they are not zeroes.  Other names
 * are the caller's to look at.  A record whose checksum differs is unread, and the walk
 * goes on behind it; a frame that leads nowhere ends its file.
 * MISSING    no such folder, or none that ends in .wal
 * BAD_INPUT  not a folder
 * BUSY       the last file is locked for writing: a live member; the note says so
 * IO         native = errno; NO_MEMORY */
KW_MUST_USE kw_err kw_etcd_wal_walk(const char *folder,
                                    const struct kw_etcd_wal_visitor *visitor,
                                    struct kw_etcd_wal_info *ret_info,
                                    struct kw_note *note);

#endif
