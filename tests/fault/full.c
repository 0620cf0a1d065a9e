/* SPDX-License-Identifier: Apache-2.0 */
/* full - a disk without room below one folder, to be preloaded (ld.so(8), LD_PRELOAD)
 *
 * Environment: KW_FULL_FOLDER  writing to a file below it fails with ENOSPC.  It is read
 *                              when the process begins: programs clear their environment.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[512];

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("KW_FULL_FOLDER");
    snprintf(folder, sizeof folder, "%s", path != NULL ? path : "");
}

static bool is_full(int fd)
{
    char link[64], path[1024];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = folder[0] != '\0' ? readlink(link, path, sizeof path - 1) : -1;
    path[n > 0 ? n : 0] = '\0';
    return n > 0 && strncmp(path, folder, strlen(folder)) == 0;
}

/* The C library's names; its headers declare them with attributes of their own. */
__attribute__((visibility("default"))) ssize_t write(int fd, const void *bytes,
                                                     size_t len)
{
    static ssize_t (*real)(int, const void *, size_t);
    if (real == NULL)
        *(void **)(void *)&real = dlsym(RTLD_NEXT, "write");
    if (is_full(fd)) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, bytes, len);
}
