/* SPDX-License-Identifier: Apache-2.0 */
/* The scripts beside the program: a copy of it in a folder of the test's own. */
#include "check.h"

#include <stdio.h>
#include <unistd.h>

#include "run.h"

static char dir[64];
static struct kw_run r;
#define RUN(want, words) kw_run_line(&r, want, "./keyward-bench", words)

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/kw-analysis-XXXXXX");
    CHECK(mkdtemp(dir) != NULL && chdir(dir) == 0);
    kw_run_line(&r, 0, "/bin/cp", "%s .", KEYWARD_BENCH);
}

static void end(void)
{
    kw_run_line(&r, 0, "/bin/rm", "-r %s", dir);
}

/* There is such a script from now on. */
static void script(const char *text)
{
    kw_run_line(&r, 0, "/bin/mkdir", "-p analysis");
    FILE *f = fopen("analysis/__main__.py", "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

TEST(scripts_missing_or_failing__document_itself_and_what_to_do)
{
    for (int failing = 0; failing < 2; failing++) {
        if (failing)
            script("raise SystemExit(2)\n");
        RUN(0, "load /tmp/s --dry-run");
        CHECK_HAS(r.out, "\"dry_run\": true");
        CHECK_HAS(r.err, dir);
        CHECK_HAS(r.err,
                  failing ? "/analysis table failed"
                          : "/analysis is not there: it has to lie beside keyward-bench");
        RUN(failing ? 2 : 3, "plan --nodes 3");
        CHECK_STR(r.out, "");
    }
}

TEST(table__document_on_its_input_and_nothing_else_said)
{
    script("import json, sys\n"
           "document = json.load(sys.stdin)\n"
           "print('words', *sys.argv[1:], document['tool'])\n");
    RUN(0, "load /tmp/s --dry-run");
    CHECK_HAS(r.out, "words --bench /tmp/kw-analysis-");
    CHECK_HAS(r.out, "/keyward-bench table load keyward-bench load\n");
    CHECK(strchr(r.out, '{') == NULL);
    CHECK_STR(r.err, "");
    RUN(0, "load /tmp/s --dry-run --json");
    CHECK(r.out[0] == '{');
}

TEST(verbs_of_the_scripts__become_them_with_all_words)
{
    static const char *const verbs[] = {"gap",     "rounds", "plan",
                                        "compare", "report", "split"};
    script("import sys\nprint('words', *sys.argv[1:])\nsys.exit(41)\n");
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        char said[64];
        kw_run(&r, (const char *const[]){"./keyward-bench", verbs[i], "--help", "a b", "",
                                         NULL});
        snprintf(said, sizeof said, "/keyward-bench %s --help a b \n", verbs[i]);
        CHECK(r.status == 41);
        CHECK_HAS(r.out, said);
    }
}

KW_SUITE_AROUND("bench/tool/analysis", begin, end)
