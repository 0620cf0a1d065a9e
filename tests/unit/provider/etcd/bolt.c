/* SPDX-License-Identifier: Apache-2.0 */
#include "bolt.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <keyward/sha256.h>

#include "check.h"

struct bolt_kept {
    struct bolt_kept *next;
    uint8_t bytes[];
};

static uint8_t *keep(struct bolt *b, size_t len)
{
    struct bolt_kept *k = calloc(1, sizeof *k + len + 1);
    CHECK(k != NULL);
    k->next = b->kept;
    b->kept = k;
    return k->bytes;
}

kw_span bolt_copy(struct bolt *b, kw_span s)
{
    uint8_t *copy = keep(b, s.len);
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    return kw_span_of(copy, s.len);
}

kw_span bolt_letters(struct bolt *b, size_t len)
{
    uint8_t *letters = keep(b, len);
    for (size_t i = 0; i < len; i++)
        letters[i] = (uint8_t)('a' + i % 26);
    return kw_span_of(letters, len);
}

void bolt_begin(struct bolt *b, size_t page_size, size_t pages)
{
    *b = (struct bolt){.page_size = page_size, .pages = pages, .len = page_size * pages};
    b->bytes = calloc(pages, page_size);
    CHECK(b->bytes != NULL);
    b->fd = memfd_create("bolt", MFD_CLOEXEC);
    CHECK(b->fd >= 0);
}

void bolt_end(struct bolt *b)
{
    while (b->kept != NULL) {
        struct bolt_kept *k = b->kept;
        b->kept = k->next;
        free(k);
    }
    free(b->bytes);
    close(b->fd);
}

uint8_t *bolt_page(struct bolt *b, uint64_t page)
{
    CHECK(page < b->pages);
    return b->bytes + page * b->page_size;
}

void bolt_number(uint8_t *at, uint64_t n, unsigned width)
{
    for (unsigned i = 0; i < width; i++)
        at[i] = (uint8_t)(n >> (8 * i));
}

void bolt_sum(uint8_t *meta_page)
{
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 16; i < 72; i++)
        sum = (sum ^ meta_page[i]) * 1099511628211u;
    bolt_number(meta_page + 72, sum, 8);
}

static void head_at(uint8_t *p, uint64_t id, uint16_t flags, uint16_t count,
                    uint32_t overflow)
{
    bolt_number(p, id, 8);
    bolt_number(p + 8, flags, 2);
    bolt_number(p + 10, count, 2);
    bolt_number(p + 12, overflow, 4);
}

void bolt_head(struct bolt *b, uint64_t page, uint16_t flags, uint16_t count,
               uint32_t overflow)
{
    head_at(bolt_page(b, page), page, flags, count, overflow);
}

void bolt_meta(struct bolt *b, unsigned slot, struct bolt_meta m)
{
    uint8_t *p = bolt_page(b, slot);
    bolt_head(b, slot, META, 0, 0);
    bolt_number(p + 16, 0xED0CDAED, 4);
    bolt_number(p + 20, 2, 4);
    bolt_number(p + 24, b->page_size, 4);
    bolt_number(p + 32, m.root, 8);
    bolt_number(p + 48, m.freelist, 8);
    bolt_number(p + 56, m.pages, 8);
    bolt_number(p + 64, m.txid, 8);
    bolt_sum(p);
}

void bolt_metas(struct bolt *b, uint64_t root)
{
    bolt_meta(b, 0, (struct bolt_meta){root, NO_FREELIST, b->pages, 9});
    bolt_meta(b, 1, (struct bolt_meta){root, NO_FREELIST, b->pages, 8});
}

static size_t leaf_size(const struct bolt_item *items, uint16_t count)
{
    size_t size = 16 + (size_t)16 * count;
    for (uint16_t i = 0; i < count; i++)
        size += items[i].key.len + items[i].value.len;
    return size;
}

static void leaf_at(uint8_t *p, const struct bolt_item *items, uint16_t count)
{
    size_t at = 16 + (size_t)16 * count;
    for (uint16_t i = 0; i < count; i++) {
        uint8_t *e = p + 16 + (size_t)16 * i;
        bolt_number(e, items[i].flags, 4);
        bolt_number(e + 4, at - 16 - (size_t)16 * i, 4);
        bolt_number(e + 8, items[i].key.len, 4);
        bolt_number(e + 12, items[i].value.len, 4);
        memcpy(p + at, items[i].key.ptr, items[i].key.len);
        at += items[i].key.len;
        if (items[i].value.len > 0)
            memcpy(p + at, items[i].value.ptr, items[i].value.len);
        at += items[i].value.len;
    }
}

void bolt_leaf(struct bolt *b, uint64_t page, const struct bolt_item *items,
               uint16_t count)
{
    const size_t overflow = (leaf_size(items, count) - 1) / b->page_size;
    CHECK(page + overflow < b->pages);
    memset(bolt_page(b, page), 0, (overflow + 1) * b->page_size);
    bolt_head(b, page, LEAF, count, (uint32_t)overflow);
    leaf_at(bolt_page(b, page), items, count);
}

