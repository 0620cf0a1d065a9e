/* SPDX-License-Identifier: Apache-2.0 */
/* Runs exactly one case by its full name.  cmocka's own filter exits 0 when nothing
 * matches, and 256 failures exit 0 too: here no match is an error and the status is 0
 * or 1. */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <keyward/env.h>
#include <keyward/limits.h>

extern char **environ;

enum { SUITES_MAX = 64, WORDS_MAX = 512 };
static struct suite {
    const char *name;
    struct kw_case **cases;
    void (*before)(void), (*after)(void); /* NULL: nothing */
} suites[SUITES_MAX], *suite;             /* that of the case that runs */
static size_t suite_count;
static bool arena_open;
static char running[512]; /* the full name of the case */

void kw_case_add(struct kw_case **file, struct kw_case *c)
{
    for (const struct kw_case *other = *file; other != NULL; other = other->next)
        if (other->run == c->run)
            return;
    while (*file != NULL && (*file)->line < c->line)
        file = &(*file)->next;
    c->next = *file;
    *file = c;
}

void kw_suite_add(const char *name, struct kw_case **file, void (*before)(void),
                  void (*after)(void))
{
    KW_INVARIANT(suite_count < SUITES_MAX);
    suites[suite_count++] = (struct suite){name, file, before, after};
}

void kw_test_arena(size_t bytes)
{
    struct kw_note note = {{0}};
    const char *want = kw_env_get(KW_ENV_ARENA);
    bool mlock = want != NULL && strcmp(want, "mlock") == 0;
    if (kw_failed(kw_arena_open(bytes, mlock ? KW_ARENA_MLOCK : KW_ARENA_AUTO, &note)))
        fail_msg("%s", note.text);
    arena_open = true;
}

/* sudo keeps little of an environment; env puts it back. */
void kw_test_as_root(void)
{
    static char self[KW_PATH_MAX];
    static char *words[WORDS_MAX] = {"sudo", "-n", "env", "-i"};
    size_t n = 4;
    if (geteuid() == 0)
        return;
    for (char **e = environ; *e != NULL && n < WORDS_MAX - 3; e++)
        words[n++] = *e;
    CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    words[n++] = self;
    words[n++] = running;
    puts("This case wants root: by sudo without a password.");
    fflush(stdout); /* what sudo itself says comes below it */
    execvp(words[0], words);
    fail_msg("this case wants root: run it as root, or let sudo run it without a "
             "password (%s)",
             strerror(errno));
}

static int run_before(void **state)
{
    (void)state;
    if (suite->before != NULL)
        suite->before();
    return 0;
}

static int run_after(void **state)
{
    (void)state;
    if (suite->after != NULL)
        suite->after();
    return 0;
}

static int run(const struct kw_case *c)
{
    const struct CMUnitTest test = {c->name, c->run, run_before, run_after, NULL};
    int failures = _cmocka_run_group_tests(c->name, &test, 1, NULL, NULL);
    if (failures == 0 && arena_open)
        kw_arena_close(); /* asserts that every secret was wiped */
    return failures == 0 ? 0 : 1;
}

/* Runs the case of this full name; NULL: lists them all.  -1: there is none. */
static int run_named(const char *name)
{
    for (suite = suites; suite < suites + suite_count; suite++)
        for (const struct kw_case *c = *suite->cases; c != NULL; c = c->next) {
            snprintf(running, sizeof running, "%s.%s", suite->name, c->name);
            if (name == NULL)
                puts(running);
            else if (strcmp(running, name) == 0)
                return run(c);
        }
    return name == NULL ? 0 : -1;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s --list | SUITE.CASE\n", argv[0]);
        return 2;
    }
    const int status = run_named(strcmp(argv[1], "--list") == 0 ? NULL : argv[1]);
    if (status >= 0)
        return status;
    fprintf(stderr, "%s: no case is named %s\n", argv[0], argv[1]);
    return 2;
}
