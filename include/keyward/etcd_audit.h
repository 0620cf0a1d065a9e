/* SPDX-License-Identifier: Apache-2.0 */
/* etcd_audit - what a backend file, its copies and a log hold: counted, and judged
 *
 * Every stored value is counted once for each place where it lies:
 *   current      what a read gives today
 *   historic     a revision that is reachable and not the latest of its key; whatever
 *                lies in a copy of the database (*.snap.db) and not in the database
 *   unreachable  in pages that no tree leads to: an entry whose revision is not
 *                reachable (copy-on-write leaves old copies of leaves whose entries are),
 *                each revision once; twice only where its bytes differ
 *   log          put by the write-ahead log, once a put
 *
 * A policy says of a row whether it may be so.  What it does not allow is named, one
 * object after the other, as it is found; nothing is kept of it.
 *
 * Threads:   one thread a struct kw_etcd_audit.
 * Blocking:  on the disk.
 * Memory:    at most 64 bytes a revision that is reachable, or that was found in unreachable
 *            pages; rows and seeds: KW_ETCD_ROWS_MAX, KW_ETCD_SEEDS_MAX, and of the bytes
 *            that they borrow KW_ETCD_KEPT_MAX each.
 * Secrets:   none: a plaintext value is looked at for its first bytes and passed by.
 */
#ifndef KEYWARD_ETCD_AUDIT_H
#define KEYWARD_ETCD_AUDIT_H

#include <keyward/etcd_db.h>
#include <keyward/etcd_value.h>
#include <keyward/etcd_wal.h>
#include <keyward/sha256.h>

#define KW_ETCD_ROWS_MAX 65536u
#define KW_ETCD_SEEDS_MAX 1048576u
#define KW_ETCD_KEPT_MAX                                                                 \
    (256u << 20) /* bytes of names of all rows; the same of all seeds */

enum kw_etcd_where {
    KW_ETCD_CURRENT,
    KW_ETCD_HISTORIC,
    KW_ETCD_IN_FREE_PAGES,
    KW_ETCD_IN_LOG,
    KW_ETCD_PLACES, /* not a place: how many there are */
};
const char *kw_etcd_where_name(enum kw_etcd_where where); /* "unreachable" */

struct kw_etcd_sum {
    uint64_t objects;
    uint64_t bytes; /* of the values */
};

/* Resource x how it is encrypted x name of provider or key x key_id.  Spans borrow from
 * the audit. */
struct kw_etcd_row {
    kw_span group, resource; /* both "" for keys that name no object, or lie outside of
                                the prefix                                  */
    const struct kw_etcd_builtin *builtin;
    enum kw_stored_kind kind;
    kw_span name, key_id;
    uint64_t type;   /* KMS v2                                              */
    const char *why; /* why the policy does not allow it; NULL: it does     */
    struct kw_etcd_sum at[KW_ETCD_PLACES];
    uint64_t oldest, newest; /* main revisions; 0: none but in the log      */
    /* The newest that a database leads to: what lies in other pages may be the inside of
     * somebody's value, who made it look like a page. */
    uint64_t newest_reachable;
};

/* A wrapped seed, told by SHA-256 over what kube-apiserver would send to unwrap it. */
struct kw_etcd_seed {
    kw_span name, key_id;
    kw_span wrapped;
    uint64_t type;
    unsigned annotations;
    uint8_t sha256[KW_SHA256]; /* of the wrapped seed */
    uint64_t objects[KW_ETCD_PLACES];
    uint64_t oldest, newest; /* main revisions; 0: none but in the log */
};

/* An object that the policy does not allow as it is.  Spans borrow until the callback
 * returns. */
struct kw_etcd_found {
    enum kw_etcd_where where;
    uint64_t revision; /* its main revision; in the log the raft index */
    uint64_t bytes;    /* of its value                                 */
    kw_span key;
    const struct kw_etcd_key *parts; /* of it; NULL: it lies outside of the prefix */
    const struct kw_etcd_row *row;
};

