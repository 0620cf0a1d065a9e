/* SPDX-License-Identifier: Apache-2.0 */
/* disk - a disk that hangs and fails when it is told to, preloaded (ld.so(8), LD_PRELOAD):
 * for files whose names end in .jsonl or .new, and for nothing else
 *
 * Environment, read when the process begins:
 *   KW_DISK_CONTROL  a file whose first byte says what happens now
 *                      e  fdatasync(2) fails with EIO
 *                      1  the same, once; again after another byte was seen
 *                      s  write(2) takes half of the bytes, and then none: ENOSPC
 *                      any other: nothing
 *   KW_DISK_GATE     a file; while another process holds its lock (flock(2)), fdatasync
 *                    does not return.  It says "event=disk-hangs" on stderr before.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

static char control[512], gate[512];
static atomic_bool once_is_over, is_full;

static void disk_keep(char dst[512], const char *name)
{
    const char *path = getenv(name);
    snprintf(dst, 512, "%s", path != NULL ? path : "");
}

__attribute__((constructor)) static void disk_begin(void)
{
    disk_keep(control, "KW_DISK_CONTROL");
    disk_keep(gate, "KW_DISK_GATE");
}

static bool disk_ends_in(const char *path, size_t len, const char *end)
{
    const size_t tail = strlen(end);
    return len >= tail && strcmp(path + len - tail, end) == 0;
}

/* Also under a name that was taken away. */
static bool disk_is_ours(int fd)
{
    static const char gone[] = " (deleted)";
    char link[64], path[1024];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = control[0] != '\0' ? readlink(link, path, sizeof path - 1) : -1;
    if (n <= 0)
        return false;
    size_t len = (size_t)n;
    path[len] = '\0';
    if (disk_ends_in(path, len, gone)) {
        len -= sizeof gone - 1;
        path[len] = '\0';
    }
    return disk_ends_in(path, len, ".jsonl") || disk_ends_in(path, len, ".new");
}

static char disk_state(void)
{
    char state = ' ';
    int fd = open(control, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (pread(fd, &state, 1, 0) != 1)
            state = ' ';
        close(fd);
    }
    if (state != '1')
        atomic_store(&once_is_over, false);
    if (state != 's')
        atomic_store(&is_full, false);
    return state;
}

static void disk_pass(void)
{
    static const char said[] = "event=disk-hangs\n";
    int fd = open(gate, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0) {
        (void)!syscall(SYS_write, STDERR_FILENO, said, sizeof said - 1);
        while (flock(fd, LOCK_SH) != 0 && errno == EINTR)
            ;
    }
    close(fd);
}

/* The C library's names; its headers declare them with attributes of their own. */
__attribute__((visibility("default"))) int fdatasync(int fd);

int fdatasync(int fd)
{
    if (disk_is_ours(fd)) {
        disk_pass();
        const char state = disk_state();
        if (state == 'e' || (state == '1' && !atomic_exchange(&once_is_over, true))) {
            errno = EIO;
            return -1;
        }
    }
    return (int)syscall(SYS_fdatasync, fd);
}

__attribute__((visibility("default"))) ssize_t write(int fd, const void *bytes,
                                                     size_t len)
{
    static ssize_t (*real)(int, const void *, size_t);
    if (real == NULL)
        *(void **)(void *)&real = dlsym(RTLD_NEXT, "write");
    if (!disk_is_ours(fd) || disk_state() != 's')
        return real(fd, bytes, len);
    if (len > 1 && !atomic_exchange(&is_full, true))
        return real(fd, bytes, len / 2);
    errno = ENOSPC;
    return -1;
}
