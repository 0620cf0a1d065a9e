/* SPDX-License-Identifier: Apache-2.0 */
/* The status document for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <keyward/bytes.h>

#include "document.h"

/* Those of an array, as many as fit; "" when it has something else. */
static void texts(const json_t *list, char *dst, size_t cap)
{
    static const char more[] = " ...";
    size_t len =
        (size_t)snprintf(dst, cap, "%s", json_array_size(list) == 0 ? "none" : "");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text == NULL) {
            dst[0] = '\0';
            return;
        }
        if (len + 1 + strlen(text) + sizeof more > cap) {
            snprintf(dst + len, cap - len, "%s", more);
            break;
        }
        len += (size_t)snprintf(dst + len, cap - len, "%s%s", i > 0 ? " " : "", text);
    }
    kw_copy_printable(dst, cap, kw_span_str(dst));
}

/* A scalar, or "" for what is printed otherwise. */
static void scalar(const json_t *v, char *dst, size_t cap)
{
    dst[0] = '\0';
    if (json_is_string(v))
        kw_copy_printable(dst, cap,
                          kw_span_of(json_string_value(v), json_string_length(v)));
    else if (json_is_integer(v))
        snprintf(dst, cap, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_real(v))
        snprintf(dst, cap, "%g", json_real_value(v));
    else if (json_is_boolean(v))
        snprintf(dst, cap, "%s", json_is_true(v) ? "yes" : "no");
    else if (json_is_null(v))
        snprintf(dst, cap, "-");
    else if (json_is_array(v))
        texts(v, dst, cap);
}

/* jansson's iteration wants a pointer to what is not const. */
static json_t *walkable(const json_t *o)
{
    return (json_t *)(uintptr_t)o;
}

/* A member's name, fit to be shown: the document is whatever the socket gave. */
struct shown {
    char text[64];
};
static struct shown shown(const char *name)
{
    struct shown s;
    kw_copy_printable(s.text, sizeof s.text, kw_span_str(name));
    return s;
}

/* One object on one line: name value, name value, name (name value); arrays further down
 * are left to --json, but for those of texts. */
static void print_fields(const json_t *o, unsigned depth)
{
    const char *between = "";
    char text[sizeof(struct kw_note)];
    for (void *it = json_object_iter(walkable(o)); it != NULL;
         it = json_object_iter_next(walkable(o), it)) {
        const json_t *v = json_object_iter_value(it);
        scalar(v, text, sizeof text);
        bool inner = json_is_object(v) && depth == 0;
        if (text[0] == '\0' && !inner)
            continue;
        printf("%s%s %s", between, shown(json_object_iter_key(it)).text,
               inner ? "(" : text);
        if (inner) {
            print_fields(v, depth + 1);
            putchar(')');
        }
        between = ", ";
    }
}

static void print_member(const char *name, const json_t *v)
{
    char text[sizeof(struct kw_note)];
    scalar(v, text, sizeof text);
    if (json_is_object(v)) {
        printf("%-12s ", name);
        print_fields(v, 0);
        putchar('\n');
    } else if (!json_is_array(v)) {
        printf("%-12s %s\n", name, text);
    } else if (json_array_size(v) == 0) {
        printf("%-12s none\n", name);
    }
    for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++) {
        printf("%-12s ", name);
        print_fields(json_array_get(v, i), 0);
        putchar('\n');
    }
}

/* ---- tables ---- */

enum { COLUMNS_MAX = 10, CELL = 96 };

/* Which members of the objects of a list are shown; a dot leads into an object of theirs.
 * Everything else of them is in --json. */
static const struct document_table {
    const char *list, *title; /* of its first column */
    const char *columns[COLUMNS_MAX];
} tables[] = {
    {"classes",
     "class",
     {"name", "scope", "encrypt_calls", "decrypt_calls", "failed_calls", "cache.entries",
      "cache.hits", "socket"}},
    {"tokens", "token", {"name", "state", "out", "unproven", "label", "serial", "model"}},
    {"versions",
     "version",
     {"n", "state", "verdict", "origin", "found", "encrypts", "decrypts", "refused",
      "last_refused", "key_id"}},
    {"workers", "worker of", {"token", "pid", "state", "sessions", "hanging", "served"}},
};

