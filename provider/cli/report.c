/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as lines or as JSON. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <keyward/bytes.h>

static const struct {
    const char *word, *result; /* for people; in the document */
    enum kw_tint tint;
} looks[] = {
    [KW_FOUND_OK] = {"ok", "ok", KW_TINT_GOOD},
    [KW_FOUND_WARN] = {"warn", "warn", KW_TINT_WARN},
    [KW_FOUND_FAIL] = {"FAIL", "FAIL", KW_TINT_BAD},
    [KW_FOUND_BLIND] = {"?", "?", KW_TINT_BAD},
    [KW_FOUND_NOT_TRIED] = {"-", "not tried", KW_TINT_DIM},
};

void kw_report_begin(struct kw_report *r, const struct kw_cli *cli)
{
    *r = (struct kw_report){.cli = cli, .items = cli->json ? json_array() : NULL};
}

static void print_remedy(const char *remedy)
{
    const char *arrow = "->";
    for (size_t len; *remedy != '\0'; remedy += len + (remedy[len] == '\n')) {
        len = strcspn(remedy, "\n");
        printf("      %-18s %s %.*s\n", "", arrow, (int)len, remedy);
        arrow = "  ";
    }
}

static void report_print(const struct kw_report *r, enum kw_found found, const char *name,
                         const char *text, const char *remedy)
{
    printf("%s%-5s%s %-18s %s\n", kw_tint(r->cli, looks[found].tint), looks[found].word,
           kw_tint(r->cli, KW_TINT_OFF), name, text);
    if (remedy != NULL && found != KW_FOUND_OK)
        print_remedy(remedy);
    fflush(stdout);
}

void kw_report_add(struct kw_report *r, enum kw_found found, const char *name,
                   const char *remedy, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    kw_copy_printable(text, sizeof text, kw_span_str(text));
    r->count[found]++;
    if (!r->cli->json)
        report_print(r, found, name, text, remedy);
    else if (json_array_append_new(
                 r->items, json_pack("{s:s, s:s, s:s, s:s?}", "name", name, "result",
                                     looks[found].result, "text", text, "remedy",
                                     found != KW_FOUND_OK ? remedy : NULL)) != 0)
        r->count[KW_FOUND_BLIND]++;
}

void kw_report_err(struct kw_report *r, const char *name, kw_err e,
                   const struct kw_note *note)
{
    enum kw_found found =
        kw_exit_for(e.code) == KW_EXIT_BLIND ? KW_FOUND_BLIND : KW_FOUND_FAIL;
    if (note->text[0] != '\0')
        kw_report_add(r, found, name, NULL, "%s", note->text);
    else
        kw_report_add(r, found, name, NULL, "%s at %s", kw_code_name(e.code),
                      e.where != NULL ? e.where : "?");
}

int kw_report_end(struct kw_report *r, json_t *extra)
{
    enum kw_exit code = r->count[KW_FOUND_FAIL] > 0    ? KW_EXIT_PROBLEM
                        : r->count[KW_FOUND_BLIND] > 0 ? KW_EXIT_BLIND
                                                       : KW_EXIT_GOOD;
    if (!r->cli->json) {
        json_decref(extra);
        return (int)code;
    }
    json_t *document =
        json_pack("{s:b, s:i, s:i, s:i, s:o}", "ok", code == KW_EXIT_GOOD, "warnings",
                  (int)r->count[KW_FOUND_WARN], "failures", (int)r->count[KW_FOUND_FAIL],
                  "not_looked_at", (int)r->count[KW_FOUND_BLIND], "findings", r->items);
    if (extra != NULL && document != NULL)
        json_object_update_missing(document, extra);
    json_decref(extra);
    return kw_json_out(document, code);
}
