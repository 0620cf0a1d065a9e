/* SPDX-License-Identifier: Apache-2.0 */
/* The verb: exit codes, and what they come with. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "run.h"

static struct kw_run r;
#define RUN(...)                                                                         \
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "plan", __VA_ARGS__, NULL})

static char folder[64], program[96], picture[96];

/* A gnuplot of our own, first and only in PATH: the real one need not be here. */
static void make_gnuplot(const char *text)
{
    snprintf(folder, sizeof folder, "/tmp/kw-plan-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(program, sizeof program, "%s/gnuplot", folder);
    snprintf(picture, sizeof picture, "%s/plan.svg", folder);
    if (text != NULL) {
        FILE *f = fopen(program, "w");
        CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
        CHECK(chmod(program, 0755) == 0);
    }
    CHECK(setenv("PATH", folder, 1) == 0);
}

/* Nothing else may lie in it. */
static void clean(void)
{
    (void)unlink(program);
    (void)unlink(picture);
    CHECK(rmdir(folder) == 0);
}

static void refused(const char *flag, const char *value)
{
    char name[64];
    snprintf(name, sizeof name, "--%s", flag);
    RUN("--latency", "2ms", "--sessions", "8", name, value);
    CHECK(r.status == 2);
    CHECK_HAS(r.err, name);
}

static void nonsense__two_and_which(void **state)
{
    (void)state;
    refused("servers", "0");
    refused("servers", "17");
    refused("seeds", "0");
    refused("others", "100");
    refused("workers", "17");
    refused("ready-within", "0s");
    refused("hsms", "0");
    RUN("--latency", "0ms", "--sessions", "8");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--latency 0ms");
    RUN("--latency", "0us", "--sessions", "8");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--latency 0us");
    RUN("--latency", "2ms", "--sessions", "0");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--sessions 0");
    RUN("--latency", "2ms", "--sessions", "8", "--one-lost");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--one-lost: with --hsms 1 none would be left");
}

static void contradictions__two_and_which(void **state)
{
    (void)state;
    RUN("--servers", "3");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--curve FILE");
    RUN("--latency", "2ms");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--sessions");
    RUN("--curve", "/nonexistent", "--latency", "2ms");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--curve has it all");
    RUN("--latency", "2ms", "--sessions", "8", "--seeds", "5", "--weeks", "3");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--seeds");
    RUN("--latency", "2ms", "--sessions", "8", "--parallel", "20", "--readers", "20");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--parallel times --readers");
    RUN("--latency", "2ms", "--sessions", "8", "--weeks", "1000", "--starts-per-week",
        "10000");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "migrate the storage");
}

static void curve__no_file_or_another_schema__three(void **state)
{
    char path[] = "/tmp/kw-plan-XXXXXX";
    static const char text[] = "{\"tool\":\"keyward-bench token\",\"schema\":9}";
    (void)state;
    RUN("--curve", "/nonexistent/curve.json");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "/nonexistent/curve.json");
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1);
    close(fd);
    RUN("--curve", path);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, path);
    CHECK_HAS(r.err, "\"schema\" is not 1");
    CHECK(unlink(path) == 0);
}

static void too_slow__one_and_what_would_carry_it(void **state)
{
    (void)state;
    RUN("--ops-per-s", "10", "--latency", "50ms", "--sessions-max", "32", "--seeds",
        "2000");
    CHECK(r.status == 1);
    CHECK_HAS(r.out, "IT DOES NOT FIT");
    CHECK_HAS(r.out, "times the 60.0 s wanted");
    CHECK_HAS(r.out, "would carry it");
    RUN("--ops-per-s", "10", "--latency", "50ms", "--sessions-max", "32", "--seeds",
        "2000", "--json");
    CHECK(r.status == 1);
    CHECK_HAS(r.out, "\"carried\": false");
}

static void plot__no_gnuplot__three_and_what_to_install(void **state)
{
    (void)state;
    make_gnuplot(NULL);
    RUN("--latency", "2ms", "--sessions", "8", "--plot", picture);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "gnuplot-nox");
    clean();
}

