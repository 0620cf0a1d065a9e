/* SPDX-License-Identifier: Apache-2.0 */
/* lock - one change of the state directory at a time
 *
 * flock(2) on the file `lock`, which stays: who locks a file that somebody unlinks locks
 * nothing.  The holder writes its pid into it, for the message of whoever comes second
 * and for nothing else: the lock is the kernel's. */
#include "dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define FILE_NAME "lock"

static kw_err lock_failed(int error, const char *path, struct kw_note *note)
{
    kw_note_set(note, "%s: %s", path, strerror(error));
    return kw_err_native(KW_CODE_IO, (uint32_t)error, "state lock");
}

/* On a full disk the message lacks the pid. */
static void sign(int fd)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) != len)
        (void)!ftruncate(fd, 0);
}

/* "process 123 (keywardd)"; "another process" when it has not signed, or has gone. */
static void name_holder(int fd, char *dst, size_t cap)
{
    char text[24] = "", path[64], name[32] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;
    snprintf(path, sizeof path, "/proc/%ld/comm", pid);
    FILE *f = pid > 0 ? fopen(path, "re") : NULL;
    bool known = f != NULL && fgets(name, sizeof name, f) != NULL;
    if (f != NULL)
        fclose(f);
    name[strcspn(name, "\n")] = '\0';
    if (known)
        snprintf(dst, cap, "process %ld (%s)", pid, name);
    else
        snprintf(dst, cap, "another process");
}

static kw_err busy(int fd, const struct kw_state_dir *dir, struct kw_note *note)
{
    char who[64];
    name_holder(fd, who, sizeof who);
    kw_note_set(note,
                "%s: %s is changing what this node remembers, which takes a moment; try "
                "again",
                dir->path, who);
    return kw_err_at(KW_CODE_BUSY, "state lock");
}

kw_err kw_state_lock(struct kw_state_dir *dir, struct kw_note *note)
{
    char path[KW_PATH_MAX];
    KW_INVARIANT(dir->lock < 0);
    if (!kw_state_path(dir, FILE_NAME, path))
        return lock_failed(ENAMETOOLONG, dir->path, note);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return lock_failed(errno, path, note);
    kw_err e = KW_OK;
    if (!kw_state_give(dir, fd))
        e = lock_failed(EPERM, path, note);
    else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        e = errno == EWOULDBLOCK ? busy(fd, dir, note) : lock_failed(errno, path, note);
    if (kw_failed(e)) {
        close(fd);
        return e;
    }
    sign(fd);
    dir->lock = fd;
    return KW_OK;
}

void kw_state_unlock(struct kw_state_dir *dir)
{
    if (dir->lock >= 0)
        close(dir->lock); /* gives the lock back */
    dir->lock = -1;
}
