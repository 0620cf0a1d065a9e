/* SPDX-License-Identifier: Apache-2.0 */
/* The log as it lies on the disk: found, put right after a crash, or begun. */
#include "log_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>

static kw_err open_failed(const struct kw_audit_log *log, const char *what,
                          struct kw_note *note)
{
    const int native = errno;
    kw_note_set(note, "audit log %s: %s: %s", log->o.dir, what, strerror(native));
    return kw_err_native(KW_CODE_IO, (uint32_t)native, "audit open");
}

/* ---- folder and file are ours -------------------------------------------------------------- */

static kw_err open_judge(const struct kw_audit_log *log, int fd, const char *name,
                         struct kw_note *note)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return open_failed(log, name, note);
    if (st.st_uid == geteuid() && (st.st_mode & (S_IWGRP | S_IRWXO)) == 0)
        return KW_OK;
    kw_note_set(note,
                "audit log %s: %s is not ours alone to write: chown and chmod it to uid "
                "%u and %s",
                log->o.dir, name, (unsigned)geteuid(),
                S_ISDIR(st.st_mode) ? "0750" : "0640");
    return kw_err_at(KW_CODE_DENIED, "audit open");
}

static kw_err open_folder(struct kw_audit_log *log, struct kw_note *note)
{
    log->dir = open(log->o.dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (log->dir < 0 && errno == ENOENT) {
        kw_note_set(note, "audit log: there is no folder %s: make it, mode 0750",
                    log->o.dir);
        return kw_err_at(KW_CODE_MISSING, "audit open");
    }
    if (log->dir < 0)
        return open_failed(log, "its folder", note);
    return open_judge(log, log->dir, "its folder", note);
}

/* A file of its own, which only its owner can open: whoever may read the folder could lock
 * that, or the log, and keep the daemon from it. */
static kw_err open_lock(struct kw_audit_log *log, struct kw_note *note)
{
    char name[KW_AUDIT_FILE_NAME];
    snprintf(name, sizeof name, "%s.lock", log->o.name);
    const int fd = log->lock = openat(
        log->dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0)
        return open_failed(log, name, note);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return KW_OK;
    if (errno != EWOULDBLOCK)
        return open_failed(log, "its lock", note);
    kw_note_set(
        note, "audit log %s: another process writes %s%s", log->o.dir, log->running,
        strcmp(log->o.name, KW_AUDIT_LOG_NAME) == 0 ? ": is keywardd running already?"
                                                    : "");
    return kw_err_at(KW_CODE_BUSY, "audit open");
}

static bool folder_is_still_there(const struct kw_audit_log *log)
{
    struct stat ours, there;
    return fstat(log->dir, &ours) == 0 && lstat(log->o.dir, &there) == 0 &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* Says where; a folder that is missing is the disk's error here. */
static kw_err folder_failed(kw_err e)
{
    return e.code == KW_CODE_MISSING ? kw_err_native(KW_CODE_IO, ENOENT, "audit folder")
                                     : kw_err_native(e.code, e.native, "audit folder");
}

static void folder_close(const struct kw_audit_log *log)
{
    if (log->lock >= 0)
        close(log->lock);
    if (log->dir >= 0)
        close(log->dir);
}

kw_err kw_audit_log_find_folder(struct kw_audit_log *log)
{
    const struct kw_audit_log before = *log;
    if (folder_is_still_there(log))
        return KW_OK;
    log->dir = log->lock = -1;
    kw_err e = open_folder(log, NULL);
    if (!kw_failed(e))
        e = open_lock(log, NULL);
    folder_close(kw_failed(e) ? log : &before);
    if (!kw_failed(e))
        return KW_OK;
    log->dir = before.dir;
    log->lock = before.lock;
    return folder_failed(e);
}

/* ---- what was written ------------------------------------------------------------------------ */

kw_err kw_audit_log_replay(struct kw_audit_log *log, struct kw_audit_chain *chain, int fd,
                           uint64_t *ret_first_seq, uint64_t *ret_good)
{
    char line[KW_AUDIT_LINE_MAX + 1];
    struct kw_audit_record r;
    int own = dup(fd);
    FILE *file = own >= 0 ? fdopen(own, "re") : NULL;
    if (file == NULL) {
        if (own >= 0)
            close(own);
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "audit replay");
    }
    *ret_good = 0;
    kw_err e = KW_OK;
    while (!kw_failed(e) && fgets(line, sizeof line, file) != NULL) {
        const size_t len = strlen(line); /* a NUL within ends it: no line feed */
        if (len == 0 || line[len - 1] != '\n')
            break;
        e = kw_audit_chain_take(chain, kw_span_of(line, len - 1), &r, NULL);
        if (kw_failed(e))
            break;
        if (*ret_good == 0)
            *ret_first_seq = r.seq;
        *ret_good += len;
        kw_audit_log_meet(log, chain, &r);
        if (chain == &log->chain) { /* not an earlier file of it */
            kw_audit_log_uncovered(&log->uncovered, &r);
            kw_audit_log_torn_met(log, &r);
        }
    }
    if (ferror(file))
        e = kw_err_native(KW_CODE_IO, EIO, "audit replay");
    fclose(file);
    return e.code == KW_CODE_IO || e.code == KW_CODE_NO_MEMORY ? e : KW_OK;
}

/* Is it a file of this log that was ended?  Its numbers are in its name. */
static bool ended_file(const struct kw_audit_log *log, const char *name,
                       uint64_t *ret_first, uint64_t *ret_last)
{
    const size_t len = strlen(log->o.name);
    int end = 0;
    return strncmp(name, log->o.name, len) == 0 && strlen(name) < KW_AUDIT_FILE_NAME &&
           sscanf(name + len, "-%12" SCNu64 "-%12" SCNu64 ".jsonl%n", ret_first, ret_last,
                  &end) == 2 &&
           end > 0 && name[len + (size_t)end] == '\0';
}

kw_err kw_audit_log_find(const struct kw_audit_log *log, uint64_t seq,
                         char dst[KW_AUDIT_FILE_NAME], struct kw_note *note)
{
    uint64_t best = 0, first, last;
    int own = openat(log->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = own >= 0 ? fdopendir(own) : NULL;
    dst[0] = '\0';
    if (dir == NULL)
        return open_failed(log, "its folder", note);
    for (const struct dirent *d; (d = readdir(dir)) != NULL;)
        if (ended_file(log, d->d_name, &first, &last) && first <= seq && last >= best) {
            best = last;
            snprintf(dst, KW_AUDIT_FILE_NAME, "%s", d->d_name);
        }
    closedir(dir);
    return KW_OK;
}

/* There is no running file, or none with a record in it: a crash came between two. */
static kw_err replay_newest(struct kw_audit_log *log, struct kw_note *note)
{
    char name[KW_AUDIT_FILE_NAME];
    uint64_t first = 0, good = 0;
    kw_err e = kw_audit_log_find(log, UINT64_MAX, name, note);
    if (kw_failed(e) || name[0] == '\0')
        return e;
    int fd = openat(log->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return open_failed(log, name, note);
    e = kw_audit_log_replay(log, &log->chain, fd, &first, &good);
    close(fd);
    if (!kw_failed(e) && good == 0) {
        kw_note_set(note,
                    "audit log %s: %s holds no record that a log could go on from: put "
                    "all of the folder aside, as evidence, and begin a new log in an "
                    "empty one",
                    log->o.dir, name);
        return kw_err_at(KW_CODE_FORGED, "audit open");
    }
    return e;
}

/* ---- opening ------------------------------------------------------------------------------------ */

static kw_err log_open_new(struct kw_audit_log *log)
{
    char id[2 * KW_SHA256 + 1], before[2 * KW_SHA256 + 1];
    struct kw_audit_record r = {.kind = KW_AUDIT_GENESIS};
    kw_random(log->chain.log, KW_SHA256);
    kw_copy(log->chain.head, KW_SHA256, kw_span_of(log->chain.log, KW_SHA256));
    log->chain.has_begun = log->chain.knows_its_beginning = true;
    kw_hex(id, sizeof id, kw_span_of(log->chain.log, KW_SHA256));
    for (size_t i = 0; i < KW_AUDIT_GENESIS_VALUES; i++)
        r.value[i] = log->o.genesis[i];
    r.value[KW_AUDIT_GENESIS_FORMAT] = kw_audit_number(1);
    r.value[KW_AUDIT_GENESIS_LOG] = kw_audit_text(id);
    r.value[KW_AUDIT_GENESIS_BEFORE] = KW_AUDIT_NULL;
    if (log->origin.has_before) {
        kw_hex(before, sizeof before, kw_span_of(log->origin.before, KW_SHA256));
        r.value[KW_AUDIT_GENESIS_BEFORE] = kw_audit_text(before);
    }
    bool runs = false;
    kw_err e = kw_audit_log_create(log);
    if (!kw_failed(e))
        e = kw_audit_log_write(log, &r, 1);
    return kw_failed(e) ? e : kw_audit_log_publish(log, &runs);
}

/* An empty file is what a crash leaves between making and writing it. */
static kw_err log_go_on(struct kw_audit_log *log, uint64_t size, struct kw_note *note)
{
    kw_err e = KW_OK;
    if (!log->chain.has_begun)
        e = replay_newest(log, note);
    if (kw_failed(e))
        return e;
    if (!log->chain.has_begun && size > 0) {
        kw_note_set(note,
                    "audit log %s: %s begins with no record of a log: put it aside, as "
                    "evidence, and a new one is begun",
                    log->o.dir, log->running);
        return kw_err_at(KW_CODE_FORGED, "audit open");
    }
    if (!log->chain.has_begun) {
        if (log->fd >= 0 && log->o.disk->remove(log->dir, log->running) != 0)
            return open_failed(log, log->running, note);
        log->is_lost = log->has_memory;
        log->origin = (struct kw_audit_origin){.has_before = log->has_memory};
        kw_copy(log->origin.before, KW_SHA256, kw_span_of(log->memory.log, KW_SHA256));
        return log_open_new(log);
    }
    bool goes_on = true;
    e = kw_audit_log_judge(log, &goes_on, note);
    if (!kw_failed(e) && !goes_on)
        e = kw_audit_log_away(log, note);
    if (kw_failed(e))
        return e;
    if (!goes_on)
        return log_open_new(log);
    return kw_audit_log_torn(log, size, note);
}

static kw_err open_running(struct kw_audit_log *log, struct kw_note *note)
{
    struct stat st = {0};
    log->fd = openat(log->dir, log->running, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    if (log->fd < 0 && errno != ENOENT)
        return open_failed(log, log->running, note);
    if (log->fd < 0)
        return log_go_on(log, 0, note);
    kw_err e = open_judge(log, log->fd, log->running, note);
    if (!kw_failed(e))
        e = kw_audit_log_replay(log, &log->chain, log->fd, &log->first_seq, &log->size);
    if (!kw_failed(e) && fstat(log->fd, &st) != 0)
        e = open_failed(log, log->running, note);
    return kw_failed(e) ? e : log_go_on(log, (uint64_t)st.st_size, note);
}

kw_err kw_audit_log_open(const struct kw_audit_log_options *options,
                         struct kw_audit_log **ret_log, struct kw_note *note)
{
    struct kw_audit_log *log = kw_new(1, sizeof *log);
    if (log == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "audit open");
    *log = (struct kw_audit_log){.o = *options, .dir = -1, .lock = -1, .fd = -1};
    log->lines_end = &log->lines;
    if (log->o.name == NULL)
        log->o.name = KW_AUDIT_LOG_NAME;
    const kw_span name = kw_span_str(log->o.name);
    KW_INVARIANT(name.len >= 1 && name.len <= KW_AUDIT_LOG_NAME_MAX);
    snprintf(log->running, sizeof log->running, "%s.jsonl", log->o.name);
    snprintf(log->coming, sizeof log->coming, "%s.new", log->o.name);
    kw_err e = open_folder(log, note);
    if (!kw_failed(e))
        e = open_lock(log, note);
    if (!kw_failed(e))
        e = kw_audit_log_recall(log, note);
    if (!kw_failed(e))
        e = open_running(log, note);
    if (!kw_failed(e))
        e = kw_audit_log_settle(log, note);
    if (kw_failed(e)) {
        kw_audit_log_close(log);
        return e;
    }
    kw_audit_log_reserve(log);
    *ret_log = log;
    return KW_OK;
}

void kw_audit_log_close(struct kw_audit_log *log)
{
    if (log == NULL)
        return;
    if (log->fd >= 0)
        close(log->fd);
    folder_close(log);
    kw_audit_log_drop_lines(log, &log->lines);
    kw_free(log);
}
