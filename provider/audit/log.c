/* SPDX-License-Identifier: Apache-2.0 */
/* Records to the disk, and files that follow each other. */
#include "log_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>

static ssize_t disk_write(int fd, const void *bytes, size_t len)
{
    return write(fd, bytes, len);
}

static int disk_create(int dir, const char *name)
{
    int fd = openat(dir, name,
                    O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd >= 0 && fchmod(fd, 0640) != 0) {
        const int native = errno;
        close(fd);
        errno = native;
        return -1;
    }
    return fd;
}

static int disk_rename(int from_dir, const char *from, int to_dir, const char *to)
{
    return renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);
}

static int disk_remove(int dir, const char *name)
{
    return unlinkat(dir, name, 0);
}

const struct kw_audit_disk kw_audit_disk_system = {
    .create = disk_create,
    .write = disk_write,
    .truncate = ftruncate,
    .sync = fdatasync,
    .rename = disk_rename,
    .remove = disk_remove,
    .sync_folder = fsync,
};

static kw_err log_failed(const char *where)
{
    return kw_err_native(KW_CODE_IO, (uint32_t)errno, where);
}

/* ---- a batch of lines -------------------------------------------------------------------- */

/* Lines that hang on what is committed, and on each other. */
struct batch {
    struct kw_audit_lines *lines;
    kw_dst *text;                /* theirs */
    struct kw_audit_chain chain; /* as it is when they are committed */
    struct kw_audit_uncovered uncovered;
    char time[KW_TIME_TEXT];
    uint64_t mono_us;
};

static kw_err batch_begin(const struct kw_audit_log *log, size_t lines, struct batch *ret)
{
    const size_t room = lines * KW_AUDIT_LINE_MAX;
    *ret = (struct batch){.chain = log->chain,
                          .uncovered = log->uncovered,
                          .mono_us = (uint64_t)kw_mono_ns(log->o.clock) / 1000};
    kw_time_text(ret->time, kw_wall_ns(log->o.clock));
    ret->lines = kw_new(1, sizeof *ret->lines + room);
    if (ret->lines == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "audit batch");
    ret->text = &ret->lines->text;
    *ret->text = kw_dst_of(ret->lines->room, room);
    return KW_OK;
}

void kw_audit_log_uncovered(struct kw_audit_uncovered *u, const struct kw_audit_record *r)
{
    if (r->kind == KW_AUDIT_GENESIS)
        *u = (struct kw_audit_uncovered){true, 0};
    else if (r->kind == KW_AUDIT_CHECKPOINT)
        *u = (struct kw_audit_uncovered){true, r->seq};
}

/* It covers the record before it. */
static void batch_cover(struct kw_audit_log *log, const struct batch *b,
                        struct kw_audit_record *r)
{
    KW_INVARIANT(r->seq > 0);
    kw_hex(log->checkpoint.log, sizeof log->checkpoint.log,
           kw_span_of(b->chain.log, KW_SHA256));
    kw_hex(log->checkpoint.head, sizeof log->checkpoint.head,
           kw_span_of(b->chain.head, KW_SHA256));
    r->value[KW_AUDIT_CHECKPOINT_LOG] = kw_audit_text(log->checkpoint.log);
    r->value[KW_AUDIT_CHECKPOINT_HEAD] = kw_audit_text(log->checkpoint.head);
    r->value[KW_AUDIT_CHECKPOINT_COVERED] = kw_audit_number(r->seq - 1);
    r->value[KW_AUDIT_CHECKPOINT_RECORDS] =
        b->uncovered.is_known ? kw_audit_number(r->seq - b->uncovered.first_seq)
                              : KW_AUDIT_NULL;
}

static kw_err batch_add(struct kw_audit_log *log, struct batch *b,
                        struct kw_audit_record *r)
{
    r->seq = b->chain.next_seq;
    if (r->kind == KW_AUDIT_CHECKPOINT)
        batch_cover(log, b, r);
    kw_audit_log_uncovered(&b->uncovered, r);
    r->time = kw_span_str(b->time);
    r->mono_us = b->mono_us;
    kw_err e = kw_audit_write(r, b->chain.head, b->text, b->chain.head);
    b->chain.next_seq += !kw_failed(e);
    return e;
}

