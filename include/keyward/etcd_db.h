/* SPDX-License-Identifier: Apache-2.0 */
/* etcd_db - what lies in a file of etcd's backend, reachable or not
 *
 * A snapshot or a copied `db` is a bbolt file: pages, a tree of them for each bucket,
 * and pages that no tree leads to, which keep what they last held.  This reads both: the
 * bucket `key` in the order of its revisions, and every page that is not reachable, as
 * entries where it still parses, as bytes where it does not.
 *
 * The file is foreign: nothing in it is believed.  What cannot be read is handed to
 * `unread`, never left out in silence, and reading goes on behind it.  Each byte is handed
 * over at most once; not handed over are what orders the file (headers, tables, branches,
 * free lists), zeroes, and what belongs to other buckets and parses as theirs.
 *
 * Threads:   one thread a struct kw_etcd_db.
 * Blocking:  on the disk.
 * Memory:    a bit a page, one run of at most 64 MiB, and which pages at most 64 others lead
 *            to; never the file.
 * Secrets:   none; values that are not encrypted pass through, and are kept nowhere.
 * Sources:   etcd-io/bbolt: internal/common/{page,meta,bucket,inode}.go; etcd-io/etcd:
 *            server/storage/schema, server/storage/mvcc/revision.go,
 *            api/mvccpb/kv.proto; the trailer: server/storage/backend, snapshot save.
 */
#ifndef KEYWARD_ETCD_DB_H
#define KEYWARD_ETCD_DB_H

#include <keyward/bytes.h>

struct kw_etcd_db; /* owned; kw_etcd_db_close */

enum kw_etcd_trailer {
    KW_ETCD_TRAILER_ABSENT, /* a copied file: only its pages vouch for it     */
    KW_ETCD_TRAILER_GOOD,   /* SHA-256 over all before it, by snapshot save   */
    KW_ETCD_TRAILER_WRONG,  /* the file was changed or cut since              */
};

struct kw_etcd_db_info {
    uint64_t size;      /* bytes, the trailer included                        */
    uint32_t page_size; /* bytes, 1024..65536, a power of two                 */
    uint64_t pages;     /* the high-water mark: pages that were ever in use   */
    uint64_t txid;
    enum kw_etcd_trailer trailer;
    /* From the bucket `meta`, once kw_etcd_db_walk was there; 0 where it has none. */
    uint64_t compact_revision; /* finishedCompactRev                          */
    uint64_t consistent_index; /* the last entry of the raft log that is in it */
    /* From the walks.  Together they are `pages`. */
    uint64_t reachable, unreachable; /* pages; meta pages count as reachable  */
};

struct kw_etcd_revision {
    uint64_t main, sub;
};

enum kw_etcd_place { KW_ETCD_REACHABLE, KW_ETCD_UNREACHABLE };

/* One entry of the bucket `key`.  Spans borrow until the visitor returns. */
struct kw_etcd_entry {
    enum kw_etcd_place place;
    uint64_t page; /* where its leaf begins */
    struct kw_etcd_revision revision;
    bool is_tombstone; /* the key was deleted at this revision; no value */
    kw_span key, value;
    uint64_t create_revision, version;
};

/* Something that is there and could not be read as what it should be. */
struct kw_etcd_unread {
    enum kw_etcd_place place;
    uint64_t page;   /* where its run begins, or the page that leads to what is none */
    const char *why; /* a literal, such as "an element lies outside of its page" */
    kw_span bytes;   /* what was read of it: may be searched for marks; may be empty */
};

/* What a walk hands over.  A failure that a visitor gives ends the walk and is given
 * back as it is. */
struct kw_etcd_db_visitor {
    void *self;
    kw_err (*entry)(void *self, const struct kw_etcd_entry *entry);
    kw_err (*unread)(void *self, const struct kw_etcd_unread *unread);
    void (*progress)(void *self, uint64_t pages, uint64_t of_pages); /* may be NULL */
};

/* Opens a file for reading and looks at its two metas; with a trailer, hashes the file,
 * its holes, too.
 * A shared lock is taken without waiting and held until close.
 * MISSING    no such file
 * BUSY       somebody holds it for writing: a live member; the note says to take a
 *            snapshot
 * BAD_INPUT  not a regular file; no bbolt file; a torn copy (no trailer, and two good metas
 *            are more than two transactions apart, or the file is shorter than its pages:
 *            cut, or taken while etcd wrote); the note says which.  Not every torn copy
 *            shows here: of another one pages are unread, or in the worst case older ones
 *            stand where newer ones did
 * IO         anything else, native = errno; NO_MEMORY
 * A trailer that is wrong is no failure: it is in the info.  One bad meta is none either:
 * it is unread. */
KW_MUST_USE kw_err kw_etcd_db_open(const char *path, struct kw_etcd_db **ret_db,
                                   struct kw_note *note);
void kw_etcd_db_close(struct kw_etcd_db *db); /* NULL does nothing */

/* Everything reachable: `entry` for each entry of the bucket `key`, in the order of its
 * revisions (an entry out of order is unread).  Marks what it reached.  May be run again.
 * A page that is refused is unread alone: what else its run holds, and what it would have
 * led to, counts as unreachable.  An entry with an empty value gives nothing: a restore
 * that bumps revisions puts those.
 * BAD_INPUT  there is no bucket `key` that can be read at all; what was reached is marked
 * IO         also when the file became shorter since it was opened; NO_MEMORY */
KW_MUST_USE kw_err kw_etcd_db_walk(struct kw_etcd_db *db,
                                   const struct kw_etcd_db_visitor *visitor,
                                   struct kw_note *note);

/* Every page that the last kw_etcd_db_walk did not reach, up to the end of the file.
 * Leaves give `entry` for each element that is still whole and whose name is a revision,
 * in inline buckets too; branch, freelist and empty pages hold no value and give nothing;
 * the rest is unread, with its bytes: overflow pages that lost their header (those that
 * follow one another as one, in pieces of 1 MiB), parts of a run that was used again
 * since, what stands behind the high-water mark, a wrong trailer.
 * Holes of the file are not read: the pages in them count, and give nothing, as the empty
 * ones that they read as.  Progress is of the pages that are in the file.
 * IO, NO_MEMORY */
KW_MUST_USE kw_err kw_etcd_db_walk_unreachable(struct kw_etcd_db *db,
                                               const struct kw_etcd_db_visitor *visitor,
                                               struct kw_note *note);

void kw_etcd_db_look(const struct kw_etcd_db *db, struct kw_etcd_db_info *ret_info);

#endif
