/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a log has, and how much of them. */
#include "evidence_log.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOG_PIECE = 64 * 1024, LOG_FILE_NAME = 256 };

struct log_source {
    struct kw_evidence_folder *folder;
    const char *from;
    int dir;
    uid_t owner; /* of the folder */
    struct kw_evidence_log *log;
    struct kw_note *note;
};

static void log_blind(const struct log_source *s, const char *name, const char *why)
{
    if (s->log->why.text[0] == '\0')
        kw_note_set(&s->log->why, "%s/%s: %s", s->from, name, why);
}

/* -1: it is not there, or, and that is said, not to be copied. */
static int log_open(const struct log_source *s, const char *name, struct stat *ret_st)
{
    const int fd =
        openat(s->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        if (errno != ENOENT)
            log_blind(s, name, errno == ELOOP ? "a symbolic link" : strerror(errno));
        return -1;
    }
    if (fstat(fd, ret_st) != 0)
        log_blind(s, name, strerror(errno));
    else if (!S_ISREG(ret_st->st_mode))
        log_blind(s, name, "no regular file");
    else if (ret_st->st_uid != s->owner)
        log_blind(s, name, "belongs to another user than its folder does");
    else
        return fd;
    close(fd);
    return -1;
}

/* How many of the first `size` bytes end with a line feed. */
static bool log_whole_lines(int fd, uint64_t size, uint64_t *ret_len)
{
    uint8_t piece[LOG_PIECE];
    uint64_t end = size;
    while (end > 0) {
        const uint64_t begin = end > sizeof piece ? end - sizeof piece : 0;
        const size_t want = (size_t)(end - begin);
        const ssize_t n = pread(fd, piece, want, (off_t)begin);
        if (n < 0 && errno == EINTR)
            continue;
        if (n != (ssize_t)want)
            return false;
        const uint8_t *feed = memrchr(piece, '\n', want);
        if (feed != NULL) {
            *ret_len = begin + (uint64_t)(feed - piece) + 1;
            return true;
        }
        end = begin;
    }
    *ret_len = 0;
    return true;
}

static kw_err log_copy(const struct log_source *s, const char *name, int fd, uint64_t len)
{
    char to[LOG_FILE_NAME + 16];
    bool is_unread = false;
    struct kw_note why = {{0}};
    const int n = snprintf(to, sizeof to, "%s/%s", s->folder->inside, name);
    if (n < 0 || (size_t)n >= sizeof to) {
        log_blind(s, name, "its name is too long");
        return KW_OK;
    }
    const kw_err e = kw_evidence_copy(s->folder, to, fd, len, &is_unread, &why);
    if (is_unread) {
        log_blind(s, name, why.text);
        return KW_OK;
    }
    if (kw_failed(e))
        kw_note_set(s->note, "%s", why.text);
    else
        s->log->files++;
    return e;
}

/* ---- ended files ---- */

/* Their numbers have all the same width. */
static int log_order(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static kw_err log_ended(const struct log_source *s, const char *pattern, FTS *tree,
                        const struct stat *running)
{
    struct stat st;
    kw_err e = KW_OK;
    errno = 0;
    const FTSENT *entry = fts_read(tree) == NULL ? NULL : fts_children(tree, 0);
    if (entry == NULL && errno != 0)
        log_blind(s, "", strerror(errno));
    for (; entry != NULL && !kw_failed(e); entry = entry->fts_link) {
        if (fnmatch(pattern, entry->fts_name, 0) != 0)
            continue;
        const int fd = log_open(s, entry->fts_name, &st);
        if (fd < 0)
            continue;
        /* The one that was running, under its new name: what follows came later. */
        const bool is_running =
            st.st_ino == running->st_ino && st.st_dev == running->st_dev;
        if (!is_running)
            e = log_copy(s, entry->fts_name, fd, (uint64_t)st.st_size);
        close(fd);
        if (is_running)
            break;
    }
    return e;
}

static kw_err log_all_ended(const struct log_source *s, const char *name,
                            const struct stat *running)
{
    char pattern[64], path[PATH_MAX];
    char *const roots[] = {path, NULL};
    snprintf(pattern, sizeof pattern, "%s-*-*.jsonl", name);
    snprintf(path, sizeof path, "%s", s->from);
    FTS *tree = fts_open(roots, FTS_COMFOLLOW | FTS_PHYSICAL | FTS_NOCHDIR, log_order);
    if (tree == NULL) {
        log_blind(s, "", strerror(errno));
        return KW_OK;
    }
    const kw_err e = log_ended(s, pattern, tree, running);
    fts_close(tree);
    return e;
}

/* ---- the log ---- */

static kw_err log_at_this_moment(const struct log_source *s, const char *name)
{
    char file[64];
    struct stat st = {.st_ino = 0};
    uint64_t len = 0;
    snprintf(file, sizeof file, "%s.jsonl", name);
    const int running = log_open(s, file, &st);
    kw_err e = log_all_ended(s, name, &st);
    if (running < 0)
        return e;
    if (!kw_failed(e) && !log_whole_lines(running, (uint64_t)st.st_size, &len))
        log_blind(s, file, "cannot be read");
    else if (!kw_failed(e))
        e = log_copy(s, file, running, len);
    close(running);
    return e;
}

kw_err kw_evidence_log(struct kw_evidence_folder *folder, const char *from,
                       const char *name, struct kw_evidence_log *ret_log,
                       struct kw_note *note)
{
    struct stat st;
    struct log_source s = {.folder = folder, .from = from, .log = ret_log, .note = note};
    *ret_log = (struct kw_evidence_log){.files = 0};
    s.dir = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s.dir < 0 || fstat(s.dir, &st) != 0) {
        kw_note_set(&ret_log->why, "%s: %s", from, strerror(errno));
        if (s.dir >= 0)
            close(s.dir);
        return KW_OK;
    }
    s.owner = st.st_uid;
    const kw_err e = log_at_this_moment(&s, name);
    close(s.dir);
    return e;
}
