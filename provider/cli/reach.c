/* SPDX-License-Identifier: Apache-2.0 */
/* Walking to a path as the user who will. */
#include "reach.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/bytes.h>
#include <keyward/limits.h>

static kw_err reach_failed(const char *path, struct kw_note *note)
{
    int saved = errno;
    bool gone = saved == ENOENT || saved == ENOTDIR;
    kw_note_set(note, "%s: %s", path, strerror(saved));
    return kw_err_native(gone ? KW_CODE_MISSING : KW_CODE_IO, (uint32_t)saved, "path");
}

static kw_err denied(void)
{
    return kw_err_at(KW_CODE_DENIED, "path");
}

static bool is_trusted(uid_t uid)
{
    return uid == 0 || uid == geteuid();
}

/* Root's group counts as root. */
static bool others_may_write(const struct stat *st)
{
    return (st->st_mode & 002) != 0 || ((st->st_mode & 020) != 0 && st->st_gid != 0);
}

static kw_err judge_folder(const char *folder, struct kw_note *note)
{
    struct stat st;
    if (stat(folder, &st) != 0)
        return reach_failed(folder, note);
    unsigned mode = st.st_mode & 07777;
    if (faccessat(AT_FDCWD, folder, X_OK, AT_EACCESS) != 0) {
        kw_note_set(note,
                    "%s: uid %u cannot pass this folder (mode %04o, of uid %u): chmod "
                    "a+x it",
                    folder, (unsigned)geteuid(), mode, (unsigned)st.st_uid);
        return denied();
    }
    if (!is_trusted(st.st_uid)) {
        kw_note_set(note,
                    "%s: this folder belongs to uid %u, who could exchange what lies in "
                    "it: chown it to root",
                    folder, (unsigned)st.st_uid);
        return denied();
    }
    if (others_may_write(&st) && (st.st_mode & S_ISVTX) == 0) {
        kw_note_set(note,
                    "%s: mode %04o of this folder lets others exchange what lies in it: "
                    "chmod go-w it",
                    folder, mode);
        return denied();
    }
    return KW_OK;
}

static kw_err reach_walk(const char *path, struct kw_note *note)
{
    char folder[PATH_MAX] = "/";
    kw_err e = judge_folder(folder, note);
    for (size_t i = 1; !kw_failed(e) && path[i] != '\0' && i < sizeof folder - 1; i++) {
        if (path[i] == '/') {
            folder[i] = '\0';
            e = judge_folder(folder, note);
        }
        folder[i] = path[i];
    }
    return e;
}

kw_err kw_reach_folders(const char *path, struct kw_note *note)
{
    char real[PATH_MAX];
    kw_err e = reach_walk(path, note);
    if (!kw_failed(e) && realpath(path, real) != NULL && strcmp(path, real) != 0)
        e = reach_walk(real, note);
    return e;
}

static kw_err judge_file(int fd, const char *path, struct kw_note *note)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return reach_failed(path, note);
    if (!S_ISREG(st.st_mode)) {
        kw_note_set(note, "%s: not a regular file", path);
        return kw_err_at(KW_CODE_BAD_INPUT, "path");
    }
    if (!is_trusted(st.st_uid)) {
        kw_note_set(note, "%s: belongs to uid %u, who could change it: chown it to root",
                    path, (unsigned)st.st_uid);
        return denied();
    }
    if (others_may_write(&st)) {
        kw_note_set(note, "%s: mode %04o lets others change it: chmod go-w it", path,
                    (unsigned)(st.st_mode & 07777));
        return denied();
    }
    return KW_OK;
}

static kw_err cannot_read(const char *path, struct kw_note *note)
{
    struct stat st;
    if (errno != EACCES || stat(path, &st) != 0)
        return reach_failed(path, note);
    kw_note_set(note, "%s: uid %u cannot read it (mode %04o, of uid %u): chmod a+r it",
                path, (unsigned)geteuid(), (unsigned)(st.st_mode & 07777),
                (unsigned)st.st_uid);
    return denied();
}

kw_err kw_reach_file(const char *path, struct kw_note *note)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return cannot_read(path, note);
    kw_err e = judge_file(fd, path, note);
    close(fd);
    return e;
}

static bool reach_fill(int fd)
{
    static const uint8_t zeros[16 * 1024];
    for (size_t left = KW_KEYRING_MAX; left > 0;) {
        size_t want = left < sizeof zeros ? left : sizeof zeros;
        ssize_t n = write(fd, zeros, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        left -= (size_t)n;
    }
    return fsync(fd) == 0;
}

kw_err kw_reach_writable(const char *folder, struct kw_note *note)
{
    char path[KW_PATH_MAX], name[17];
    uint8_t random[8];
    kw_random(random, sizeof random);
    kw_hex(name, sizeof name, kw_span_of(random, sizeof random));
    int len = snprintf(path, sizeof path, "%s/.keyward-check-%s", folder, name);
    if (len < 0 || (size_t)len >= sizeof path) {
        errno = ENAMETOOLONG;
        return reach_failed(folder, note);
    }
    signal(SIGXFSZ, SIG_IGN); /* a limit of file sizes is an error as any other */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && reach_fill(fd);
    int saved = errno;
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    if (ok)
        return KW_OK;
    kw_note_set(note, "%s: uid %u cannot write there: %s", folder, (unsigned)geteuid(),
                strerror(saved));
    return kw_err_native(KW_CODE_IO, (uint32_t)saved, "path");
}
