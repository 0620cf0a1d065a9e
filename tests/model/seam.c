/* SPDX-License-Identifier: Apache-2.0 */
/* seam - the system calls on files, any of which can fail, and random bytes from a seed
 *
 * The linker gives every call of these functions to us first (--wrap). */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int __real_open(const char *path, int flags, ...);
ssize_t __real_read(int fd, void *dst, size_t len);
ssize_t __real_write(int fd, const void *src, size_t len);
int __real_close(int fd);
int __real_fsync(int fd);
int __real_fchmod(int fd, mode_t mode);
int __real_fchown(int fd, uid_t uid, gid_t gid);
int __real_fstat(int fd, struct stat *st);
int __real_stat(const char *path, struct stat *st);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __real_flock(int fd, int how);

int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *dst, size_t len);
ssize_t __wrap_write(int fd, const void *src, size_t len);
int __wrap_close(int fd);
int __wrap_fsync(int fd);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fchown(int fd, uid_t uid, gid_t gid);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_stat(const char *path, struct stat *st);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);
int __wrap_flock(int fd, int how);
void __wrap_kw_random(void *dst, size_t len);

static struct {
    enum fault fault;
    unsigned at, calls;
    int error;
    bool fired, dead, held;
    uint64_t dice;
    char broken[512];
} seam;

/* Files that were opened to be written, and whether fsync has seen their last bytes. */
enum { WRITTEN_MAX = 16, RENAMES_MAX = 16 };
static struct written {
    int fd; /* -1 = closed */
    char path[256];
    bool is_synced;
} written[WRITTEN_MAX];
static size_t written_count;

/* Renames whose folder was not synced yet, and what lay there before. */
static struct renamed {
    char path[256];
    struct kw_blob old;
} renames[RENAMES_MAX];
static size_t rename_count;

/* ---- what fails ---- */

static void forget_renames(void)
{
    for (size_t i = 0; i < rename_count; i++)
        kw_blob_wipe(&renames[i].old);
    rename_count = 0;
}

void seam_arm(enum fault fault, unsigned at, int error)
{
    seam.fault = fault;
    seam.at = at;
    seam.error = error;
    seam.calls = 0;
    seam.fired = seam.dead = false;
    written_count = 0;
    forget_renames();
}

bool seam_disarm(void)
{
    seam.fault = FAULT_NONE;
    seam.dead = false;
    return seam.fired;
}

const char *seam_broken(void)
{
    return seam.broken;
}

static bool is_watching(void)
{
    return seam.fault != FAULT_NONE && !seam.held;
}

bool seam_is_armed(void)
{
    return is_watching();
}

bool seam_is_dead(void)
{
    return seam.dead;
}

void seam_hold(void)
{
    seam.held = true;
}

void seam_release(void)
{
    seam.held = false;
}

/* true, with errno, when this call must fail. */
static bool must_fail(void)
{
    if (!is_watching())
        return false;
    if (!seam.dead && ++seam.calls != seam.at)
        return false;
    seam.fired = true;
    if (seam.fault == FAULT_SHORT)
        return false;
    seam.dead = seam.fault == FAULT_DIES;
    errno = seam.error;
    return true;
}

/* ---- what a failing disk does not forgive ---- */

static struct written *written_by(int fd)
{
    for (size_t i = 0; i < written_count; i++)
        if (written[i].fd == fd)
            return &written[i];
    return NULL;
}

static void watch_open(const char *path, int flags, int fd)
{
    if (!is_watching() || fd < 0 || (flags & O_EXCL) == 0 || written_count == WRITTEN_MAX)
        return;
    struct written *f = &written[written_count++];
    f->fd = fd;
    f->is_synced = false;
    snprintf(f->path, sizeof f->path, "%s", path);
}

static void watch_rename(const char *from, const char *to)
{
    if (!is_watching())
        return;
    for (size_t i = 0; i < written_count; i++)
        if (strcmp(written[i].path, from) == 0 && !written[i].is_synced)
            snprintf(seam.broken, sizeof seam.broken,
                     "%s took its place before its bytes were on the disk", to);
    if (rename_count == RENAMES_MAX)
        return;
    struct renamed *r = &renames[rename_count++];
    snprintf(r->path, sizeof r->path, "%s", to);
    r->old = raw_read(to);
}

