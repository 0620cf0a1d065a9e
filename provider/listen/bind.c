/* SPDX-License-Identifier: Apache-2.0 */
#include "bind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/limits.h>

enum { BACKLOG = 128 };

static kw_err io(const char *where, const char *path, struct kw_note *note)
{
    int e = errno;
    kw_note_set(note, "%s: %s: %s", path, where, strerror(e));
    return kw_err_native(KW_CODE_IO, (uint32_t)e, where);
}

static kw_err bind_check_path(const char *path, struct kw_note *note)
{
    size_t len = kw_span_str(path).len;
    if (len > 1 && len <= KW_SOCKET_PATH_MAX && path[0] == '/' && path[len - 1] != '/')
        return KW_OK;
    kw_note_set(note, "%s: a socket's path must be absolute and at most %u bytes long",
                path, KW_SOCKET_PATH_MAX);
    return kw_err_at(KW_CODE_BAD_INPUT, "socket path");
}

static char *bind_folder_of(const char *path)
{
    size_t slash = (size_t)(strrchr(path, '/') - path);
    return kw_strdup(kw_span_of(path, slash == 0 ? 1 : slash));
}

/* Whoever may write into the folder could put another socket in place of ours. */
static kw_err check_folder(const char *path, struct kw_note *note)
{
    struct stat st;
    kw_err e = KW_OK;
    char *folder = bind_folder_of(path);
    if (folder == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "folder");
    if (stat(folder, &st) != 0) {
        e = io("folder", folder, note);
    } else if (!S_ISDIR(st.st_mode)) {
        kw_note_set(note, "%s: not a directory", folder);
        e = kw_err_at(KW_CODE_BAD_INPUT, "folder");
    } else if (st.st_uid != 0 && st.st_uid != geteuid()) {
        kw_note_set(note,
                    "%s: belongs to uid %u, must belong to root or uid %u: chown it",
                    folder, st.st_uid, geteuid());
        e = kw_err_at(KW_CODE_DENIED, "folder owner");
    } else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        kw_note_set(note, "%s: mode %04o lets others replace the socket: chmod go-w %s",
                    folder, (unsigned)(st.st_mode & 07777), folder);
        e = kw_err_at(KW_CODE_DENIED, "folder mode");
    }
    kw_free(folder);
    return e;
}

static kw_err take_lock(const char *path, int *ret_lock, struct kw_note *note)
{
    kw_err e = KW_OK;
    char *name = kw_format("%s.lock", path);
    if (name == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "lock");
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        e = io("open", name, note);
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        e = io("flock", name, note);
        if (e.native == EWOULDBLOCK) {
            kw_note_set(note,
                        "%s: another process holds %s; is keywardd running already?",
                        path, name);
            e.code = KW_CODE_BUSY;
        }
        close(fd);
    } else {
        *ret_lock = fd;
    }
    kw_free(name);
    return e;
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    KW_MUST(kw_copy_str(a.sun_path, sizeof a.sun_path, kw_span_str(path)));
    return a;
}

/* Only a refused connection proves that nobody listens any more. */
static bool answers(const char *path)
{
    struct sockaddr_un a = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return true;
    int rc = connect(fd, (struct sockaddr *)&a, sizeof a);
    bool dead = rc != 0 && (errno == ECONNREFUSED || errno == ENOENT);
    close(fd);
    return !dead;
}

/* May the path be taken? */
static kw_err check_stale(const char *path, struct kw_note *note)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? KW_OK : io("lstat", path, note);
    if (!S_ISSOCK(st.st_mode)) {
        kw_note_set(note, "%s: is there and is no socket: move it away", path);
        return kw_err_at(KW_CODE_BAD_INPUT, "socket path");
    }
    if (answers(path)) {
        kw_note_set(note,
                    "%s: another process answers on it (or cannot be asked): stop it",
                    path);
        return kw_err_at(KW_CODE_BUSY, "socket path");
    }
    return KW_OK;
}

/* A name beside the path.  Where "<path>.new" is too long for an address, a short name
 * through the folder's descriptor does. */
static kw_err bind_beside(int fd, const char *path, mode_t mode, const char *temp,
                          struct kw_note *note)
{
    char via[64];
    const char *name = temp;
    int folder = -1;
    if (kw_span_str(temp).len > KW_SOCKET_PATH_MAX) {
        char *dir = bind_folder_of(path);
        folder = dir != NULL ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
        kw_free(dir);
        if (folder < 0)
            return io("open", path, note);
        snprintf(via, sizeof via, "/proc/self/fd/%d/%s", folder, strrchr(temp, '/') + 1);
        name = via;
    }
    kw_err e = KW_OK;
    struct sockaddr_un a = address_of(name);
    if (unlink(temp) != 0 && errno != ENOENT)
        e = io("unlink", temp, note);
    else if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0)
        e = io("bind", temp, note);
    else if (chmod(temp, mode) != 0)
        e = io("chmod", temp, note);
    else if (listen(fd, BACKLOG) != 0)
        e = io("listen", temp, note);
    if (folder >= 0)
        close(folder);
    return e;
}

