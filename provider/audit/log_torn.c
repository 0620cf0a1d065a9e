/* SPDX-License-Identifier: Apache-2.0 */
/* What a crash left behind the last record: kept in a file of its own, cut off, and then on
 * record.  A crash may come between these, also more than once: a file that no record names
 * gets its record at the next start. */
#include "log_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>

enum {
    TORN_MOST = 64 << 20,
    TORN_FILES = 100
}; /* bytes of one, and files of one number */

/* Those that get their records now. */
struct torn_list {
    struct kw_audit_torn rows[KW_AUDIT_TORN_MAX];
    size_t count;
};

static bool torn_same(const struct kw_audit_torn *a, const struct kw_audit_torn *b)
{
    return a->last == b->last && a->bytes == b->bytes &&
           kw_span_equal(kw_span_of(a->sha256, KW_SHA256),
                         kw_span_of(b->sha256, KW_SHA256));
}

static bool torn_has(const struct kw_audit_torn *rows, size_t count,
                     const struct kw_audit_torn *row)
{
    for (size_t i = 0; i < count; i++)
        if (torn_same(&rows[i], row))
            return true;
    return false;
}

void kw_audit_log_torn_met(struct kw_audit_log *log, const struct kw_audit_record *r)
{
    const bool is_torn = r->kind == KW_AUDIT_TORN;
    if (!is_torn || log->torn.count == KW_AUDIT_TORN_MAX) {
        log->torn.count = 0;
        log->torn.first_seq = is_torn || r->kind == KW_AUDIT_FILE ? r->seq : r->seq + 1;
    }
    if (!is_torn)
        return;
    struct kw_audit_torn *row = &log->torn.rows[log->torn.count++];
    row->last = r->value[KW_AUDIT_TORN_LAST].number;
    row->bytes = r->value[KW_AUDIT_TORN_BYTES].number;
    KW_MUST(kw_unhex(row->sha256, KW_SHA256, r->value[KW_AUDIT_TORN_SHA256].text));
}

static kw_err torn_failed(void)
{
    return kw_err_native(KW_CODE_IO, (uint32_t)errno, "audit torn");
}

static void torn_name(const struct kw_audit_log *log, uint64_t seq, unsigned i,
                      char dst[KW_AUDIT_FILE_NAME])
{
    snprintf(dst, KW_AUDIT_FILE_NAME, "%s-%012" PRIu64 "-%u.torn", log->o.name, seq, i);
}

/* So many bytes, *ret_bytes, which are kw_free's. */
static kw_err torn_read(int fd, uint64_t from, struct kw_audit_torn *row,
                        uint8_t **ret_bytes)
{
    uint8_t *bytes = kw_new(1, row->bytes);
    if (bytes == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "audit torn");
    kw_err e = KW_OK;
    if (pread(fd, bytes, row->bytes, (off_t)from) != (ssize_t)row->bytes)
        e = torn_failed();
    if (!kw_failed(e))
        e = kw_sha256(kw_span_of(bytes, row->bytes), row->sha256);
    if (kw_failed(e))
        kw_free(bytes);
    else
        *ret_bytes = bytes;
    return e;
}

/* ---- files that no record names ---------------------------------------------------------- */

/* *ret_is: it is one that was kept here. */
static kw_err torn_find(int fd, struct kw_audit_torn *row, bool *ret_is)
{
    struct stat st;
    uint8_t *bytes = NULL;
    if (fstat(fd, &st) != 0)
        return torn_failed();
    *ret_is = S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size <= TORN_MOST;
    if (!*ret_is)
        return KW_OK;
    row->bytes = (uint64_t)st.st_size;
    kw_err e = torn_read(fd, 0, row, &bytes);
    kw_free(bytes);
    return e;
}

