/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench compare */
#include <stdio.h>
#include <sys/stat.h>

#include <keyward/alloc.h>
#include <keyward/bytes.h>

#include "compare.h"

/* What was read, all of it freed at the end. */
struct sides {
    struct kw_results *results[2];
    struct kw_profile *profile[2]; /* OLD, NEW */
};

static void sides_free(struct sides *s)
{
    for (int i = 0; i < 2; i++) {
        kw_profile_free(s->profile[i]);
        kw_results_free(s->results[i]);
    }
}

/* A results folder stands for the results.json in it. */
static kw_err read_results(const char *path, struct kw_results **ret_results,
                           struct kw_note *note)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return kw_results_read(path, ret_results, note);
    char *inside = kw_format("%s/results.json", path);
    if (inside == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "path");
    kw_err e = kw_results_read(inside, ret_results, note);
    kw_free(inside);
    return e;
}

static kw_err read_side(const char *path, int at, struct sides *s, struct kw_note *note)
{
    kw_err e = read_results(path, &s->results[at], note);
    if (!kw_failed(e))
        e = kw_profile_new(s->results[at], path, NULL, &s->profile[at]);
    return e;
}

/* Cells old-NAME against new-NAME of one document. */
static kw_err read_halves(const char *path, struct sides *s, struct kw_note *note)
{
    kw_err e = read_results(path, &s->results[0], note);
    if (!kw_failed(e))
        e = kw_profile_new(s->results[0], "cells old-…", "old-", &s->profile[0]);
    if (!kw_failed(e))
        e = kw_profile_new(s->results[0], "cells new-…", "new-", &s->profile[1]);
    if (kw_failed(e))
        return e;
    if (s->profile[0]->cell_count == 0 || s->profile[1]->cell_count == 0) {
        kw_note_set(note,
                    "%s has no cells old-… and new-…: give two documents, or --baseline",
                    path);
        return kw_err_at(KW_CODE_BAD_INPUT, "halves");
    }
    return KW_OK;
}

static kw_err read_sides(char **operands, int count, const char *baseline,
                         struct sides *s, struct kw_note *note)
{
    if (baseline == NULL && count == 1)
        return read_halves(operands[0], s, note);
    kw_err e = baseline != NULL ? kw_baseline_read(baseline, &s->profile[0], note)
                                : read_side(operands[0], 0, s, note);
    if (!kw_failed(e))
        e = read_side(operands[count - 1], 1, s, note);
    return e;
}

static int say(const struct kw_comparison *c, bool json)
{
    enum kw_exit code = kw_comparison_exit(c);
    if (json)
        return kw_document_out(kw_comparison_document(c), code);
    kw_comparison_table(c);
    return (int)(fflush(stdout) == 0 ? code : KW_EXIT_UNABLE);
}

static int compare(const struct kw_verb *v, char **operands, int count,
                   const char *baseline, double threshold, bool json)
{
    struct sides s = {0};
    struct kw_note note = {{0}};
    struct kw_comparison *c = NULL;
    kw_err e = read_sides(operands, count, baseline, &s, &note);
    if (!kw_failed(e))
        e = kw_compare(s.profile[0], s.profile[1], threshold, &c, &note);
    int code = kw_failed(e) ? kw_unable_err(v, e, &note) : say(c, json);
    kw_comparison_free(c);
    sides_free(&s);
    return code;
}

static int write_baseline(const struct kw_verb *v, const char *results, const char *path)
{
    struct sides s = {0};
    struct kw_note note = {{0}};
    kw_err e = read_side(results, 1, &s, &note);
    if (!kw_failed(e))
        e = kw_baseline_write(s.profile[1], path, &note);
    int code = kw_failed(e) ? kw_unable_err(v, e, &note) : KW_EXIT_GOOD;
    sides_free(&s);
    return code;
}

int kw_bench_compare(int argc, char **argv)
{
    const char *percent = NULL, *baseline = NULL, *write = NULL;
    bool json = false;
    uint64_t threshold = 5;
    const struct kw_flag flags[] = {
        {"threshold", "PERCENT", "what is too small to matter, 1..100 (5)", NULL,
         &percent},
        {"baseline", "FILE", "OLD is this baseline", NULL, &baseline},
        {"write-baseline", "FILE", "write NEW's ratios as a baseline; compare nothing",
         NULL, &write},
        {"json", NULL, "one JSON document instead of a table", &json, NULL},
    };
    const struct kw_verb v = {
        .name = "compare",
        .operands = "[OLD] NEW",
        .summary = "Says whether NEW needs more CPU a call than OLD.",
        .operand_min = 1,
        .operand_max = 2,
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .more = "OLD and NEW are results.json files or their folders.  NEW alone is "
                "compared\n"
                "with --baseline, or its cells new-NAME with its cells old-NAME.  "
                "Documents of\n"
                "one interleaved run are compared round by round; of two runs, by their "
                "ratios\n"
                "to the base.  The cells marked primary (NAME*=… of rounds) decide, 8 at "
                "most.\n"
                "Exit status here: 0 no primary cell was shown to be slower by more than "
                "the\n"
                "threshold, 1 one was, 3 one could not be looked at."};
    int operands = 0, code = kw_args(&v, argc, argv, &operands);
    if (code < 0)
        code = kw_args_number(&v, "threshold", percent, 1, 100, &threshold);
    if (code >= 0)
        return code;
    if ((baseline != NULL || write != NULL) && operands != 1)
        return kw_usage(&v, "--%s wants NEW alone",
                        baseline != NULL ? "baseline" : "write-baseline");
    if (write != NULL && (baseline != NULL || json || percent != NULL))
        return kw_usage(&v, "--write-baseline goes with no other option");
    if (write != NULL)
        return write_baseline(&v, argv[1], write);
    return compare(&v, argv + 1, operands, baseline, (double)threshold / 100, json);
}
