/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a file of etcd's backend: is it one, is it whole, which of its metas counts. */
#include "db_state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/file.h>
#include <keyward/sha256.h>

/* A snapshot ends like this: pages are of 512 bytes or multiples. */
enum { DB_SECTOR = 512, DB_META_END = KW_BOLT_HEADER + KW_BOLT_META };
/* A snapshot's metas are one transaction apart; when its first one was odd, the next
 * transaction makes it two. */
enum { DB_TXID_APART = 2 };

static kw_err db_io(const char *path, const char *what, struct kw_note *note)
{
    const int saved = errno;
    kw_note_set(note, "%s: %s: %s", path, what, strerror(saved));
    return kw_err_native(saved == ENOENT ? KW_CODE_MISSING : KW_CODE_IO, (uint32_t)saved,
                         "etcd db");
}

static kw_err db_bad(const char *path, const char *why, struct kw_note *note)
{
    kw_note_set(note, "%s: %s", path, why);
    return kw_err_at(KW_CODE_BAD_INPUT, "etcd db");
}

static kw_err db_torn(const char *path, const char *why, struct kw_note *note)
{
    kw_note_set(
        note,
        "%s: a torn copy: %s; it was cut, or copied while etcd wrote: take a "
        "snapshot ('etcdctl snapshot save FILE') or copy it while etcd is stopped",
        path, why);
    return kw_err_at(KW_CODE_BAD_INPUT, "etcd db torn");
}

static kw_err db_no_memory(const char *path, struct kw_note *note)
{
    kw_note_set(note, "%s: out of memory", path);
    return kw_err_at(KW_CODE_NO_MEMORY, "etcd db");
}

/* ---- reading ------------------------------------------------------------------------ */

static kw_err db_read_failed(ssize_t n, struct kw_note *note)
{
    const int saved = n < 0 ? errno : 0;
    kw_note_set(note, "cannot read: %s",
                saved != 0 ? strerror(saved) : "the file became shorter meanwhile");
    return kw_err_native(KW_CODE_IO, (uint32_t)saved, "etcd db");
}

static bool db_room(struct kw_etcd_db *db, size_t len)
{
    if (len <= db->run_cap)
        return true;
    kw_free(db->run);
    db->run_cap = 0;
    db->run = kw_new(len, 1);
    if (db->run != NULL)
        db->run_cap = len;
    return db->run != NULL;
}

kw_err kw_db_read_bytes(struct kw_etcd_db *db, uint64_t at, size_t len,
                        kw_span *ret_bytes, struct kw_note *note)
{
    KW_INVARIANT(len <= KW_DB_RUN_MAX && at <= db->info.size &&
                 len <= db->info.size - at);
    if (!db_room(db, len)) {
        kw_note_set(note, "out of memory");
        return kw_err_at(KW_CODE_NO_MEMORY, "etcd db");
    }
    const ssize_t n = kw_file_pread(db->fd, db->run, len, at);
    if (n < 0 || (size_t)n != len)
        return db_read_failed(n, note);
    db->read += len;
    *ret_bytes = kw_span_of(db->run, len);
    return KW_OK;
}

kw_err kw_db_read(struct kw_etcd_db *db, uint64_t page, uint64_t pages, kw_span *ret_run,
                  struct kw_note *note)
{
    const uint64_t size = db->info.page_size;
    KW_INVARIANT(pages <= KW_DB_RUN_MAX / size && page <= db->in_file &&
                 pages <= db->in_file - page);
    return kw_db_read_bytes(db, page * size, (size_t)(pages * size), ret_run, note);
}

kw_err kw_db_read_header(struct kw_etcd_db *db, uint64_t page,
                         struct kw_bolt_header *ret_header, struct kw_note *note)
{
    uint8_t bytes[KW_BOLT_HEADER];
    KW_INVARIANT(page < db->in_file);
    const ssize_t n =
        kw_file_pread(db->fd, bytes, sizeof bytes, page * db->info.page_size);
    if (n < 0 || (size_t)n != sizeof bytes)
        return db_read_failed(n, note);
    db->read += sizeof bytes;
    *ret_header = kw_bolt_header_of(kw_span_of(bytes, sizeof bytes));
    return KW_OK;
}

/* ---- which pages were reached -------------------------------------------------------- */

