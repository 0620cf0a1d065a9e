/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_files.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAEMONS "audit" /* the log that a word means */

enum { NAME_MAX_LOG = 16 };

struct files_walk {
    const char *name; /* of the log in a folder */
    const struct kw_audit_reader *reader;
    bool ends; /* no more is wanted */
    struct kw_note *note;
};

static bool files_take(void *self, kw_span line)
{
    struct files_walk *walk = self;
    walk->ends = !walk->reader->take(walk->reader->self, line);
    return !walk->ends;
}

static kw_err files_failed(const struct files_walk *walk, const char *path,
                           const char *where)
{
    const int native = errno;
    kw_note_set(walk->note, "%s: %s", path, strerror(native));
    return kw_err_native(KW_CODE_IO, (uint32_t)native, where);
}

static kw_err files_one(struct files_walk *walk, const char *path)
{
    walk->reader->begins(walk->reader->self, path);
    return kw_audit_lines(path, files_take, walk, walk->note);
}

/* ---- a folder ---- */

/* Nobody named it, so a pipe that lies there is not waited for.  -1 with errno. */
static int files_open(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
        return fd;
    close(fd);
    errno = S_ISDIR(st.st_mode) ? EISDIR : ENOTSUP;
    return -1;
}

static kw_err files_of_folder(struct files_walk *walk, const char *path)
{
    const int fd = files_open(path);
    if (fd < 0)
        return files_failed(walk, path, "open");
    walk->reader->begins(walk->reader->self, path);
    kw_err e = kw_audit_lines_of(fd, path, files_take, walk, walk->note);
    close(fd);
    return e;
}

/* Their numbers have all the same width. */
static int files_order(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* The one that was running, under its new name: it comes next, and others behind it. */
static bool files_is_running(const FTSENT *entry, const struct stat *running)
{
    return entry->fts_statp->st_ino == running->st_ino &&
           entry->fts_statp->st_dev == running->st_dev;
}

static kw_err files_ended(struct files_walk *walk, char *folder, int running,
                          size_t *ret_count)
{
    char *const roots[] = {folder, NULL};
    char path[PATH_MAX], pattern[NAME_MAX_LOG + sizeof "-*-*.jsonl"];
    struct stat st = {.st_ino = 0};
    if (running >= 0 && fstat(running, &st) != 0)
        return files_failed(walk, folder, "folder");
    snprintf(pattern, sizeof pattern, "%s-*-*.jsonl", walk->name);
    FTS *tree = fts_open(roots, FTS_COMFOLLOW | FTS_PHYSICAL | FTS_NOCHDIR, files_order);
    if (tree == NULL)
        return files_failed(walk, folder, "folder");
    kw_err e = KW_OK;
    errno = 0;
    const FTSENT *entry = fts_read(tree) == NULL ? NULL : fts_children(tree, 0);
    if (entry == NULL && errno != 0)
        e = files_failed(walk, folder, "folder");
    for (; entry != NULL && !kw_failed(e) && !walk->ends; entry = entry->fts_link) {
        if (fnmatch(pattern, entry->fts_name, 0) != 0)
            continue;
        if (files_is_running(entry, &st))
            break;
        ++*ret_count;
        snprintf(path, sizeof path, "%s/%s", folder, entry->fts_name);
        e = files_of_folder(walk, path);
    }
    fts_close(tree);
    return e;
}

/* The running file is opened before the others are looked for: it may end meanwhile. */
static kw_err files_log(struct files_walk *walk, const char *word, size_t *ret_count)
{
    char folder[PATH_MAX], path[PATH_MAX + NAME_MAX_LOG + sizeof "/.jsonl"];
    snprintf(folder, sizeof folder, "%s", word);
    snprintf(path, sizeof path, "%s/%s.jsonl", folder, walk->name);
    const int running = files_open(path);
    kw_err e = running < 0 && errno != ENOENT
                   ? files_failed(walk, path, "open")
                   : files_ended(walk, folder, running, ret_count);
    if (running < 0)
        return e;
    ++*ret_count;
    if (!kw_failed(e) && !walk->ends) {
        walk->reader->begins(walk->reader->self, path);
        e = kw_audit_lines_of(running, path, files_take, walk, walk->note);
    }
    close(running);
    return e;
}

static kw_err files_folder(struct files_walk *walk, const char *word)
{
    size_t count = 0;
    kw_err e = files_log(walk, word, &count);
    if (kw_failed(e) || count > 0)
        return e;
    kw_note_set(walk->note,
                "%s: there is neither " DAEMONS ".jsonl nor " DAEMONS "-*.jsonl in it",
                word);
    return kw_err_at(KW_CODE_MISSING, "folder");
}

kw_err kw_audit_folder(const char *folder, const char *name,
                       const struct kw_audit_reader *reader, struct kw_note *note)
{
    struct files_walk walk = {.name = name, .reader = reader, .note = note};
    size_t count = 0;
    KW_INVARIANT(strlen(name) <= NAME_MAX_LOG);
    return files_log(&walk, folder, &count);
}

kw_err kw_audit_files(const struct kw_words *words, const struct kw_audit_reader *reader,
                      struct kw_note *note)
{
    struct files_walk walk = {.name = DAEMONS, .reader = reader, .note = note};
    struct stat st;
    kw_err e = KW_OK;
    for (size_t i = 0; i < words->count && !kw_failed(e) && !walk.ends; i++)
        e = stat(words->at[i], &st) == 0 && S_ISDIR(st.st_mode)
                ? files_folder(&walk, words->at[i])
                : files_one(&walk, words->at[i]);
    return e;
}