static const struct document_table *document_table_of(const char *list)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        if (strcmp(tables[i].list, list) == 0)
            return &tables[i];
    return NULL;
}

static void document_cell(const json_t *row, const char *column, char dst[CELL])
{
    char first[CELL];
    const char *dot = strchr(column, '.');
    if (dot != NULL) {
        kw_copy_str(first, sizeof first, kw_span_of(column, (size_t)(dot - column)));
        row = json_object_get(row, first);
        column = dot + 1;
    }
    scalar(json_object_get(row, column), dst, CELL);
    if (dst[0] == '\0')
        snprintf(dst, CELL, "-");
}

static int document_width(const json_t *list, const char *title, const char *column)
{
    char cell[CELL];
    size_t width = strlen(title);
    for (size_t i = 0; i < json_array_size(list); i++) {
        document_cell(json_array_get(list, i), column, cell);
        width = strlen(cell) > width ? strlen(cell) : width;
    }
    return (int)width;
}

static void document_print_table(const struct document_table *t, const json_t *list)
{
    int width[COLUMNS_MAX] = {0};
    size_t count = 0;
    while (count < COLUMNS_MAX && t->columns[count] != NULL)
        count++;
    for (size_t k = 0; k < count; k++) {
        const char *title = k == 0 ? t->title : t->columns[k];
        width[k] = k + 1 < count ? document_width(list, title, t->columns[k]) : 0;
        printf("%s%-*s", k > 0 ? "  " : "", width[k], title);
    }
    putchar('\n');
    for (size_t i = 0; i < json_array_size(list); i++) {
        char cell[CELL];
        for (size_t k = 0; k < count; k++) {
            document_cell(json_array_get(list, i), t->columns[k], cell);
            printf("%s%-*s", k > 0 ? "  " : "", width[k], cell);
        }
        putchar('\n');
    }
}

static bool document_is_table(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_is_object(json_array_get(list, i)))
            return false;
    return json_array_size(list) > 0;
}

/* ---- the verdict ---- */

static void print_reasons(const struct kw_cli *cli, const char *text)
{
    const size_t remedy = strlen(KW_REASON_REMEDY);
    for (size_t len; *text != '\0'; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        if (strncmp(text, KW_REASON_REMEDY, remedy) == 0)
            printf("    %.*s\n", (int)len, text);
        else
            printf("%sFAIL%s  %.*s\n", kw_tint(cli, KW_TINT_BAD),
                   kw_tint(cli, KW_TINT_OFF), (int)len, text);
    }
}

static void print_verdict(const struct kw_cli *cli, const json_t *document)
{
    struct kw_reasons why = {{0}};
    const json_t *active = json_object_get(document, "active");
    const char *key_id = json_string_value(json_object_get(active, "key_id"));
    if (kw_document_judge(document, &why) != KW_EXIT_GOOD)
        printf("%snot well%s: %zu thing%s\n", kw_tint(cli, KW_TINT_BAD),
               kw_tint(cli, KW_TINT_OFF), why.count, why.count > 1 ? "s" : "");
    else
        printf("%swell%s: the HSM is up, version %" JSON_INTEGER_FORMAT
               " is active (%s)\n",
               kw_tint(cli, KW_TINT_GOOD), kw_tint(cli, KW_TINT_OFF),
               json_integer_value(json_object_get(active, "n")),
               key_id != NULL ? shown(key_id).text : "?");
    print_reasons(cli, why.text);
}

void kw_document_print(const struct kw_cli *cli, const json_t *document)
{
    print_verdict(cli, document);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        const json_t *list = json_object_get(document, tables[i].list);
        if (document_is_table(list)) {
            putchar('\n');
            document_print_table(&tables[i], list);
        }
    }
    putchar('\n');
    for (void *it = json_object_iter(walkable(document)); it != NULL;
         it = json_object_iter_next(walkable(document), it)) {
        const char *name = json_object_iter_key(it);
        if (document_table_of(name) == NULL ||
            !document_is_table(json_object_iter_value(it)))
            print_member(shown(name).text, json_object_iter_value(it));
    }
}