static bool lies_in(const char *path, const struct stat *folder)
{
    struct stat st;
    char copy[256];
    snprintf(copy, sizeof copy, "%s", path);
    return __real_stat(dirname(copy), &st) == 0 && st.st_ino == folder->st_ino &&
           st.st_dev == folder->st_dev;
}

static void folder_synced(const struct stat *folder)
{
    size_t kept = 0;
    for (size_t i = 0; i < rename_count; i++)
        if (lies_in(renames[i].path, folder))
            kw_blob_wipe(&renames[i].old);
        else
            renames[kept++] = renames[i];
    rename_count = kept;
}

unsigned seam_power_loss(struct world *w)
{
    unsigned undone = 0;
    while (rename_count > 0) {
        struct renamed *r = &renames[--rename_count];
        if (chance(w, 50)) {
            undone++;
            if (r->old.ptr != NULL)
                raw_write(r->path, kw_blob_peek(&r->old));
            else
                __real_unlink(r->path);
        }
        kw_blob_wipe(&r->old);
    }
    return undone;
}

/* ---- the calls ---- */

int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (must_fail())
        return -1;
    int fd = __real_open(path, flags, mode);
    watch_open(path, flags, fd);
    return fd;
}

ssize_t __wrap_read(int fd, void *dst, size_t len)
{
    return must_fail() ? -1 : __real_read(fd, dst, len);
}

ssize_t __wrap_write(int fd, const void *src, size_t len)
{
    bool fired = seam.fired;
    if (must_fail())
        return -1;
    struct written *f = written_by(fd);
    if (f != NULL)
        f->is_synced = false;
    if (seam.fault == FAULT_SHORT && seam.fired && !fired)
        len = (len + 1) / 2;
    return __real_write(fd, src, len);
}

/* A descriptor is gone whatever close says. */
int __wrap_close(int fd)
{
    bool fails = must_fail();
    struct written *f = is_watching() ? written_by(fd) : NULL;
    if (f != NULL)
        f->fd = -1;
    int rc = __real_close(fd);
    return fails ? -1 : rc;
}

int __wrap_fsync(int fd)
{
    struct stat st;
    if (must_fail())
        return -1;
    int rc = __real_fsync(fd);
    struct written *f = written_by(fd);
    if (rc == 0 && f != NULL)
        f->is_synced = true;
    if (rc == 0 && is_watching() && __real_fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        folder_synced(&st);
    return rc;
}

int __wrap_fchmod(int fd, mode_t mode)
{
    return must_fail() ? -1 : __real_fchmod(fd, mode);
}

int __wrap_fchown(int fd, uid_t uid, gid_t gid)
{
    return must_fail() ? -1 : __real_fchown(fd, uid, gid);
}

int __wrap_fstat(int fd, struct stat *st)
{
    return must_fail() ? -1 : __real_fstat(fd, st);
}

int __wrap_stat(const char *path, struct stat *st)
{
    return must_fail() ? -1 : __real_stat(path, st);
}

int __wrap_rename(const char *from, const char *to)
{
    if (must_fail())
        return -1;
    watch_rename(from, to);
    return __real_rename(from, to);
}

int __wrap_unlink(const char *path)
{
    return must_fail() ? -1 : __real_unlink(path);
}

int __wrap_flock(int fd, int how)
{
    return must_fail() ? -1 : __real_flock(fd, how);
}

/* ---- random bytes ---- */

void seam_seed(uint64_t seed)
{
    seam.dice = seed;
    seam.broken[0] = '\0';
}

void __wrap_kw_random(void *dst, size_t len)
{
    uint8_t *at = dst;
    for (size_t i = 0; i < len; i++) {
        seam.dice = seam.dice * UINT64_C(6364136223846793005) + 1442695040888963407;
        at[i] = (uint8_t)(seam.dice >> 56);
    }
}
