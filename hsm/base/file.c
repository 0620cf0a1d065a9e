/* SPDX-License-Identifier: Apache-2.0 */
/* Reading files that must be safe, replacing files that must not tear. */
#include <keyward/file.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/limits.h>

#include "acl.h"
#include "blob.h"

enum { ACL_MAX = 4 + 8 * 32 }; /* 32 entries; one with more is nothing we want */

void kw_blob_wipe(struct kw_blob *b)
{
    if (b->ptr != NULL)
        kw_wipe(b->ptr, b->len);
    kw_free(b->ptr);
    *b = (struct kw_blob){0};
}

kw_err kw_file_failed(const char *what, const char *path, struct kw_note *note)
{
    int saved = errno;
    kw_note_set(note, "%s: %s: %s", path, what, strerror(saved));
    return kw_err_native(saved == ENOENT ? KW_CODE_MISSING : KW_CODE_IO, (uint32_t)saved,
                         "file");
}

kw_err kw_file_not_regular(const char *path, struct kw_note *note)
{
    kw_note_set(note, "%s: not a regular file", path);
    return kw_err_at(KW_CODE_BAD_INPUT, "file type");
}

/* Reads to the end of the file or until `cap` bytes are there.  -1 with errno. */
static ssize_t base_file_read_all(int fd, uint8_t *dst, size_t cap)
{
    size_t len = 0;
    while (len < cap) {
        ssize_t n = read(fd, dst + len, cap - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

ssize_t kw_file_pread(int fd, uint8_t *dst, size_t len, uint64_t at)
{
    size_t done = 0;
    while (done < len) {
        const ssize_t n = pread(fd, dst + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static uint64_t file_later(off_t found, uint64_t at)
{
    return found >= 0 && (uint64_t)found > at ? (uint64_t)found : at;
}

uint64_t kw_file_next_data(int fd, uint64_t at)
{
    const off_t data = lseek(fd, (off_t)at, SEEK_DATA);
    return file_later(data < 0 && errno == ENXIO ? lseek(fd, 0, SEEK_END) : data, at);
}

uint64_t kw_file_data_end(int fd, uint64_t at)
{
    return file_later(lseek(fd, (off_t)at, SEEK_HOLE), at + 1);
}

kw_err kw_blob_read(int fd, const char *path, size_t max, struct kw_blob *ret_blob,
                    struct kw_note *note)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return kw_file_failed("cannot stat", path, note);
    if (!S_ISREG(st.st_mode))
        return kw_file_not_regular(path, note);
    struct kw_blob b = {kw_new(max + 1, 1), 0};
    if (b.ptr == NULL) {
        kw_note_set(note, "%s: out of memory", path);
        return kw_err_at(KW_CODE_NO_MEMORY, "file");
    }
    ssize_t n = base_file_read_all(fd, b.ptr, max + 1);
    kw_err e = KW_OK;
    if (n < 0) {
        e = kw_file_failed("cannot read", path, note);
    } else if ((size_t)n > max) {
        kw_note_set(note, "%s: larger than %zu bytes", path, max);
        e = kw_err_at(KW_CODE_BAD_INPUT, "file size");
    }
    b.len = n < 0 ? 0 : (size_t)n;
    if (kw_failed(e))
        kw_blob_wipe(&b);
    else
        *ret_blob = b;
    return e;
}

kw_err kw_file_read(const char *path, size_t max, struct kw_blob *ret_blob,
                    struct kw_note *note)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENXIO) /* a socket */
        return kw_file_not_regular(path, note);
    if (fd < 0)
        return kw_file_failed("cannot open", path, note);
    kw_err e = kw_blob_read(fd, path, max, ret_blob, note);
    close(fd);
    return e;
}

/* With an ACL the group bits of the mode are its mask. */
static bool acl_lets_in_us_alone(int fd)
{
    uint8_t acl[ACL_MAX];
    ssize_t n = fgetxattr(fd, KW_ACL_XATTR, acl, sizeof acl);
    return n > 0 && kw_acl_is_only_for(kw_span_of(acl, (size_t)n), geteuid());
}

kw_err kw_file_judge_secret(int fd, const char *path, struct kw_note *note)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return kw_file_failed("cannot stat", path, note);
    if (!S_ISREG(st.st_mode))
        return kw_file_not_regular(path, note);
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        kw_note_set(note, "%s: owned by uid %u; chown it to uid %u", path,
                    (unsigned)st.st_uid, (unsigned)geteuid());
        return kw_err_at(KW_CODE_DENIED, "file owner");
    }
    if ((st.st_mode & 077) != 0 && !acl_lets_in_us_alone(fd)) {
        kw_note_set(note, "%s: mode %04o lets others at it; chmod 0600 it", path,
                    (unsigned)(st.st_mode & 07777));
        return kw_err_at(KW_CODE_DENIED, "file mode");
    }
    return KW_OK;
}

kw_err kw_file_read_secret_fd(int fd, const char *path, size_t max,
                              struct kw_secret *ret_secret, struct kw_note *note)
{
    KW_AUTO_SECRET(s);
    kw_err e = kw_file_judge_secret(fd, path, note);
    if (kw_failed(e))
        return e;
    if (lseek(fd, 0, SEEK_SET) != 0)
        return kw_file_failed("cannot read", path, note);
    e = kw_secret_init(&s, max + 2); /* a newline, and one byte to notice too much */
    if (kw_failed(e)) {
        kw_note_set(note, "%s: no room in locked memory to read it", path);
        return e;
    }
    ssize_t n = base_file_read_all(fd, s.ptr, s.len);
    if (n < 0)
        return kw_file_failed("cannot read", path, note);
    if (n > 0 && s.ptr[n - 1] == '\n')
        n--;
    if (n == 0 || (size_t)n > max) {
        kw_note_set(note, "%s: %s", path, n == 0 ? "empty" : "too long");
        return kw_err_at(KW_CODE_BAD_INPUT, "file size");
    }
    kw_secret_shrink(&s, (size_t)n);
    kw_secret_move(ret_secret, &s);
    return KW_OK;
}

/* Why a file that holds a secret did not open. */
static kw_err unopened(const char *path, struct kw_note *note)
{
    switch (errno) {
    case ELOOP:
        kw_note_set(note, "%s: is a symbolic link; name the file itself", path);
        return kw_err_at(KW_CODE_BAD_INPUT, "file type");
    case ENXIO: return kw_file_not_regular(path, note);
    case EACCES:
        kw_note_set(note,
                    "%s: uid %u may not read it; chown it to uid %u and let that uid "
                    "search the folders above",
                    path, (unsigned)geteuid(), (unsigned)geteuid());
        return kw_err_native(KW_CODE_DENIED, EACCES, "file owner");
    default: return kw_file_failed("cannot open", path, note);
    }
}

kw_err kw_file_open_secret(const char *path, int *ret_fd, struct kw_note *note)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return unopened(path, note);
    *ret_fd = fd;
    return KW_OK;
}