static void plot__gnuplot_fails__three_and_no_file(void **state)
{
    (void)state;
    make_gnuplot("#!/bin/sh\necho '<svg'\nexit 1\n");
    RUN("--latency", "2ms", "--sessions", "8", "--plot", picture);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "gnuplot failed");
    CHECK(access(picture, F_OK) != 0);
    clean();
}

static void plot__nowhere_to_write__three_and_the_name(void **state)
{
    (void)state;
    RUN("--latency", "2ms", "--sessions", "8", "--plot", "/nonexistent/plan.svg");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "/nonexistent/plan.svg");
}

/* What gnuplot is told comes back as the picture. */
static void plot__gnuplot_there__its_output_is_the_file(void **state)
{
    char text[32] = "";
    (void)state;
    make_gnuplot("#!/bin/sh\nwhile read -r line; do echo \"$line\"; done\n");
    RUN("--latency", "2ms", "--sessions", "8", "--plot", picture);
    CHECK(r.status == 0);
    FILE *f = fopen(picture, "r");
    CHECK(f != NULL && fgets(text, sizeof text, f) != NULL && fclose(f) == 0);
    CHECK_HAS(text, "set terminal svg");
    clean();
}

static double number(const json_t *document, const char *block, const char *name)
{
    const json_t *n = json_object_get(json_object_get(document, block), name);
    CHECK(json_is_number(n));
    return json_number_value(n);
}

static void carried__zero_and_the_whole_document(void **state)
{
    (void)state;
    RUN("--latency", "2000us", "--sessions", "8", "--seeds", "100", "--servers", "1",
        "--json");
    CHECK(r.status == 0);
    json_t *d = json_loads(r.out, 0, NULL);
    CHECK_STR(json_string_value(json_object_get(d, "tool")), "keyward-bench plan");
    CHECK(json_integer_value(json_object_get(d, "schema")) == 1);
    CHECK(json_is_false(json_object_get(d, "partial")));
    CHECK(number(d, "expected", "ready_ms") > 305.9);
    CHECK(number(d, "expected", "ready_ms") < 306.5);
    CHECK(number(d, "expected", "p99_ms") > 2.9);
    CHECK(number(d, "expected", "goodput") == 1);
    CHECK(number(d, "figures", "ready_ms") == number(d, "expected", "ready_ms"));
    CHECK(number(d, "limits", "seeds") > 19000);
    CHECK(number(d, "limits", "servers") >= 16);
    CHECK(number(d, "needs", "steady_per_s") > 0.3);
    CHECK(number(d, "inputs", "seeds") == 100);
    CHECK(json_array_size(json_object_get(d, "assumptions")) > 10);
    CHECK(json_array_size(json_object_get(d, "findings")) == 0);
    const json_t *curve = json_array_get(json_object_get(d, "curves"), 0);
    CHECK_STR(json_string_value(json_object_get(curve, "x")), "seeds");
    CHECK(json_array_size(json_object_get(curve, "points")) == 16);
    json_decref(d);
}

static void table__says_what_is_assumed(void **state)
{
    (void)state;
    RUN("--ops-per-s", "1500", "--latency", "2ms", "--sessions", "32", "--hsms", "2",
        "--one-lost", "--others", "20", "--failover", "2s", "--rolling");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "the token carries this");
    CHECK_HAS(r.out, "HSMs: 2 less one that is lost");
    CHECK_HAS(r.out, "at most 1500 a second");
    CHECK_HAS(r.out, "one after the other");
}

KW_CASES("bench/plan/program", CASE(nonsense__two_and_which),
         CASE(contradictions__two_and_which),
         CASE(curve__no_file_or_another_schema__three),
         CASE(too_slow__one_and_what_would_carry_it),
         CASE(plot__no_gnuplot__three_and_what_to_install),
         CASE(plot__gnuplot_fails__three_and_no_file),
         CASE(plot__nowhere_to_write__three_and_the_name),
         CASE(plot__gnuplot_there__its_output_is_the_file),
         CASE(carried__zero_and_the_whole_document), CASE(table__says_what_is_assumed))
