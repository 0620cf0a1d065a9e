/* SPDX-License-Identifier: Apache-2.0 */
/* nosync - preloaded: fsync(2) of one folder fails
 *
 * Environment: KW_NOSYNC_DIR  the folder whose fsync gives EIO; none: every fsync works
 *
 * A program that clears its environment is honest from then on. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((visibility("default"))) int fsync(int fd);

int fsync(int fd)
{
    struct stat here, there;
    const char *folder = getenv("KW_NOSYNC_DIR");
    if (folder != NULL && stat(folder, &there) == 0 && fstat(fd, &here) == 0 &&
        here.st_ino == there.st_ino && here.st_dev == there.st_dev) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}