kw_err kw_file_read_secret(const char *path, size_t max, struct kw_secret *ret_secret,
                           struct kw_note *note)
{
    int fd = -1;
    kw_err e = kw_file_open_secret(path, &fd, note);
    if (kw_failed(e))
        return e;
    e = kw_file_read_secret_fd(fd, path, max, ret_secret, note);
    close(fd);
    return e;
}

static bool base_file_write_all(int fd, kw_span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = (kw_span){bytes.ptr + n, bytes.len - (size_t)n};
    }
    return true;
}

/* Owner and group of the file that is being replaced, as far as we may. */
static bool keep_owner(int fd, const char *path)
{
    struct stat old, now;
    if (stat(path, &old) != 0)
        return true;
    if (fstat(fd, &now) == 0 && now.st_uid == old.st_uid && now.st_gid == old.st_gid)
        return true;
    if (fchown(fd, old.st_uid, old.st_gid) == 0)
        return true;
    return errno == EPERM && (fchown(fd, (uid_t)-1, old.st_gid) == 0 || errno == EPERM);
}

static bool sync_folder(const char *path)
{
    char copy[KW_PATH_MAX];
    kw_copy_str(copy, sizeof copy, kw_span_str(path)); /* its length was checked */
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

static const char not_durable[] = "fsync of the folder";

bool kw_file_is_written(kw_err e)
{
    return kw_failed(e) && e.where == not_durable;
}

static kw_err not_replaced(const char *what, const char *path, struct kw_note *note)
{
    kw_err e = kw_file_failed(what, path, note);
    e.code = KW_CODE_IO; /* a folder that is not there is no missing file */
    return e;
}

/* A new file beside `path`, named at random: a process of another pid namespace may have
 * our number, and its file is not ours to touch.  -1 with errno. */
static int open_beside(const char *path, char ret_name[KW_PATH_MAX])
{
    uint8_t random[8];
    char hex[2 * sizeof random + 1];
    kw_random(random, sizeof random);
    kw_hex(hex, sizeof hex, kw_span_of(random, sizeof random));
    int n = snprintf(ret_name, KW_PATH_MAX, "%s.new.%s", path, hex);
    if (n < 0 || (size_t)n >= KW_PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(ret_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

kw_err kw_file_replace(const char *path, kw_span bytes, mode_t mode, struct kw_note *note)
{
    char temporary[KW_PATH_MAX];
    struct stat old;
    if (stat(path, &old) == 0 && !S_ISREG(old.st_mode) && !S_ISDIR(old.st_mode)) {
        errno = EEXIST; /* root writes into /dev, too */
        return not_replaced("would replace a device, pipe or socket", path, note);
    }
    int fd = open_beside(path, temporary);
    if (fd < 0)
        return not_replaced("cannot create a file beside it", path, note);
    bool ok = base_file_write_all(fd, bytes) && keep_owner(fd, path) &&
              fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int saved = errno;
    close(fd);
    errno = saved;
    if (!ok || rename(temporary, path) != 0) {
        kw_err e = not_replaced("not written", path, note);
        unlink(temporary);
        return e;
    }
    if (sync_folder(path))
        return KW_OK;
    kw_err e = not_replaced("written, not yet durable: fsync of its folder", path, note);
    e.where = not_durable;
    return e;
}
