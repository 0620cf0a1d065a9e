/* SPDX-License-Identifier: Apache-2.0 */
/* etcd_wal - the puts that lie in a member's write-ahead log
 *
 * Every value that was ever put stays there until its file is purged by etcd, whatever
 * became of it in the database.  Files `<seq>-<index>.wal`, 64 MB each and a bit, hold
 * frames; a frame a record; an entry's data a request of etcd's; a put stands alone or
 * within a transaction (so kube-apiserver writes), on either branch and nested.
 *
 * Nothing in a file is believed.  What cannot be read is handed to `unread`, never left
 * out in silence; reading goes on with the next file.  Entries that change members, and
 * what etcd itself wrote by the v2 API until 3.5 (members, versions), hold no values of
 * anybody's and are skipped; what others wrote by the v2 API is unread.  What a
 * transaction compares with is no put, and is not looked at; nor is a put that keeps the
 * key's value.
 *
 * Threads:   pure but for the disk; any thread.
 * Blocking:  on the disk.
 * Memory:    one record at a time, up to KW_ETCD_WAL_RECORD_MAX; a name a file.
 * Secrets:   none; values that are not encrypted pass through, and are kept nowhere.
 * Sources:   etcd-io/etcd: server/storage/wal/{wal,decoder,encoder,repair}.go and
 *            walpb/record.proto, client/pkg/fileutil/lock_linux.go,
 *            api/etcdserverpb/{raft_internal,rpc}.proto, etcdserver.proto of 3.5;
 *            etcd-io/raft: raftpb/raft.proto
 */
#ifndef KEYWARD_ETCD_WAL_H
#define KEYWARD_ETCD_WAL_H

#include <keyward/bytes.h>

#define KW_ETCD_WAL_RECORD_MAX (64u << 20) /* bytes; a frame that says more is none */
/* What is unread comes in pieces of at most so many bytes.  Each begins with the last ones
 * of the piece before, so that no mark of up to KW_ETCD_WAL_OVERLAP + 1 bytes is cut. */
#define KW_ETCD_WAL_PIECE (1u << 20)
#define KW_ETCD_WAL_OVERLAP 63u

/* Spans borrow until the visitor returns. */
struct kw_etcd_put {
    uint64_t term, index; /* of the raft entry */
    kw_span key, value;
};

/* Something that is there and could not be read as what it should be. */
struct kw_etcd_wal_unread {
    const char *file; /* its name, without the folder */
    uint64_t offset;  /* bytes, of the piece */
    const char *why;  /* a literal, such as "the checksum differs" */
    kw_span bytes;    /* what was read of it: may be searched for marks; may be empty */
};

/* A failure that a visitor gives ends the walk and is given back as it is. */
struct kw_etcd_wal_visitor {
    void *self;
    kw_err (*put)(void *self, const struct kw_etcd_put *put);
    kw_err (*unread)(void *self, const struct kw_etcd_wal_unread *unread);
    /* Of all files that are looked at.  May be NULL. */
    void (*progress)(void *self, uint64_t bytes, uint64_t of_bytes);
};

struct kw_etcd_wal_info {
    unsigned files;   /* that are named as etcd names them, as are those below */
    uint64_t bytes;   /* of the files      */
    uint64_t entries; /* of the raft log   */
    uint64_t puts;    /* handed over       */
    uint64_t first_index,
        last_index; /* least and greatest of entries; 0: there are none */
    /* Where the log ends: its last entry (what a later term wrote over is gone), or the
     * state that a leader's snapshot, or the name of its first file, says was there. */
    uint64_t end_index;
    uint64_t first_seq, last_seq; /* of files                                         */
    bool is_gapless; /* file follows file, entry entry.  No gap: an entry that is written
                        over by a later term; those that came within a leader's snapshot */
};

/* Reads all `*.wal` files of a folder, in their order.  Where they are not zeroes, these
 * are unread: `*.wal.broken` (etcd's repair keeps a file so before it cuts it short), a
 * `*.wal` that is not named as etcd names them, and what is left behind the last record of
 * a file.  A `*.wal` that is no regular file (symlinks are not followed), or has no
 * record, is unread without bytes.  Other names are the caller's to look at.
 *
 * A record whose checksum differs is unread, and the walk goes on behind it; a frame that
 * leads nowhere, or to no record, ends its file.
 *
 * No lock is kept, so that a member may start at any time; one that did so during the walk
 * ends it with BUSY, whatever was handed over by then.
 * MISSING    no such folder, or none that ends in .wal
 * BAD_INPUT  not a folder; more than 65536 files
 * BUSY       a file is locked for writing, gone or cut short: a live member
 * IO         native = errno; NO_MEMORY.  The note says more; *ret_info is untouched */
KW_MUST_USE kw_err kw_etcd_wal_walk(const char *folder,
                                    const struct kw_etcd_wal_visitor *visitor,
                                    struct kw_etcd_wal_info *ret_info,
                                    struct kw_note *note);

#endif
