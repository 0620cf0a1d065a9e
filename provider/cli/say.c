/* SPDX-License-Identifier: Apache-2.0 */
/* What the tool says to people and to programs. */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <keyward/bytes.h>
#include <keyward/file.h>
#include <keyward/token.h>

#define DONE_BUT_NOT_DURABLE                                                             \
    "# the change lies in the file: do not make it again; when the disk is well:\n"      \
    "sync\n"

int kw_usage_error(const char *verb, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    kw_copy_printable(text, sizeof text, kw_span_str(text));
    fprintf(stderr, "keyward: %s; try: keyward %s%s--help\n", text, verb,
            verb[0] != '\0' ? " " : "");
    return KW_EXIT_USAGE;
}

enum kw_exit kw_exit_for(enum kw_code code)
{
    switch (code) {
    case KW_CODE_OK: return KW_EXIT_GOOD;
    case KW_CODE_MISSING:
    case KW_CODE_IO:
    case KW_CODE_NO_MEMORY:
    case KW_CODE_HSM_DOWN:
    case KW_CODE_HSM_BUSY:
    case KW_CODE_SESSION:
    case KW_CODE_DEADLINE:
    case KW_CODE_CANCELLED:
    case KW_CODE_AUDIT:
    case KW_CODE_STARTING: return KW_EXIT_BLIND;
    case KW_CODE_BUSY:
    case KW_CODE_BAD_INPUT:
    case KW_CODE_DENIED:
    case KW_CODE_UNKNOWN_KEY:
    case KW_CODE_KEY_DISABLED:
    case KW_CODE_KEY_BAD:
    case KW_CODE_FORGED:
    case KW_CODE_UNSURE:
    case KW_CODE_WRONG_ANSWER:
    case KW_CODE_QUARANTINED:
    case KW_CODE_HSM_CONFIG:
    case KW_CODE_PIN_STOP:
    case KW_CODE_BUG:
    case KW_CODE_COUNT: break;
    }
    return KW_EXIT_PROBLEM;
}

void kw_native_name(kw_err e, char dst[64])
{
    char ckr[48];
    bool is_call = e.where != NULL && e.where[0] == 'C' && e.where[1] == '_';
    if (e.native == 0) {
        dst[0] = '\0';
    } else if (!is_call) {
        snprintf(dst, 64, "%s", strerror((int)e.native));
    } else {
        kw_ckr_name(e.native, ckr);
        snprintf(dst, 64, "%s", ckr);
    }
}

/* The lines of a way out or of what comes next, one a line. */
static void say_next(FILE *out, const char *next)
{
    for (const char *end; *next != '\0'; next = *end == '\0' ? end : end + 1) {
        end = strchrnul(next, '\n');
        fprintf(out, "  %.*s\n", (int)(end - next), next);
    }
}

json_t *kw_next_json(const char *next)
{
    json_t *lines = json_array();
    for (const char *end; *next != '\0'; next = *end == '\0' ? end : end + 1) {
        end = strchrnul(next, '\n');
        json_array_append_new(lines, json_stringn(next, (size_t)(end - next)));
    }
    return lines;
}

/* What went wrong, in parts. */
struct said {
    const char *text, *code, *native, *where, *next;
    const char *member; /* one more of the document, or NULL */
    json_t *value;
};

static int say(const struct kw_cli *cli, const struct said *s, enum kw_exit status)
{
    fprintf(stderr, "keyward: %s", s->text);
    if (s->native[0] != '\0' && strstr(s->text, s->native) == NULL)
        fprintf(stderr, " (%s%s%s)", s->native, s->where[0] != '\0' ? " at " : "",
                s->where);
    fputc('\n', stderr);
    say_next(stderr, s->next);
    if (!cli->json) {
        json_decref(s->value);
        return (int)status;
    }
    json_t *document = json_pack("{s:b, s:s, s:s, s:s, s:s, s:o}", "ok", 0, "error",
                                 s->text, "code", s->code, "native", s->native, "where",
                                 s->where, "next", kw_next_json(s->next));
    if (s->member != NULL && json_object_set_new(document, s->member, s->value) != 0) {
        json_decref(document);
        document = NULL;
    }
    return kw_json_out(document, status);
}

int kw_fail_with(const struct kw_cli *cli, kw_err e, const struct kw_note *note,
                 const char *next, const char *member, json_t *value)
{
    char native[64], plain[160];
    kw_native_name(e, native);
    const char *text = note != NULL && note->text[0] != '\0' ? note->text : plain;
    snprintf(plain, sizeof plain, "%s at %s", kw_code_name(e.code),
             e.where != NULL ? e.where : "?");
    bool written = kw_file_is_written(e); /* nobody may take it for not done */
    const struct said s = {text,
                           written ? "not-durable" : kw_code_name(e.code),
                           native,
                           e.where != NULL ? e.where : "",
                           written ? DONE_BUT_NOT_DURABLE : next,
                           member,
                           value};
    return say(cli, &s, written ? KW_EXIT_BLIND : kw_exit_for(e.code));
}

int kw_fail(const struct kw_cli *cli, kw_err e, const struct kw_note *note)
{
    return kw_fail_with(cli, e, note, "", NULL, NULL);
}

int kw_refuse(const struct kw_cli *cli, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    kw_copy_printable(text, sizeof text, kw_span_str(text));
    return kw_refuse_next(cli, text, "");
}

int kw_refuse_next(const struct kw_cli *cli, const char *text, const char *next)
{
    const struct said s = {text, "refused", "", "", next, NULL, NULL};
    return say(cli, &s, KW_EXIT_PROBLEM);
}

int kw_done(const struct kw_cli *cli, json_t *document, const char *next,
            enum kw_exit code)
{
    if (cli->json) {
        if (document != NULL)
            json_object_set_new(document, "next", kw_next_json(next));
        return kw_json_out(document, code);
    }
    json_decref(document);
    if (next[0] != '\0')
        puts("next:");
    say_next(stdout, next);
    return fflush(stdout) == 0 ? (int)code : KW_EXIT_BLIND;
}

int kw_json_out(json_t *document, enum kw_exit code)
{
    if (document == NULL ||
        json_dumpf(document, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) != 0 ||
        putchar('\n') == EOF || fflush(stdout) != 0) {
        fputs("keyward: the JSON document could not be made or written\n", stderr);
        json_decref(document);
        return KW_EXIT_BLIND;
    }
    json_decref(document);
    return (int)code;
}

const char *kw_tint(const struct kw_cli *cli, enum kw_tint tint)
{
    static const char *const codes[] = {
        [KW_TINT_OFF] = "\033[0m",   [KW_TINT_GOOD] = "\033[32m",
        [KW_TINT_WARN] = "\033[33m", [KW_TINT_BAD] = "\033[1;31m",
        [KW_TINT_DIM] = "\033[2m",
    };
    return cli->colour ? codes[tint] : "";
}
