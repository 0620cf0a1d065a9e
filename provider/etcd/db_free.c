/* SPDX-License-Identifier: Apache-2.0 */
/* Pages that the tree does not lead to, and what stands behind all pages.
 *
 * A run was written whole, and whatever was written over a part of it since began with a
 * header of its own: up to the first such header it is as it was.
 *
 * Holes of the file read as zeroes, and are not read: the pages in them are empty ones, and
 * may be many more than there is time for. */
#include "db_state.h"

#include <keyward/file.h>

#include "revision.h"

enum { FREE_PIECE = 1 << 20 }; /* bytes of raw pages that are handed over at once */

struct free_walk {
    struct kw_db_reader reader;
    struct kw_etcd_db *db;
    struct kw_note *note;
    uint64_t raw;      /* where the stretch of raw pages began that ends at `at` */
    uint64_t at;       /* the page that is looked at */
    uint64_t data_end; /* bytes: what lies before it, from `at` on, is in no hole */
    uint64_t told;
};

static void free_progress(struct free_walk *w)
{
    const struct kw_etcd_db_visitor *v = w->reader.visitor;
    if (v->progress == NULL ||
        (w->at < w->db->in_file && w->at - w->told < KW_DB_PROGRESS_EVERY))
        return;
    w->told = w->at;
    v->progress(v->self, w->at, w->db->in_file);
}

/* ---- runs ----------------------------------------------------------------------------- */

static kw_err free_element(struct kw_db_reader *r, const struct kw_bolt_element *e);

static kw_err free_inline(struct kw_db_reader *r, const struct kw_bolt_element *e)
{
    uint64_t root = 0;
    kw_span page = {NULL, 0};
    const char *why = r->is_inline ? "a bucket within an inline bucket"
                                   : kw_bolt_bucket_read(e->value, &root, &page);
    if (why != NULL)
        return kw_db_unread(r, why, kw_span_of(e->key.ptr, e->end - e->begin));
    if (root != 0)
        return KW_OK;
    r->is_inline = true;
    kw_err failed = kw_db_read_leaf(r, page, page.len);
    r->is_inline = false;
    return failed;
}

/* Which bucket a leaf was of, nobody knows any more: names that are revisions are those
 * of `key`. */
static kw_err free_element(struct kw_db_reader *r, const struct kw_bolt_element *e)
{
    struct kw_etcd_revision revision;
    bool is_tombstone = false;
    if (kw_etcd_revision_read(e->key, &revision, &is_tombstone))
        return kw_db_entry(r, e);
    return (e->flags & KW_BOLT_IS_BUCKET) != 0 ? free_inline(r, e) : KW_OK;
}

static kw_err free_nothing(struct kw_db_reader *r, const struct kw_bolt_element *e)
{
    (void)r;
    (void)e;
    return KW_OK;
}

/* How many pages of the run of `pages` at w->at are as they were written; more than
 * KW_DB_RUN_MAX has when they are too many. */
static kw_err free_intact(struct free_walk *w, uint64_t pages, uint64_t *ret_intact)
{
    const uint64_t left = w->db->in_file - w->at;
    const uint64_t most = KW_DB_RUN_MAX / w->db->info.page_size + 1;
    uint64_t end = pages < left ? pages : left;
    end = end < most ? end : most;
    for (*ret_intact = 1; *ret_intact < end; ++*ret_intact) {
        const uint64_t page = w->at + *ret_intact;
        struct kw_bolt_header h;
        if (kw_db_is_reached(w->db, page))
            return KW_OK;
        kw_err e = kw_db_read_header(w->db, page, &h, w->note);
        if (kw_failed(e) || kw_bolt_is_head(&h, page))
            return e;
    }
    return KW_OK;
}

static kw_err free_long_run(struct free_walk *w)
{
    kw_span page;
    kw_err e = kw_db_read(w->db, w->at, 1, &page, w->note);
    w->at++;
    return kw_failed(e) ? e : kw_db_unread(&w->reader, "a run of more than 64 MiB", page);
}

static kw_err free_run(struct free_walk *w, const struct kw_bolt_header *h)
{
    const uint64_t size = w->db->info.page_size;
    const uint64_t pages = (uint64_t)h->overflow + 1;
    uint64_t intact = 0;
    kw_span run;
    w->reader.page = w->at;
    kw_err e = free_intact(w, pages, &intact);
    if (kw_failed(e))
        return e;
    if (intact > KW_DB_RUN_MAX / size)
        return free_long_run(w);
    e = kw_db_read(w->db, w->at, intact, &run, w->note);
    w->at += intact;
    if (kw_failed(e))
        return e;
    if (h->flags == KW_BOLT_FREELIST)
        return kw_db_read_freelist(&w->reader, run, pages * size);
    w->reader.element = h->flags == KW_BOLT_LEAF ? free_element : free_nothing;
    return h->flags == KW_BOLT_LEAF ? kw_db_read_leaf(&w->reader, run, pages * size)
                                    : kw_db_read_branch(&w->reader, run, pages * size);
}

