/* SPDX-License-Identifier: Apache-2.0 */
/* The scripts that judge, draw and put into words: bench/analysis, beside this program.
 */
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
    char *const first[] = {python, isolated, no_cache, a->scripts, bench, a->program};
    size_t count = 0;
    if (argc > KW_ANALYSIS_WORDS_MAX || !kw_beside("analysis", a->scripts) ||
        !kw_beside("keyward-bench", a->program))
        return false;
    while (count < sizeof first / sizeof first[0]) {
        a->argv[count] = first[count];
        count++;
    }
    for (int i = 0; i < argc; i++)
        a->argv[count++] = argv[i];
    a->argv[count] = NULL;
    return true;
}

/* Why the scripts cannot be run, and what to do. */
static void analysis_missing(const struct analysis *a, struct kw_note *why)
{
    if (access(PYTHON, X_OK) != 0)
        kw_note_set(why, PYTHON " is not there: install python3");
    else if (access(a->scripts, R_OK) != 0)
        kw_note_set(
            why, "%s is not there: it is part of keyward-bench and has to lie beside it",
            a->scripts);
    else
        kw_note_set(why, PYTHON " %s table failed", a->scripts);
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

/* Runs the script with the document on its standard input, and waits for its end. */
static bool analysis_print(struct analysis *a, int document)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    int status = 0;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return false;
    bool good = posix_spawn_file_actions_adddup2(&actions, document, STDIN_FILENO) == 0 &&
                posix_spawn(&pid, PYTHON, &actions, NULL, a->argv, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    while (good && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return good && status == 0;
}

bool kw_analysis_table(const char *verb, const json_t *document, struct kw_note *note)
{
    static char table[] = "table";
    struct analysis a = {0};
    char name[16];
    char *argv[] = {table, name};
    snprintf(name, sizeof name, "%s", verb);
    int fd = memfd_create("document", MFD_CLOEXEC);
    bool printed = fd >= 0 && json_dumpfd(document, fd, JSON_COMPACT) == 0 &&
                   lseek(fd, 0, SEEK_SET) == 0 && fflush(stdout) == 0 &&
                   analysis_find(&a, 2, argv) && access(a.scripts, R_OK) == 0 &&
                   analysis_print(&a, fd);
    if (fd >= 0)
        close(fd);
    if (!printed)
        analysis_missing(&a, note);
    return printed;
}
