/* SPDX-License-Identifier: Apache-2.0 */
/* db_state - what the walks over an open file share
 *
 * Each byte of the file's pages is handed over at most once, as part of an entry or as
 * unread; what is left is structure, what belongs to other buckets, and zeroes.
 */
#ifndef KEYWARD_ETCD_DB_STATE_H
#define KEYWARD_ETCD_DB_STATE_H

#include <keyward/etcd_db.h>

#include "page.h"

#define KW_DB_RUN_MAX (64u << 20)     /* bytes; a longer run is none */
enum { KW_DB_PROGRESS_EVERY = 1024 }; /* pages */

struct kw_etcd_db {
    int fd;
    struct kw_etcd_db_info info;
    struct kw_bolt_meta meta;  /* the one that counts */
    const char *meta_fault[2]; /* why that one is none; NULL */
    uint64_t bytes;            /* of the file, without a good trailer */
    uint64_t in_file;          /* pages, whole ones below the high-water mark */
    uint64_t *reached;         /* a bit for each of these */
    uint8_t *run;              /* what was read last */
    size_t run_cap;
    uint64_t read; /* bytes, by all reads since it was opened: pages and headers */
};

/* Pages that lie in the file (asserted), at most KW_DB_RUN_MAX bytes (asserted); what was
 * read before is gone.  IO, NO_MEMORY */
KW_MUST_USE kw_err kw_db_read(struct kw_etcd_db *db, uint64_t page, uint64_t pages,
                              kw_span *ret_run, struct kw_note *note);
/* Any bytes of the file, the same way. */
KW_MUST_USE kw_err kw_db_read_bytes(struct kw_etcd_db *db, uint64_t at, size_t len,
                                    kw_span *ret_bytes, struct kw_note *note);
/* The header of a page that lies in the file (asserted).  IO */
KW_MUST_USE kw_err kw_db_read_header(struct kw_etcd_db *db, uint64_t page,
                                     struct kw_bolt_header *ret_header,
                                     struct kw_note *note);

/* Of pages that lie in the file (asserted). */
bool kw_db_is_reached(const struct kw_etcd_db *db, uint64_t page);
void kw_db_reach(struct kw_etcd_db *db, uint64_t page, uint64_t pages);
void kw_db_reach_none(struct kw_etcd_db *db);

/* Who reads a run, and gets its elements. */
struct kw_db_reader {
    const struct kw_etcd_db_visitor *visitor;
    enum kw_etcd_place place;
    uint64_t page;  /* where the run begins */
    bool is_inline; /* it is a bucket within a value */
    kw_err (*element)(struct kw_db_reader *r, const struct kw_bolt_element *e);
};
KW_MUST_USE kw_err kw_db_unread(const struct kw_db_reader *r, const char *why,
                                kw_span bytes);
/* An element that is an entry of the bucket `key`, or is unread. */
KW_MUST_USE kw_err kw_db_entry(const struct kw_db_reader *r,
                               const struct kw_bolt_element *e);

/* A run of which `seen` is there, and `whole` bytes were written (>= seen.len).  Calls
 * `element` for each element that lies in what is there, none within another; what
 * belongs to none and is not zero is unread. */
KW_MUST_USE kw_err kw_db_read_leaf(struct kw_db_reader *r, kw_span seen, uint64_t whole);
KW_MUST_USE kw_err kw_db_read_branch(struct kw_db_reader *r, kw_span seen,
                                     uint64_t whole);
KW_MUST_USE kw_err kw_db_read_freelist(struct kw_db_reader *r, kw_span seen,
                                       uint64_t whole);
/* What stands behind `end`, as unread where it is not zero. */
KW_MUST_USE kw_err kw_db_read_rest(const struct kw_db_reader *r, kw_span seen,
                                   size_t end);

bool kw_db_is_zero(kw_span bytes);

#endif
