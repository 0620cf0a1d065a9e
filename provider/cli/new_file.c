/* SPDX-License-Identifier: Apache-2.0 */
#include "new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/bytes.h>

enum { NEW_FILE_MODE = 0600, NEW_FILE_NAME_SHOWN = 200 };

static kw_err new_file_failed(const char *path, int native, struct kw_note *note)
{
    const bool is_taken = native == EEXIST;
    kw_note_set(note, "%s: %s%s", path, strerror(native),
                is_taken ? "; a report is never written over" : "");
    return kw_err_native(is_taken ? KW_CODE_DENIED : KW_CODE_IO, (uint32_t)native,
                         "new file");
}

/* ---- its folder and its name ---- */

static int new_file_split(const char *path, struct kw_new_file *f)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const size_t len = slash == NULL ? 0 : (size_t)(slash - path) + 1; /* with it */
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return EISDIR;
    if (!kw_copy_str(f->name, sizeof f->name, kw_span_str(name)) ||
        !kw_copy_str(folder, sizeof folder, kw_span_of(path, len)))
        return ENAMETOOLONG;
    f->folder = open(len > 0 ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return f->folder >= 0 ? 0 : errno;
}

/* ---- with a name, and without ---- */

static void new_file_fd_path(int fd, char ret_path[32])
{
    snprintf(ret_path, 32, "/proc/self/fd/%d", fd);
}

/* -1 where the disk has none, or /proc is not there to name it by. */
static int new_file_nameless(const struct kw_new_file *f)
{
    char path[32];
    const int fd =
        openat(f->folder, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, NEW_FILE_MODE);
    if (fd < 0)
        return -1;
    new_file_fd_path(fd, path);
    if (access(path, F_OK) == 0)
        return fd;
    close(fd);
    return -1;
}

static int new_file_beside(struct kw_new_file *f)
{
    snprintf(f->part, sizeof f->part, ".%.*s.part-%ld", NEW_FILE_NAME_SHOWN, f->name,
             (long)getpid());
    return openat(f->folder, f->part,
                  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, NEW_FILE_MODE);
}

/* One of another process of this number, which was killed. */
static kw_err new_file_left(struct kw_new_file *f, struct kw_note *note)
{
    kw_note_set(note, "%s: %s is in its folder, left by a process that was killed",
                f->path, f->part);
    f->part[0] = '\0'; /* it is none of ours */
    return kw_err_native(KW_CODE_DENIED, EEXIST, "new file");
}

static kw_err new_file_open(struct kw_new_file *f, enum kw_new_file_way way,
                            struct kw_note *note)
{
    struct stat st;
    if (fstatat(f->folder, f->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return new_file_failed(f->path, EEXIST, note);
    int fd = way == KW_NEW_FILE_NAMELESS ? new_file_nameless(f) : -1;
    if (fd < 0) /* whatever it was: what fails here, too, says why */
        fd = new_file_beside(f);
    if (fd < 0)
        return errno == EEXIST ? new_file_left(f, note)
                               : new_file_failed(f->path, errno, note);
    f->out = fchmod(fd, NEW_FILE_MODE) == 0 ? fdopen(fd, "w") : NULL;
    if (f->out != NULL)
        return KW_OK;
    const int saved = errno;
    close(fd);
    return new_file_failed(f->path, saved, note);
}

kw_err kw_new_file_begin(const char *path, enum kw_new_file_way way,
                         struct kw_new_file *ret_file, struct kw_note *note)
{
    struct kw_new_file f = {.path = path, .folder = -1};
    const int native = new_file_split(path, &f);
    kw_err e =
        native != 0 ? new_file_failed(path, native, note) : new_file_open(&f, way, note);
    if (kw_failed(e))
        kw_new_file_drop(&f);
    else
        *ret_file = f;
    return e;
}

/* ---- its end ---- */

/* Never over another one.  Where a disk cannot rename so, a second name that is not there
 * yet does it. */
static bool new_file_rename(struct kw_new_file *f)
{
    if (renameat2(f->folder, f->part, f->folder, f->name, RENAME_NOREPLACE) == 0) {
        f->part[0] = '\0';
        return true;
    }
    return (errno == EINVAL || errno == ENOSYS) &&
           linkat(f->folder, f->part, f->folder, f->name, 0) == 0;
}

static bool new_file_name(struct kw_new_file *f)
{
    char path[32];
    if (f->part[0] != '\0')
        return new_file_rename(f);
    new_file_fd_path(fileno(f->out), path);
    return linkat(AT_FDCWD, path, f->folder, f->name, AT_SYMLINK_FOLLOW) == 0;
}

kw_err kw_new_file_end(struct kw_new_file *file, struct kw_note *note)
{
    /* What was lost on the way leaves nothing for the last flush to fail with. */
    bool is_good = fflush(file->out) == 0 && ferror(file->out) == 0 &&
                   fsync(fileno(file->out)) == 0 && new_file_name(file);
    int native = errno;
    if (is_good && fsync(file->folder) != 0) {
        native = errno;
        is_good = false;
        (void)unlinkat(file->folder, file->name, 0);
    }
    const char *path = file->path;
    kw_new_file_drop(file);
    return is_good ? KW_OK : new_file_failed(path, native, note);
}

void kw_new_file_drop(struct kw_new_file *file)
{
    if (file->out != NULL)
        (void)fclose(file->out);
    if (file->part[0] != '\0')
        (void)unlinkat(file->folder, file->part, 0);
    if (file->folder >= 0)
        close(file->folder);
    *file = (struct kw_new_file){.folder = -1};
}
