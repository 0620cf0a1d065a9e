/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench report */
#include <limits.h>
#include <stdio.h>

#include <keyward/file.h>

#include "report.h"

static int run(const struct kw_verb *v, const char *folder, const char *out)
{
    struct kw_report *r = NULL;
    struct kw_note note = {{0}};
    kw_err e = kw_report_open(folder, &r, &note);
    if (kw_failed(e))
        return kw_unable_err(v, e, &note);
    e = kw_report_write(r);
    if (kw_failed(e))
        (void)kw_unable_err(v, e, &r->note);
    else
        e = kw_file_replace(out, kw_span_of(r->page.text, r->page.len), 0644, &note);
    if (kw_failed(e) && note.text[0] != '\0')
        (void)kw_unable_err(v, e, &note);
    kw_report_close(r);
    if (kw_failed(e))
        return KW_EXIT_UNABLE;
    return printf("%s\n", out) > 0 && fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_UNABLE;
}

int kw_bench_report(int argc, char **argv)
{
    const char *out = NULL;
    const struct kw_flag flags[] = {
        {"out", "FILE", "where the page goes (RESULTS_DIR/report.html)", NULL, &out},
    };
    const struct kw_verb v = {
        .name = "report",
        .operands = "RESULTS_DIR",
        .summary = "Makes one page of a results folder: plots, tables and the verdict.",
        .operand_min = 1,
        .operand_max = 1,
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .more =
            "RESULTS_DIR has the results.json of rounds --out, and perhaps documents of\n"
            "storm, plan, token (--json) and micro beside it.  gnuplot draws the plots.\n"
            "The page needs nothing but itself; what was not measured is named in it."};
    char path[PATH_MAX];
    int operands = 0, code = kw_args(&v, argc, argv, &operands);
    if (code >= 0)
        return code;
    if (snprintf(path, sizeof path, "%s/report.html", argv[1]) >= (int)sizeof path)
        return kw_usage(&v, "the folder's name is too long");
    return run(&v, argv[1], out != NULL ? out : path);
}