bool kw_audit_log_put(const struct kw_audit_log *log, int fd, kw_span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = log->o.disk->write(fd, bytes.ptr, bytes.len);
        if (n == 0)
            errno = ENOSPC; /* what else could it be */
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        if (n > 0)
            bytes = kw_span_of(bytes.ptr + n, bytes.len - (size_t)n);
    }
    return true;
}

/* It is not asked for the same again.  false: errno. */
static bool log_make_certain(struct kw_audit_log *log)
{
    const bool good = log->certain == log->size || log->o.disk->sync(log->fd) == 0;
    if (!good) {
        log->is_spoilt = true;
        log->unsynced = log->size - log->certain;
    }
    log->certain = log->size;
    return good;
}

kw_err kw_audit_log_sync(struct kw_audit_log *log)
{
    return log_make_certain(log) ? KW_OK : log_failed("audit fdatasync");
}

/* All of it, or an error; what came to the disk then is cut off again, or the file is given
 * up.  With what begins a file nobody is lazy. */
static kw_err batch_write(struct kw_audit_log *log, const struct batch *b)
{
    const bool syncs = !log->o.is_lazy || log->size == 0;
    kw_err e = KW_OK;
    if (!kw_audit_log_put(log, log->fd, kw_dst_span(b->text)))
        e = log_failed("audit write");
    if (!kw_failed(e) && syncs && log->o.disk->sync(log->fd) != 0) {
        e = log_failed("audit fdatasync");
        log->is_spoilt = true;
        if (log->size > 0) /* else nothing of the log is in that file, and it goes */
            log->unsynced = b->text->len;
    }
    if (kw_failed(e)) {
        if (log->o.disk->truncate(log->fd, (off_t)log->size) != 0)
            log->is_spoilt = log->is_longer = true;
        return e;
    }
    log->size += b->text->len;
    if (syncs)
        log->certain = log->size;
    log->chain = b->chain;
    log->uncovered = b->uncovered;
    return KW_OK;
}

kw_err kw_audit_log_write(struct kw_audit_log *log, struct kw_audit_record *records,
                          size_t count)
{
    struct batch b;
    kw_err e = batch_begin(log, count, &b);
    for (size_t i = 0; i < count && !kw_failed(e); i++)
        e = batch_add(log, &b, &records[i]);
    if (!kw_failed(e))
        e = batch_write(log, &b);
    if (kw_failed(e) || !log->o.keeps_lines) {
        kw_free(b.lines);
        return e;
    }
    *log->lines_end = b.lines;
    log->lines_end = &b.lines->next;
    return KW_OK;
}

struct kw_audit_lines *kw_audit_log_take_lines(struct kw_audit_log *log)
{
    struct kw_audit_lines *lines = log->lines;
    log->lines = NULL;
    log->lines_end = &log->lines;
    return lines;
}

void kw_audit_log_drop_lines(struct kw_audit_log *log, struct kw_audit_lines **from)
{
    struct kw_audit_lines *next;
    for (struct kw_audit_lines *l = *from; l != NULL; l = next) {
        next = l->next;
        kw_free(l);
    }
    *from = NULL;
    log->lines_end = from;
}

/* ---- files ------------------------------------------------------------------------------- */

void kw_audit_log_name(const struct kw_audit_log *log, char dst[KW_AUDIT_FILE_NAME])
{
    snprintf(dst, KW_AUDIT_FILE_NAME, "%s-%012llu-%012llu.jsonl", log->o.name,
             (unsigned long long)log->first_seq,
             (unsigned long long)log->chain.next_seq - 1);
}

/* What was the running file gets a name that says what it holds.  Somebody else's that has
 * taken its place is put aside under the number of the record that is to come. */
static kw_err log_put_aside(struct kw_audit_log *log, bool is_ours)
{
    char name[KW_AUDIT_FILE_NAME];
    if (is_ours)
        kw_audit_log_name(log, name);
    else
        snprintf(name, sizeof name, "%s-%012llu.foreign", log->o.name,
                 (unsigned long long)log->chain.next_seq);
    if (log->o.disk->rename(log->dir, log->running, log->dir, name) != 0 &&
        errno != ENOENT)
        return log_failed("audit rename");
    /* Before another one gets the name that this one had: else, when the power goes, that
     * may have come to the disk, and not what this one is called now. */
    return log->o.disk->sync_folder(log->dir) == 0 ? KW_OK : log_failed("audit rename");
}

