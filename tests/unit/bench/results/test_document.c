/* SPDX-License-Identifier: Apache-2.0 */
/* Written, and read back: the two files, their members, and what is refused. */
#include "check.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/file.h>

#include "run.h"
#include "sample.h"

static char folder[64], json[96], csv[96];
static struct kw_note note;

static void begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/kw-results-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(json, sizeof json, "%s/results.json", folder);
    snprintf(csv, sizeof csv, "%s/results.csv", folder);
    note = (struct kw_note){{0}};
}

static void end(void)
{
    (void)unlink(json);
    (void)unlink(csv);
    CHECK(rmdir(folder) == 0); /* nothing else lies there */
}

static void write_sample(void)
{
    struct kw_results *r = sample_new();
    CHECK_OK(kw_results_write(r, folder, &note));
    kw_results_free(r);
}

/* The sample's document with one member replaced, by a path of at most two names. */
static void write_changed(const char *member, const char *within, const char *value)
{
    struct kw_results *r = sample_new();
    json_t *root = kw_results_document(r), *of = root;
    kw_results_free(r);
    if (within != NULL)
        of = strcmp(within, "cell") == 0
                 ? json_array_get(json_object_get(root, "cells"), 1)
                 : json_object_get(root, within);
    CHECK(of != NULL);
    if (value == NULL)
        CHECK(json_object_del(of, member) == 0);
    else
        CHECK(json_object_set_new(of, member, json_loads(value, JSON_DECODE_ANY, NULL)) ==
              0);
    CHECK(json_dump_file(root, json, 0) == 0);
    json_decref(root);
}

static void check_refused(const char *why)
{
    struct kw_results *r = NULL;
    CHECK_CODE(kw_results_read(json, &r, &note), KW_CODE_BAD_INPUT);
    CHECK(r == NULL);
    CHECK_HAS(note.text, json);
    CHECK_HAS(note.text, why);
}

static void read__no_file_or_no_json__named(void **state)
{
    (void)state;
    struct kw_results *r = NULL;
    begin();
    CHECK_CODE(kw_results_read(json, &r, &note), KW_CODE_MISSING);
    CHECK_HAS(note.text, json);
    CHECK_OK(kw_file_replace(json, kw_span_str("{\n\"a\": }"), 0600, &note));
    check_refused("line 2: no JSON");
    CHECK_OK(kw_file_replace(json, kw_span_str("[]"), 0600, &note));
    check_refused("no results.json of keyward-bench rounds");
    end();
}

static void read__other_tool_or_schema__both_named(void **state)
{
    (void)state;
    begin();
    write_changed("tool", NULL, "\"keyward-bench load\"");
    check_refused("its \"tool\" says keyward-bench load");
    write_changed("schema", NULL, "2");
    check_refused("schema 2 by keyward-bench 0.1.0");
    CHECK_HAS(note.text, "reads schema 1");
    end();
}

static void read__member_missing_or_of_another_kind__named(void **state)
{
    static const struct {
        const char *member, *within, *value, *why;
    } bad[] = {
        {"session", NULL, NULL, "session: a text"},
        {"session", NULL, "\"00112233445566778\"", "session: a shorter text"},
        {"rounds", NULL, "65", "rounds: a whole number from 0 to 64"},
        {"rounds", NULL, "-1", "rounds: a whole number"},
        {"rounds", NULL, "2", "cells[0].cpu_us: an array of 2 numbers or nulls"},
        {"partial", NULL, "1", "partial: true or false"},
        {"elapsed_s", NULL, "\"1\"", "elapsed_s: a number"},
        {"cpu", "environment", NULL, "environment.cpu: a text"},
        {"notes", "environment", "{\"a\": 1}", "environment.a: a text"},
        {"cpus", "environment", "1.5", "environment.cpus: a whole number"},
        {"words", "layout", NULL, "layout.words: a text"},
        {"quiet", NULL, "[]", "quiet: an object"},
        {"cells", NULL, "[]", "cells: an array of 1 to 129 cells"},
        {"base", NULL, "\"nobody\"", "base: the name of a cell"},
        {"name", "cell", "\"a b\"", "cells[1].name: a name of letters"},
        {"name", "cell", "\"echo-64\"", "cells[1].name: a name"},
        {"primary", "cell", NULL, "cells[1].primary: true or false"},
        {"command", "cell", "null", "cells[1].command: a text"},
        {"figures", "cell", "{\"a b\": [1,2,3]}", "cells[1].figures: at most 32 names"},
        {"figures", "cell", "{\"p\": [1,\"x\",3]}", "cells[1].p: an array of 3 numbers"},
        {"histogram", "cell", "[[2,1],[1,1]]", "cells[1].histogram: an array"},
        {"axes", "cell", "{}", "cells[1].subject: a text"},
        {"rounds", "pulse", "[[1,1,1]]", "pulse.rounds: one array a round"},
        {"rounds", "pulse", "[[1,1,1],[1,1],[1,1,1]]", "pulse.rounds: an array of 3"},
        {"disturbed", NULL, "[{\"round\": 3, \"why\": \"x\"}]", "disturbed[0].round"},
        {"disturbed", NULL, "[{\"round\": 0}]", "disturbed[0].why: a text"},
        {"noise", NULL, "{\"a b\": {}}", "noise.a b.: one of at most 32 names"},
        {"noise", NULL, "{\"cpu_us\": 1}", "noise.cpu_us.mid: a number"},
    };
    (void)state;
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_changed(bad[i].member, bad[i].within, bad[i].value);
        check_refused(bad[i].why);
    }
    end();
}

