/* SPDX-License-Identifier: Apache-2.0 */
/* docs/COMPLIANCE.md says of controls, checks and limits what a bundle says. */
#include <stdio.h>
#include <string.h>

#include "bundles.h"
#include "check.h"
#include "check_names.h"
#include "controls.h"
#include "limit_list.h"

enum { CELLS = 6, CELL = 512 };

struct section {
    char text[32 * 1024];
    char *rest; /* what was not asked for yet */
};
struct row {
    char cell[CELLS][CELL];
    size_t count;
};

/* What stands under a heading, up to the next one. */
static void section_read(const char *heading, struct section *s)
{
    static char page[128 * 1024];
    char line[128];
    FILE *file = fopen(KW_COMPLIANCE, "re");
    CHECK(file != NULL);
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    CHECK(feof(file) && fclose(file) == 0);
    snprintf(line, sizeof line, "\n## %s\n", heading);
    const char *begin = strstr(page, line);
    if (begin == NULL) {
        fail_msg("docs/COMPLIANCE.md has no heading \"%s\"", heading);
        return; /* never reached: cmocka jumps out */
    }
    begin += strlen(line);
    const char *end = strstr(begin, "\n## ");
    size_t len = end != NULL ? (size_t)(end - begin) : strlen(begin);
    CHECK(kw_copy_str(s->text, sizeof s->text, kw_span_of(begin, len)));
    s->rest = s->text;
}

static void row_split(char *line, struct row *row)
{
    row->count = 0;
    for (char *cell; (cell = strsep(&line, "|")) != NULL && line != NULL;) {
        size_t len = strlen(cell);
        CHECK(row->count < CELLS && len > 2 && cell[0] == ' ' && cell[len - 1] == ' ');
        CHECK(kw_copy_str(row->cell[row->count++], CELL, kw_span_of(cell + 1, len - 2)));
    }
}

/* The next row whose table's first column has this title; false: there is none. */
static bool section_row(struct section *s, const char *title, struct row *row)
{
    char *line;
    while ((line = strsep(&s->rest, "\n")) != NULL) {
        if (line[0] != '|' || strncmp(line, "| --- ", 6) == 0)
            continue;
        row_split(line + 1, row);
        if (strcmp(row->cell[0], title) != 0)
            return true;
    }
    return false;
}

/* "`a` `b`" to "a b"; "none" to "". */
static void names_of(const char *cell, char names[CELL])
{
    size_t len = 0;
    if (strcmp(cell, "none") != 0)
        for (; *cell != '\0'; cell++)
            if (*cell != '`')
                names[len++] = *cell;
    names[len] = '\0';
}

static bool is_table(const char *name)
{
    for (unsigned t = 0; t < KW_EVIDENCE_TABLES; t++)
        if (strcmp(kw_evidence_spec((enum kw_evidence_table)t)->name, name) == 0)
            return true;
    return false;
}

/* Each word of `part` is one of `all`, a blank between. */
static void all_in(const char *part, const char *all, const char *of)
{
    char words[CELL], *rest = words, *word;
    CHECK(kw_copy_str(words, sizeof words, kw_span_str(part)));
    while (part[0] != '\0' && (word = strsep(&rest, " ")) != NULL)
        if (!kw_check_is_in(all, word))
            fail_msg("%s: \"%s\" is not in \"%s\"", of, word, all);
}

static void all_tables(const char *names, const char *of)
{
    char words[CELL], *rest = words, *word;
    CHECK(kw_copy_str(words, sizeof words, kw_span_str(names)));
    while (names[0] != '\0' && (word = strsep(&rest, " ")) != NULL)
        if (!is_table(word))
            fail_msg("%s: there is no table \"%s\"", of, word);
}

/* "collect, key" to "collect key". */
static void makers_of(const char *cell, char names[CELL])
{
    size_t len = 0;
    for (; *cell != '\0'; cell++)
        if (*cell != ',')
            names[len++] = *cell;
    names[len] = '\0';
}

/* ---- controls ---- */

static void row_is_control(const struct row *row, const struct kw_control *c)
{
    char names[CELL];
    assert_int_equal(row->count, 6);
    assert_string_equal(row->cell[0], c->number);
    assert_string_equal(row->cell[1], c->asks);
    names_of(row->cell[2], names);
    assert_string_equal(names, c->checks);
    assert_string_equal(row->cell[5], c->yours);
}

