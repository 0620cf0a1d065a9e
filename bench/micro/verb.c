/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench micro: another program, because of its C++ library; it lies beside this
 * one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

#define PROGRAM "keyward-bench-micro"

int kw_bench_micro(int argc, char **argv)
{
    static const struct kw_verb v = {.name = "micro"};
    char path[4096];
    (void)argc;
    ssize_t len = readlink("/proc/self/exe", path, sizeof path);
    char *slash =
        len > 0 && (size_t)len < sizeof path ? memrchr(path, '/', (size_t)len) : NULL;
    if (slash == NULL)
        return kw_unable(&v, "/proc/self/exe does not say where this program lies");
    size_t left = sizeof path - (size_t)(slash + 1 - path);
    if (left < sizeof PROGRAM)
        return kw_unable(&v, "the path of this program is too long");
    snprintf(slash + 1, left, "%s", PROGRAM);
    execv(path, argv);
    if (errno == ENOENT)
        return kw_unable(&v,
                         "%s is not there: it is built with keyward-bench and has to lie "
                         "beside it",
                         path);
    return kw_unable(&v, "%s: %s", path, strerror(errno));
}
