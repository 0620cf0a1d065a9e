/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "run.h"
#include "split.h"

static struct kw_results *r;
static struct kw_note note;
static const char *const both[] = {"old", "new"};

static void name_it(char *dst, const char *text)
{
    CHECK(kw_copy_str(dst, KW_RESULTS_NAME, kw_span_str(text)));
}

/* Two rounds of these cells; cell i has 100 * round + i as its one figure and pulse. */
static void begin(const char *const names[], size_t count)
{
    r = kw_results_new();
    CHECK(r != NULL);
    note = (struct kw_note){{0}};
    r->rounds = 2;
    name_it(r->session, "0123456789abcdef");
    name_it(r->fingerprint, "fedcba9876543210");
    name_it(r->version, "0.1.0");
    name_it(r->quiet, "quiet");
    name_it(r->began, "2026-01-01T00:00:00Z");
    CHECK(kw_copy_str(r->environment.commit, sizeof r->environment.commit,
                      kw_span_str("unknown")));
    name_it(r->base, names[0]);
    name_it(r->control, names[0]);
    r->command = kw_strdup(kw_span_str("rounds"));
    size_t figure = kw_results_figure_add(r, "cpu_us");
    for (size_t i = 0; i < count; i++) {
        struct kw_results_cell *c = &r->cell[r->cell_count++];
        name_it(c->name, names[i]);
        name_it(c->axes.subject, names[i]);
        name_it(c->tool, "keyward-bench load");
        c->command = kw_strdup(kw_span_str(names[i]));
        c->control = strcmp(names[i], "control") == 0;
        for (size_t n = 0; n < r->rounds; n++)
            r->pulse_ns[n][i] = c->figure[figure][n] = (double)(100 * n + i + 1);
    }
}

#define BEGIN(...)                                                                       \
    begin((const char *const[]){__VA_ARGS__},                                            \
          sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void end(void)
{
    kw_results_free(r);
}

static void is_cell(size_t at, const char *name, const char *command, size_t was)
{
    const struct kw_results_cell *c = &r->cell[at];
    CHECK_STR(c->name, name);
    CHECK_STR(c->command, command);
    for (size_t n = 0; n < 2; n++) {
        double want = (double)(100 * n + was + 1);
        CHECK(fabs(c->figure[0][n] - want) < 0.5 &&
              fabs(r->pulse_ns[n][at] - want) < 0.5);
    }
}

static void no_cell_of_the_prefix__missing(void **state)
{
    (void)state;
    BEGIN("old.a-1", "older.b-1", "old", "new.", "control");
    CHECK_CODE(kw_split_keep(r, both, 2, 1, &note), KW_CODE_MISSING);
    CHECK_HAS(note.text, "new.");
    end();
}

static void two_alike__refused(void **state)
{
    (void)state;
    BEGIN("old.a-1", "new.a-1", "a-1", "control");
    CHECK_CODE(kw_split_keep(r, both, 2, 0, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "a-1");
    end();
}

static void first_part__its_cells_and_the_common_ones(void **state)
{
    (void)state;
    BEGIN("old.a-1", "new.a-1", "old.b-1", "peer-1", "new.b-1", "control");
    CHECK_OK(kw_split_keep(r, both, 2, 0, &note));
    CHECK(r->cell_count == 4);
    is_cell(0, "a-1", "old.a-1", 0);
    is_cell(1, "b-1", "old.b-1", 2);
    is_cell(2, "peer-1", "peer-1", 3);
    is_cell(3, "control", "control", 5);
    CHECK_STR(r->base, "a-1");
    CHECK_STR(r->control, "a-1");
    CHECK_STR(r->cell[1].axes.subject, "b-1");
    end();
}

static void second_part__the_same_base_by_name_and_the_same_session(void **state)
{
    (void)state;
    BEGIN("old.a-1", "new.a-1", "old.b-1", "new.b-1", "control");
    CHECK_OK(kw_split_keep(r, both, 2, 1, &note));
    CHECK(r->cell_count == 3);
    is_cell(0, "a-1", "new.a-1", 1);
    is_cell(1, "b-1", "new.b-1", 3);
    is_cell(2, "control", "control", 4);
    CHECK_STR(r->base, "a-1");
    CHECK_STR(r->session, "0123456789abcdef");
    end();
}

/* ---- the verb
 * --------------------------------------------------------------------------- */

static struct kw_run run;
#define RUN(...)                                                                         \
    kw_run(&run, (const char *const[]){KEYWARD_BENCH, "split", __VA_ARGS__, NULL})

static void verb__bad_words__two_or_three_and_which(void **state)
{
    (void)state;
    RUN("/tmp", "old");
    CHECK(run.status == 2);
    RUN("/tmp", "old", "a/b");
    CHECK(run.status == 2);
    CHECK_HAS(run.err, "a/b");
    RUN("/tmp", "old", "new=");
    CHECK(run.status == 2);
    RUN("/nonexistent/kw", "old", "new");
    CHECK(run.status == 3);
    CHECK_HAS(run.err, "/nonexistent/kw/results.json");
}

static void verb__two_parts__each_readable(void **state)
{
    char dir[] = "/tmp/kw-split-XXXXXX", path[96];
    (void)state;
    CHECK(mkdtemp(dir) != NULL);
    BEGIN("old.a-1", "new.a-1", "control");
    CHECK_OK(kw_results_write(r, dir, &note));
    end();
    RUN(dir, "old=abc123", "new");
    CHECK_STR(run.err, "");
    CHECK(run.status == 0);
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s/results.json", dir, both[i]);
        CHECK_OK(kw_results_read(path, &r, &note));
        CHECK(r->cell_count == 2);
        CHECK_STR(r->environment.commit, i == 0 ? "abc123" : "unknown");
        is_cell(0, "a-1", i == 0 ? "old.a-1" : "new.a-1", i);
        end();
        CHECK(unlink(path) == 0);
        snprintf(path, sizeof path, "%s/%s/results.csv", dir, both[i]);
        CHECK(unlink(path) == 0);
        snprintf(path, sizeof path, "%s/%s", dir, both[i]);
        CHECK(rmdir(path) == 0);
    }
    snprintf(path, sizeof path, "%s/results.json", dir);
    CHECK(unlink(path) == 0);
    snprintf(path, sizeof path, "%s/results.csv", dir);
    CHECK(unlink(path) == 0);
    CHECK(rmdir(dir) == 0);
}

KW_CASES("bench/split", CASE(no_cell_of_the_prefix__missing), CASE(two_alike__refused),
         CASE(first_part__its_cells_and_the_common_ones),
         CASE(second_part__the_same_base_by_name_and_the_same_session),
         CASE(verb__bad_words__two_or_three_and_which),
         CASE(verb__two_parts__each_readable))
