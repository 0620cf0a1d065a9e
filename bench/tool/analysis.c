/* SPDX-License-Identifier: Apache-2.0 */
/* What lies beside this program: the scripts that judge, draw and put into words
 * (bench/analysis), and the verbs that are programs of their own. */
#include "tool.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PYTHON "/usr/bin/python3"

extern char **environ;

bool kw_beside(const char *name, char dst[KW_BESIDE_MAX])
{
    ssize_t len = readlink("/proc/self/exe", dst, KW_BESIDE_MAX);
    char *slash = len > 0 && len < KW_BESIDE_MAX ? memrchr(dst, '/', (size_t)len) : NULL;
    if (slash == NULL)
        return false;
    size_t left = (size_t)(KW_BESIDE_MAX - (slash + 1 - dst));
    return (size_t)snprintf(slash + 1, left, "%s", name) < left;
}

/* What is run: python3 -I -B DIR/analysis --bench PROGRAM, then the verb's own words. */
struct analysis {
    char scripts[KW_BESIDE_MAX], program[KW_BESIDE_MAX];
    char *argv[7 + KW_ANALYSIS_WORDS_MAX];
};

static bool analysis_find(struct analysis *a, int argc, char **argv)
{
    static char python[] = PYTHON, isolated[] = "-I", no_cache[] = "-B",
                bench[] = "--bench";
    if (argc > KW_ANALYSIS_WORDS_MAX || !kw_beside("analysis", a->scripts) ||
        !kw_beside("keyward-bench", a->program))
        return false;
    char *const first[] = {python, isolated, no_cache, a->scripts, bench, a->program};
    for (int i = 0; i < 6 + argc; i++)
        a->argv[i] = i < 6 ? first[i] : argv[i - 6];
    a->argv[6 + argc] = NULL;
    return true;
}

/* Why the scripts cannot be run, and what to do. */
static void analysis_missing(const struct analysis *a, struct kw_note *why)
{
    if (access(PYTHON, X_OK) != 0)
        kw_note_set(why, PYTHON " is not there: install python3");
    else if (access(a->scripts, R_OK) == 0)
        kw_note_set(why, PYTHON " %s table failed", a->scripts);
    else
        kw_note_set(why, "%s is not there: it has to lie beside keyward-bench",
                    a->scripts);
}

int kw_analysis_exec(int argc, char **argv)
{
    struct analysis a;
    struct kw_note why;
    if (!analysis_find(&a, argc, argv))
        return kw_bench_unable(argv[0],
                               "there are more than %d words, or /proc/self/exe does not "
                               "say where this program lies",
                               KW_ANALYSIS_WORDS_MAX);
    if (access(a.scripts, R_OK) == 0)
        execv(PYTHON, a.argv);
    analysis_missing(&a, &why);
    return kw_bench_unable(argv[0], "%s", why.text);
}

int kw_beside_exec(const char *program, char **argv)
{
    char path[KW_BESIDE_MAX] = "/proc/self/exe"; /* which did not say where it lies */
    if (kw_beside(program, path))
        execv(path, argv);
    return kw_bench_unable(
        argv[0], "%s: %s: it is built with keyward-bench and has to lie beside it", path,
        strerror(errno));
}

bool kw_analysis_table(const char *verb, const json_t *document, struct kw_note *note)
{
    static char table[] = "table";
    struct analysis a = {0};
    char name[16];
    char *argv[] = {table, name};
    pid_t pid = 0;
    int status = 0, fd = memfd_create("document", MFD_CLOEXEC);
    snprintf(name, sizeof name, "%s", verb);
    bool good = fd >= 0 && json_dumpfd(document, fd, JSON_COMPACT) == 0 &&
                lseek(fd, 0, SEEK_SET) == 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO &&
                fflush(stdout) == 0 && analysis_find(&a, 2, argv) &&
                access(a.scripts, R_OK) == 0 &&
                posix_spawn(&pid, PYTHON, NULL, NULL, a.argv, environ) == 0;
    if (fd >= 0)
        close(fd);
    while (good && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    good = good && status == 0;
    if (!good)
        analysis_missing(&a, note);
    return good;
}