/* ---- what has no header --------------------------------------------------------------- */

/* The first piece from `at` on, of those that begin there, that is not all in a hole. */
static uint64_t free_next_piece(const struct free_walk *w, uint64_t at, uint64_t end)
{
    const uint64_t data = kw_file_next_data(w->db->fd, at);
    return data >= end ? end : at + (data - at) / FREE_PIECE * FREE_PIECE;
}

static kw_err free_bytes(struct free_walk *w, uint64_t begin, uint64_t end,
                         const char *why)
{
    for (uint64_t at = begin; (at = free_next_piece(w, at, end)) < end;) {
        const uint64_t left = end - at;
        kw_span piece;
        kw_err e = kw_db_read_bytes(
            w->db, at, left < FREE_PIECE ? (size_t)left : FREE_PIECE, &piece, w->note);
        w->reader.page = at / w->db->info.page_size;
        at += FREE_PIECE;
        if (!kw_failed(e) && !kw_db_is_zero(piece))
            e = kw_db_unread(&w->reader, why, piece);
        if (kw_failed(e))
            return e;
    }
    return KW_OK;
}

/* Raw pages that follow one another are one: a value goes over their borders. */
static kw_err free_raw(struct free_walk *w)
{
    const uint64_t size = w->db->info.page_size, begin = w->raw * size;
    w->raw = w->at;
    return free_bytes(w, begin, w->at * size, "pages that lost their header");
}

/* How many pages from w->at on lie in a hole as a whole. */
static uint64_t free_hole(struct free_walk *w)
{
    const uint64_t size = w->db->info.page_size, at = w->at * size;
    if (at < w->data_end)
        return 0;
    const uint64_t data = kw_file_next_data(w->db->fd, at) / size;
    const uint64_t end = data < w->db->in_file ? data : w->db->in_file;
    if (end <= w->at)
        w->data_end = kw_file_data_end(w->db->fd, at);
    return end > w->at ? end - w->at : 0;
}

/* As many empty pages; reached ones among them are no more than that here. */
static kw_err free_empty(struct free_walk *w, uint64_t pages)
{
    kw_err e = free_raw(w);
    w->at += pages;
    w->raw = w->at;
    return e;
}

static kw_err free_page(struct free_walk *w)
{
    kw_span page;
    const uint64_t hole = free_hole(w);
    if (hole > 0)
        return free_empty(w, hole);
    if (kw_db_is_reached(w->db, w->at))
        return free_empty(w, 1);
    kw_err e = kw_db_read(w->db, w->at, 1, &page, w->note);
    if (kw_failed(e))
        return e;
    const struct kw_bolt_header h = kw_bolt_header_of(page);
    const bool is_head = kw_bolt_is_head(&h, w->at);
    if (!is_head && !kw_db_is_zero(page)) {
        w->at++;
        return KW_OK;
    }
    if (!is_head)
        return free_empty(w, 1);
    e = free_raw(w);
    if (!kw_failed(e))
        e = free_run(w, &h);
    w->raw = w->at;
    return e;
}

static kw_err free_tail(struct free_walk *w)
{
    const struct kw_etcd_db *db = w->db;
    const uint64_t end = db->in_file * db->info.page_size;
    if (db->in_file < db->info.pages) {
        w->reader.page = db->in_file;
        kw_err e = kw_db_unread(&w->reader, "the file ends before its pages do",
                                kw_span_of(NULL, 0));
        if (kw_failed(e))
            return e;
    }
    return free_bytes(w, end, db->bytes, "bytes behind the last page");
}

kw_err kw_etcd_db_walk_unreachable(struct kw_etcd_db *db,
                                   const struct kw_etcd_db_visitor *visitor,
                                   struct kw_note *note)
{
    struct free_walk w = {.reader = {.visitor = visitor, .place = KW_ETCD_UNREACHABLE},
                          .db = db,
                          .note = note,
                          .raw = 2,
                          .at = 2};
    kw_err e = KW_OK;
    while (!kw_failed(e) && w.at < db->in_file) {
        e = free_page(&w);
        free_progress(&w);
    }
    if (!kw_failed(e))
        e = free_raw(&w);
    return kw_failed(e) ? e : free_tail(&w);
}
