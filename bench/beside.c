/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that are programs of their own, which lie beside this one: micro because of its
 * C++ library, echo because rpc calls one kms, and echo's does nothing. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

static int beside_exec(const char *program, char **argv)
{
    char path[KW_BESIDE_MAX];
    if (!kw_beside(program, path))
        return kw_bench_unable(argv[0],
                               "/proc/self/exe does not say where this program lies");
    execv(path, argv);
    return kw_bench_unable(
        argv[0], "%s: %s: it is built with keyward-bench and has to lie beside it", path,
        strerror(errno));
}

int kw_bench_micro(int argc, char **argv)
{
    (void)argc;
    return beside_exec("keyward-bench-micro", argv);
}

int kw_bench_echo(int argc, char **argv)
{
    (void)argc;
    return beside_exec("keyward-bench-echo", argv);
}