enum { DB_WORD = 64 };

bool kw_db_is_reached(const struct kw_etcd_db *db, uint64_t page)
{
    KW_INVARIANT(page < db->in_file);
    return (db->reached[page / DB_WORD] >> page % DB_WORD & 1u) != 0;
}

void kw_db_reach(struct kw_etcd_db *db, uint64_t page, uint64_t pages)
{
    for (uint64_t p = page; p < page + pages; p++) {
        if (kw_db_is_reached(db, p))
            continue;
        db->reached[p / DB_WORD] |= (uint64_t)1 << p % DB_WORD;
        db->info.reachable++;
    }
    db->info.unreachable = db->info.pages - db->info.reachable;
}

static size_t db_words(const struct kw_etcd_db *db)
{
    return (size_t)(db->in_file / DB_WORD + 1);
}

void kw_db_reach_none(struct kw_etcd_db *db)
{
    for (size_t i = 0; i < db_words(db); i++)
        db->reached[i] = 0;
    db->info.reachable = 0;
    kw_db_reach(db, 0, 2);
}

/* ---- opening -------------------------------------------------------------------------- */

static kw_err db_open_file(struct kw_etcd_db *db, const char *path, struct kw_note *note)
{
    struct stat st;
    db->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (db->fd < 0 && errno == ENXIO) /* a socket */
        return db_bad(path, "not a regular file", note);
    if (db->fd < 0)
        return db_io(path, "cannot open", note);
    if (fstat(db->fd, &st) != 0)
        return db_io(path, "cannot stat", note);
    if (!S_ISREG(st.st_mode))
        return db_bad(path, "not a regular file", note);
    db->info.size = (uint64_t)st.st_size;
    if (flock(db->fd, LOCK_SH | LOCK_NB) == 0)
        return KW_OK;
    if (errno != EWOULDBLOCK)
        return db_io(path, "cannot lock", note);
    kw_note_set(note,
                "%s: a running etcd has it open: take a snapshot ('etcdctl snapshot save "
                "FILE') and look at that",
                path);
    return kw_err_at(KW_CODE_BUSY, "etcd db");
}

/* The meta that stands at an offset: NULL, or why it is none. */
static kw_err db_meta_at(const struct kw_etcd_db *db, const char *path, uint64_t at,
                         struct kw_bolt_meta *ret_meta, const char **ret_fault,
                         struct kw_note *note)
{
    uint8_t bytes[DB_META_END];
    const ssize_t n = kw_file_pread(db->fd, bytes, sizeof bytes, at);
    if (n < 0)
        return db_io(path, "cannot read", note);
    *ret_fault = kw_bolt_meta_read(kw_span_of(bytes, (size_t)n), ret_meta);
    return KW_OK;
}

/* The second meta, when the first one does not say where it is: it says so itself. */
static kw_err db_find_second(struct kw_etcd_db *db, const char *path,
                             struct kw_bolt_meta *ret_meta, struct kw_note *note)
{
    for (uint32_t at = KW_BOLT_PAGE_MIN; at <= KW_BOLT_PAGE_MAX; at *= 2) {
        const char *fault = NULL;
        kw_err e = db_meta_at(db, path, at, ret_meta, &fault, note);
        if (kw_failed(e))
            return e;
        if (fault == NULL && ret_meta->page_size == at) {
            db->meta_fault[1] = NULL;
            return KW_OK;
        }
    }
    kw_note_set(note,
                "%s: no file of etcd's: neither of its two metas is good; the first: %s",
                path, db->meta_fault[0]);
    return kw_err_at(KW_CODE_BAD_INPUT, "etcd db");
}

static kw_err db_read_metas(struct kw_etcd_db *db, const char *path,
                            struct kw_bolt_meta metas[2], struct kw_note *note)
{
    kw_err e = db_meta_at(db, path, 0, &metas[0], &db->meta_fault[0], note);
    if (kw_failed(e))
        return e;
    if (db->meta_fault[0] != NULL)
        return db_find_second(db, path, &metas[1], note);
    e = db_meta_at(db, path, metas[0].page_size, &metas[1], &db->meta_fault[1], note);
    if (!kw_failed(e) && db->meta_fault[1] == NULL &&
        metas[1].page_size != metas[0].page_size)
        db->meta_fault[1] = "it has another page size than the first one";
    return e;
}

