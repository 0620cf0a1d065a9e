/* SPDX-License-Identifier: Apache-2.0 */
#include "judged.h"

#include <stdio.h>
#include <string.h>

#include "check.h"

static struct kw_evidence *judged_empty(void)
{
    const struct kw_evidence_head head = {
        .at = "2026-11-28T00:00:00Z",
        .from = "2026-11-01T00:00:00Z",
        .to = "2026-11-15T00:00:00Z",
        .at_us = kw_time_us(kw_span_str("2026-11-28T00:00:00Z")),
        .from_us = kw_time_us(kw_span_str("2026-11-01T00:00:00Z")),
        .to_us = kw_time_us(kw_span_str("2026-11-15T00:00:00Z")),
        .cryptoperiod_days = 90};
    struct kw_evidence *e = NULL;
    CHECK_OK(kw_evidence_new(&head, &e));
    return e;
}

static json_t *judged_nothing(const struct kw_evidence_column *column)
{
    if (column->or_null)
        return json_null();
    return column->kind == KW_COLUMN_TEXT     ? json_string("")
           : column->kind == KW_COLUMN_NUMBER ? json_integer(0)
                                              : json_false();
}

static void judged_put(struct kw_evidence *e, enum kw_evidence_table table, json_t *named)
{
    const struct kw_evidence_spec *spec = kw_evidence_spec(table);
    json_t *row = json_object();
    size_t used = 0;
    for (size_t i = 0; i < spec->column_count; i++) {
        json_t *value = json_object_get(named, spec->columns[i].name);
        used += value != NULL;
        CHECK(json_object_set_new(row, spec->columns[i].name,
                                  value != NULL
                                      ? json_incref(value)
                                      : judged_nothing(&spec->columns[i])) == 0);
    }
    if (used != json_object_size(named))
        fail_msg("%s: a column that there is not", spec->name);
    kw_evidence_add(e, table, row);
    CHECK_OK(kw_evidence_state(e));
}

static void judged_add(struct kw_evidence *e, const char *rows)
{
    char *text = strdup(rows);
    json_error_t error;
    size_t tables = 0;
    CHECK(text != NULL);
    for (char *at = text; (at = strchr(at, '\'')) != NULL;)
        *at = '"';
    json_t *all = json_loads(text, JSON_REJECT_DUPLICATES, &error), *row;
    if (all == NULL)
        fail_msg("%s: %s", rows, error.text);
    for (unsigned t = 0; t < KW_EVIDENCE_TABLES; t++) {
        const json_t *list =
            json_object_get(all, kw_evidence_spec((enum kw_evidence_table)t)->name);
        size_t i;
        tables += list != NULL;
        json_array_foreach(list, i, row) judged_put(e, (enum kw_evidence_table)t, row);
    }
    CHECK(tables == json_object_size(all));
    json_decref(all);
    free(text);
}

struct kw_evidence *judged_of(const char *rows, const char *more)
{
    struct kw_evidence *e = judged_empty();
    judged_add(e, rows);
    if (more != NULL)
        judged_add(e, more);
    kw_evidence_judge(e);
    CHECK_OK(kw_evidence_state(e));
    return e;
}

static const char *judged_text(const json_t *row, const char *column)
{
    return json_string_value(json_object_get(row, column));
}

const json_t *judged_row(const struct kw_evidence *e, const char *check, size_t i)
{
    const json_t *row;
    size_t k;
    json_array_foreach(kw_evidence_rows(e, KW_EVIDENCE_CHECKS), k, row)
    {
        if (strcmp(judged_text(row, "check"), check) == 0 && i-- == 0)
            return row;
    }
    return NULL;
}

void judged_is(const struct judged_case *c)
{
    struct kw_evidence *e = judged_of(c->rows, NULL);
    const json_t *row;
    for (size_t i = 0; i < 4 && c->want[i] != NULL; i++) {
        char said[256];
        const char *why = strrchr(c->want[i], '|');
        if ((row = judged_row(e, c->check, i)) == NULL)
            fail_msg("%s: no row %zu, \"%s\"\n%s", c->check, i, c->want[i], c->rows);
        snprintf(said, sizeof said, "%s|%s", judged_text(row, "outcome"),
                 judged_text(row, "subject"));
        CHECK(why != NULL);
        if (strncmp(said, c->want[i], (size_t)(why - c->want[i])) != 0 ||
            strlen(said) != (size_t)(why - c->want[i]) ||
            strstr(judged_text(row, "why"), why + 1) == NULL)
            fail_msg("%s: %s|%s\nnot %s\n%s", c->check, said, judged_text(row, "why"),
                     c->want[i], c->rows);
    }
    for (size_t i = 0; (row = judged_row(e, c->check, i)) != NULL; i++)
        if (i == 4 || c->want[i] == NULL)
            fail_msg("%s: more is said: %s %s\n%s", c->check, judged_text(row, "outcome"),
                     judged_text(row, "why"), c->rows);
    kw_evidence_free(e);
}