/* Of those that were kept when this record was to come.  One has to have room behind them. */
static kw_err torn_look(const struct kw_audit_log *log, uint64_t seq,
                        struct torn_list *list, struct kw_note *note)
{
    for (unsigned i = 0; i < TORN_FILES && list->count + 1 < KW_AUDIT_TORN_MAX; i++) {
        char name[KW_AUDIT_FILE_NAME];
        struct kw_audit_torn row = {.last = seq - 1};
        bool is = false;
        torn_name(log, seq, i, name);
        int fd = openat(log->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            return KW_OK;
        kw_err e = fd < 0 ? torn_failed() : torn_find(fd, &row, &is);
        if (fd >= 0)
            close(fd);
        if (kw_failed(e)) {
            kw_note_set(note, "audit log %s: %s cannot be read: %s", log->o.dir, name,
                        kw_code_name(e.code));
            return e;
        }
        if (is && !torn_has(log->torn.rows, log->torn.count, &row))
            list->rows[list->count++] = row;
    }
    return KW_OK;
}

/* ---- what lies there now ----------------------------------------------------------------- */

static bool torn_fill(const struct kw_audit_log *log, int fd, kw_span bytes)
{
    const bool good = kw_audit_log_put(log, fd, bytes) && log->o.disk->sync(fd) == 0;
    const int native = errno;
    close(fd);
    errno = native;
    return good;
}

/* It has its name when it is whole. */
static kw_err torn_keep(const struct kw_audit_log *log, kw_span bytes)
{
    int fd = -1, renamed = -1;
    if (log->o.disk->remove(log->dir, log->coming) == 0 || errno == ENOENT)
        fd = log->o.disk->create(log->dir, log->coming);
    if (fd < 0 || !torn_fill(log, fd, bytes))
        return torn_failed();
    for (unsigned i = 0; renamed != 0 && i < TORN_FILES && (i == 0 || errno == EEXIST);
         i++) {
        char name[KW_AUDIT_FILE_NAME];
        torn_name(log, log->chain.next_seq, i, name);
        renamed = log->o.disk->rename(log->dir, log->coming, log->dir, name);
    }
    return renamed == 0 ? KW_OK : torn_failed();
}

/* What was kept already, and a crash came before it was cut off, is not kept twice. */
static kw_err torn_cut(const struct kw_audit_log *log, uint64_t bytes,
                       struct torn_list *list)
{
    struct kw_audit_torn row = {.last = log->chain.next_seq - 1, .bytes = bytes};
    uint8_t *text = NULL;
    kw_err e = torn_read(log->fd, log->size, &row, &text);
    const bool is_kept = torn_has(list->rows, list->count, &row);
    if (!kw_failed(e) && !is_kept)
        e = torn_keep(log, kw_span_of(text, bytes));
    kw_free(text);
    if (!kw_failed(e) && log->o.disk->sync_folder(log->dir) != 0)
        e = torn_failed();
    if (!kw_failed(e) && log->o.disk->truncate(log->fd, (off_t)log->size) != 0)
        e = torn_failed();
    if (!kw_failed(e) && !is_kept)
        list->rows[list->count++] = row;
    return e;
}

/* ---- on record --------------------------------------------------------------------------- */

static kw_err torn_record(struct kw_audit_log *log, const struct torn_list *list)
{
    struct kw_audit_record r[KW_AUDIT_TORN_MAX] = {{0}};
    char hex[KW_AUDIT_TORN_MAX][2 * KW_SHA256 + 1];
    size_t begun = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct kw_audit_torn *row = &list->rows[i];
        kw_hex(hex[i], sizeof hex[i], kw_span_of(row->sha256, KW_SHA256));
        r[i].kind = KW_AUDIT_TORN;
        r[i].value[KW_AUDIT_TORN_BYTES] = kw_audit_number(row->bytes);
        r[i].value[KW_AUDIT_TORN_SHA256] = kw_audit_text(hex[i]);
        r[i].value[KW_AUDIT_TORN_LAST] = kw_audit_number(row->last);
    }
    if (log->size == 0) {
        begun = list->count > 0 ? 1 : 0;
        kw_err e = kw_audit_log_next(log, begun > 0 ? &r[0] : NULL);
        if (kw_failed(e))
            return e;
    }
    return begun == list->count ? KW_OK
                                : kw_audit_log_write(log, &r[begun], list->count - begun);
}

kw_err kw_audit_log_torn(struct kw_audit_log *log, uint64_t size, struct kw_note *note)
{
    struct torn_list list = {.count = 0};
    const uint64_t bytes = size > log->size ? size - log->size : 0;
    kw_err e = KW_OK;
    if (bytes > TORN_MOST) {
        kw_note_set(note,
                    "audit log %s: %" PRIu64
                    " bytes behind the last record of %s are more than a crash leaves: "
                    "put the file aside, as evidence",
                    log->o.dir, bytes, log->running);
        return kw_err_at(KW_CODE_FORGED, "audit open");
    }
    for (uint64_t seq = log->torn.first_seq; seq <= log->chain.next_seq && !kw_failed(e);
         seq++)
        e = torn_look(log, seq, &list, note);
    if (!kw_failed(e) && bytes > 0)
        e = torn_cut(log, bytes, &list);
    return kw_failed(e) ? e : torn_record(log, &list);
}