static void db_choose_meta(struct kw_etcd_db *db, const struct kw_bolt_meta metas[2])
{
    const bool second = db->meta_fault[0] != NULL ||
                        (db->meta_fault[1] == NULL && metas[1].txid > metas[0].txid);
    db->meta = metas[second ? 1 : 0];
    db->info.page_size = db->meta.page_size;
    db->info.pages = db->meta.pages;
    db->info.txid = db->meta.txid;
}

/* Of a file that nothing but its pages vouches for. */
static kw_err db_judge_copy(const struct kw_etcd_db *db, const char *path,
                            const struct kw_bolt_meta metas[2], struct kw_note *note)
{
    const uint64_t a = metas[0].txid, b = metas[1].txid;
    const bool both = db->meta_fault[0] == NULL && db->meta_fault[1] == NULL;
    if (both && (a > b ? a - b : b - a) > DB_TXID_APART)
        return db_torn(path, "its two metas are of different times", note);
    if (db->info.pages > db->info.size / db->info.page_size)
        return db_torn(path, "it is shorter than its pages", note);
    return KW_OK;
}

static kw_err db_judge_trailer(struct kw_etcd_db *db, const char *path,
                               struct kw_note *note)
{
    uint8_t want[KW_SHA256], got[KW_SHA256];
    db->bytes = db->info.size;
    if (db->info.size % DB_SECTOR != KW_SHA256)
        return KW_OK;
    const uint64_t before = db->info.size - KW_SHA256;
    kw_err e = kw_sha256_file(db->fd, before, got);
    const ssize_t n = kw_file_pread(db->fd, want, sizeof want, before);
    if (kw_failed(e) || n != KW_SHA256) {
        kw_note_set(note, "%s: cannot read all of it", path);
        return kw_failed(e) ? e : kw_err_native(KW_CODE_IO, 0, "etcd db");
    }
    const bool good =
        kw_span_equal(kw_span_of(want, sizeof want), kw_span_of(got, sizeof got));
    db->info.trailer = good ? KW_ETCD_TRAILER_GOOD : KW_ETCD_TRAILER_WRONG;
    if (good)
        db->bytes = before;
    return KW_OK;
}

static kw_err db_open(struct kw_etcd_db *db, const char *path, struct kw_note *note)
{
    struct kw_bolt_meta metas[2] = {{0}, {0}};
    db->meta_fault[1] = "it is not where the second one should be";
    kw_err e = db_open_file(db, path, note);
    if (!kw_failed(e))
        e = db_read_metas(db, path, metas, note);
    if (kw_failed(e))
        return e;
    db_choose_meta(db, metas);
    e = db_judge_trailer(db, path, note);
    if (!kw_failed(e) && db->info.trailer == KW_ETCD_TRAILER_ABSENT)
        e = db_judge_copy(db, path, metas, note);
    if (kw_failed(e))
        return e;
    const uint64_t whole = db->bytes / db->info.page_size;
    db->in_file = whole < db->info.pages ? whole : db->info.pages;
    if (db->in_file < 2)
        return db_bad(path, "it has no pages but its metas", note);
    db->reached = kw_new(db_words(db), sizeof *db->reached);
    if (db->reached == NULL)
        return db_no_memory(path, note);
    kw_db_reach_none(db);
    return KW_OK;
}

kw_err kw_etcd_db_open(const char *path, struct kw_etcd_db **ret_db, struct kw_note *note)
{
    struct kw_etcd_db *db = kw_new(1, sizeof *db);
    if (db == NULL)
        return db_no_memory(path, note);
    db->fd = -1;
    kw_err e = db_open(db, path, note);
    if (kw_failed(e))
        kw_etcd_db_close(db);
    else
        *ret_db = db;
    return e;
}

void kw_etcd_db_close(struct kw_etcd_db *db)
{
    if (db == NULL)
        return;
    if (db->fd >= 0)
        close(db->fd);
    kw_free(db->reached);
    kw_free(db->run);
    kw_free(db);
}

void kw_etcd_db_look(const struct kw_etcd_db *db, struct kw_etcd_db_info *ret_info)
{
    *ret_info = db->info;
}
