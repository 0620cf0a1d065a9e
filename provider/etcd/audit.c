/* SPDX-License-Identifier: Apache-2.0 */
/* audit - every value counted once for each place where it lies */
#include <keyward/etcd_audit.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <keyward/alloc.h>

#include "inventory.h"
#include "marks.h"
#include "revisions.h"

struct kw_etcd_audit {
    struct kw_etcd_audit_options options;
    struct kw_etcd_inventory inventory;
    struct kw_etcd_revisions revisions;
    struct kw_etcd_blind blind[KW_ETCD_PLACES + 1];
    struct kw_etcd_db_info db;
    struct kw_etcd_wal_info log;
    bool has_db, has_log;
    uint64_t keys;
    size_t walked;              /* entries, in the walk that is on */
    enum kw_etcd_where reading; /* whose unread pages are told now */
    unsigned step, steps;       /* of the file that is being read  */
};

const char *kw_etcd_where_name(enum kw_etcd_where where)
{
    static const char *const names[KW_ETCD_PLACES] = {"current", "historic",
                                                      "unreachable", "log"};
    return where < KW_ETCD_PLACES ? names[where] : "?";
}

struct kw_etcd_audit *kw_etcd_audit_new(const struct kw_etcd_audit_options *options)
{
    struct kw_etcd_audit *a = kw_new(1, sizeof *a);
    if (a == NULL)
        return NULL;
    a->options = *options;
    if (kw_failed(kw_etcd_inventory_init(&a->inventory))) {
        kw_free(a);
        return NULL;
    }
    if (kw_failed(kw_etcd_revisions_init(&a->revisions, 0))) {
        kw_etcd_inventory_free(&a->inventory);
        kw_free(a);
        return NULL;
    }
    return a;
}

void kw_etcd_audit_free(struct kw_etcd_audit *audit)
{
    if (audit == NULL)
        return;
    kw_etcd_revisions_free(&audit->revisions);
    kw_etcd_inventory_free(&audit->inventory);
    kw_free(audit);
}

/* ---- what could not be read ---- */

static void audit_blind(struct kw_etcd_audit *a, unsigned which, kw_span bytes,
                        const char *file, uint64_t at, const char *why)
{
    struct kw_etcd_blind *blind = &a->blind[which];
    if (blind->things == 0) {
        blind->why = why;
        blind->at = at;
        kw_copy_printable(blind->file, sizeof blind->file, kw_span_str(file));
    }
    blind->things++;
    blind->bytes += bytes.len;
    blind->marked += kw_etcd_has_marks(bytes, a->options.prefix);
}

static kw_err audit_unread_page(void *self, const struct kw_etcd_unread *unread)
{
    struct kw_etcd_audit *a = self;
    audit_blind(a, a->reading, unread->bytes, "", unread->page, unread->why);
    return KW_OK;
}

static kw_err audit_unread_log(void *self, const struct kw_etcd_wal_unread *unread)
{
    audit_blind(self, KW_ETCD_IN_LOG, unread->bytes, unread->file, unread->offset,
                unread->why);
    return KW_OK;
}

/* ---- one value ---- */

static void audit_age(uint64_t *oldest, uint64_t *newest, uint64_t revision)
{
    if (*oldest == 0 || revision < *oldest)
        *oldest = revision;
    if (revision > *newest)
        *newest = revision;
}

static kw_err audit_count_seed(struct kw_etcd_audit *a, const struct kw_stored *stored,
                               enum kw_etcd_where where, uint64_t revision)
{
    struct kw_etcd_seed *seed;
    if (stored->kind != KW_STORED_KMS_V2)
        return KW_OK;
    kw_err e = kw_etcd_inventory_seed(&a->inventory, stored, &seed);
    if (kw_failed(e))
        return e;
    seed->objects[where]++;
    if (where != KW_ETCD_IN_LOG)
        audit_age(&seed->oldest, &seed->newest, revision);
    return KW_OK;
}

