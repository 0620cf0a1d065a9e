/* SPDX-License-Identifier: Apache-2.0 */
/* page - what the bytes of a bbolt file mean, page by page
 *
 * A page begins with a header; with the pages that overflow from it, it is a run.  Behind
 * the header stand elements of one size, and behind those, packed in their order, the keys
 * and values that they point to.  Numbers are little-endian.
 *
 * Threads:  pure functions.
 * Sources:  etcd-io/bbolt: internal/common/{page,meta,bucket,inode}.go
 */
#ifndef KEYWARD_ETCD_PAGE_H
#define KEYWARD_ETCD_PAGE_H

#include <keyward/bytes.h>

enum {
    KW_BOLT_HEADER = 16,        /* bytes */
    KW_BOLT_META = 64,          /* bytes, behind a header */
    KW_BOLT_ELEMENT = 16,       /* bytes; of a leaf and of a branch alike */
    KW_BOLT_BUCKET = 16,        /* bytes; what the value of a bucket begins with */
    KW_BOLT_PAGE_MIN = 1024,    /* bytes */
    KW_BOLT_PAGE_MAX = 65536,   /* bytes */
    KW_BOLT_IS_BUCKET = 0x01,   /* the one flag of a leaf's element */
    KW_BOLT_FREE_LONG = 0xffff, /* a free list of more pages says how many apart */
};
#define KW_BOLT_NO_FREELIST UINT64_MAX /* it is not in the file */

enum kw_bolt_kind {
    KW_BOLT_BRANCH = 0x01,
    KW_BOLT_LEAF = 0x02,
    KW_BOLT_METAS = 0x04,
    KW_BOLT_FREELIST = 0x10,
};

struct kw_bolt_header {
    uint64_t id; /* where the page stands, in pages */
    uint16_t flags, count;
    uint32_t overflow; /* how many pages follow in its run */
};

struct kw_bolt_meta {
    uint32_t page_size;
    uint64_t root, freelist, pages, txid;
};

struct kw_bolt_element {
    uint32_t flags; /* of a leaf's */
    uint64_t child; /* of a branch's: a page */
    kw_span key, value;
    size_t begin, end; /* where both lie in the run */
};

/* Of at least KW_BOLT_HEADER bytes (asserted). */
struct kw_bolt_header kw_bolt_header_of(kw_span page);
/* Is this the header of a run that was written at page `id` (2 or more)? */
bool kw_bolt_is_head(const struct kw_bolt_header *h, uint64_t id);

/* The meta of a page.  NULL, or why it is none, a literal; *ret_meta is untouched then. */
const char *kw_bolt_meta_read(kw_span page, struct kw_bolt_meta *ret_meta);

/* Where the keys and values of a leaf or a branch begin at the earliest. */
size_t kw_bolt_table_end(uint16_t count);

/* Element `i` of `count` of a leaf or a branch, of which `run` is there.  NULL, or why
 * not, a literal. */
const char *kw_bolt_leaf_at(kw_span run, uint16_t count, uint16_t i,
                            struct kw_bolt_element *ret_element);
const char *kw_bolt_branch_at(kw_span run, uint16_t count, uint16_t i,
                              struct kw_bolt_element *ret_element);

/* The value of a bucket's element: its root page, or 0, and then *ret_inline is a page of
 * its own, a leaf without overflow.  NULL, or why it is none, a literal. */
const char *kw_bolt_bucket_read(kw_span value, uint64_t *ret_root, kw_span *ret_inline);

/* Where the list of a free list's run ends; 0 when it does not end in it. */
size_t kw_bolt_freelist_end(kw_span run, uint16_t count);

#endif
