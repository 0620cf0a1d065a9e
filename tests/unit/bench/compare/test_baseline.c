/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include <keyward/file.h>

#include "runs.h"

static char folder[64], path[96];
static struct kw_results *run;
static struct kw_profile *profile, *back;
static struct kw_note note;

static void begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/keyward-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/debian-12.json", folder);
    run = run_new('a', 'm');
    CHECK_OK(kw_profile_new(run, "results/x", NULL, &profile));
    back = NULL;
}

static void end(void)
{
    (void)unlink(path);
    CHECK(rmdir(folder) == 0); /* nothing else lies there */
    kw_profile_free(back);
    kw_profile_free(profile);
    kw_results_free(run);
}

static void put(const char *text)
{
    CHECK_OK(kw_file_replace(path, kw_span_str(text), 0644, NULL));
}

static void refused(const char *text, const char *says)
{
    put(text);
    CHECK_CODE(kw_baseline_read(path, &back, &note), KW_CODE_BAD_INPUT);
    CHECK(back == NULL);
    CHECK_HAS(note.text, "debian-12.json");
    CHECK_HAS(note.text, says);
}

static void read__no_file__missing(void **state)
{
    (void)state;
    begin();
    CHECK_CODE(kw_baseline_read(path, &back, &note), KW_CODE_MISSING);
    CHECK(back == NULL);
    end();
}

static void read__not_a_baseline__says_what_is_wrong(void **state)
{
    static const char head[] =
        "\"tool\":\"keyward-bench compare --write-baseline\",\"schema\":1,\"name\":\"n\","
        "\"machine\":\"m\",\"fingerprint\":\"f\",\"commit\":\"c\",\"began\":\"b\","
        "\"layout\":\"same\",\"base\":\"echo-64\",\"rounds\":9,";
    static const char cell[] =
        "{\"name\":\"a\",\"primary\":true,\"axes\":{\"subject\":\"a\",\"method\":\"m\","
        "\"in_flight\":1,\"rate\":0,\"token_delay_us\":0},\"cpu_us\":{\"base\":{"
        "\"ratio\":%s,\"error\":0.1,\"freedom\":%s}}}";
    char one[512], text[2048];
    (void)state;
    begin();
    refused("{", "line 1");
    refused("{}", "tool");
    refused("{\"tool\":\"keyward-bench rounds\",\"schema\":1}", "tool");
    refused("{\"tool\":\"keyward-bench compare --write-baseline\",\"schema\":2}",
            "schema");
    snprintf(text, sizeof text, "{%s\"cells\":[]}", head);
    refused(text, "cells");
    snprintf(one, sizeof one, cell, "0", "5");
    snprintf(text, sizeof text, "{%s\"cells\":[%s]}", head, one);
    refused(text, "cells[0].cpu_us");
    snprintf(one, sizeof one, cell, "1.5", "1e300");
    snprintf(text, sizeof text, "{%s\"cells\":[%s]}", head, one);
    refused(text, "cells[0].cpu_us");
    snprintf(one, sizeof one, cell, "1.5", "0");
    snprintf(text, sizeof text, "{%s\"cells\":[%s]}", head, one);
    refused(text, "cells[0].cpu_us");
    snprintf(one, sizeof one, cell, "1.5", "5");
    snprintf(text, sizeof text, "{%s\"cells\":[%s,%s]}", head, one, one);
    refused(text, "cells[1].name");
    snprintf(text, sizeof text, "{%s\"cells\":[%s]}", head, one);
    put(text);
    CHECK_OK(kw_baseline_read(path, &back, &note)); /* the same text can be good */
    end();
}