/* An object where no object should be: perhaps the prefix is another one, and then
 * nothing that was judged says anything. */
static void audit_outside(struct kw_etcd_audit *a, const struct kw_stored *stored,
                          kw_span value, uint64_t revision)
{
    if (stored->kind != KW_STORED_OTHER)
        audit_blind(a, KW_ETCD_CURRENT,
                    kw_span_of(value.ptr, value.len < 8 ? value.len : 8), "", revision,
                    "an object lies outside of the prefix");
}

/* revision is a raft index in the log. */
static kw_err audit_count(struct kw_etcd_audit *a, enum kw_etcd_where where, kw_span key,
                          kw_span value, uint64_t revision)
{
    struct kw_etcd_key parts;
    struct kw_stored stored;
    struct kw_etcd_row *row;
    bool is_new;
    const bool is_inside = kw_etcd_key_read(key, a->options.prefix, &parts);
    kw_stored_read(value, a->options.names, a->options.name_count, &stored);
    if (!is_inside)
        audit_outside(a, &stored, value, revision);
    kw_err e = kw_etcd_inventory_row(&a->inventory, is_inside ? &parts : NULL, &stored,
                                     &row, &is_new);
    if (kw_failed(e))
        return e;
    if (is_new && is_inside)
        row->why = a->options.judge(a->options.self, &parts, &stored);
    row->at[where].objects++;
    row->at[where].bytes += value.len;
    if (where != KW_ETCD_IN_LOG)
        audit_age(&row->oldest, &row->newest, revision);
    if (where <= KW_ETCD_HISTORIC && revision > row->newest_reachable)
        row->newest_reachable = revision;
    e = audit_count_seed(a, &stored, where, revision);
    if (!kw_failed(e) && a->options.sealed != NULL && where == KW_ETCD_CURRENT &&
        stored.kind == KW_STORED_KMS_V2)
        e = a->options.sealed(a->options.self, key, &stored, row);
    if (kw_failed(e) || row->why == NULL)
        return e;
    const struct kw_etcd_found found = {.where = where,
                                        .revision = revision,
                                        .bytes = value.len,
                                        .key = key,
                                        .parts = is_inside ? &parts : NULL,
                                        .row = row};
    return a->options.found(a->options.self, &found);
}

/* ---- the database: counted, remembered, told apart ---- */

static void audit_progress(void *self, uint64_t done, uint64_t of)
{
    const struct kw_etcd_audit *a = self;
    if (a->options.progress != NULL && of > 0 && a->steps > 0)
        a->options.progress(a->options.self,
                            (unsigned)((1000 * a->step + 1000 * done / of) / a->steps));
}

static kw_err audit_no_unread(void *self, const struct kw_etcd_unread *unread)
{
    (void)self;
    (void)unread;
    return KW_OK; /* the walk that tells apart tells them */
}

static kw_err audit_tally(void *self, const struct kw_etcd_entry *entry)
{
    struct kw_etcd_audit *a = self;
    (void)entry;
    a->walked++;
    return KW_OK;
}

static kw_err audit_remember(void *self, const struct kw_etcd_entry *entry)
{
    struct kw_etcd_audit *a = self;
    return kw_etcd_revisions_add(&a->revisions, entry);
}

static kw_err audit_tell_apart(void *self, const struct kw_etcd_entry *entry)
{
    struct kw_etcd_audit *a = self;
    bool is_current = false;
    const size_t i = a->walked++;
    if (entry->is_tombstone)
        return KW_OK;
    kw_err e = kw_etcd_revisions_is_current(&a->revisions, i, entry, &is_current);
    if (kw_failed(e))
        return e;
    a->keys += is_current;
    return audit_count(a, is_current ? KW_ETCD_CURRENT : KW_ETCD_HISTORIC, entry->key,
                       entry->value, entry->revision.main);
}

