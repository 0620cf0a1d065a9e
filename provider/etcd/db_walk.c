/* SPDX-License-Identifier: Apache-2.0 */
/* What the tree of the newest meta leads to: all buckets, so that their pages are known to
 * be in use, and the entries of the bucket `key`. */
#include "db_state.h"

#include <keyward/alloc.h>

#include "revision.h"

enum { DEPTH_MAX = 64 }; /* a tree of etcd's has four or five levels */

enum walk_what { WALK_ROOT, WALK_KEY, WALK_META, WALK_OTHER, WALK_FREELIST };

struct walk_child {
    uint64_t page;
    enum walk_what what;
};
/* A page whose children are visited one after the other. */
struct walk_level {
    uint64_t page; /* for what is wrong with a child */
    struct walk_child *children;
    size_t count, next;
};
struct walk {
    struct kw_db_reader reader; /* first: an element's reader is a walk */
    struct kw_etcd_db *db;
    struct kw_note *note;
    struct walk_level levels[DEPTH_MAX];
    size_t depth;
    struct walk_level children; /* of the page that is being read */
    uint16_t elements;          /* it has */
    enum walk_what what;        /* it is */
    struct kw_etcd_revision last;
    bool has_last, has_key;
    uint64_t told; /* pages, to progress */
};

static struct walk *walk_of(struct kw_db_reader *r)
{
    return (struct walk *)r;
}

static kw_err walk_no_memory(const struct walk *w)
{
    kw_note_set(w->note, "out of memory");
    return kw_err_at(KW_CODE_NO_MEMORY, "etcd db walk");
}

static void walk_progress(struct walk *w, bool at_the_end)
{
    const struct kw_etcd_db_visitor *v = w->reader.visitor;
    const uint64_t now = w->db->info.reachable;
    if (v->progress == NULL || (!at_the_end && now - w->told < KW_DB_PROGRESS_EVERY))
        return;
    w->told = now;
    v->progress(v->self, now, w->db->info.pages);
}

/* ---- elements ------------------------------------------------------------------------ */

static kw_err walk_add_child(struct walk *w, uint64_t page, enum walk_what what)
{
    struct walk_level *l = &w->children;
    if (l->children == NULL)
        l->children = kw_new(w->elements, sizeof *l->children);
    if (l->children == NULL)
        return walk_no_memory(w);
    KW_INVARIANT(l->count < w->elements);
    l->children[l->count++] = (struct walk_child){page, what};
    return KW_OK;
}

static kw_err walk_unread_element(const struct walk *w, const char *why,
                                  const struct kw_bolt_element *e)
{
    return kw_db_unread(&w->reader, why, kw_span_of(e->key.ptr, e->end - e->begin));
}

static kw_err walk_leaf_element(struct kw_db_reader *r, const struct kw_bolt_element *e);

static kw_err walk_inline(struct walk *w, kw_span page, enum walk_what what)
{
    const struct kw_db_reader reader = w->reader;
    const enum walk_what outer = w->what;
    w->reader.is_inline = true;
    w->reader.element = walk_leaf_element;
    w->what = what;
    w->has_key = w->has_key || what == WALK_KEY;
    kw_err e = kw_db_read_leaf(&w->reader, page, page.len);
    w->reader = reader;
    w->what = outer;
    return e;
}

static kw_err walk_bucket(struct walk *w, const struct kw_bolt_element *e,
                          enum walk_what what)
{
    uint64_t root = 0;
    kw_span page = {NULL, 0};
    const char *why = w->reader.is_inline ? "a bucket within an inline bucket"
                                          : kw_bolt_bucket_read(e->value, &root, &page);
    if (why != NULL)
        return walk_unread_element(w, why, e);
    return root == 0 ? walk_inline(w, page, what) : walk_add_child(w, root, what);
}

/* In the order of their revisions, as etcd put them. */
static kw_err walk_key_entry(struct walk *w, const struct kw_bolt_element *e)
{
    struct kw_etcd_revision r;
    bool is_tombstone = false;
    if (!kw_etcd_revision_read(e->key, &r, &is_tombstone))
        return kw_db_entry(&w->reader, e);
    if (w->has_last && kw_etcd_revision_compare(r, w->last) <= 0)
        return walk_unread_element(w, "an entry that is out of order", e);
    w->has_last = true;
    w->last = r;
    return kw_db_entry(&w->reader, e);
}

