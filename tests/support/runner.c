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
static struct {
    const char *name;
    const struct kw_case *cases;
    size_t count;
} suites[SUITES_MAX];
static size_t suite_count;
static bool arena_open;
static char running[512]; /* the full name of the case */

void kw_cases_register(const char *suite, const struct kw_case *cases, size_t count)
{
    KW_INVARIANT(suite_count < SUITES_MAX);
    suites[suite_count].name = suite;
    suites[suite_count].cases = cases;
    suites[suite_count++].count = count;
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

static int run(const struct kw_case *c)
{
    const struct CMUnitTest test = {.name = c->name, .test_func = c->run};
    int failures = _cmocka_run_group_tests(c->name, &test, 1, NULL, NULL);
    if (failures == 0 && arena_open)
        kw_arena_close(); /* asserts that every secret was wiped */
    return failures == 0 ? 0 : 1;
}

static void list(void)
{
    for (size_t s = 0; s < suite_count; s++)
        for (size_t i = 0; i < suites[s].count; i++)
            printf("%s.%s\n", suites[s].name, suites[s].cases[i].name);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list();
        return 0;
    }
    if (argc != 2) {
        fprintf(stderr, "usage: %s --list | SUITE.CASE\n", argv[0]);
        return 2;
    }
    for (size_t s = 0; s < suite_count; s++)
        for (size_t i = 0; i < suites[s].count; i++) {
            snprintf(running, sizeof running, "%s.%s", suites[s].name,
                     suites[s].cases[i].name);
            if (strcmp(running, argv[1]) == 0)
                return run(&suites[s].cases[i]);
        }
    fprintf(stderr, "%s: no case is named %s\n", argv[0], argv[1]);
    return 2;
}