/* What could not be read as what it should be. */
struct kw_etcd_blind {
    uint64_t things; /* pages, records, files                              */
    uint64_t marked; /* of them hold what an object begins with, or a key  */
    uint64_t bytes;  /* of them that were seen                             */
    const char *why; /* of the first                                       */
    uint64_t at;     /* of the first: its page, of an object outside of the
                        prefix its revision; in the log its offset, or
                        its raft index where the database lacks it,
                        or the one at which a cut log ends           */
    char file[64];   /* in the log: of the first; else ""                  */
};

struct kw_etcd_audit_options {
    kw_span prefix;       /* "/registry"                                     */
    const kw_span *names; /* kw_stored_read's `known`                        */
    size_t name_count;
    void *self; /* of the three functions */
    /* A literal that says why an object may not be stored so; NULL when it may.  Asked
     * once a row. */
    const char *(*judge)(void *self, const struct kw_etcd_key *key,
                         const struct kw_stored *stored);
    /* A failure ends the audit and is given back as it is. */
    kw_err (*found)(void *self, const struct kw_etcd_found *found);
    /* Each current value of KMS v2, once its row has counted it; may be NULL. */
    kw_err (*sealed)(void *self, kw_span key, const struct kw_stored *stored,
                     const struct kw_etcd_row *row);
    /* Thousandths of the file or folder that is being read; may be NULL. */
    void (*progress)(void *self, unsigned thousandths);
};

struct kw_etcd_audit; /* owned; kw_etcd_audit_free */

/* The options are copied; what they point at must stay.  NULL: out of memory. */
struct kw_etcd_audit *kw_etcd_audit_new(const struct kw_etcd_audit_options *options);
void kw_etcd_audit_free(struct kw_etcd_audit *audit); /* NULL does nothing */

/* The database, once and first; copies of it; the log.  Errors: kw_etcd_db_open and
 * _walk's, kw_etcd_wal_walk's; BUSY also when there are more rows or seeds than the
 * maximum (the note tells the two apart). */
KW_MUST_USE kw_err kw_etcd_audit_db(struct kw_etcd_audit *audit, const char *path,
                                    struct kw_note *note);
KW_MUST_USE kw_err kw_etcd_audit_copy(struct kw_etcd_audit *audit, const char *path,
                                      struct kw_note *note);
/* Beside a copied database (no snapshot), a put that it does not have yet is blind, too:
 * etcd applies it when it starts.  Beside any database, a log is blind once more that ends
 * before the last entry which the database says it has. */
KW_MUST_USE kw_err kw_etcd_audit_log(struct kw_etcd_audit *audit, const char *folder,
                                     struct kw_note *note);
/* Any other file of a member: searched for marks, and blind where it has one. */
KW_MUST_USE kw_err kw_etcd_audit_other(struct kw_etcd_audit *audit, const char *path,
                                       struct kw_note *note);

/* What was found.  Rows and seeds in a fixed order: by bytes of their members.  Nothing
 * may be read behind that. */
struct kw_etcd_findings {
    const struct kw_etcd_row *rows;
    size_t row_count;
    const struct kw_etcd_seed *seeds;
    size_t seed_count;
    uint64_t revision; /* the highest main revision that is reachable */
    uint64_t keys;     /* of current objects and other values         */
    /* [KW_ETCD_CURRENT] has what lies in reachable pages and objects outside of the
     * prefix, [KW_ETCD_HISTORIC] copies, [KW_ETCD_PLACES] other files. */
    struct kw_etcd_blind blind[KW_ETCD_PLACES + 1];
    bool has_db, has_log;
    struct kw_etcd_db_info db;
    struct kw_etcd_wal_info log;
};
void kw_etcd_audit_findings(struct kw_etcd_audit *audit,
                            struct kw_etcd_findings *ret_findings);

#endif
