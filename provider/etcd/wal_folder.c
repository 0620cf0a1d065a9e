/* SPDX-License-Identifier: Apache-2.0 */
#include "wal_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/file.h>

static kw_err wal_folder_failed(const struct kw_wal_folder *folder, const char *what,
                                struct kw_note *note)
{
    const int native = errno;
    kw_note_set(note, "%s: %s: %s", folder->path, what, strerror(native));
    return kw_err_native(KW_CODE_IO, (uint32_t)native, "wal folder");
}

static kw_err wal_file_busy(const struct kw_wal_folder *folder, const char *name,
                            const char *what, struct kw_note *note)
{
    kw_note_set(note,
                "%s: %s %s: a member runs on it; stop it, or copy the folder of one that "
                "is stopped",
                folder->path, name, what);
    return kw_err_at(KW_CODE_BUSY, "wal file");
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool wal_ends_in(const char *text, const char *end)
{
    const size_t len = strlen(text), tail = strlen(end);
    return len >= tail && strcmp(text + len - tail, end) == 0;
}

static bool wal_number_of(const char *digits, uint64_t *ret_number)
{
    uint8_t b[8];
    if (!kw_unhex(b, sizeof b, kw_span_of(digits, 2 * sizeof b)))
        return false;
    struct kw_src src = kw_src_of(kw_span_of(b, sizeof b));
    *ret_number = kw_src_u64(&src);
    return true;
}

static bool wal_name_is_segment(struct kw_wal_name *name)
{
    enum { DIGITS = 16, SEGMENT = 2 * DIGITS + 5 };
    return strlen(name->text) == SEGMENT && name->text[DIGITS] == '-' &&
           wal_number_of(name->text, &name->seq) &&
           wal_number_of(name->text + DIGITS + 1, &name->index);
}

bool kw_wal_name_of(const char *text, struct kw_wal_name *ret_name)
{
    struct kw_wal_name name = {.sort = KW_WAL_BROKEN};
    if (!kw_copy_str(name.text, sizeof name.text, kw_span_str(text)))
        return false;
    if (wal_ends_in(text, ".wal"))
        name.sort = wal_name_is_segment(&name) ? KW_WAL_SEGMENT : KW_WAL_ODD;
    else if (!wal_ends_in(text, ".wal.broken"))
        return false;
    *ret_name = name;
    return true;
}

static int wal_name_order(const void *a, const void *b)
{
    return strcmp(((const struct kw_wal_name *)a)->text,
                  ((const struct kw_wal_name *)b)->text);
}

/* ---- the folder ------------------------------------------------------------------------------ */

static kw_err wal_folder_grow(struct kw_wal_folder *folder)
{
    enum { FIRST_ROOM = 16 };
    if (folder->count < folder->room)
        return KW_OK;
    const size_t room = folder->room == 0 ? FIRST_ROOM : 2 * folder->room;
    struct kw_wal_name *names = kw_new(room, sizeof *names);
    if (names == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "wal folder");
    for (size_t i = 0; i < folder->count; i++)
        names[i] = folder->names[i];
    kw_free(folder->names);
    folder->names = names;
    folder->room = room;
    return KW_OK;
}

static kw_err wal_folder_add(struct kw_wal_folder *folder, const char *text,
                             struct kw_note *note)
{
    struct kw_wal_name name;
    if (!kw_wal_name_of(text, &name))
        return KW_OK;
    if (folder->count == KW_WAL_NAMES_MAX) {
        kw_note_set(note, "%s: more than %d files", folder->path, KW_WAL_NAMES_MAX);
        return kw_err_at(KW_CODE_BAD_INPUT, "wal folder");
    }
    const kw_err e = wal_folder_grow(folder);
    if (!kw_failed(e))
        folder->names[folder->count++] = name;
    return e;
}

static kw_err wal_folder_list(struct kw_wal_folder *folder, struct kw_note *note)
{
    const int own = fcntl(folder->fd, F_DUPFD_CLOEXEC, 0);
    DIR *dir = own >= 0 ? fdopendir(own) : NULL;
    if (dir == NULL) {
        const kw_err e = wal_folder_failed(folder, "its names", note);
        if (own >= 0)
            close(own);
        return e;
    }
    kw_err e = KW_OK;
    while (!kw_failed(e)) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL)
            break;
        e = wal_folder_add(folder, entry->d_name, note);
    }
    if (!kw_failed(e) && errno != 0)
        e = wal_folder_failed(folder, "its names", note);
    closedir(dir);
    return e;
}