void bolt_branch(struct bolt *b, uint64_t page, const uint64_t *children, uint16_t count)
{
    uint8_t *p = bolt_page(b, page);
    memset(p, 0, b->page_size);
    bolt_head(b, page, BRANCH, count, 0);
    for (uint16_t i = 0; i < count; i++) {
        uint8_t *e = p + 16 + (size_t)16 * i;
        bolt_number(e, (size_t)16 * (count - i) + i, 4); /* a key of one byte */
        bolt_number(e + 4, 1, 4);
        bolt_number(e + 8, children[i], 8);
        p[16 + (size_t)16 * count + i] = (uint8_t)('a' + i);
    }
}

void bolt_freelist(struct bolt *b, uint64_t page, const uint64_t *ids, uint16_t count)
{
    memset(bolt_page(b, page), 0, b->page_size);
    bolt_head(b, page, FREELIST, count, 0);
    for (uint16_t i = 0; i < count; i++)
        bolt_number(bolt_page(b, page) + 16 + (size_t)8 * i, ids[i], 8);
}

/* ---- items ----------------------------------------------------------------------------- */

struct bolt_item bolt_pair(const char *key, kw_span value)
{
    return (struct bolt_item){0, kw_span_str(key), value};
}

static kw_span revision_name(struct bolt *b, uint64_t main, bool is_tombstone)
{
    uint8_t *name = keep(b, 18);
    kw_dst d = kw_dst_of(name, 18);
    KW_MUST(kw_dst_put_u64(&d, main) && kw_dst_put_u8(&d, '_') && kw_dst_put_u64(&d, 0));
    name[17] = 't';
    return kw_span_of(name, is_tombstone ? 18 : 17);
}

static void put_number(kw_dst *d, uint8_t tag, uint64_t n)
{
    KW_MUST(kw_dst_put_u8(d, tag));
    for (; n > 127; n >>= 7)
        KW_MUST(kw_dst_put_u8(d, (uint8_t)(n | 128)));
    KW_MUST(kw_dst_put_u8(d, (uint8_t)n));
}

static void put_bytes(kw_dst *d, uint8_t tag, kw_span s)
{
    put_number(d, tag, s.len);
    KW_MUST(kw_dst_put(d, s));
}

struct bolt_item bolt_put(struct bolt *b, uint64_t main, const char *key, kw_span value)
{
    const size_t room = strlen(key) + value.len + 48;
    kw_dst d = kw_dst_of(keep(b, room), room);
    put_bytes(&d, 0x0a, kw_span_str(key));
    put_number(&d, 0x10, 2);
    put_number(&d, 0x18, main);
    put_number(&d, 0x20, 1);
    put_bytes(&d, 0x2a, value);
    return (struct bolt_item){0, revision_name(b, main, false), kw_dst_span(&d)};
}

struct bolt_item bolt_delete(struct bolt *b, uint64_t main, const char *key)
{
    const size_t room = strlen(key) + 16;
    kw_dst d = kw_dst_of(keep(b, room), room);
    put_bytes(&d, 0x0a, kw_span_str(key));
    return (struct bolt_item){0, revision_name(b, main, true), kw_dst_span(&d)};
}

struct bolt_item bolt_bucket(struct bolt *b, const char *name, uint64_t root)
{
    uint8_t *value = keep(b, 16);
    bolt_number(value, root, 8);
    return (struct bolt_item){BUCKET, kw_span_str(name), kw_span_of(value, 16)};
}

struct bolt_item bolt_inline(struct bolt *b, const char *name,
                             const struct bolt_item *items, uint16_t count)
{
    const size_t len = 16 + leaf_size(items, count);
    uint8_t *value = keep(b, len);
    head_at(value + 16, 0, LEAF, count, 0);
    leaf_at(value + 16, items, count);
    return (struct bolt_item){BUCKET, kw_span_str(name), kw_span_of(value, len)};
}

/* ---- files ----------------------------------------------------------------------------- */

const char *bolt_file(struct bolt *b)
{
    static char path[32];
    CHECK(ftruncate(b->fd, 0) == 0);
    CHECK(pwrite(b->fd, b->bytes, b->len, 0) == (ssize_t)b->len);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", b->fd);
    return path;
}

const char *bolt_snapshot(struct bolt *b)
{
    uint8_t sha256[KW_SHA256];
    const char *path = bolt_file(b);
    CHECK_OK(kw_sha256(kw_span_of(b->bytes, b->len), sha256));
    CHECK(pwrite(b->fd, sha256, sizeof sha256, (off_t)b->len) == KW_SHA256);
    return path;
}

#define VALUE(text) kw_span_str(text)

