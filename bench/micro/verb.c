/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench micro: another program, because of its C++ library; it lies beside this
 * one. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

int kw_bench_micro(int argc, char **argv)
{
    char path[KW_BESIDE_MAX];
    (void)argc;
    if (!kw_beside("keyward-bench-micro", path))
        return kw_bench_unable("micro",
                               "/proc/self/exe does not say where this program lies");
    execv(path, argv);
    if (errno == ENOENT)
        return kw_bench_unable(
            "micro",
            "%s is not there: it is built with keyward-bench and has to lie "
            "beside it",
            path);
    return kw_bench_unable("micro", "%s: %s", path, strerror(errno));
}
