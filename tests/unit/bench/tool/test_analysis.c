/* SPDX-License-Identifier: Apache-2.0 */
/* The scripts beside the program: a copy of it in a folder of the test's own. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "run.h"

static char dir[64], program[96], scripts[96], script[112];
static struct kw_run r;
#define RUN(...) kw_run(&r, (const char *const[]){program, __VA_ARGS__, NULL})

static void begin(void)
{
    enum { MOST = 64 << 20 };
    struct kw_blob copy = {0};
    struct kw_note note = {{0}};
    snprintf(dir, sizeof dir, "/tmp/kw-analysis-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    snprintf(program, sizeof program, "%s/keyward-bench", dir);
    snprintf(scripts, sizeof scripts, "%s/analysis", dir);
    snprintf(script, sizeof script, "%s/__main__.py", scripts);
    CHECK_OK(kw_file_read(KEYWARD_BENCH, MOST, &copy, &note));
    CHECK_OK(kw_file_replace(program, kw_span_of(copy.ptr, copy.len), 0700, &note));
    kw_blob_wipe(&copy);
}

static void begin_with(const char *text)
{
    struct kw_note note = {{0}};
    begin();
    CHECK(mkdir(scripts, 0700) == 0);
    CHECK_OK(kw_file_replace(script, kw_span_str(text), 0600, &note));
}

static void end(void)
{
    (void)unlink(script);
    (void)rmdir(scripts);
    CHECK(unlink(program) == 0 && rmdir(dir) == 0);
}

TEST(scripts_missing__document_itself_and_what_to_do)
{
    begin();
    RUN("load", "/tmp/s", "--dry-run");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "\"dry_run\": true");
    CHECK_HAS(r.err, scripts);
    CHECK_HAS(r.err, "has to lie beside it");
    RUN("plan", "--nodes", "3");
    CHECK(r.status == 3);
    CHECK_STR(r.out, "");
    CHECK_HAS(r.err, scripts);
    end();
}

TEST(script_fails__document_itself)
{
    begin_with("raise SystemExit(2)\n");
    RUN("load", "/tmp/s", "--dry-run");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "\"dry_run\": true");
    CHECK_HAS(r.err, "table failed");
    end();
}

TEST(table__document_on_its_input_and_nothing_else_said)
{
    begin_with("import json, sys\n"
               "document = json.load(sys.stdin)\n"
               "print('words', *sys.argv[1:], document['tool'])\n");
    RUN("load", "/tmp/s", "--dry-run");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "words --bench /tmp/kw-analysis-");
    CHECK_HAS(r.out, "/keyward-bench table load keyward-bench load\n");
    CHECK(strchr(r.out, '{') == NULL);
    CHECK_STR(r.err, "");
    RUN("load", "/tmp/s", "--dry-run", "--json");
    CHECK(r.out[0] == '{');
    end();
}

TEST(verbs_of_the_scripts__become_them_with_all_words)
{
    static const char *const verbs[] = {"gap",     "rounds", "plan",
                                        "compare", "report", "split"};
    begin_with("import sys\nprint('words', *sys.argv[1:])\nsys.exit(41)\n");
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        char said[64];
        RUN(verbs[i], "--help", "a b", "");
        snprintf(said, sizeof said, "/keyward-bench %s --help a b \n", verbs[i]);
        CHECK(r.status == 41);
        CHECK_HAS(r.out, said);
    }
    end();
}

KW_CASES("bench/tool/analysis", CASE(scripts_missing__document_itself_and_what_to_do),
         CASE(script_fails__document_itself),
         CASE(table__document_on_its_input_and_nothing_else_said),
         CASE(verbs_of_the_scripts__become_them_with_all_words))
