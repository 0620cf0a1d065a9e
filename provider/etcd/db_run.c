/* SPDX-License-Identifier: Apache-2.0 */
/* A run, element by element, so that each byte of it is one element's, zero, or unread.
 *
 * bbolt packs elements in their order.  What overlaps is refused: many elements that say
 * the same megabyte would be handed over as often. */
#include "db_state.h"

#include "revision.h"

/* How far a run was gone through. */
struct db_cover {
    struct kw_db_reader *reader;
    kw_span seen;
    size_t end;      /* what lies before is structure, an element's, or told */
    const char *why; /* the first thing that was wrong, until it is told     */
};

static const char lost[] = "the rest of it is gone";

bool kw_db_is_zero(kw_span bytes)
{
    /* The first is zero, and each is as the one before it. */
    return bytes.len == 0 ||
           (bytes.ptr[0] == 0 && kw_span_equal(kw_span_of(bytes.ptr, bytes.len - 1),
                                               kw_span_of(bytes.ptr + 1, bytes.len - 1)));
}

kw_err kw_db_unread(const struct kw_db_reader *r, const char *why, kw_span bytes)
{
    const struct kw_etcd_unread u = {
        .place = r->place, .page = r->page, .why = why, .bytes = bytes};
    return r->visitor->unread(r->visitor->self, &u);
}

/* What stands between the end and `begin` belongs to nobody. */
static kw_err cover_gap(struct db_cover *c, size_t begin)
{
    if (begin <= c->end)
        return KW_OK;
    const kw_span gap = kw_span_of(c->seen.ptr + c->end, begin - c->end);
    c->end = begin;
    if (kw_db_is_zero(gap))
        return KW_OK;
    const char *why = c->why;
    c->why = NULL;
    return kw_db_unread(c->reader, why != NULL ? why : "bytes that belong to no element",
                        gap);
}

/* The rest of what is there; what was wrong is told at last, with or without bytes. */
static kw_err cover_rest(struct db_cover *c)
{
    kw_err e = cover_gap(c, c->seen.len);
    if (!kw_failed(e) && c->why != NULL)
        e = kw_db_unread(c->reader, c->why, kw_span_of(NULL, 0));
    return e;
}

kw_err kw_db_read_rest(const struct kw_db_reader *r, kw_span seen, size_t end)
{
    struct kw_db_reader copy = *r;
    struct db_cover c = {&copy, seen, end, NULL};
    return cover_rest(&c);
}

typedef const char *(*db_at)(kw_span, uint16_t, uint16_t, struct kw_bolt_element *);

/* Element i, if it is there and none before it has its bytes; else its fault. */
static const char *cover_element(const struct db_cover *c, db_at at, uint16_t count,
                                 uint16_t i, uint64_t whole, struct kw_bolt_element *ret)
{
    const char *why = at(c->seen, count, i, ret);
    if (why != NULL)
        return whole > c->seen.len ? lost : why;
    if (ret->begin == ret->end) /* takes nothing from anybody */
        return NULL;
    return ret->begin < c->end ? "an element lies within another" : NULL;
}

static kw_err cover_elements(struct db_cover *c, db_at at, uint16_t count, uint64_t whole)
{
    for (uint32_t i = 0; i < count; i++) {
        struct kw_bolt_element el = {0};
        const char *why = cover_element(c, at, count, (uint16_t)i, whole, &el);
        if (why != NULL) {
            c->why = c->why != NULL ? c->why : why;
            continue;
        }
        kw_err e = cover_gap(c, el.begin);
        if (kw_failed(e))
            return e;
        c->end = el.end > c->end ? el.end : c->end;
        e = c->reader->element(c->reader, &el);
        if (kw_failed(e))
            return e;
    }
    return cover_rest(c);
}

static kw_err db_read_elements(struct kw_db_reader *r, db_at at, kw_span seen,
                               uint64_t whole)
{
    const uint16_t count = kw_bolt_header_of(seen).count;
    const size_t table = kw_bolt_table_end(count);
    if (table > whole)
        return kw_db_unread(r, "more elements than fit", seen);
    struct db_cover c = {r, seen, table, NULL};
    return cover_elements(&c, at, count, whole);
}

kw_err kw_db_read_leaf(struct kw_db_reader *r, kw_span seen, uint64_t whole)
{
    return db_read_elements(r, kw_bolt_leaf_at, seen, whole);
}

kw_err kw_db_read_branch(struct kw_db_reader *r, kw_span seen, uint64_t whole)
{
    return db_read_elements(r, kw_bolt_branch_at, seen, whole);
}

kw_err kw_db_read_freelist(struct kw_db_reader *r, kw_span seen, uint64_t whole)
{
    const uint16_t count = kw_bolt_header_of(seen).count;
    const size_t end = kw_bolt_freelist_end(seen, count);
    if (end == 0 && whole == seen.len)
        return kw_db_unread(r, "a free list that is longer than its run", seen);
    return end == 0 ? KW_OK : kw_db_read_rest(r, seen, end);
}

static kw_span element_bytes(const struct kw_bolt_element *e)
{
    return kw_span_of(e->key.ptr, e->end - e->begin);
}

kw_err kw_db_entry(const struct kw_db_reader *r, const struct kw_bolt_element *e)
{
    struct kw_etcd_entry entry = {.place = r->place, .page = r->page};
    struct kw_etcd_kv kv = {0};
    if (e->flags != 0)
        return kw_db_unread(r, "an entry that is a bucket", element_bytes(e));
    if (!kw_etcd_revision_read(e->key, &entry.revision, &entry.is_tombstone))
        return kw_db_unread(r, "an entry whose name is no revision", element_bytes(e));
    if (!kw_etcd_kv_read(e->value, &kv))
        return kw_db_unread(r, "an entry that is no KeyValue", element_bytes(e));
    if (e->value.len == 0) /* 'etcdutl snapshot restore --bump-revision' puts these */
        return KW_OK;
    if (kv.key.len == 0)
        return kw_db_unread(r, "an entry without a key", element_bytes(e));
    if (entry.is_tombstone && kv.value.len > 0)
        return kw_db_unread(r, "a tombstone with a value", element_bytes(e));
    entry.key = kv.key;
    entry.value = kv.value;
    entry.create_revision = kv.create_revision;
    entry.version = kv.version;
    return r->visitor->entry(r->visitor->self, &entry);
}