static kw_err walk_meta_value(struct walk *w, const struct kw_bolt_element *e)
{
    struct kw_etcd_db_info *info = &w->db->info;
    if (kw_span_equal_str(e->key, "finishedCompactRev")) {
        struct kw_etcd_revision r;
        bool is_tombstone = false;
        if (!kw_etcd_revision_read(e->value, &r, &is_tombstone) || is_tombstone)
            return walk_unread_element(w, "a compaction that names no revision", e);
        info->compact_revision = r.main;
    } else if (kw_span_equal_str(e->key, "consistent_index")) {
        struct kw_src src = kw_src_of(e->value);
        const uint64_t index = kw_src_u64(&src);
        if (!kw_src_done(&src))
            return walk_unread_element(w, "a consistent_index that is no number", e);
        info->consistent_index = index;
    }
    return KW_OK;
}

static enum walk_what walk_bucket_of(kw_span name)
{
    if (kw_span_equal_str(name, "key"))
        return WALK_KEY;
    return kw_span_equal_str(name, "meta") ? WALK_META : WALK_OTHER;
}

static kw_err walk_leaf_element(struct kw_db_reader *r, const struct kw_bolt_element *e)
{
    struct walk *w = walk_of(r);
    const bool is_bucket = (e->flags & KW_BOLT_IS_BUCKET) != 0;
    if (w->what == WALK_KEY)
        return walk_key_entry(w, e);
    if (is_bucket)
        return walk_bucket(w, e,
                           w->what == WALK_ROOT ? walk_bucket_of(e->key) : WALK_OTHER);
    return w->what == WALK_META ? walk_meta_value(w, e) : KW_OK;
}

static kw_err walk_branch_element(struct kw_db_reader *r, const struct kw_bolt_element *e)
{
    struct walk *w = walk_of(r);
    return walk_add_child(w, e->child, w->what);
}

/* ---- pages ---------------------------------------------------------------------------- */

static bool walk_meets_another(const struct walk *w, uint64_t page, uint64_t pages)
{
    for (uint64_t p = page; p < page + pages; p++)
        if (kw_db_is_reached(w->db, p))
            return true;
    return false;
}

/* Why this is not the run that somebody led to; NULL: it is one. */
static const char *walk_refuses(const struct walk *w, struct walk_child child,
                                const struct kw_bolt_header *h)
{
    const uint64_t pages = (uint64_t)h->overflow + 1;
    const bool is_list = h->flags == KW_BOLT_FREELIST;
    if (!kw_bolt_is_head(h, child.page) || is_list != (child.what == WALK_FREELIST))
        return "a page that holds something else";
    if (pages > w->db->in_file - child.page)
        return "a run that reaches out of the file";
    if (pages > KW_DB_RUN_MAX / w->db->info.page_size)
        return "a run of more than 64 MiB";
    return walk_meets_another(w, child.page, pages) ? "a run that reaches into another"
                                                    : NULL;
}

/* Its children are visited next. */
static kw_err walk_push(struct walk *w)
{
    struct walk_level *l = &w->children;
    if (l->count == 0)
        return KW_OK;
    if (w->depth == DEPTH_MAX)
        return kw_db_unread(&w->reader, "a tree of more than 64 levels",
                            kw_span_of(NULL, 0));
    l->page = w->reader.page;
    w->levels[w->depth++] = *l;
    *l = (struct walk_level){0};
    return KW_OK;
}

static kw_err walk_run(struct walk *w, const struct kw_bolt_header *h)
{
    kw_span run;
    const uint64_t pages = (uint64_t)h->overflow + 1;
    kw_db_reach(w->db, w->reader.page, pages);
    walk_progress(w, false);
    kw_err e = kw_db_read(w->db, w->reader.page, pages, &run, w->note);
    if (kw_failed(e))
        return e;
    if (h->flags == KW_BOLT_FREELIST)
        return kw_db_read_freelist(&w->reader, run, run.len);
    w->has_key = w->has_key || w->what == WALK_KEY;
    w->elements = kw_bolt_header_of(run).count; /* h may be older than what was read */
    w->reader.element =
        h->flags == KW_BOLT_LEAF ? walk_leaf_element : walk_branch_element;
    e = h->flags == KW_BOLT_LEAF ? kw_db_read_leaf(&w->reader, run, run.len)
                                 : kw_db_read_branch(&w->reader, run, run.len);
    if (!kw_failed(e))
        e = walk_push(w);
    kw_free(w->children.children);
    w->children = (struct walk_level){0};
    return e;
}

