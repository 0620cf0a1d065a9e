/* SPDX-License-Identifier: Apache-2.0 */
/* A table of the page: a row a line; or, where a row has many columns and rows are to be
 * compared, a row a column. */
#include "html.h"

#include <string.h>

enum { SIDE_BY_SIDE = 4, LONG_WORD = 30 };

/* ---- in which order ---- */

struct table_walk {
    const json_t *rows;
    bool worst_first;
    unsigned pass;
    size_t at, given;
};

/* 0 is the worst. */
static unsigned table_rank(const json_t *row)
{
    const char *outcome = json_string_value(json_object_get(row, "outcome"));
    if (strcmp(outcome, KW_OUTCOME_FAIL) == 0)
        return 0;
    return strcmp(outcome, KW_OUTCOME_PASS) == 0 ? 2 : 1;
}

static struct table_walk table_walk(const struct kw_evidence *e,
                                    enum kw_evidence_table table)
{
    return (struct table_walk){.rows = kw_evidence_rows(e, table),
                               .worst_first = table == KW_EVIDENCE_CHECKS};
}

/* The next row that the page shows; NULL behind the last. */
static const json_t *table_next(struct table_walk *walk)
{
    const size_t count = json_array_size(walk->rows);
    if (walk->given == KW_HTML_ROWS)
        return NULL;
    for (; walk->pass <= 2; walk->pass++, walk->at = 0)
        while (walk->at < count) {
            const json_t *row = json_array_get(walk->rows, walk->at++);
            if (walk->worst_first ? table_rank(row) == walk->pass : walk->pass == 0) {
                walk->given++;
                return row;
            }
        }
    return NULL;
}

/* ---- a cell ---- */

static bool table_ends_with(const char *name, const char *end)
{
    const size_t len = strlen(name), end_len = strlen(end);
    return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

/* Is it for machines, so that each letter counts? */
static bool table_is_code(const struct kw_evidence_column *column)
{
    static const char *const ends[] = {"sha256",    "key_id",  "log_id",  "head",
                                       "attribute", "setting", "command", "serial"};
    bool is_code = false;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        is_code = is_code || table_ends_with(column->name, ends[i]);
    return is_code && column->kind == KW_COLUMN_TEXT;
}

/* Long words break anywhere; a short one that is alone breaks nowhere, not at its hyphens
 * either. */
static const char *table_wraps(kw_span text)
{
    size_t run = 0, longest = 0;
    bool is_alone = true;
    for (size_t i = 0; i < text.len; i++) {
        is_alone = is_alone && text.ptr[i] != ' ';
        run = text.ptr[i] == ' ' ? 0 : run + 1;
        longest = run > longest ? run : longest;
    }
    if (longest > LONG_WORD)
        return "w";
    return is_alone && text.len > 0 && memchr(text.ptr, '-', text.len) != NULL ? "s" : "";
}

static bool table_is_name(kw_span word)
{
    bool is_name = false;
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++)
        is_name = is_name || kw_span_equal_str(word, kw_evidence_spec(i)->name);
    return is_name;
}

/* Names, a blank between.  One of a table leads there. */
static void table_names(kw_span text, bool of_tables, FILE *out)
{
    while (text.len > 0) {
        const uint8_t *blank = memchr(text.ptr, ' ', text.len);
        const size_t n = blank != NULL ? (size_t)(blank - text.ptr) : text.len;
        const size_t taken = n + (blank != NULL);
        const kw_span word = kw_span_of(text.ptr, n);
        if (of_tables && table_is_name(word)) {
            fprintf(out, "<a href=\"#%.*s\">%.*s</a>", (int)n, (const char *)word.ptr,
                    (int)n, (const char *)word.ptr);
        } else {
            fprintf(out, "<span class=\"%s\">", table_wraps(word)[0] == 'w' ? "w" : "s");
            kw_html_text(out, word);
            fputs("</span>", out);
        }
        fputs(blank != NULL ? " " : "", out);
        text = kw_span_of(text.ptr + taken, text.len - taken);
    }
}

static void table_td(const char *code, const char *wraps, FILE *out)
{
    const bool has_both = code[0] != '\0' && wraps[0] != '\0';
    if (code[0] == '\0' && wraps[0] == '\0')
        fputs("<td>", out);
    else
        fprintf(out, "<td class=\"%s%s%s\">", code, has_both ? " " : "", wraps);
}

static void table_text(const struct kw_evidence_column *column, kw_span text, FILE *out)
{
    if (strcmp(column->name, "outcome") == 0 || strcmp(column->name, "verdict") == 0) {
        fputs("<td>", out);
        kw_html_outcome(out, (const char *)text.ptr);
    } else if (strcmp(column->name, "tables") == 0 ||
               strcmp(column->name, "checks") == 0) {
        fputs("<td>", out);
        table_names(text, column->name[0] == 't', out);
    } else {
        table_td(table_is_code(column) ? "m" : "", table_wraps(text), out);
        kw_html_text(out, text);
    }
    fputs("</td>", out);
}

