/* SPDX-License-Identifier: Apache-2.0 */
/* bolt - a bbolt file, written page by page, right or wrong
 *
 * A writer of its own: it shares no code with the reader.  The values of a case live until
 * bolt_end. */
#ifndef KEYWARD_TESTS_ETCD_BOLT_H
#define KEYWARD_TESTS_ETCD_BOLT_H

#include <keyward/etcd_db.h>

enum { BRANCH = 1, LEAF = 2, META = 4, FREELIST = 0x10, BUCKET = 1 };
#define NO_FREELIST UINT64_MAX

struct bolt {
    size_t page_size, pages, len; /* len: bytes of the file */
    uint8_t *bytes;
    struct bolt_kept *kept;
    int fd;
};
struct bolt_item {
    uint32_t flags;
    kw_span key, value;
};
struct bolt_meta {
    uint64_t root, freelist, pages, txid;
};

void bolt_begin(struct bolt *b, size_t page_size, size_t pages);
void bolt_end(struct bolt *b);
uint8_t *bolt_page(struct bolt *b, uint64_t page);
void bolt_number(uint8_t *at, uint64_t n, unsigned width); /* little-endian */

void bolt_meta(struct bolt *b, unsigned slot, struct bolt_meta m);
void bolt_sum(uint8_t *meta_page); /* its checksum, anew */
/* Both, as a snapshot has them: all pages, no free list. */
void bolt_metas(struct bolt *b, uint64_t root);
void bolt_head(struct bolt *b, uint64_t page, uint16_t flags, uint16_t count,
               uint32_t overflow);
/* With as many overflow pages as it takes. */
void bolt_leaf(struct bolt *b, uint64_t page, const struct bolt_item *items,
               uint16_t count);
void bolt_branch(struct bolt *b, uint64_t page, const uint64_t *children, uint16_t count);
void bolt_freelist(struct bolt *b, uint64_t page, const uint64_t *ids, uint16_t count);

/* Items of a leaf. */
struct bolt_item bolt_pair(const char *key, kw_span value);
struct bolt_item bolt_put(struct bolt *b, uint64_t main, const char *key, kw_span value);
struct bolt_item bolt_delete(struct bolt *b, uint64_t main, const char *key);
struct bolt_item bolt_bucket(struct bolt *b, const char *name, uint64_t root);
struct bolt_item bolt_inline(struct bolt *b, const char *name,
                             const struct bolt_item *items, uint16_t count);
/* `len` letters, which count up. */
kw_span bolt_letters(struct bolt *b, size_t len);
kw_span bolt_copy(struct bolt *b, kw_span s);

/* The file as it is now, under a path that is good until the next call. */
const char *bolt_file(struct bolt *b);
/* The same with 32 bytes of digest behind it. */
const char *bolt_snapshot(struct bolt *b);

/* A whole file of eleven pages of 1,024 bytes:
 *   2 the root: alarm (inline, empty), key, lease, meta (inline)   3 key's branch
 *   4 leaf: revisions 2 and 3 of /a   5 leaf: revision 4 of /b, 5 deletes /a   6 lease
 *   7 a freed leaf: revision 1 of /old   8 a freed leaf of two pages: revision 6 of /big
 *  10 a freed branch */
void bolt_whole(struct bolt *b);

/* What the walks over a file hand over, a line for each thing:
 *   "r4 2.0 /a=one"   entry; r reachable, u unreachable; the page, its revision
 *   "u7 5.0 /a x"     a tombstone
 *   "r5 ! why 20"     unread, and how many bytes
 * Values of more than 40 bytes are shown by their length. */
struct bolt_seen {
    char text[8192];
    size_t len, entries, unread, bytes;
    long fail_at; /* the n-th thing is refused by the visitor; -1 for none */
    uint64_t progress;
};
struct kw_etcd_db_visitor bolt_visitor(struct bolt_seen *seen);
/* Opens, walks both ways, closes.  The walks' codes must be OK. */
const char *bolt_walk(const char *path, struct bolt_seen *seen);

#endif