/* Counted where nothing that is reachable, or was met before, has its revision and value. */
static kw_err audit_if_new(void *self, const struct kw_etcd_entry *entry)
{
    struct kw_etcd_audit *a = self;
    bool is_new = false;
    kw_err e = kw_etcd_revisions_is_new(&a->revisions, entry, &is_new);
    if (kw_failed(e) || !is_new || entry->is_tombstone)
        return e;
    return audit_count(a, a->reading, entry->key, entry->value, entry->revision.main);
}

typedef kw_err audit_entry(void *self, const struct kw_etcd_entry *entry);
typedef kw_err audit_unread(void *self, const struct kw_etcd_unread *unread);

static kw_err audit_walk(struct kw_etcd_audit *a, struct kw_etcd_db *db,
                         audit_entry *entry, audit_unread *unread, struct kw_note *note)
{
    const struct kw_etcd_db_visitor visitor = {a, entry, unread, audit_progress};
    a->walked = 0;
    kw_err e = kw_etcd_db_walk(db, &visitor, note);
    a->step++;
    return e;
}

/* The note for what only this module knows of. */
static kw_err audit_failed(kw_err e, const char *path, struct kw_note *note)
{
    if (e.code == KW_CODE_BUSY && note != NULL && note->text[0] == '\0')
        kw_note_set(note,
                    "%s: more kinds of values, seeds or revisions than are kept "
                    "apart (%u, %u, %u)",
                    path, KW_ETCD_ROWS_MAX, KW_ETCD_SEEDS_MAX, UINT32_MAX / 2);
    if (e.code == KW_CODE_BAD_INPUT && note != NULL && note->text[0] == '\0')
        kw_note_set(note,
                    "%s: it changed while it was read: take a snapshot, or stop "
                    "the member and copy it",
                    path);
    return e;
}

static kw_err audit_reachable(struct kw_etcd_audit *a, struct kw_etcd_db *db,
                              struct kw_note *note)
{
    a->reading = KW_ETCD_CURRENT;
    kw_err e = audit_walk(a, db, audit_tally, audit_no_unread, note);
    if (kw_failed(e))
        return e;
    kw_etcd_revisions_free(&a->revisions);
    e = kw_etcd_revisions_init(&a->revisions, a->walked);
    if (!kw_failed(e))
        e = audit_walk(a, db, audit_remember, audit_no_unread, note);
    if (!kw_failed(e))
        e = audit_walk(a, db, audit_tell_apart, audit_unread_page, note);
    if (!kw_failed(e) && a->walked != a->revisions.cap)
        e = kw_err_at(KW_CODE_BAD_INPUT, "etcd audit"); /* fewer than were counted */
    return e;
}

static kw_err audit_unreachable(struct kw_etcd_audit *a, struct kw_etcd_db *db,
                                struct kw_note *note)
{
    const struct kw_etcd_db_visitor visitor = {a, audit_if_new, audit_unread_page,
                                               audit_progress};
    a->reading = KW_ETCD_IN_FREE_PAGES;
    return kw_etcd_db_walk_unreachable(db, &visitor, note);
}

kw_err kw_etcd_audit_db(struct kw_etcd_audit *audit, const char *path,
                        struct kw_note *note)
{
    struct kw_etcd_db *db = NULL;
    KW_INVARIANT(!audit->has_db);
    audit->step = 0;
    audit->steps = 4;
    kw_err e = kw_etcd_db_open(path, &db, note);
    if (kw_failed(e))
        return e;
    audit->has_db = true;
    e = audit_reachable(audit, db, note);
    if (!kw_failed(e))
        e = audit_unreachable(audit, db, note);
    kw_etcd_db_look(db, &audit->db);
    kw_etcd_db_close(db);
    return audit_failed(e, path, note);
}

kw_err kw_etcd_audit_copy(struct kw_etcd_audit *audit, const char *path,
                          struct kw_note *note)
{
    struct kw_etcd_db *db = NULL;
    audit->step = 0;
    audit->steps = 2;
    kw_err e = kw_etcd_db_open(path, &db, note);
    if (kw_failed(e))
        return e;
    audit->reading = KW_ETCD_HISTORIC;
    e = audit_walk(audit, db, audit_if_new, audit_unread_page, note);
    if (!kw_failed(e))
        e = audit_unreachable(audit, db, note);
    kw_etcd_db_close(db);
    return audit_failed(e, path, note);
}

