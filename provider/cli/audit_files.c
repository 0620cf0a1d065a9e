/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_files.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define RUNNING "audit.jsonl"

struct files_walk {
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

static kw_err files_one(struct files_walk *walk, const char *path, FILE *file)
{
    walk->reader->begins(walk->reader->self, path);
    return kw_audit_lines_of(file, path, files_take, walk, walk->note);
}

static kw_err files_open(struct files_walk *walk, const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (file == NULL)
        return files_failed(walk, path, "open");
    kw_err e = files_one(walk, path, file);
    if (file != stdin)
        fclose(file);
    return e;
}

/* ---- a folder ---- */

static int files_is_ended(const struct dirent *entry)
{
    return fnmatch("audit-*-*.jsonl", entry->d_name, 0) == 0;
}

/* Their numbers have all the same width. */
static int files_order(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool files_is_same(const char *path, const struct stat *running)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_ino == running->st_ino &&
           st.st_dev == running->st_dev;
}

static kw_err files_ended(struct files_walk *walk, const char *folder, FILE *running,
                          size_t *ret_count)
{
    struct dirent **entries = NULL;
    struct stat st = {.st_ino = 0};
    char path[PATH_MAX];
    kw_err e = KW_OK;
    const int count = scandir(folder, &entries, files_is_ended, files_order);
    if (count < 0 || (running != NULL && fstat(fileno(running), &st) != 0))
        e = files_failed(walk, folder, "folder");
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        free(entries[i]);
        if (kw_failed(e) || walk->ends || (running != NULL && files_is_same(path, &st)))
            continue;
        ++*ret_count;
        e = files_open(walk, path);
    }
    free(entries);
    return e;
}

/* The running file is opened before the others are looked for: it may end meanwhile. */
static kw_err files_folder(struct files_walk *walk, const char *folder)
{
    char path[PATH_MAX];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/" RUNNING, folder);
    FILE *running = fopen(path, "re");
    kw_err e = running == NULL && errno != ENOENT
                   ? files_failed(walk, path, "open")
                   : files_ended(walk, folder, running, &count);
    if (running != NULL) {
        if (!kw_failed(e) && !walk->ends)
            e = files_one(walk, path, running);
        fclose(running);
    } else if (!kw_failed(e) && count == 0) {
        kw_note_set(walk->note,
                    "%s: there is neither " RUNNING " nor audit-*.jsonl in it", folder);
        e = kw_err_at(KW_CODE_MISSING, "folder");
    }
    return e;
}

kw_err kw_audit_files(const struct kw_words *words, const struct kw_audit_reader *reader,
                      struct kw_note *note)
{
    struct files_walk walk = {.reader = reader, .note = note};
    struct stat st;
    kw_err e = KW_OK;
    for (size_t i = 0; i < words->count && !kw_failed(e) && !walk.ends; i++)
        e = stat(words->at[i], &st) == 0 && S_ISDIR(st.st_mode)
                ? files_folder(&walk, words->at[i])
                : files_open(&walk, words->at[i]);
    return e;
}