/* Only the page itself: what else may be there, the other walk looks at. */
static kw_err walk_refused(struct walk *w, const char *why)
{
    kw_span page;
    kw_db_reach(w->db, w->reader.page, 1);
    kw_err e = kw_db_read(w->db, w->reader.page, 1, &page, w->note);
    return kw_failed(e) ? e : kw_db_unread(&w->reader, why, page);
}

static kw_err walk_child(struct walk *w, struct walk_child child, uint64_t parent)
{
    struct kw_bolt_header h;
    w->what = child.what;
    w->reader.page = parent;
    if (child.page < 2 || child.page >= w->db->info.pages)
        return kw_db_unread(&w->reader, "it leads to a page that is none",
                            kw_span_of(NULL, 0));
    w->reader.page = child.page;
    if (child.page >= w->db->in_file)
        return kw_db_unread(&w->reader, "a page behind the end of the file",
                            kw_span_of(NULL, 0));
    if (kw_db_is_reached(w->db, child.page))
        return kw_db_unread(&w->reader, "a page that is reached twice",
                            kw_span_of(NULL, 0));
    kw_err e = kw_db_read_header(w->db, child.page, &h, w->note);
    if (kw_failed(e))
        return e;
    const char *why = walk_refuses(w, child, &h);
    return why != NULL ? walk_refused(w, why) : walk_run(w, &h);
}

static kw_err walk_metas(struct walk *w)
{
    for (unsigned i = 0; i < 2; i++) {
        kw_span page;
        w->reader.page = i;
        kw_err e = kw_db_read(w->db, i, 1, &page, w->note);
        if (!kw_failed(e) && w->db->meta_fault[i] != NULL)
            e = kw_db_unread(&w->reader, "a meta that is none", page);
        else if (!kw_failed(e))
            e = kw_db_read_rest(&w->reader, page, KW_BOLT_HEADER + KW_BOLT_META);
        if (kw_failed(e))
            return e;
    }
    return KW_OK;
}

static kw_err walk_start(struct walk *w)
{
    w->elements = 2;
    w->reader.page = 0;
    kw_err e = walk_add_child(w, w->db->meta.root, WALK_ROOT);
    if (!kw_failed(e) && w->db->meta.freelist != KW_BOLT_NO_FREELIST)
        e = walk_add_child(w, w->db->meta.freelist, WALK_FREELIST);
    return kw_failed(e) ? e : walk_push(w);
}

static kw_err walk_all(struct walk *w)
{
    kw_err e = walk_metas(w);
    if (!kw_failed(e))
        e = walk_start(w);
    while (!kw_failed(e) && w->depth > 0) {
        struct walk_level *l = &w->levels[w->depth - 1];
        if (l->next < l->count) {
            e = walk_child(w, l->children[l->next++], l->page);
            continue;
        }
        kw_free(l->children);
        w->depth--;
    }
    return e;
}

kw_err kw_etcd_db_walk(struct kw_etcd_db *db, const struct kw_etcd_db_visitor *visitor,
                       struct kw_note *note)
{
    struct walk w = {.reader = {.visitor = visitor, .place = KW_ETCD_REACHABLE},
                     .db = db,
                     .note = note};
    db->info.compact_revision = 0;
    db->info.consistent_index = 0;
    kw_db_reach_none(db);
    kw_err e = walk_all(&w);
    while (w.depth > 0)
        kw_free(w.levels[--w.depth].children);
    kw_free(w.children.children);
    if (kw_failed(e))
        return e;
    walk_progress(&w, true);
    if (w.has_key)
        return KW_OK;
    kw_note_set(note, "it has no bucket 'key' that can be read: no file of etcd's");
    return kw_err_at(KW_CODE_BAD_INPUT, "etcd db walk");
}