kw_err kw_audit_log_create(struct kw_audit_log *log)
{
    if (log->fd >= 0)
        close(log->fd);
    log->size = log->certain = 0;
    log->fd = -1;
    if (log->o.disk->remove(log->dir, log->coming) != 0 && errno != ENOENT)
        return log_failed("audit create");
    log->fd = log->o.disk->create(log->dir, log->coming);
    if (log->fd < 0)
        return log_failed("audit create");
    log->first_seq = log->chain.next_seq;
    log->is_spoilt = log->is_longer = false;
    return KW_OK;
}

kw_err kw_audit_log_publish(struct kw_audit_log *log, bool *ret_runs)
{
    *ret_runs = log->o.disk->rename(log->dir, log->coming, log->dir, log->running) == 0;
    return *ret_runs && log->o.disk->sync_folder(log->dir) == 0
               ? KW_OK
               : log_failed("audit create");
}

/* The first records of a file that continues the log. */
static kw_err log_continue(struct kw_audit_log *log, const struct kw_audit_record *why)
{
    char id[2 * KW_SHA256 + 1], head[2 * KW_SHA256 + 1];
    struct kw_audit_record first[3] = {{.kind = KW_AUDIT_FILE}};
    size_t count = 1;
    kw_hex(id, sizeof id, kw_span_of(log->chain.log, KW_SHA256));
    kw_hex(head, sizeof head, kw_span_of(log->chain.head, KW_SHA256));
    first[0].value[KW_AUDIT_FILE_FORMAT] = kw_audit_number(1);
    first[0].value[KW_AUDIT_FILE_LOG] = kw_audit_text(id);
    first[0].value[KW_AUDIT_FILE_PREVIOUS] = kw_audit_text(head);
    if (why != NULL)
        first[count++] = *why;
    if (log->unsynced > 0) {
        first[count] = (struct kw_audit_record){.kind = KW_AUDIT_UNSYNCED};
        first[count++].value[KW_AUDIT_UNSYNCED_BYTES] = kw_audit_number(log->unsynced);
    }
    kw_err e = kw_audit_log_write(log, first, count);
    if (!kw_failed(e))
        log->unsynced = 0;
    return e;
}

/* ---- is the running file as it was left? ------------------------------------------------- */

