/* SPDX-License-Identifier: Apache-2.0 */
/* What the tool says to people and to programs. */
#include "tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void say(const struct kw_verb *verb, const char *fmt, va_list ap) KW_PRINTF(2, 0);
static void say(const struct kw_verb *verb, const char *fmt, va_list ap)
{
    fflush(stdout);
    fprintf(stderr, "keyward-bench %s: ", verb->name);
    vfprintf(stderr, fmt, ap);
}

int kw_usage(const struct kw_verb *verb, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(verb, fmt, ap);
    va_end(ap);
    fprintf(stderr, "; try: keyward-bench %s --help\n", verb->name);
    return KW_EXIT_USAGE;
}

int kw_unable(const struct kw_verb *verb, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(verb, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return KW_EXIT_UNABLE;
}

int kw_unable_err(const struct kw_verb *verb, kw_err e, const struct kw_note *note)
{
    if (note != NULL && note->text[0] != '\0')
        return kw_unable(verb, "%s", note->text);
    return kw_unable(verb, "%s at %s%s%s", kw_code_name(e.code),
                     e.where != NULL ? e.where : "?", e.native != 0 ? ": " : "",
                     e.native != 0 && e.code == KW_CODE_IO ? strerror((int)e.native)
                                                           : "");
}

int kw_document_out(json_t *document, enum kw_exit code)
{
    if (document == NULL || json_dumpf(document, stdout, JSON_INDENT(2)) != 0 ||
        putchar('\n') == EOF || fflush(stdout) != 0) {
        fputs("keyward-bench: the JSON document could not be made or written\n", stderr);
        code = KW_EXIT_UNABLE;
    }
    json_decref(document);
    return (int)code;
}
