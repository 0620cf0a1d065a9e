/* SPDX-License-Identifier: Apache-2.0 */
/* What the tool says to people and to programs. */
#include "tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "watch.h"

static void stderr_say(const char *verb, const char *fmt, va_list ap) KW_PRINTF(2, 0);
static void stderr_say(const char *verb, const char *fmt, va_list ap)
{
    fflush(stdout);
    fprintf(stderr, "keyward-bench %s: ", verb);
    vfprintf(stderr, fmt, ap);
}

int kw_bench_usage(const char *verb, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    stderr_say(verb, fmt, ap);
    va_end(ap);
    fprintf(stderr, "; try: keyward-bench %s --help\n", verb);
    return KW_BENCH_USAGE;
}

int kw_bench_unable(const char *verb, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    stderr_say(verb, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return KW_BENCH_UNABLE;
}

int kw_bench_failed(const char *verb, kw_err e, const struct kw_note *note)
{
    if (note != NULL && note->text[0] != '\0')
        return kw_bench_unable(verb, "%s", note->text);
    return kw_bench_unable(verb, "%s at %s%s%s", kw_code_name(e.code),
                           e.where != NULL ? e.where : "?", e.native != 0 ? ": " : "",
                           e.native != 0 && e.code == KW_CODE_IO ? strerror((int)e.native)
                                                                 : "");
}

int kw_bench_pin(const char *verb, const char *text, uint64_t cpu)
{
    if (text == NULL || kw_pin((unsigned)cpu))
        return -1;
    return kw_bench_unable(verb, "there is no CPU %s for this process", text);
}

int kw_bench_read(struct kw_args *args, int argc, char **argv)
{
    bool help = false;
    struct kw_note note = {{0}};
    const struct kw_option common[] = {{"help", .on = &help}};
    args->program = "keyward-bench";
    args->exits =
        "0 good, 1 wrong replies or errors, 2 wrong usage, 3 could not run or not "
        "to its end";
    args->common = common;
    args->common_count = 1;
    args->column = 28;
    kw_err e = kw_args_read(args, argc, argv, &note);
    if (kw_failed(e))
        return kw_bench_usage(args->verb, "%s", note.text);
    if (!help)
        return -1;
    return kw_args_help(args) ? KW_BENCH_GOOD : KW_BENCH_UNABLE;
}

int kw_bench_document(const char *verb, json_t *document, bool json,
                      enum kw_bench_exit code)
{
    struct kw_note note = {{0}};
    bool printed = document != NULL && !json && kw_analysis_table(verb, document, &note);
    if (!printed && note.text[0] != '\0')
        (void)kw_bench_unable(verb, "no table, but the document itself: %s", note.text);
    if (!printed &&
        (document == NULL || json_dumpf(document, stdout, JSON_INDENT(2)) != 0 ||
         putchar('\n') == EOF || fflush(stdout) != 0)) {
        fputs("keyward-bench: the JSON document could not be made or written\n", stderr);
        code = KW_BENCH_UNABLE;
    }
    json_decref(document);
    return (int)code;
}