static char *temp_of(const char *path)
{
    size_t len = kw_span_str(path).len;
    if (len + 4 <= KW_SOCKET_PATH_MAX)
        return kw_format("%s.new", path);
    uint8_t random[4];
    char hex[9];
    kw_random(random, sizeof random);
    kw_hex(hex, sizeof hex, kw_span_of(random, sizeof random));
    return kw_format("%.*s/.kw-%s", (int)(strrchr(path, '/') - path), path, hex);
}

static kw_err place(const char *path, mode_t mode, struct kw_bound *b,
                    struct kw_note *note)
{
    struct stat st;
    char *temp = temp_of(path);
    if (temp == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "bind");
    kw_err e = bind_beside(b->fd, path, mode, temp, note);
    if (!kw_failed(e) && (lstat(temp, &st) != 0 || rename(temp, path) != 0))
        e = io("rename", path, note);
    if (kw_failed(e)) {
        unlink(temp);
    } else {
        b->dev = st.st_dev;
        b->ino = st.st_ino;
    }
    kw_free(temp);
    return e;
}

kw_err kw_bind(const char *path, mode_t mode, struct kw_bound *ret_bound,
               struct kw_note *note)
{
    struct kw_bound b = {.fd = -1, .lock = -1};
    kw_err e = bind_check_path(path, note);
    if (!kw_failed(e))
        e = check_folder(path, note);
    if (!kw_failed(e))
        e = take_lock(path, &b.lock, note);
    if (!kw_failed(e))
        e = check_stale(path, note);
    if (!kw_failed(e)) {
        b.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        e = b.fd >= 0 ? place(path, mode, &b, note) : io("socket", path, note);
    }
    if (!kw_failed(e)) {
        *ret_bound = b;
        return e;
    }
    if (b.fd >= 0)
        close(b.fd);
    if (b.lock >= 0)
        close(b.lock);
    return e;
}

static bool option_is(int fd, int option, int want)
{
    int value = -1;
    socklen_t len = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 && value == want;
}

static bool is_named(int fd, const char *path)
{
    struct sockaddr_un a = {0};
    socklen_t len = sizeof a;
    if (getsockname(fd, (struct sockaddr *)&a, &len) != 0 ||
        len <= offsetof(struct sockaddr_un, sun_path))
        return false;
    size_t room = len - offsetof(struct sockaddr_un, sun_path);
    return kw_span_equal_str(kw_span_of(a.sun_path, strnlen(a.sun_path, room)), path);
}

/* Whoever owns the file, or may write it by its mode, says who connects. */
static kw_err check_file(const char *path, mode_t mode, struct kw_note *note)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return io("lstat", path, note);
    if (!S_ISSOCK(st.st_mode) || (st.st_mode & 07777) != mode)
        kw_note_set(note,
                    "%s: the passed socket has mode %04o and its class says %04o: make "
                    "SocketMode= in its unit and `mode` in the configuration the same",
                    path, (unsigned)(st.st_mode & 07777), (unsigned)mode);
    else if (st.st_uid != 0 && st.st_uid != geteuid())
        kw_note_set(note,
                    "%s: the passed socket belongs to uid %u, must belong to root or uid "
                    "%u: SocketUser= in its unit",
                    path, st.st_uid, geteuid());
    else
        return KW_OK;
    return kw_err_at(KW_CODE_BAD_INPUT, "inherited socket");
}

kw_err kw_bind_inherited(const char *path, mode_t mode, int fd,
                         struct kw_bound *ret_bound, struct kw_note *note)
{
    kw_err e = bind_check_path(path, note);
    if (!kw_failed(e))
        e = check_folder(path, note);
    if (kw_failed(e))
        return e;
    if (!option_is(fd, SO_DOMAIN, AF_UNIX) || !option_is(fd, SO_TYPE, SOCK_STREAM) ||
        !option_is(fd, SO_ACCEPTCONN, 1) || !is_named(fd, path)) {
        kw_note_set(
            note,
            "%s: the inherited descriptor %d is no listening unix stream socket of "
            "this path: compare ListenStream= with the configuration",
            path, fd);
        return kw_err_at(KW_CODE_BAD_INPUT, "inherited socket");
    }
    e = check_file(path, mode, note);
    if (kw_failed(e))
        return e;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return io("fcntl", path, note);
    *ret_bound = (struct kw_bound){.fd = fd, .lock = -1};
    return KW_OK;
}

void kw_unbind(const char *path, struct kw_bound *bound)
{
    struct stat st;
    close(bound->fd);
    if (bound->lock < 0)
        return;
    if (lstat(path, &st) == 0 && st.st_dev == bound->dev && st.st_ino == bound->ino)
        unlink(path);
    close(bound->lock);
}