static void table_plain(const json_t *value, FILE *out)
{
    if (json_is_string(value))
        kw_html_string(out, json_string_value(value));
    else if (json_is_integer(value))
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "yes" : "no", out);
    else
        fputs("\xe2\x80\x93", out); /* EN DASH */
}

static void table_cell(const struct kw_evidence_column *column, const json_t *row,
                       FILE *out)
{
    const json_t *value = json_object_get(row, column->name);
    if (json_is_string(value))
        table_text(column,
                   kw_span_of(json_string_value(value), json_string_length(value)), out);
    else {
        fputs(column->kind == KW_COLUMN_NUMBER ? "<td class=\"n\">" : "<td>", out);
        table_plain(value, out);
        fputs("</td>", out);
    }
}

/* ---- a row a line ---- */

static void table_lines(const struct kw_evidence_spec *spec, struct table_walk *walk,
                        FILE *out)
{
    fputs("<div class=\"t\"><table>\n<caption>", out);
    kw_html_string(out, spec->title);
    fputs("</caption>\n<thead><tr>", out);
    for (size_t c = 0; c < spec->column_count; c++) {
        fprintf(out, "<th scope=\"col\"%s>",
                spec->columns[c].kind == KW_COLUMN_NUMBER ? " class=\"n\"" : "");
        kw_html_string(out, spec->columns[c].title);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
    for (const json_t *row; (row = table_next(walk)) != NULL;) {
        fputs("<tr>", out);
        for (size_t c = 0; c < spec->column_count; c++)
            table_cell(&spec->columns[c], row, out);
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
}

/* ---- a row a column ---- */

static bool table_is_beside(enum kw_evidence_table table)
{
    return table == KW_EVIDENCE_NODES || table == KW_EVIDENCE_TOKENS ||
           table == KW_EVIDENCE_ROTATIONS || table == KW_EVIDENCE_LOGS ||
           table == KW_EVIDENCE_ETCD;
}

/* What the first column has is each one's head. */
static void table_beside(const struct kw_evidence_spec *spec, const json_t *const *rows,
                         size_t count, FILE *out)
{
    fputs("<div class=\"t\"><table class=\"beside\">\n<caption>", out);
    kw_html_string(out, spec->title);
    fputs("</caption>\n<thead><tr><th scope=\"col\">", out);
    kw_html_string(out, spec->columns[0].title);
    fputs("</th>", out);
    for (size_t i = 0; i < count; i++) {
        fputs("<th scope=\"col\">", out);
        table_plain(json_object_get(rows[i], spec->columns[0].name), out);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
    for (size_t c = 1; c < spec->column_count; c++) {
        fputs("<tr><th scope=\"row\">", out);
        kw_html_string(out, spec->columns[c].title);
        fputs("</th>", out);
        for (size_t i = 0; i < count; i++)
            table_cell(&spec->columns[c], rows[i], out);
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
}

/* Groups of like size: six are three and three, not four and two. */
static void table_groups(const struct kw_evidence_spec *spec, size_t count,
                         struct table_walk *walk, FILE *out)
{
    const size_t groups = (count + SIDE_BY_SIDE - 1) / SIDE_BY_SIDE;
    const size_t of_each = (count + groups - 1) / groups;
    const json_t *rows[SIDE_BY_SIDE];
    size_t n = 0;
    for (const json_t *row; (row = table_next(walk)) != NULL;) {
        rows[n++] = row;
        if (n == of_each) {
            table_beside(spec, rows, n, out);
            n = 0;
        }
    }
    if (n > 0)
        table_beside(spec, rows, n, out);
}

/* ---- all of it ---- */

static void table_columns(const struct kw_evidence_spec *spec, FILE *out)
{
    fputs("<details><summary>What each column has</summary>\n<dl>", out);
    for (size_t c = 0; c < spec->column_count; c++) {
        fputs("<dt>", out);
        kw_html_string(out, spec->columns[c].title);
        fputs("</dt><dd>", out);
        kw_html_string(out, spec->columns[c].says);
        fputs("</dd>\n", out);
    }
    fputs("</dl></details>\n", out);
}

void kw_html_table(const struct kw_evidence *e, enum kw_evidence_table table, FILE *out)
{
    const struct kw_evidence_spec *spec = kw_evidence_spec(table);
    const size_t count = json_array_size(kw_evidence_rows(e, table));
    struct table_walk walk = table_walk(e, table);
    if (count == 0) {
        fputs("<p class=\"empty\">no row: there is none, or nothing was given</p>\n",
              out);
        return;
    }
    if (table_is_beside(table))
        table_groups(spec, count < KW_HTML_ROWS ? count : KW_HTML_ROWS, &walk, out);
    else
        table_lines(spec, &walk, out);
    if (count > KW_HTML_ROWS)
        fprintf(out,
                "<p class=\"more\">%u of %zu rows; all are in <a href=\"%s.csv\">%s.csv"
                "</a></p>\n",
                KW_HTML_ROWS, count, spec->name, spec->name);
    table_columns(spec, out);
}
