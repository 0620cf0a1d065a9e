/* SPDX-License-Identifier: Apache-2.0 */
/* The verb as an operator runs it: exit codes, table, document, baseline. */
#include "check.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "run.h"
#include "runs.h"

static struct kw_run r;
#define RUN(...)                                                                         \
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "compare", __VA_ARGS__, NULL})

static char folder[64], old_path[96], new_path[96], baseline[96];

static void save(const struct kw_results *run, const char *path)
{
    struct kw_note note;
    CHECK(mkdir(path, 0755) == 0);
    CHECK_OK(kw_results_write(run, path, &note));
}

/* OLD and NEW of one session; NEW's hit-64 takes `factor` as much. */
static void begin(double factor)
{
    snprintf(folder, sizeof folder, "/tmp/keyward-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(old_path, sizeof old_path, "%s/old", folder);
    snprintf(new_path, sizeof new_path, "%s/new", folder);
    snprintf(baseline, sizeof baseline, "%s/here.json", folder);
    struct kw_results *old = run_new('a', 'm'), *new = run_new('a', 'm');
    run_scale(new, "hit-64", factor);
    save(old, old_path);
    save(new, new_path);
    kw_results_free(old);
    kw_results_free(new);
}

static void gone(const char *path)
{
    char file[128];
    snprintf(file, sizeof file, "%s/results.json", path);
    CHECK(unlink(file) == 0);
    snprintf(file, sizeof file, "%s/results.csv", path);
    CHECK(unlink(file) == 0);
    CHECK(rmdir(path) == 0);
}

static void end(void)
{
    gone(old_path);
    gone(new_path);
    (void)unlink(baseline);
    CHECK(rmdir(folder) == 0);
}

static void compare__wrong_usage__two(void **state)
{
    (void)state;
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "compare", NULL});
    CHECK(r.status == 2);
    RUN("a", "b", "c");
    CHECK(r.status == 2);
    RUN("a", "b", "--threshold", "0");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--threshold 0");
    RUN("a", "b", "--baseline", "c");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--baseline wants NEW alone");
    RUN("a", "--write-baseline", "c", "--json");
    CHECK(r.status == 2);
}

static void compare__no_such_file_or_none_of_ours__three_and_which(void **state)
{
    (void)state;
    begin(1);
    RUN("/nonexistent.json", new_path);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "/nonexistent.json");
    RUN(old_path, KEYWARD_BENCH);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, KEYWARD_BENCH);
    RUN(new_path);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "no cells old-");
    RUN(new_path, "--baseline", baseline);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "here.json");
    end();
}

static void compare__the_same_twice__zero(void **state)
{
    (void)state;
    begin(1);
    RUN(old_path, new_path);
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "compared round by round");
    CHECK_HAS(r.out, "no cell that decides was shown to be slower by more than 5 %");
    end();
}

static void compare__slower__one_and_which(void **state)
{
    (void)state;
    begin(1.2);
    RUN(old_path, new_path);
    CHECK(r.status == 1);
    CHECK_HAS(r.out, "1.200 (1.200-1.200)  slower");
    CHECK_HAS(r.out, "SLOWER by more than 5 %: 1 of the cells that decide");
    RUN(old_path, new_path, "--threshold", "25");
    CHECK(r.status == 0);
    RUN(new_path, old_path); /* the other way round it got faster */
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "faster");
    end();
}

static void compare__json__one_document(void **state)
{
    (void)state;
    begin(1.2);
    RUN(old_path, new_path, "--json");
    CHECK(r.status == 1);
    json_t *root = json_loads(r.out, 0, NULL);
    CHECK(root != NULL);
    CHECK_STR(json_string_value(json_object_get(root, "tool")), "keyward-bench compare");
    CHECK_STR(json_string_value(json_object_get(root, "footing")), "paired");
    CHECK(json_integer_value(json_object_get(root, "exit_status")) == 1);
    json_t *cells = json_object_get(root, "cells");
    CHECK(json_array_size(cells) == 5);
    for (size_t i = 0; i < 5; i++) {
        const json_t *c = json_array_get(cells, i);
        const char *verdict = json_string_value(json_object_get(c, "verdict"));
        CHECK((verdict != NULL) == json_boolean_value(json_object_get(c, "primary")));
        if (strcmp(json_string_value(json_object_get(c, "name")), "hit-64") == 0)
            CHECK_STR(verdict, "slower");
    }
    json_decref(root);
    end();
}

static void compare__halves_of_one_run__old_against_new(void **state)
{
    struct kw_results *run = run_new('a', 'm');
    char path[96];
    (void)state;
    begin(1);
    snprintf(path, sizeof path, "%s/both", folder);
    snprintf(run_cell(run, "hit-64")->name, KW_RESULTS_NAME, "old-hit");
    snprintf(run_cell(run, "miss-64")->name, KW_RESULTS_NAME, "new-hit");
    save(run, path); /* the one takes five times what the other takes */
    RUN(path);
    CHECK(r.status == 1);
    CHECK_HAS(r.out, "cells old-");
    CHECK_HAS(r.out, "SLOWER");
    gone(path);
    kw_results_free(run);
    end();
}

static void baseline__written_then_compared__zero_or_one(void **state)
{
    (void)state;
    begin(1.2);
    RUN(old_path, "--write-baseline", baseline);
    CHECK(r.status == 0);
    RUN(old_path, "--baseline", baseline);
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "OLD  here:");
    RUN(new_path, "--baseline", baseline);
    CHECK(r.status == 1);
    end();
}

KW_CASES("bench/compare/program", CASE(compare__wrong_usage__two),
         CASE(compare__no_such_file_or_none_of_ours__three_and_which),
         CASE(compare__the_same_twice__zero), CASE(compare__slower__one_and_which),
         CASE(compare__json__one_document),
         CASE(compare__halves_of_one_run__old_against_new),
         CASE(baseline__written_then_compared__zero_or_one))