static bool wal_folder_is_log(const struct kw_wal_folder *folder)
{
    for (size_t i = 0; i < folder->count; i++)
        if (folder->names[i].sort != KW_WAL_BROKEN)
            return true;
    return false;
}

static kw_err wal_folder_no_folder(const struct kw_wal_folder *folder,
                                   struct kw_note *note)
{
    const enum kw_code code = errno == ENOENT    ? KW_CODE_MISSING
                              : errno == ENOTDIR ? KW_CODE_BAD_INPUT
                                                 : KW_CODE_IO;
    kw_err e = wal_folder_failed(folder, "the folder", note);
    e.code = code;
    return e;
}

kw_err kw_wal_folder_open(const char *path, struct kw_wal_folder *folder,
                          struct kw_note *note)
{
    *folder = (struct kw_wal_folder){.path = path};
    folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->fd < 0)
        return wal_folder_no_folder(folder, note);
    const kw_err e = wal_folder_list(folder, note);
    if (kw_failed(e))
        return e;
    if (!wal_folder_is_log(folder)) {
        kw_note_set(note, "%s: no file in it ends in .wal: it is no member's wal folder",
                    path);
        return kw_err_at(KW_CODE_MISSING, "wal folder");
    }
    qsort(folder->names, folder->count, sizeof *folder->names, wal_name_order);
    return KW_OK;
}

void kw_wal_folder_close(struct kw_wal_folder *folder)
{
    if (folder->fd >= 0)
        close(folder->fd);
    kw_free(folder->names);
    *folder = (struct kw_wal_folder){.fd = -1};
}

/* ---- a file ---------------------------------------------------------------------------------- */

/* A file system that knows no locks has none. */
static bool wal_file_is_locked(int fd)
{
    struct flock range = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK)
        return true;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0)
        return errno == EWOULDBLOCK;
    (void)flock(fd, LOCK_UN);
    return false;
}

static kw_err wal_file_judge(struct kw_wal_file *file, struct kw_note *note)
{
    struct stat st;
    if (fstat(file->fd, &st) != 0)
        return wal_folder_failed(file->folder, file->name, note);
    if (!S_ISREG(st.st_mode)) {
        kw_wal_file_close(file);
        return KW_OK;
    }
    if (wal_file_is_locked(file->fd))
        return wal_file_busy(file->folder, file->name, "is locked for writing", note);
    file->size = (uint64_t)st.st_size;
    return KW_OK;
}

kw_err kw_wal_file_open(const struct kw_wal_folder *folder,
                        const struct kw_wal_name *name, struct kw_wal_file *ret_file,
                        struct kw_note *note)
{
    struct kw_wal_file file = {.folder = folder, .name = name->text};
    file.fd = openat(folder->fd, name->text,
                     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file.fd < 0 && errno == ENOENT)
        return wal_file_busy(folder, name->text, "is gone", note);
    /* A symlink, a socket: none of a log's files. */
    if (file.fd < 0 && errno != ELOOP && errno != ENXIO)
        return wal_folder_failed(folder, name->text, note);
    const kw_err e = file.fd < 0 ? KW_OK : wal_file_judge(&file, note);
    if (kw_failed(e))
        kw_wal_file_close(&file);
    else
        *ret_file = file;
    return e;
}

void kw_wal_file_close(struct kw_wal_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

kw_err kw_wal_file_read(const struct kw_wal_file *file, uint64_t at, uint8_t *dst,
                        size_t len, struct kw_note *note)
{
    const ssize_t n = kw_file_pread(file->fd, dst, len, at);
    if (n < 0)
        return wal_folder_failed(file->folder, file->name, note);
    if ((size_t)n < len)
        return wal_file_busy(file->folder, file->name, "has become shorter", note);
    return KW_OK;
}
