/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench report, as one calls it. */
#include "check.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/file.h>

#include "fixture.h"
#include "run.h"

static struct kw_run r;
#define RUN(...) kw_run(&r, (const char *const[]){KEYWARD_BENCH, __VA_ARGS__, NULL})

static void no_folder_named__two(void **state)
{
    (void)state;
    RUN("report");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "it wants RESULTS_DIR");
    RUN("report", "a", "b");
    CHECK(r.status == 2);
}

static void help__options_and_exit_codes(void **state)
{
    (void)state;
    RUN("report", "--help");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "--out FILE");
    CHECK_HAS(r.out, "exit status: 0 good");
}

static void nothing_there__three_and_why(void **state)
{
    (void)state;
    RUN("report", "/nonexistent/results");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "keyward-bench report: /nonexistent/results: ");
}

static void no_gnuplot__three_and_the_old_page_stays(void **state)
{
    struct kw_fixture f;
    struct kw_blob page = {0};
    (void)state;
    kw_fixture_quick(&f);
    kw_fixture_file(&f, "report.html", "old");
    CHECK(setenv("PATH", "/nonexistent", 1) == 0);
    RUN("report", f.folder);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "apt-get install gnuplot-nox");
    CHECK_OK(kw_file_read(f.page, 100, &page, NULL));
    CHECK(kw_span_equal_str(kw_blob_peek(&page), "old"));
    kw_blob_wipe(&page);
    kw_fixture_remove(&f);
}

static void out_cannot_be_written__three_and_the_file(void **state)
{
    struct kw_fixture f;
    (void)state;
    kw_fixture_quick(&f);
    RUN("report", f.folder, "--out", "/nonexistent/a.html");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "/nonexistent/a.html");
    kw_fixture_remove(&f);
}

static void good__page_in_the_folder_and_its_name_said(void **state)
{
    struct kw_fixture f;
    struct kw_blob page = {0};
    (void)state;
    kw_fixture_quick(&f);
    RUN("report", f.folder);
    CHECK_STR(r.err, "");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, f.page);
    CHECK_OK(kw_file_read(f.page, 1 << 20, &page, NULL));
    CHECK(page.len > 10000);
    kw_blob_wipe(&page);
    kw_fixture_remove(&f);
}

KW_CASES("bench/report/verb", CASE(no_folder_named__two),
         CASE(help__options_and_exit_codes), CASE(nothing_there__three_and_why),
         CASE(no_gnuplot__three_and_the_old_page_stays),
         CASE(out_cannot_be_written__three_and_the_file),
         CASE(good__page_in_the_folder_and_its_name_said))