/* ---- the log, and other files ---- */

/* A copied database, and the log goes on: its member was ended before it wrote all of it
 * there, and will do so when it starts.  What is current then, nobody knows now.  A
 * snapshot (with a trailer) stands for itself. */
static bool audit_is_pending(const struct kw_etcd_audit *a, const struct kw_etcd_put *put)
{
    return a->has_db && a->db.trailer == KW_ETCD_TRAILER_ABSENT &&
           put->index > a->db.consistent_index;
}

static kw_err audit_put(void *self, const struct kw_etcd_put *put)
{
    struct kw_etcd_audit *a = self;
    if (audit_is_pending(a, put))
        audit_blind(a, KW_ETCD_IN_LOG, put->value, "", put->index,
                    "a put that the database lacks: start the member and stop it");
    return audit_count(self, KW_ETCD_IN_LOG, put->key, put->value, put->index);
}

/* etcd has an entry on its disk before it applies it, and says in the database which one it
 * applied last: a log that ends before lacks what was there.  Any database: a snapshot of
 * a member that had more tells no less that this is not all. */
static bool audit_is_cut(const struct kw_etcd_audit *a)
{
    return a->has_log && a->has_db && a->log.end_index < a->db.consistent_index;
}

kw_err kw_etcd_audit_log(struct kw_etcd_audit *audit, const char *folder,
                         struct kw_note *note)
{
    const struct kw_etcd_wal_visitor visitor = {audit, audit_put, audit_unread_log,
                                                audit_progress};
    audit->step = 0;
    audit->steps = 1;
    kw_err e = kw_etcd_wal_walk(folder, &visitor, &audit->log, note);
    audit->has_log = !kw_failed(e);
    if (audit_is_cut(audit))
        audit_blind(audit, KW_ETCD_IN_LOG, kw_span_of(NULL, 0), "", audit->log.end_index,
                    "the log ends before the database does: it was cut, or is of another "
                    "time or member");
    return audit_failed(e, folder, note);
}

kw_err kw_etcd_audit_other(struct kw_etcd_audit *audit, const char *path,
                           struct kw_note *note)
{
    bool has_marks;
    uint64_t bytes;
    kw_err e =
        kw_etcd_file_has_marks(path, audit->options.prefix, &has_marks, &bytes, note);
    if (kw_failed(e) || !has_marks)
        return e;
    const char *slash = strrchr(path, '/');
    struct kw_etcd_blind *other = &audit->blind[KW_ETCD_PLACES];
    audit_blind(audit, KW_ETCD_PLACES, kw_span_of(NULL, 0),
                slash != NULL ? slash + 1 : path, 0,
                "a file that is neither database nor log holds parts of objects");
    other->marked++;
    other->bytes += bytes;
    return KW_OK;
}

void kw_etcd_audit_findings(struct kw_etcd_audit *audit,
                            struct kw_etcd_findings *ret_findings)
{
    const struct kw_etcd_revisions *r = &audit->revisions;
    kw_etcd_inventory_sort(&audit->inventory);
    *ret_findings = (struct kw_etcd_findings){
        .rows = audit->inventory.rows.items,
        .row_count = audit->inventory.rows.count,
        .seeds = audit->inventory.seeds.items,
        .seed_count = audit->inventory.seeds.count,
        .revision = r->count > 0 ? r->all[r->count - 1].main : 0,
        .keys = audit->keys,
        .has_db = audit->has_db,
        .has_log = audit->has_log,
        .db = audit->db,
        .log = audit->log,
    };
    for (unsigned i = 0; i <= KW_ETCD_PLACES; i++)
        ret_findings->blind[i] = audit->blind[i];
}