void bolt_whole(struct bolt *b)
{
    bolt_begin(b, 1024, 11);
    bolt_metas(b, 2);
    const struct bolt_item meta[] = {
        bolt_pair("consistent_index", kw_span_of("\0\0\0\0\0\0\1\1", 8)),
        bolt_pair("finishedCompactRev",
                  kw_span_of("\0\0\0\0\0\0\0\x02_\0\0\0\0\0\0\0\0", 17)),
        bolt_pair("term", kw_span_of("\0\0\0\0\0\0\0\2", 8)),
    };
    const struct bolt_item root[] = {bolt_inline(b, "alarm", NULL, 0),
                                     bolt_bucket(b, "key", 3), bolt_bucket(b, "lease", 6),
                                     bolt_inline(b, "meta", meta, 3)};
    bolt_leaf(b, 2, root, 4);
    bolt_branch(b, 3, (const uint64_t[]){4, 5}, 2);
    bolt_leaf(b, 4,
              (const struct bolt_item[]){bolt_put(b, 2, "/a", VALUE("one")),
                                         bolt_put(b, 3, "/a", VALUE("two"))},
              2);
    bolt_leaf(b, 5,
              (const struct bolt_item[]){bolt_put(b, 4, "/b", VALUE("three")),
                                         bolt_delete(b, 5, "/a")},
              2);
    bolt_leaf(b, 6, (const struct bolt_item[]){bolt_pair("lease-id", VALUE("ttl"))}, 1);
    bolt_leaf(b, 7, (const struct bolt_item[]){bolt_put(b, 1, "/old", VALUE("gone"))}, 1);
    bolt_leaf(b, 8,
              (const struct bolt_item[]){bolt_put(b, 6, "/big", bolt_letters(b, 1500))},
              1);
    bolt_branch(b, 10, (const uint64_t[]){4, 7}, 2);
}

/* ---- what the walks hand over ---------------------------------------------------------- */

static void seen_line(struct bolt_seen *s, const char *line)
{
    const size_t len = strlen(line);
    CHECK(s->len + len < sizeof s->text);
    memcpy(s->text + s->len, line, len + 1);
    s->len += len;
}

static kw_err seen_end(struct bolt_seen *s)
{
    if (s->fail_at >= 0 && (size_t)s->fail_at + 1 == s->entries + s->unread)
        return kw_err_native(KW_CODE_CANCELLED, 77, "seen");
    return KW_OK;
}

static char place_letter(enum kw_etcd_place place)
{
    return place == KW_ETCD_REACHABLE ? 'r' : 'u';
}

static kw_err seen_entry(void *self, const struct kw_etcd_entry *e)
{
    struct bolt_seen *s = self;
    char line[256], value[64];
    if (e->value.len <= 40)
        (void)snprintf(value, sizeof value, "=%.*s", (int)e->value.len,
                       (const char *)e->value.ptr);
    else
        (void)snprintf(value, sizeof value, "=<%zu>", e->value.len);
    (void)snprintf(line, sizeof line, "%c%d %d.%d %.*s%s\n", place_letter(e->place),
                   (int)e->page, (int)e->revision.main, (int)e->revision.sub,
                   (int)e->key.len, (const char *)e->key.ptr,
                   e->is_tombstone ? " x" : value);
    seen_line(s, line);
    s->entries++;
    s->bytes += e->value.len;
    return seen_end(s);
}

static kw_err seen_unread(void *self, const struct kw_etcd_unread *u)
{
    struct bolt_seen *s = self;
    char line[256];
    (void)snprintf(line, sizeof line, "%c%d ! %s %zu\n", place_letter(u->place),
                   (int)u->page, u->why, u->bytes.len);
    seen_line(s, line);
    s->unread++;
    s->bytes += u->bytes.len;
    return seen_end(s);
}

static void seen_progress(void *self, uint64_t pages, uint64_t of_pages)
{
    struct bolt_seen *s = self;
    CHECK(pages <= of_pages);
    s->progress = pages;
}

struct kw_etcd_db_visitor bolt_visitor(struct bolt_seen *seen)
{
    *seen = (struct bolt_seen){.fail_at = -1};
    return (struct kw_etcd_db_visitor){seen, seen_entry, seen_unread, seen_progress};
}

const char *bolt_walk(const char *path, struct bolt_seen *seen)
{
    struct kw_etcd_db *db = NULL;
    struct kw_etcd_db_info info = {0};
    const struct kw_etcd_db_visitor v = bolt_visitor(seen);
    CHECK_OK(kw_etcd_db_open(path, &db, NULL));
    CHECK_OK(kw_etcd_db_walk(db, &v, NULL));
    CHECK_OK(kw_etcd_db_walk_unreachable(db, &v, NULL));
    kw_etcd_db_look(db, &info);
    CHECK(info.reachable + info.unreachable == info.pages);
    kw_etcd_db_close(db);
    return seen->text;
}