TEST(controls__each__a_row_under_its_framework_and_no_other)
{
    static struct section s;
    static struct row row;
    const char *framework = "";
    const struct kw_control *c;
    for (size_t i = 0; (c = kw_evidence_control(i)) != NULL; i++) {
        if (strcmp(framework, c->framework) != 0) {
            CHECK(i == 0 || !section_row(&s, "control", &row));
            section_read(framework = c->framework, &s);
        }
        if (!section_row(&s, "control", &row))
            fail_msg("docs/COMPLIANCE.md has no %s %s", c->framework, c->number);
        row_is_control(&row, c);
    }
    CHECK(!section_row(&s, "control", &row));
}

/* Of one check, by the table of checks: what it reads, and what makes that. */
static void check_needs(const char *name, char tables[CELL], char makers[CELL])
{
    static struct section s;
    static struct row row;
    char found[CELL];
    section_read("Checks", &s);
    while (section_row(&s, "check", &row)) {
        names_of(row.cell[0], found);
        names_of(row.cell[2], tables);
        makers_of(row.cell[3], makers);
        if (strcmp(found, name) == 0)
            return;
    }
    fail_msg("docs/COMPLIANCE.md has no check \"%s\"", name);
}

TEST(controls__each_row__reads_what_its_checks_read)
{
    static struct section s;
    static struct row row;
    const struct kw_control *c;
    const char *framework = "";
    for (size_t i = 0; (c = kw_evidence_control(i)) != NULL; i++) {
        char read[CELL], made[CELL], tables[CELL], makers[CELL];
        if (strcmp(framework, c->framework) != 0)
            section_read(framework = c->framework, &s);
        CHECK(section_row(&s, "control", &row));
        names_of(row.cell[3], read);
        makers_of(row.cell[4], made);
        all_tables(read, c->number);
        for (size_t k = 0; kw_check_name(k) != NULL; k++) {
            if (!kw_check_is_in(c->checks, kw_check_name(k)))
                continue;
            check_needs(kw_check_name(k), tables, makers);
            all_in(tables, read, c->number);
            all_in(makers, made, c->number);
        }
    }
}

/* ---- checks, limits ---- */

/* The tables of the i-th check; of a bundle without rows each check has one. */
static const char *judged_by(const struct kw_evidence *e, size_t i)
{
    const json_t *row = json_array_get(kw_evidence_rows(e, KW_EVIDENCE_CHECKS), i);
    assert_string_equal(json_string_value(json_object_get(row, "check")),
                        kw_check_name(i));
    return json_string_value(json_object_get(row, "tables"));
}

TEST(checks__each__a_row_with_tables_and_makers_that_there_are)
{
    static struct section s, made;
    static struct row row;
    char all[CELL] = "", names[CELL];
    struct kw_evidence *e = kw_bundle_empty();
    section_read("What makes it", &made);
    for (size_t len = 0; section_row(&made, "made by", &row); len = strlen(all))
        snprintf(all + len, sizeof all - len, " %s", row.cell[0]);
    section_read("Checks", &s);
    kw_evidence_judge(e);
    for (size_t i = 0; kw_check_name(i) != NULL; i++) {
        CHECK(section_row(&s, "check", &row));
        assert_int_equal(row.count, 4);
        names_of(row.cell[0], names);
        assert_string_equal(names, kw_check_name(i));
        names_of(row.cell[2], names);
        assert_string_equal(names, judged_by(e, i));
        all_tables(names, kw_check_name(i));
        makers_of(row.cell[3], names);
        CHECK(names[0] != '\0');
        all_in(names, all, kw_check_name(i));
    }
    CHECK(!section_row(&s, "check", &row));
    kw_evidence_free(e);
}

TEST(checks__those_that_serve_no_control__are_told)
{
    static struct section s;
    char told[CELL];
    for (size_t i = 0; kw_check_name(i) != NULL; i++) {
        section_read("Checks", &s);
        snprintf(told, sizeof told, "\n`%s` serves none ", kw_check_name(i));
        CHECK((strstr(s.text, told) != NULL) == kw_check_serves_none(kw_check_name(i)));
    }
}

TEST(limits__each__a_line_of_the_list_and_no_other)
{
    static struct section s;
    size_t i = 0;
    char *line;
    section_read("What no bundle shows", &s);
    while ((line = strsep(&s.rest, "\n")) != NULL) {
        if (strncmp(line, "- ", 2) != 0)
            continue;
        CHECK(kw_evidence_limit(i) != NULL);
        assert_string_equal(line + 2, kw_evidence_limit(i));
        i++;
    }
    CHECK(i > 0 && kw_evidence_limit(i) == NULL);
}

KW_SUITE("provider/evidence/compliance")