static bool log_has_its_name(const struct kw_audit_log *log)
{
    struct stat ours, there;
    return log->fd >= 0 && fstat(log->fd, &ours) == 0 &&
           fstatat(log->dir, log->running, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

static bool log_tampered(struct kw_audit_record *ret_why, const char *what,
                         struct kw_audit_value wanted, struct kw_audit_value found)
{
    *ret_why = (struct kw_audit_record){.kind = KW_AUDIT_TAMPERED};
    ret_why->value[KW_AUDIT_TAMPERED_WHAT] = kw_audit_text(what);
    ret_why->value[KW_AUDIT_TAMPERED_WANTED] = wanted;
    ret_why->value[KW_AUDIT_TAMPERED_FOUND] = found;
    return true;
}

static bool log_is_tampered(const struct kw_audit_log *log,
                            struct kw_audit_record *ret_why)
{
    struct stat ours;
    if (!log_has_its_name(log) || fstat(log->fd, &ours) != 0)
        return log_tampered(ret_why, "moved", KW_AUDIT_NULL, KW_AUDIT_NULL);
    if ((uint64_t)ours.st_size != log->size)
        return log_tampered(ret_why, "size", kw_audit_number(log->size),
                            kw_audit_number((uint64_t)ours.st_size));
    if (ours.st_nlink != 1)
        return log_tampered(ret_why, "links", kw_audit_number(1),
                            kw_audit_number(ours.st_nlink));
    return false;
}

/* What is written into a file that does not become the running one is not in the log. */
static kw_err log_begin_file(struct kw_audit_log *log, const struct kw_audit_record *why)
{
    const struct kw_audit_chain before = log->chain;
    const uint64_t unsynced = log->unsynced;
    struct kw_audit_lines **const lines = log->lines_end;
    bool runs = false;
    kw_err e = kw_audit_log_create(log);
    if (!kw_failed(e))
        e = log_continue(log, why);
    if (!kw_failed(e))
        e = kw_audit_log_publish(log, &runs);
    if (runs) {
        log->has_why = false;
    } else {
        kw_audit_log_drop_lines(log, lines);
        log->chain = before;
        log->unsynced = unsynced;
        log->size = log->certain = 0;
    }
    return e;
}

/* Behind the last record of a file that ends nothing of ours may stand, nor come back when the
 * power goes: the next file would not follow.  What the disk makes of a second fdatasync is
 * not believed, and one that fails keeps nobody from another file: that has it on record. */
static kw_err log_cut(struct kw_audit_log *log)
{
    if (log->is_longer && log->o.disk->truncate(log->fd, (off_t)log->size) != 0)
        return log_failed("audit truncate");
    log->is_longer = false;
    if (log->certain == log->size) /* else it is asked next, and believed */
        (void)log->o.disk->sync(log->fd);
    return KW_OK;
}

/* A file of ours in which nothing was ever committed is none of the log.  Of a log that is lazy
 * all of a file is on the disk before the next one begins, or that says that it may not be. */
kw_err kw_audit_log_next(struct kw_audit_log *log, const struct kw_audit_record *why)
{
    const bool is_ours = log_has_its_name(log);
    kw_err e = is_ours && log->is_spoilt ? log_cut(log) : KW_OK;
    if (!kw_failed(e))
        (void)log_make_certain(log);
    if (!kw_failed(e) && (!is_ours || log->size > 0))
        e = log_put_aside(log, is_ours);
    else if (!kw_failed(e) && log->o.disk->remove(log->dir, log->running) != 0)
        e = log_failed("audit unlink");
    if (!kw_failed(e))
        e = log_begin_file(log, why);
    log->is_spoilt = kw_failed(e); /* whatever came of it, the next commit begins anew */
    return e;
}

static bool log_is_long(const struct kw_audit_log *log, size_t lines)
{
    return log->o.rotate_bytes > 0 &&
           log->size + lines * KW_AUDIT_LINE_MAX > log->o.rotate_bytes;
}

/* What made another file necessary is on record in the first that can be begun. */
static kw_err log_make_ready(struct kw_audit_log *log, size_t lines)
{
    if (!log->is_spoilt)
        log->has_why = log_is_tampered(log, &log->why);
    if (!log->is_spoilt && !log->has_why && !log->ends && !log_is_long(log, lines))
        return KW_OK;
    const bool is_tampered = log->has_why;
    kw_err e = kw_audit_log_next(log, is_tampered ? &log->why : NULL);
    log->ends = log->ends && kw_failed(e);
    if (is_tampered && !kw_failed(e))
        log->tampered = (const char *)log->why.value[KW_AUDIT_TAMPERED_WHAT].text.ptr;
    return e;
}

kw_err kw_audit_log_commit(struct kw_audit_log *log, struct kw_audit_record *records,
                           size_t count)
{
    kw_err e = log->has_failed ? kw_audit_log_find_folder(log) : KW_OK;
    if (!kw_failed(e))
        e = log_make_ready(log, count);
    if (!kw_failed(e) && count > 0)
        e = kw_audit_log_write(log, records, count);
    log->has_failed = kw_failed(e);
    return e;
}

const char *kw_audit_log_tampered(struct kw_audit_log *log)
{
    const char *what = log->tampered;
    log->tampered = NULL;
    return what;
}

void kw_audit_log_rotate(struct kw_audit_log *log)
{
    log->ends = true;
}

void kw_audit_log_head(const struct kw_audit_log *log, struct kw_audit_head *ret_head)
{
    *ret_head = (struct kw_audit_head){.next_seq = log->chain.next_seq};
    kw_copy(ret_head->log, KW_SHA256, kw_span_of(log->chain.log, KW_SHA256));
    kw_copy(ret_head->hash, KW_SHA256, kw_span_of(log->chain.head, KW_SHA256));
}