static void write__partial_or_unusable_run__refused(void **state)
{
    (void)state;
    begin();
    run->partial = true;
    CHECK_CODE(kw_baseline_write(profile, path, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "partial");
    run->partial = false;
    snprintf(run->quiet, sizeof run->quiet, "unusable");
    CHECK_CODE(kw_baseline_write(profile, path, &note), KW_CODE_BAD_INPUT);
    CHECK(access(path, F_OK) != 0);
    end();
}

static void write__too_few_rounds__refused(void **state)
{
    (void)state;
    begin();
    kw_profile_free(profile);
    run->rounds = 4;
    CHECK_OK(kw_profile_new(run, "results/x", NULL, &profile));
    CHECK_CODE(kw_baseline_write(profile, path, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "no cell's cpu_us is known");
    end();
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-6;
}

static void write__read_back__the_same_ratios(void **state)
{
    (void)state;
    begin();
    CHECK_OK(kw_baseline_write(profile, path, &note));
    CHECK_OK(kw_baseline_read(path, &back, &note));
    CHECK_STR(back->name, "debian-12");
    CHECK_STR(back->machine, "made up, 2 CPUs, Linux, virtualisation: none");
    CHECK_STR(back->fingerprint, "m");
    CHECK_STR(back->session, "");
    CHECK(back->results == NULL && back->rounds == 12);
    CHECK(back->cell_count == 4); /* all but base and control */
    const struct kw_profile_cell *hit = kw_profile_cell(back, "hit-64");
    const struct kw_profile_cell *was = kw_profile_cell(profile, "hit-64");
    CHECK(hit != NULL && hit->primary && near(hit->axes.in_flight, 64));
    for (size_t y = 0; y < KW_YARDSTICKS; y++) {
        CHECK(hit->known[KW_WEIGHED_CPU][y] && !hit->known[KW_WEIGHED_RATE][y]);
        CHECK(near(hit->to[KW_WEIGHED_CPU][y].mean, was->to[KW_WEIGHED_CPU][y].mean));
        CHECK(near(hit->to[KW_WEIGHED_CPU][y].error, was->to[KW_WEIGHED_CPU][y].error));
        CHECK(
            near(hit->to[KW_WEIGHED_CPU][y].freedom, was->to[KW_WEIGHED_CPU][y].freedom));
    }
    CHECK(fabs(exp(hit->to[KW_WEIGHED_CPU][KW_YARDSTICK_BASE].mean) - 2) < 0.02);
    end();
}

static enum kw_exit against_baseline(const struct kw_results *r, enum kw_footing footing)
{
    struct kw_profile *now = NULL;
    struct kw_comparison *c = NULL;
    CHECK_OK(kw_profile_new(r, "new.json", NULL, &now));
    CHECK_OK(kw_compare(back, now, 0.05, &c, &note));
    enum kw_exit code = kw_comparison_exit(c);
    CHECK(c->footing == footing);
    kw_comparison_free(c);
    kw_profile_free(now);
    return code;
}

static void compare__with_a_baseline__by_its_ratios(void **state)
{
    (void)state;
    begin();
    CHECK_OK(kw_baseline_write(profile, path, &note));
    CHECK_OK(kw_baseline_read(path, &back, &note));
    struct kw_results *here = run_new('a', 'm'), *there = run_new('b', 'n');
    CHECK(against_baseline(here, KW_FOOTING_MACHINE) == KW_EXIT_GOOD);
    CHECK(against_baseline(there, KW_FOOTING_FOREIGN) == KW_EXIT_GOOD);
    run_cell(here, "echo-64")->primary = true; /* no baseline has the base itself */
    CHECK(against_baseline(here, KW_FOOTING_MACHINE) == KW_EXIT_GOOD);
    run_scale(here, "hit-64", 1.2);
    run_scale(there, "hit-64", 1.2);
    CHECK(against_baseline(here, KW_FOOTING_MACHINE) == KW_EXIT_WRONG);
    CHECK(against_baseline(there, KW_FOOTING_FOREIGN) == KW_EXIT_WRONG);
    kw_results_free(here);
    kw_results_free(there);
    end();
}

KW_CASES("bench/compare/baseline", CASE(read__no_file__missing),
         CASE(read__not_a_baseline__says_what_is_wrong),
         CASE(write__partial_or_unusable_run__refused),
         CASE(write__too_few_rounds__refused), CASE(write__read_back__the_same_ratios),
         CASE(compare__with_a_baseline__by_its_ratios))