static void write__no_folder__named(void **state)
{
    (void)state;
    struct kw_results *r = sample_new();
    begin();
    CHECK(rmdir(folder) == 0);
    CHECK(kw_failed(kw_results_write(r, folder, &note)));
    CHECK_HAS(note.text, json);
    CHECK(mkdir(folder, 0700) == 0);
    kw_results_free(r);
    end();
}

static void write__full_disk__said_and_the_old_one_whole(void **state)
{
    (void)state;
    struct kw_results *r = sample_new();
    struct rlimit before, small;
    begin();
    write_sample();
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    small = (struct rlimit){512, before.rlim_max};
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    r->rounds = 0;
    kw_err e = kw_results_write(r, folder, &note);
    CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(signal(SIGXFSZ, SIG_DFL) != SIG_ERR);
    CHECK(e.code == KW_CODE_IO);
    CHECK_HAS(note.text, json);
    kw_results_free(r);
    r = NULL;
    CHECK_OK(kw_results_read(json, &r, &note));
    CHECK(r->rounds == 3);
    kw_results_free(r);
    end();
}

static void write__no_memory__said_and_nothing_there(void **state)
{
    (void)state;
    struct kw_results *r = sample_new();
    begin();
    kw_alloc_fail_from(0);
    CHECK_CODE(kw_results_write(r, folder, &note), KW_CODE_NO_MEMORY);
    kw_alloc_fail_from(-1);
    CHECK_HAS(note.text, "out of memory");
    kw_results_free(r);
    end();
}

static void written__read_back__the_same(void **state)
{
    (void)state;
    struct kw_results *want = sample_new(), *r = NULL;
    begin();
    write_sample();
    CHECK_OK(kw_results_read(json, &r, &note));
    json_t *a = kw_results_document(want), *b = kw_results_document(r);
    CHECK(a != NULL && json_equal(a, b) == 1);
    json_decref(a);
    json_decref(b);
    CHECK(isnan(r->cell[2].figure[0][2]));
    CHECK(r->cell[1].histogram.count == 3);
    CHECK(r->disturbed[1] && !r->disturbed[0]);
    kw_results_free(r);
    kw_results_free(want);
    end();
}

static void csv__each_known_figure__one_line(void **state)
{
    (void)state;
    struct kw_blob b = {0};
    begin();
    write_sample();
    CHECK_OK(kw_file_read(csv, 65536, &b, &note));
    CHECK_STR((const char *)b.ptr,
              "session,cell,primary,control,round,disturbed,figure,value\n"
              "00112233445566ff,echo-64,0,0,0,0,cpu_us,10\n"
              "00112233445566ff,echo-64,0,0,1,1,cpu_us,20\n"
              "00112233445566ff,echo-64,0,0,2,0,cpu_us,11\n"
              "00112233445566ff,wall-64,1,0,0,0,cpu_us,20\n"
              "00112233445566ff,wall-64,1,0,1,1,cpu_us,90\n"
              "00112233445566ff,wall-64,1,0,2,0,cpu_us,33\n"
              "00112233445566ff,control,0,1,0,0,cpu_us,10\n"
              "00112233445566ff,control,0,1,1,1,cpu_us,20\n");
    kw_blob_wipe(&b);
    end();
}

static void schema__the_sample_and_a_changed_one__good_and_named(void **state)
{
    static struct kw_run run;
    (void)state;
    begin();
    const char *const argv[] = {"/usr/bin/python3", KW_JSON_SCHEMA_PY, KW_SCHEMA, json,
                                NULL};
    write_sample();
    kw_run(&run, argv);
    CHECK_STR(run.err, "");
    CHECK(run.status == 0);
    write_changed("session", NULL, "\"x\"");
    kw_run(&run, argv);
    CHECK(run.status == 1);
    CHECK_HAS(run.err, "$.session");
    end();
}

KW_CASES("bench/results/document", CASE(read__no_file_or_no_json__named),
         CASE(read__other_tool_or_schema__both_named),
         CASE(read__member_missing_or_of_another_kind__named),
         CASE(write__no_folder__named),
         CASE(write__full_disk__said_and_the_old_one_whole),
         CASE(write__no_memory__said_and_nothing_there),
         CASE(written__read_back__the_same), CASE(csv__each_known_figure__one_line),
         CASE(schema__the_sample_and_a_changed_one__good_and_named))
